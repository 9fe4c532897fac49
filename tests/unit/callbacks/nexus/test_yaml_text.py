"""Metadata as YAML."""

import datetime
import enum
import pathlib

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.callbacks.nexus.yaml_text import yaml_text

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150)
@given(_values)
def test_safe_load_reads_it_back(value):
    assert yaml.safe_load(yaml_text(value)) == value


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ((1, (2, 3)), [1, [2, 3]]),
        (np.float32(1.5), 1.5),
        (np.arange(3), [0, 1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (pathlib.PurePosixPath("/a"), "/a"),
        (enum.Enum("E", {"A": 5}).A, 5),
        (datetime.date(2026, 1, 2), datetime.date(2026, 1, 2)),
        ({1: "a", "b": 2}, {"1": "a", "b": 2}),
        ("\ud800", "\ud800"),
        (type("Text", (str,), {"__str__": lambda self: "other"})("own"), "own"),
    ],
)
def test_what_yaml_has_no_word_for(value, read):
    assert yaml.safe_load(yaml_text({"k": value}))["k"] == read


def test_any_object_is_its_str_even_one_that_fails():
    class Broken:
        def __str__(self):
            raise RuntimeError("no")

    assert "Broken" in yaml_text(Broken())


def test_a_list_that_holds_itself_has_an_end():
    value = []
    value.append(value)
    assert "..." in yaml_text(value)


def test_the_same_list_twice_is_written_twice():
    same = [1]
    assert yaml_text({"a": same, "b": same}) == "a:\n- 1\nb:\n- 1\n"


def test_tuples_in_the_spelling_of_apstools():
    assert yaml_text(("a",), python_tuples=True) == "!!python/tuple\n- a\n"
