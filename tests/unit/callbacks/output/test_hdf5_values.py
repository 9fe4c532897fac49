"""Values in HDF5 files: any value can be written, and what h5py reads back is equal."""

from __future__ import annotations

import datetime
import enum
import json
import math
import pathlib
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from adsupport.callbacks.output.hdf5_values import (
    MAX_ATTRIBUTE_BYTES,
    read_attribute,
    read_value,
    write_attribute,
    write_value,
)
from adsupport.errors import DocumentError

ZONE = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


class _Color(enum.Enum):
    RED = "red"
    NUMBER = 7


class _Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


class _BrokenArray:
    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("no array")


class _ArrayLike:
    def __init__(self, shape: tuple[int, ...] = (3,)) -> None:
        self.shape = shape

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        return np.arange(np.prod(self.shape), dtype="<i2").reshape(self.shape)


@pytest.fixture(scope="module")
def h5() -> Iterator[h5py.File]:
    """A file in memory."""
    with h5py.File("values", "w", driver="core", backing_store=False) as file:
        yield file


def as_dataset(h5: h5py.File, value: Any) -> Any:
    notes: list[str] = []
    dataset = write_value(h5, "x", value, notes=notes)
    try:
        assert notes == []
        return read_value(dataset)
    finally:
        del h5["x"]


def as_attribute(h5: h5py.File, value: Any) -> Any:
    try:
        assert write_attribute(h5, "x", value) is None
        return read_attribute(h5, "x")
    finally:
        for name in list(h5.attrs):
            del h5.attrs[name]


WAYS = pytest.mark.parametrize("way", [as_dataset, as_attribute])
Way = Callable[[h5py.File, Any], Any]


def same(found: Any, expected: Any) -> bool:
    """Tell whether two values are equal, NaN among them; lists and arrays alike."""
    if isinstance(found, np.ndarray):
        found = found.tolist()
    if isinstance(expected, np.ndarray):
        expected = expected.tolist()
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[k], expected[k]) for k in found)
    if isinstance(expected, complex) and not isinstance(found, str):
        return same(found.real, expected.real) and same(found.imag, expected.imag)
    if isinstance(expected, float) and math.isnan(expected):
        return found != found
    return bool(found == expected) and isinstance(found, str) == isinstance(expected, str)


TEXT = st.text(st.one_of(st.characters(), st.sampled_from("\0\ud800")), max_size=20)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.complex_numbers(),
    TEXT,
    st.binary(max_size=20),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(TEXT, inner, max_size=4),
    ),
    max_leaves=20,
)


@WAYS
@given(value=VALUES)
def test_any_value_comes_back_equal(way: Way, h5: h5py.File, value: Any) -> None:
    assert same(way(h5, value), value)


@WAYS
@given(
    value=npst.arrays(
        st.one_of(
            npst.scalar_dtypes().filter(lambda dtype: dtype.kind not in "mMU"),
            npst.boolean_dtypes(),
        ),
        npst.array_shapes(min_dims=0, min_side=0, max_dims=4, max_side=5),
    )
)
def test_arrays_keep_dtype_and_shape_bit_for_bit(
    way: Way, h5: h5py.File, value: np.ndarray
) -> None:
    found = np.asarray(way(h5, value))
    if value.dtype.kind == "S":  # texts of fixed length
        assert same(found, value)
        return
    # numpy has no scalars of another byte order; test_what_h5py_alone_sees looks into the file
    assert found.dtype == (value.dtype if value.shape else value.dtype.newbyteorder("="))
    assert found.shape == value.shape
    assert np.array_equal(found, value, equal_nan=value.dtype.kind in "fc")


@WAYS
@given(value=st.lists(st.lists(st.integers(-5, 5), min_size=2, max_size=2), min_size=1))
def test_regular_lists_are_arrays(way: Way, h5: h5py.File, value: list[list[int]]) -> None:
    found = way(h5, value)
    assert found.dtype == np.int64
    assert found.shape == (len(value), 2)
    assert found.tolist() == value


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (True, bool, ()),
        (5, "<i8", ()),
        (2**63, "<u8", ()),
        (1.5, "<f8", ()),
        (1j, "<c16", ()),
        ([True, False], bool, (2,)),
        ([1, 2**63], "<u8", (2,)),
        ([1, 2.5], "<f8", (2,)),
        ([1, 2j], "<c16", (2,)),
        ([[1], [2]], "<i8", (2, 1)),
        (range(3), "<i8", (3,)),
        (deque([1, 2]), "<i8", (2,)),
        (np.float32(1.5), "<f4", ()),
        (np.float16(1.5), "<f2", ()),
        (np.uint8(1), "u1", ()),
        (np.longdouble(1) / 3, np.longdouble, ()),
        (np.arange(3, dtype=">u2"), ">u2", (3,)),
        (np.array(5, dtype=">u2"), ">u2", ()),
        ([np.float32(1), np.float32(2)], "<f4", (2,)),
        ([np.float64(1), 2.0, 3], "<f8", (3,)),
        ([np.arange(2, dtype="i1")] * 3, "i1", (3, 2)),
        (_ArrayLike(), "<i2", (3,)),
        (np.ma.masked_array([1, 2], dtype="u1"), "u1", (2,)),
        (np.zeros(2, [("a", "<f4"), ("b", "<i2", (2,))]), [("a", "<f4"), ("b", "<i2", (2,))], (2,)),
        (datetime.timedelta(minutes=1), "<f8", ()),
        (np.array([5, 6], "m8[ms]"), "<f8", (2,)),
        (np.zeros((3, 0)), "<f8", (3, 0)),
        (b"a\0", "V2", ()),
        (b"ab", "S2", ()),
    ],
)
def test_what_h5py_alone_sees(h5: h5py.File, value: Any, dtype: Any, shape: Any) -> None:
    dataset = write_value(h5, "x", value)
    write_attribute(h5, "x", value)
    try:
        assert dataset.dtype == np.dtype(dtype)
        assert dataset.shape == shape
        assert "encoding" not in dataset.attrs
        attribute = h5.attrs.get_id("x")
        assert (attribute.dtype, attribute.shape) == (np.dtype(dtype), shape)
        assert list(h5.attrs) == ["x"]
    finally:
        del h5["x"], h5.attrs["x"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"a": [1, {"b": math.inf}]},
        [],
        [[]],
        [[1, 2], [3]],
        [1, "a"],
        [True, 1],
        ["a", None],
        2**70,
        [1, 2**64],
        [2**53 + 1, 0.5],
        "a\0b",
        "\ud800",
        ["a", "b\0"],
        [b"a"],
    ],
)
def test_the_rest_is_strict_json_text(h5: h5py.File, value: Any) -> None:
    dataset = write_value(h5, "x", value)
    write_attribute(h5, "x", value)
    try:
        assert dataset.attrs["encoding"] == "json"
        assert h5.attrs["x@encoding"] == "json"
        for text in (dataset.asstr()[()], h5.attrs["x"]):
            json.loads(str(text), parse_constant=pytest.fail)
        assert same(read_value(dataset), value)
    finally:
        del h5["x"], h5.attrs["x"], h5.attrs["x@encoding"]


def test_plain_json_is_readable_by_anybody(h5: h5py.File) -> None:
    value = {"sample": "Ni", "position": [1, 2.5, None], "ok": True}
    assert json.loads(str(write_value(h5, "plain", value).asstr()[()])) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("größe", "größe"),
        ("", ""),
        (np.str_("a"), "a"),
        (_Color.RED, "red"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (uuid.UUID(int=5), str(uuid.UUID(int=5))),
        (datetime.datetime(2026, 11, 21, 22, 3, tzinfo=ZONE), "2026-11-21T22:03:00+05:30"),
        (datetime.date(2026, 11, 21), "2026-11-21"),
        (datetime.time(22, 3), "22:03:00"),
        (np.datetime64("2026-11-21T22:03:00.5", "ms"), "2026-11-21T22:03:00.500Z"),
        (np.datetime64("2026-11-21"), "2026-11-21"),
        (np.datetime64("NaT", "ns"), "NaT"),
    ],
)
def test_texts(h5: h5py.File, value: Any, text: str) -> None:
    assert as_dataset(h5, value) == text
    assert as_attribute(h5, value) == text
    kind = h5py.check_string_dtype(write_value(h5, "kind", value).dtype)
    del h5["kind"]
    assert kind is not None
    assert (kind.encoding, kind.length) == ("utf-8", None)


def test_a_datetime_without_zone_gets_that_of_this_computer(h5: h5py.File) -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678)
    found = datetime.datetime.fromisoformat(as_attribute(h5, moment))
    assert found.tzinfo is not None
    assert found == moment.astimezone()


@WAYS
@pytest.mark.parametrize(
    "value",
    [
        np.array(["a", "é"]),
        np.array(["a", "b"], object),
        np.array(["a", "b"], np.dtypes.StringDType()),
        ("a", "b"),
        [_Color.RED, "x"],
        [pathlib.PurePosixPath("/a"), "b"],
        np.array([["a"], ["b"]]),
    ],
)
def test_lists_of_texts(way: Way, h5: h5py.File, value: Any) -> None:
    found = way(h5, value)
    assert found.dtype == object
    assert found.shape == np.shape(value)
    assert all(type(each) is str for each in found.ravel())


def test_masked_values_are_null(h5: h5py.File) -> None:
    value = np.ma.masked_array([1.0, 2.0], [False, True])
    assert as_dataset(h5, value) == [1.0, None]


def test_a_mixed_table_is_json_text(h5: h5py.File) -> None:
    pandas = pytest.importorskip("pandas")
    assert same(
        as_dataset(h5, pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})), [[1, "x"], [2, "y"]]
    )
    assert as_dataset(h5, pandas.Series([1.0, 2.0])).tolist() == [1.0, 2.0]
    moment = pandas.Timestamp("2026-11-21T22:03:00.000000001Z")
    assert as_dataset(h5, moment) == "2026-11-21T22:03:00.000000001+00:00"


def test_seconds_have_a_unit(h5: h5py.File) -> None:
    dataset = write_value(h5, "span", datetime.timedelta(minutes=1))
    assert dataset[()] == 60.0
    assert dataset.attrs["units"] == "s"


@pytest.mark.parametrize(
    "value",
    [
        "x" * 200_000,
        "é" * 100_000,
        "x" * 70_000 + "\0",
        np.arange(30_000),
        np.arange(30_000, dtype=">f4"),
        np.ones((300, 300), "i2"),
        np.ones(30_000, bool),
        np.ones(30_000, "c8"),
        ["text"] * 5000,
        list(range(30_000)),
        {str(n): n for n in range(20_000)},
        b"x" * 100_000,
        b"\0" * 100_000,
        np.array([b"x" * 10_000] * 10),
    ],
)
def test_an_attribute_of_any_size(h5: h5py.File, value: Any) -> None:
    found = as_attribute(h5, value)
    assert same(found, value)
    if isinstance(value, np.ndarray):
        assert found.dtype == value.dtype.newbyteorder("=")


def test_a_large_attribute_of_an_array_like_keeps_its_numbers(h5: h5py.File) -> None:
    value = _ArrayLike((MAX_ATTRIBUTE_BYTES // 2, 2))
    notes: list[str] = []
    assert write_attribute(h5, "large array-like", value, notes=notes) is None
    assert notes == []
    found = read_attribute(h5, "large array-like")
    assert np.array_equal(found, np.asarray(value))


@pytest.mark.parametrize("size", [MAX_ATTRIBUTE_BYTES, MAX_ATTRIBUTE_BYTES + 1])
def test_many_large_attributes_of_one_object(h5: h5py.File, size: int) -> None:
    group = h5.create_group(f"many{size}")
    for number in range(50):
        write_attribute(group, f"n{number}", np.full(size, number, "u1"))
    for number in range(50):
        assert read_attribute(group, f"n{number}").tolist() == [number] * size


def test_an_attribute_is_replaced_with_its_marker(h5: h5py.File) -> None:
    group = h5.create_group("replaced")
    for value in (None, 5, {"a": 1}, "text"):
        write_attribute(group, "x", value)
        assert same(read_attribute(group, "x"), value)
    assert list(group.attrs) == ["x"]


LOOP: list[Any] = []
LOOP.append(LOOP)
TWO_LOOPS: list[Any] = []
TWO_LOOPS += [TWO_LOOPS, TWO_LOOPS]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "type object"),
        ({"a": [1, object()]}, "x['a'][1], type object"),
        (_Broken(), "type _Broken"),
        (_BrokenArray(), "no array"),
        (LOOP, "only a text is kept"),
        (TWO_LOOPS, "only a text is kept"),
        (1 + 0.5j * np.nan, None),
        ({1: object()}, "x[1]"),
        ([np.ma.masked_array([1], [True]), 1], "MaskedArray"),
    ],
)
def test_what_has_no_form_leaves_a_note(h5: h5py.File, value: Any, words: str | None) -> None:
    notes: list[str] = []
    try:
        write_value(h5, "x", value, notes=notes)
        note = write_attribute(h5, "x", value, notes=notes)
        read_value(h5["x"])  # type: ignore[arg-type]
        read_attribute(h5, "x")
    finally:
        del h5["x"]
        for name in list(h5.attrs):
            del h5.attrs[name]
    if words is None:
        assert note is None
        assert notes == []
    else:
        assert note is not None
        assert words in note
        assert note.endswith(".")
        assert len(note) < 400
        assert len(notes) == 2 * (4 if value is TWO_LOOPS else 1)  # one for each place


@pytest.mark.parametrize("value", [5, "text", None, b"", {"a": 1}, np.float32(1), [1, 2], ["a"]])
def test_options_for_arrays_are_left_out_for_scalars(h5: h5py.File, value: Any) -> None:
    dataset = write_value(
        h5,
        "x",
        value,
        chunks=True,
        compression="gzip",
        compression_opts=4,
        shuffle=True,
        fletcher32=True,
        maxshape=(None,),
        track_times=False,
    )
    try:
        assert same(read_value(dataset), value)
        assert dataset.maxshape == ((None,) if dataset.shape else dataset.shape)
        assert dataset.compression == (
            "gzip" if dataset.dtype.kind == "i" and dataset.shape else None
        )
    finally:
        del h5["x"]


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4)])
def test_empty_arrays_with_compression(h5: h5py.File, shape: tuple[int, ...]) -> None:
    dataset = write_value(h5, "x", np.zeros(shape, "u2"), compression="gzip")
    try:
        assert (dataset.shape, dataset.dtype) == (shape, np.dtype("u2"))
    finally:
        del h5["x"]


def test_names_are_paths_and_what_hdf5_cant_have_is_escaped(h5: h5py.File) -> None:
    group = h5.create_group("names")
    assert write_value(group, "a/b", 1).name == "/names/a/b"
    assert write_value(group, "a\0c/\ud800", 1).name == "/names/a%00c/%ED%A0%80"
    assert write_value(group, "", 1).name == "/names/%"
    write_attribute(group, "a/\0\ud800", 5)
    assert list(group.attrs) == ["a/%00%ED%A0%80"]
    assert read_attribute(group, "a/\0\ud800") == 5
    with pytest.raises(ValueError, match="already exists"):
        write_value(group, "a/b", 1)
    with pytest.raises(KeyError):
        read_attribute(group, "missing")


def test_what_others_wrote_is_read(h5: h5py.File) -> None:
    group = h5.create_group("others")
    group["text"] = np.array(b"abc")
    group["list"] = ["a", "b"]
    group.create_dataset("fixed", data=np.array(["é".encode()], h5py.string_dtype("utf-8", 4)))
    group["empty"] = h5py.Empty(h5py.string_dtype())
    assert [read_value(group[name]) for name in ("text", "empty")] == [b"abc", b""]  # type: ignore[arg-type]
    assert read_value(group["list"]).tolist() == ["a", "b"]  # type: ignore[arg-type]
    assert read_value(group["fixed"]).tolist() == ["é".encode()]  # type: ignore[arg-type]


def test_text_that_isnt_the_json_it_claims_to_be(h5: h5py.File) -> None:
    dataset = write_value(h5, "wrong", "{")
    write_attribute(dataset, "encoding", "json")
    with pytest.raises(DocumentError, match="dataset /wrong"):
        read_value(dataset)
    write_attribute(dataset, "x", "{")
    write_attribute(dataset, "x@encoding", "json")
    with pytest.raises(DocumentError, match="attribute 'x' of /wrong"):
        read_attribute(dataset, "x")
