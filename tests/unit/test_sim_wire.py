"""Values between records and Channel Access."""

from __future__ import annotations

import math

import numpy as np
import pytest
from caproto import ChannelType as T
from caproto._dbr import DbrStringArray
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.ca.wire import DTYPES, ConversionError, from_wire, to_wire

STATES = ("Off", "On", "7")


def numbers(*values: float, kind: T = T.DOUBLE) -> np.ndarray:
    return np.array(values, DTYPES[kind])


def text(value: str) -> DbrStringArray:
    return DbrStringArray([value.encode() + bytes(40 - len(value))])


@pytest.mark.parametrize("image", [bytes(range(9)), np.arange(9, dtype=np.uint8)])
def test_an_image_stays_bytes(image):
    """Lists of elements would take caproto 80 ms for a million pixels."""
    wire = to_wire(image, T.CHAR, T.CHAR)
    assert type(wire) is bytes
    assert wire == bytes(range(9))


@given(st.integers(-(2**31), 2**31 - 1))
def test_integers_arrive_as_they_were(value):
    assert from_wire(to_wire(value, T.LONG, T.LONG), T.LONG, T.LONG, 1) == value


@given(st.floats(allow_nan=False))
def test_numbers_arrive_as_they_were(value):
    assert from_wire(to_wire(value, T.DOUBLE, T.DOUBLE), T.DOUBLE, T.DOUBLE, 1) == value


@pytest.mark.parametrize(
    ("sent", "native", "expected"),
    [
        (1e300, T.LONG, 2**31 - 1),
        (-math.inf, T.INT, -(2**15)),
        (2.9, T.LONG, 2),
        (1.0, T.ENUM, 1),
        (5, T.DOUBLE, 5.0),
        (1.5, T.STRING, "1.5"),
    ],
)
def test_a_number_for_a_scalar(sent, native, expected):
    value = from_wire(numbers(sent), T.DOUBLE, native, 1, STATES)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("sent", "native", "expected"),
    [
        ("On", T.ENUM, 1),
        ("7", T.ENUM, 2),
        ("1", T.ENUM, 1),
        ("1.5", T.DOUBLE, 1.5),
        ("", T.LONG, 0),
        ("a b", T.STRING, "a b"),
    ],
)
def test_a_text_for_a_scalar(sent, native, expected):
    assert from_wire(text(sent), T.STRING, native, 1, STATES) == expected


@pytest.mark.parametrize(
    ("data", "sent", "native", "count", "why"),
    [
        (numbers(1, 2), T.DOUBLE, T.DOUBLE, 1, "2 elements written, at most 1"),
        (numbers(), T.DOUBLE, T.DOUBLE, 1, "no element"),
        (numbers(math.nan), T.DOUBLE, T.LONG, 1, "NaN"),
        (numbers(16), T.DOUBLE, T.ENUM, 1, "state 16"),
        (text("Maybe"), T.STRING, T.ENUM, 1, "Off, On, 7"),
        (text("much"), T.STRING, T.DOUBLE, 1, "'much' is not a number"),
        (text("path"), T.STRING, T.CHAR, 256, "a string was written"),
    ],
)
def test_what_a_channel_cannot_hold(data, sent, native, count, why):
    with pytest.raises(ConversionError, match=why):
        from_wire(data, sent, native, count, STATES)


@pytest.mark.parametrize(
    ("value", "native", "expected"),
    [
        (1, T.ENUM, b"On"),
        (9, T.ENUM, b"9"),
        (2.0, T.DOUBLE, b"2.000"),
        (3, T.LONG, b"3"),
        ("x" * 50, T.STRING, b"x" * 39),
    ],
)
def test_as_a_string(value, native, expected):
    assert list(to_wire(value, native, T.STRING, STATES, 3)) == [expected]


@pytest.mark.parametrize(
    ("value", "precision", "expected"),
    [
        (0.5, -1, b"5.00000000000000000e-01"),
        (0.5, 32767, b"5.00000000000000000e-01"),
        (1e300, 3, b"1.000e+300"),
        (1e8, 5, b"100000000.000"),
    ],
)
def test_a_number_of_any_size_and_precision_as_a_string(value, precision, expected):
    assert list(to_wire(value, T.DOUBLE, T.STRING, (), precision)) == [expected]
