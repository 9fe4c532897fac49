"""Type conversion as in C, against conversion of Python's unbounded integers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.arrays.casting import cast
from adsupport.sim.ndarray import DataType

DTYPES = [member.dtype for member in DataType]
INTEGERS = [dtype for dtype in DTYPES if dtype.kind in "iu"]


def wrapped(number: int, dtype: np.dtype) -> int:
    """Keep the low bits of a number."""
    bits = 8 * dtype.itemsize
    low = number & (2**bits - 1)
    return low - 2**bits if dtype.kind == "i" and low >= 2 ** (bits - 1) else low


@pytest.mark.parametrize("target", INTEGERS, ids=str)
@pytest.mark.parametrize("source", INTEGERS, ids=str)
def test_integers_keep_their_low_bits(source, target):
    info = np.iinfo(source)
    numbers = [info.min, -1 if info.min else 1, 0, 1, 127, 100, info.max // 2, info.max]
    made = cast(np.array(numbers, source), target)
    assert made.dtype == target
    assert made.tolist() == [wrapped(number, target) for number in numbers]


@given(
    number=st.floats(-(2.0**62), 2.0**62, allow_nan=False),
    target=st.sampled_from(INTEGERS),
)
def test_floats_lose_their_fraction_then_wrap(number, target):
    made = cast(np.array([number]), target)
    assert made.tolist() == [wrapped(math.trunc(number), target)]


def test_large_floats_fit_the_unsigned_64_bits():
    assert cast(np.array([2.0**63]), np.dtype(np.uint64)).tolist() == [2**63]


def test_nothing_is_copied_in_vain():
    same = np.arange(3)
    assert cast(same, same.dtype) is same


def test_not_a_number_becomes_some_integer_without_a_warning():
    assert cast(np.array([np.nan, np.inf, -np.inf]), np.dtype(np.uint8)).dtype == np.uint8
