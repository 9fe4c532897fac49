"""Orders of angles: in range, distinct, complete."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.errors import ConfigurationError
from adsupport.imaging.motion.angles import (
    equal_angles,
    given_angles,
    golden_angles,
    interlaced_angles,
)

ranges = st.sampled_from([180.0, 360.0, -180.0, -360.0, 90.0, 0.5, 1080.0])
starts = st.floats(-720, 720)
numbers = st.integers(1, 500)


def parts(angles: np.ndarray, angular_range: float, start: float) -> np.ndarray:
    """Where the angles are in the range, from 0 to 1."""
    return (angles - start) / angular_range


@given(number=numbers, angular_range=ranges, start=starts)
def test_equal_angles(number, angular_range, start):
    angles = equal_angles(number, angular_range, start)
    assert angles.shape == (number,) and angles.dtype == np.float64
    assert angles[0] == start
    np.testing.assert_allclose(
        parts(angles, angular_range, start), np.arange(number) / number, atol=1e-10
    )


@given(each=st.integers(1, 60), rotations=st.integers(1, 17), angular_range=ranges, start=starts)
def test_interlaced_angles(each, rotations, angular_range, start):
    number = each * rotations
    angles = interlaced_angles(number, rotations, angular_range, start)
    # all of them together are equally spaced, so distinct and in range
    np.testing.assert_allclose(
        np.sort(parts(angles, angular_range, start)), np.arange(number) / number, atol=1e-10
    )
    # each rotation, the last one as well, is a complete tomogram that turns one way
    for rotation in angles.reshape(rotations, each):
        steps = np.diff(np.append(rotation, rotation[0] + angular_range))
        np.testing.assert_allclose(steps, angular_range / each, rtol=1e-7, atol=1e-10)


def test_offsets_in_the_order_of_bits_read_backwards():
    angles = interlaced_angles(16, 8, 16)
    np.testing.assert_allclose(angles[::2], [0, 4, 2, 6, 1, 5, 3, 7])
    np.testing.assert_allclose(angles[1::2] - angles[::2], 8)


def test_each_rotation_falls_into_a_widest_gap_of_the_ones_before():
    first = interlaced_angles(24, 4, 360).reshape(4, 6)[:, 0]
    np.testing.assert_allclose(first, [0, 30, 15, 45])


def test_incomplete_last_rotation():
    with pytest.raises(ConfigurationError, match="last of 4 rotations") as caught:
        interlaced_angles(10, 4)
    assert "Take 8 or 12 projections" in str(caught.value)
    with pytest.raises(ConfigurationError, match=r"Take 4 projections"):
        interlaced_angles(3, 4)


@given(number=numbers, angular_range=ranges, start=starts)
def test_golden_angles(number, angular_range, start):
    angles = golden_angles(number, angular_range, start)
    place = parts(angles, angular_range, start)
    assert np.all((place > -1e-9) & (place < 1 + 1e-9))
    # Three-distance theorem: gaps of three lengths at most, so none is left out and none repeated.
    gaps = np.diff(np.append(np.sort(place), 1 + place.min()))
    assert gaps.min() > 0.3 / number
    assert gaps.max() < 3 / number
    clusters = np.sort(gaps)[np.append(True, np.diff(np.sort(gaps)) > 1e-6)]
    assert len(clusters) <= 3


def test_golden_step_over_180_degrees():
    assert golden_angles(2)[1] == pytest.approx(111.246, abs=5e-4)


def test_given_angles():
    angles = given_angles(each for each in (0, 90, 45.5, 0))
    np.testing.assert_array_equal(angles, [0, 90, 45.5, 0])
    source = np.array([1, 2])
    taken = given_angles(source)
    taken[0] = 5
    assert source[0] == 1 and taken.dtype == np.float64


@pytest.mark.parametrize("wrong", [[], [[1.0, 2.0]], [1, "x"], 5, None, [1, [2, 3]]])
def test_lists_that_cant_be(wrong):
    with pytest.raises(ConfigurationError, match="angles must be a list"):
        given_angles(wrong)


def test_an_angle_that_isnt_one():
    with pytest.raises(ConfigurationError, match=r"number 1 \(counted from 0\) is nan"):
        given_angles([0, math.nan, 2])


@pytest.mark.parametrize(
    "order", [equal_angles, golden_angles, lambda *a: interlaced_angles(a[0], 1, *a[1:])]
)
def test_zero_projections_and_no_range(order):
    with pytest.raises(ConfigurationError, match="projections must be a whole number"):
        order(0)
    with pytest.raises(ConfigurationError, match="angular_range is 0"):
        order(10, 0)
    with pytest.raises(ConfigurationError, match="start must be"):
        order(10, 180, math.inf)
