"""Values of a data key become one array: nothing is lost, however the rows were split."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.documents.columns import TypedColumn, as_array, fill_of
from adsupport.documents.run import Column


def column(dtype="number", shape=(), dtype_numpy=None, name="x"):
    return Column(
        name, dtype, shape, dtype_numpy, "mm", 3, (None, None), "PV:x", "dev", False, (), {}
    )


@pytest.mark.parametrize(
    ("declared", "values", "dtype", "kind"),
    [
        (column(), [1.5, -0.0, math.inf], "float64", "number"),
        (column(), [1, 2], "float64", "number"),
        (column(), [1, 0.5], "float64", "number"),
        (column(), [2**60 + 1], "int64", "integer"),
        (column("integer"), [1, -2], "int64", "integer"),
        (column("integer"), [2**63, 1], "uint64", "integer"),
        (column("integer"), [2**63, -1], "object", "object"),
        (column("integer"), [2**70], "object", "object"),
        (column("integer"), [1, 0.5], "float64", "number"),
        (column("integer"), [2**60 + 1, 0.5], "object", "object"),
        (column("integer"), [np.int16(3)], "int16", "integer"),
        (column("integer"), [np.int16(3), 70000], "int64", "integer"),
        (column("boolean"), [True, False], "bool", "boolean"),
        (column("boolean"), [True, 0, 1], "bool", "boolean"),
        (column("boolean"), [True, 2], "int64", "integer"),
        (column("string"), ["a", "", "ü\n\ud800"], "object", "string"),
        (column("string"), [np.str_("a")], "object", "string"),
        (column("string"), ["a", 1], "object", "object"),
        (column("number"), [{"a": 1}], "object", "object"),
        (column("number"), [1 + 2j], "complex128", "number"),
        (column("integer", (), "<u2"), [1, 65535], "uint16", "integer"),
        (column("integer", (), "<u2"), [1, 65536], "int64", "integer"),
        (column("integer", (), "<u2"), [-1], "int64", "integer"),
        (column("number", (), "<f4"), [0.5, math.nan, math.inf], "float32", "number"),
        (column("number", (), "<f4"), [0.1], "float64", "number"),
        (column("number", (), "<f4"), [1e300], "float64", "number"),
        (column("number", (), "<f4"), [2**24 + 1], "float64", "number"),
        (column("number", (), "<i4"), [2.5], "float64", "number"),
        (column("number", (), "no such type"), [2.5], "float64", "number"),
    ],
)
def test_scalars_keep_their_values(declared, values, dtype, kind):
    found = as_array(declared, values)
    assert (found.type.kind, found.type.dtype) == (kind, np.dtype(dtype))
    assert found.missing is None
    np.testing.assert_array_equal(found.data, np.array(values, found.type.dtype))
    assert found.data.shape == (len(values),)


def test_the_sign_of_zero_and_big_endian_types_stay():
    assert math.copysign(1, as_array(column(), [-0.0]).data[0]) == -1
    assert as_array(column("array", (2,), ">u2"), [[1, 2]]).data.dtype.str == ">u2"


@pytest.mark.parametrize(
    ("declared", "values", "shown"),
    [
        (column(), [1.5, None], [1.5, math.nan]),
        (column("integer"), [7, None], [7, -(2**63)]),
        (column("integer", (), "|u1"), [7, None], [7, 255]),
        (column("boolean"), [True, None], [True, False]),
        (column("string"), ["a", None], ["a", ""]),
        (column("string"), ["a", None, 1], ["a", None, 1]),
        (column("array", (2,)), [[1.0, 2.0], None], [[1, 2], [math.nan, math.nan]]),
        (column("array", (2,)), [["a", "b"], None], [["a", "b"], ["", ""]]),
    ],
)
def test_rows_without_value_are_masked_and_never_zero(declared, values, shown):
    typed = TypedColumn(declared)
    found = typed.take(values)
    assert found.missing is not None and found.missing.tolist() == [each is None for each in values]
    assert typed.absent == 1
    for got, expected in zip(found.data.tolist(), shown, strict=True):
        np.testing.assert_equal(got, expected)


def test_fills_are_those_of_the_table():
    assert math.isnan(fill_of(np.dtype("f4")))
    assert fill_of(np.dtype("i2")) == -32768
    assert fill_of(np.dtype(object), "string") == ""
    assert fill_of(np.dtype(object)) is None


@pytest.mark.parametrize(
    ("declared", "values", "dtype", "shape"),
    [
        (column("array", (3,)), [[1, 2, 3], (4, 5, 6)], "int64", (3,)),
        (column("array", (3,)), [[1, 2, 3], [4, 5, 6.5]], "float64", (3,)),
        (column("array", (3,)), [np.arange(3, dtype="u1")], "uint8", (3,)),
        (column("array", (3,)), [np.arange(3, dtype="f4")], "float32", (3,)),
        (column("array", (2, 2)), [[[1, 2], [3, 4]]], "int64", (2, 2)),
        (column("array", (2, 2)), [[np.array([1, 2]), [3, 4]]], "int64", (2, 2)),
        (column("array", (2,), "<i4"), [[1, 2], np.array([3, 4])], "int32", (2,)),
        (column("array", (2,), "<f4"), [[0.1, 2]], "float64", (2,)),
        (column("array", (2,)), [[2**63, -1]], "object", ()),
        (column("array", (2,)), [[True, False]], "bool", (2,)),
        (column("number"), [[1.0, 2.0]], "float64", (2,)),
    ],
)
def test_arrays_are_stacked(declared, values, dtype, shape):
    found = as_array(declared, values)
    assert (found.type.dtype, found.type.shape) == (np.dtype(dtype), shape)
    assert found.data.tolist() == [np.array(each).tolist() for each in values] or dtype == "object"
    if dtype == "object":
        assert found.data.tolist() == values


def test_ragged_rows_keep_their_shapes():
    typed = TypedColumn(column("array", (2,)))
    found = typed.take([[1, 2], [], None, [[0.5]]])
    assert found.type.ragged
    assert [each.shape for each in found.data] == [(2,), (0,), (0,), (1, 1)]
    assert {each.dtype.name for each in found.data} == {"float64"}
    assert found.lengths().tolist() == [2, 0, 0, 1]
    assert "shapes differ" in typed.notes()[0]


def test_lists_that_are_no_arrays_stay_lists():
    values = [[[1, 2], [3]], [1, "a"], [1.0, None]]
    found = as_array(column("array", (2,)), values)
    assert found.type.kind == "object"
    assert found.data.tolist() == values


@pytest.mark.parametrize(
    ("declared", "dtype", "shape"),
    [
        (column(), "float64", ()),
        (column("integer"), "int64", ()),
        (column("boolean"), "bool", ()),
        (column("string"), "object", ()),
        (column("array", (3,), "<u2"), "uint16", (3,)),
        (column("array", (None,)), "float64", None),
        (column("array", None), "float64", None),
    ],
)
def test_without_values_the_descriptor_tells_the_type(declared, dtype, shape):
    typed = TypedColumn(declared)
    assert (typed.type.dtype, typed.type.shape) == (np.dtype(dtype), shape)
    assert len(typed.take([]).data) == 0
    assert typed.notes() == []


def test_what_was_stored_takes_the_wider_type():
    typed = TypedColumn(column("integer", (), "<u2"))
    first = typed.take([1, None, 3])
    second = typed.take([0.5])
    again = typed.retyped(first.data, first.missing)
    assert first.data.dtype == np.uint16
    assert again.type == second.type == typed.type
    np.testing.assert_array_equal(again.data, [1, math.nan, 3])
    assert again.missing is not None and again.missing.tolist() == [False, True, False]
    assert "'<u2'" in typed.notes()[0] and "float64" in typed.notes()[0]


def test_a_contradiction_to_the_descriptor_is_noted():
    typed = TypedColumn(column("number"))
    typed.take(["open"])
    assert typed.notes() == ["x: the descriptor says 'number', and the values are strings."]


def test_lengths_of_stacked_rows():
    found = as_array(column("array", (2,)), [[1, 2], None])
    assert found.lengths().tolist() == [2, 0]


_numbers = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**66), 2**66),
    st.integers(-5, 5),
    st.floats(width=32),
    st.floats(),
    st.text(max_size=3),
)
_values = st.one_of(
    st.lists(_numbers, max_size=12),
    st.lists(st.lists(st.integers(0, 300) | st.floats(allow_nan=False), max_size=3), max_size=8),
    st.lists(st.integers(0, 70000) | st.none(), max_size=12),
)
_columns = st.builds(
    column,
    st.sampled_from(["number", "integer", "boolean", "string", "array"]),
    st.sampled_from([(), (2,), None]),
    st.sampled_from([None, "<u2", "<f4", "<f8", "|b1", "<i8", "|S4"]),
)


@settings(max_examples=300)
@given(_columns, _values, st.lists(st.integers(0, 12), max_size=3))
def test_splitting_changes_nothing_and_no_value_is_altered(declared, values, cuts):
    whole = as_array(declared, values)
    typed = TypedColumn(declared)
    edges = sorted({0, len(values), *(min(each, len(values)) for each in cuts)})
    pieces = [typed.take(values[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    assert typed.type == whole.type
    got = [
        _shown(value) for piece in pieces for value in typed.retyped(piece.data, piece.missing).data
    ]
    np.testing.assert_equal(got, [_shown(each) for each in whole.data])
    for index, value in enumerate(values):
        if value is None:
            assert whole.missing is not None and whole.missing[index]
        else:
            np.testing.assert_equal(_shown(whole.data[index]), value)


def _shown(value):
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
