"""Histograms against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import xlogy

from adsupport.sim.arrays.histogram import bin_values, histogram
from adsupport.sim.ndarray import DataType

MANY = 1_000_000


def integers(dtype: np.dtype) -> st.SearchStrategy[np.ndarray]:
    """Integers of a type, most of them small."""
    info = np.iinfo(dtype)
    small = st.integers(max(info.min, -300), min(info.max, 300))
    return arrays.arrays(dtype, st.integers(1, 60), elements=small)


INTEGERS = st.sampled_from([kind.dtype for kind in DataType if kind.dtype.kind in "iu"])


@given(INTEGERS.flatmap(integers), st.integers(2, 400), st.integers(-50, 50), st.integers(1, 300))
def test_bins_are_centred_on_their_values(data, size, low, span):
    high = low + span
    found = histogram(data, size, low, high, MANY)
    step = span / (size - 1)
    edges = low + (np.arange(size + 1) - 0.5) * step
    inside = data[(data >= low) & (data <= high)].astype(np.float64)
    # an edge itself is a matter of rounding
    on_edge = np.isclose(np.abs(inside[:, None] - edges), 0.0, atol=1e-9).any(axis=1)
    expected, _ = np.histogram(inside[~on_edge], edges)
    assert (found.counts >= expected).all()
    assert found.counts.sum() == inside.size
    assert found.below == (data < low).sum()
    assert found.above == (data > high).sum()
    assert found.entropy == pytest.approx(-xlogy(found.counts, found.counts).sum() / data.size)


def test_the_default_histogram_of_bytes_counts_each_value():
    data = np.random.default_rng(3).integers(0, 256, (64, 65)).astype(np.uint8)
    found = histogram(data, 256, 0.0, 255.0, 256)
    np.testing.assert_array_equal(found.counts, np.bincount(data.ravel(), minlength=256))
    assert (found.below, found.above) == (0, 0)


@pytest.mark.parametrize("kind", list(DataType))
def test_types_agree(kind):
    values = np.arange(0, 120).reshape(10, 12)
    found = histogram(values.astype(kind.dtype), 11, 10.0, 110.0, MANY)
    reference = histogram(values.astype(np.float64), 11, 10.0, 110.0, MANY)
    np.testing.assert_array_equal(found.counts, reference.counts)
    assert (found.below, found.above) == (reference.below, reference.above) == (10, 9)


def test_only_the_wanted_bins_are_returned():
    data = np.array([0, 1, 2, 900, 2**30], np.int32)
    found = histogram(data, 2**31 - 1, 0.0, 2.0**31 - 2, 3)
    np.testing.assert_array_equal(found.counts, [1, 1, 1])
    assert (found.below, found.above) == (0, 0)
    assert found.entropy == 0.0


@pytest.mark.parametrize("size", [0, -5])
def test_without_bins_nothing_is_counted_inside(size):
    found = histogram(np.arange(256, dtype=np.uint8), size, 0.0, 255.0, 256)
    assert not found.counts.size
    assert found.below + found.above == 256
    assert found.entropy == 0.0


def test_one_bin_takes_everything_within_the_limits():
    found = histogram(np.arange(256, dtype=np.uint8), 1, 100.0, 109.0, 256)
    np.testing.assert_array_equal(found.counts, [10])
    assert (found.below, found.above) == (100, 146)


@given(
    arrays.arrays(np.float64, 20, elements=st.floats(allow_nan=True, allow_infinity=True)),
    st.integers(-3, 50),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_every_element_is_counted_once_whatever_the_limits(data, size, low, high):
    found = histogram(data, size, low, high, MANY)
    assert found.counts.sum() + found.below + found.above == data.size
    assert np.isfinite(found.entropy)


def test_the_axis_begins_at_the_lower_limit():
    np.testing.assert_allclose(bin_values(4, 10.0, 30.0, 256), [10.0, 15.0, 20.0, 25.0])
    assert bin_values(0, 0.0, 255.0, 256).size == 1
    assert bin_values(2**31 - 1, 0.0, 255.0, 256).size == 256
