"""Series of signals over time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.arrays.series import Series, time_axis


@given(st.integers(1, 6), st.integers(0, 20), st.integers(1, 4), st.booleans())
def test_points_are_means_and_the_newest_ones_stay(points, given_points, average_of, circular):
    data = np.arange(given_points * 2.0).reshape(-1, 2) ** 2
    series = Series(2, points, np.float64, circular=circular)
    series.average_of = average_of
    for values in data:
        series.append(values)
    whole = given_points // average_of
    means = data[: whole * average_of].reshape(whole, average_of, 2).mean(axis=1)
    if circular:
        padded = np.concatenate([np.zeros((points, 2)), means])
        expected = padded[-points:] if whole else np.zeros((points, 2))
        assert series.point == whole % points
        assert not series.is_full
    else:
        expected = means[:points]
        assert series.point == min(whole, points)
        assert series.is_full == (whole >= points)
    np.testing.assert_allclose(series.taken(), expected.T)
    assert series.whole().shape == (2, points)


def test_what_is_taken_does_not_change_later():
    series = Series(1, 2, np.float64)
    series.append(np.array([5.0]))
    taken = series.taken()
    series.clear()
    series.append(np.array([7.0]))
    np.testing.assert_array_equal(taken, [[5.0]])


def test_means_are_cut_to_the_type():
    series = Series(1, 1, np.uint8)
    series.average_of = 2
    series.append(np.array([4], np.uint8))
    series.append(np.array([251], np.uint8))
    np.testing.assert_array_equal(series.taken(), [[127]])


@pytest.mark.parametrize(
    ("circular", "expected"), [(False, [0.0, 0.5, 1.0]), (True, [-1.5, -1.0, -0.5])]
)
def test_times_begin_or_end_at_zero(circular, expected):
    np.testing.assert_allclose(time_axis(4, 0.5, 3, circular=circular), expected)
