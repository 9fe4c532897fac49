"""Names of members and attributes: any key has one, and two keys have two."""

from __future__ import annotations

import h5py
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adsupport.callbacks.output.hdf5_names import attribute_name
from adsupport.callbacks.output.hdf5_values import key_of, member_name

KEYS = st.text(st.one_of(st.sampled_from("./%2Ff0\0\ud800\udc00aé "), st.characters()), max_size=30)


@pytest.fixture(scope="module")
def h5():
    """A file in memory."""
    with h5py.File("names", "w", driver="core", backing_store=False) as file:
        yield file


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("det_image", "det_image"),
        ("sim.det", "sim.det"),
        ("a/b", "a%2Fb"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        (".a", ".a"),
        ("", "%"),
        ("%", "%"),
        ("100%", "100%"),
        ("100%25", "100%2525"),
        ("%2F", "%252F"),
        ("a\0b", "a%00b"),
        ("\ud800", "%ED%A0%80"),
        ("日", "日"),
    ],
)
def test_member_name(key: str, name: str) -> None:
    assert member_name(key) == name


@given(KEYS)
@example("%/")
@example("%2/")
@example("\ud83d\ude00")
def test_a_key_comes_back(key: str) -> None:
    if key != "%":
        assert key_of(member_name(key)) == key


@given(KEYS)
def test_hdf5_takes_the_name_as_one_member(h5: h5py.File, key: str) -> None:
    group = h5.create_group("g")
    try:
        group.create_group(member_name(key))
        assert list(group) == [member_name(key)]
        group.attrs[attribute_name(key)] = 1
        assert list(group.attrs) == [attribute_name(key)]
    finally:
        del h5["g"]


def test_long_names_are_cut_and_stay_different(h5: h5py.File) -> None:
    keys = ["é" * 70_000 + end for end in "ab"]
    for make in (member_name, attribute_name):
        first, second = map(make, keys)
        assert first != second
        assert len(first.encode()) <= 1024
        h5.attrs[first] = 1
    assert key_of(member_name(keys[0])) == member_name(keys[0])
