"""Centroid, moments and profiles against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage, stats

from adsupport.sim.arrays.centroid import Centroid, centroid
from adsupport.sim.arrays.profiles import cuts, sums
from adsupport.sim.ndarray import DataType

IMAGES = arrays.arrays(
    np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(0, 20)
)


def gauss(
    shape: tuple[int, int], at: tuple[float, float], sigma: tuple[float, float]
) -> np.ndarray:
    """A Gaussian of height 1 at ``(x, y)``."""
    y, x = np.indices(shape, dtype=np.float64)
    return np.exp(-(((x - at[0]) / sigma[0]) ** 2 + ((y - at[1]) / sigma[1]) ** 2) / 2)


@given(IMAGES, st.integers(0, 21))
def test_profiles_are_means_over_rows_and_columns(image, threshold):
    added = sums(image, threshold)
    above = np.where(image >= threshold, image, 0)
    np.testing.assert_allclose(added.means[0], image.mean(axis=0))
    np.testing.assert_allclose(added.means[1], image.mean(axis=1))
    np.testing.assert_allclose(added.means_above[0], above.mean(axis=0))
    np.testing.assert_allclose(added.means_above[1], above.mean(axis=1))


@given(IMAGES, st.integers(0, 21))
def test_moments_are_those_of_the_pixels_drawn_as_often_as_they_count(image, threshold):
    found = centroid(sums(image, threshold))
    above = np.where(image >= threshold, image, 0)
    if not above.any():
        assert found == Centroid()
        return
    y, x = (np.repeat(axis.ravel(), above.ravel()) for axis in np.indices(image.shape))
    assert found.total == above.sum()
    assert (found.y, found.x) == pytest.approx(ndimage.center_of_mass(above), abs=1e-12)
    assert (found.sigma_x, found.sigma_y) == pytest.approx((x.std(), y.std()), abs=1e-12)
    for one, sample in (("x", x), ("y", y)):
        if sample.std():
            skew, kurtosis = stats.skew(sample), stats.kurtosis(sample)
        else:
            skew = kurtosis = 0.0
        assert getattr(found, f"skew_{one}") == pytest.approx(skew, abs=1e-8)
        assert getattr(found, f"kurtosis_{one}") == pytest.approx(kurtosis, abs=1e-8)
    if x.std() and y.std():
        covariance = np.cov(x, y, bias=True)
        correlation = covariance[0, 1] / (x.std() * y.std())
        assert found.sigma_xy == pytest.approx(correlation, abs=1e-9)
        assert math.isfinite(found.orientation)
        _, axes = np.linalg.eigh(covariance)
        angle = math.radians(found.orientation)
        long_axis = np.array([math.cos(angle), math.sin(angle)])
        widths = [axis @ covariance @ axis for axis in (long_axis, axes[:, 1])]
        assert widths[0] == pytest.approx(widths[1], abs=1e-9)
    else:
        assert found.sigma_xy == 0.0


@pytest.mark.parametrize("dtype", [kind.dtype for kind in DataType])
def test_a_gaussian_of_any_type(dtype):
    image = (100 * gauss((200, 300), (120.25, 80.5), (12.0, 7.0))).astype(dtype)
    found = centroid(sums(image, 0.0))
    assert (found.x, found.y) == pytest.approx((120.25, 80.5), abs=0.05)
    # whole numbers cut off the wings
    assert (found.sigma_x, found.sigma_y) == pytest.approx((12.0, 7.0), rel=0.05)
    assert (found.skew_x, found.skew_y) == pytest.approx((0.0, 0.0), abs=0.01)
    assert abs(found.orientation) < 0.5
    ratio = (12.0**2 - 7.0**2) / (12.0**2 + 7.0**2)
    assert found.eccentricity == pytest.approx(ratio**2, rel=0.05)


@pytest.mark.parametrize("degrees", [-60, -45, -10, 0, 30, 45, 80])
def test_the_orientation_is_the_long_axis(degrees):
    angle = math.radians(degrees)
    y, x = np.indices((201, 201)) - 100.0
    along, across = (
        x * math.cos(angle) + y * math.sin(angle),
        y * math.cos(angle) - x * math.sin(angle),
    )
    found = centroid(sums(np.exp(-((along / 20) ** 2 + (across / 8) ** 2) / 2), 0.0))
    assert found.orientation == pytest.approx(degrees, abs=0.01)
    ratio = (20.0**2 - 8.0**2) / (20.0**2 + 8.0**2)
    assert found.eccentricity == pytest.approx(ratio**2 * math.cos(4 * angle), abs=1e-3)
    assert np.sign(found.sigma_xy) == np.sign(degrees) or abs(found.sigma_xy) < 1e-9


@pytest.mark.parametrize("at", [(0, 0), (3, 4), (999, 1000)])
@pytest.mark.parametrize("value", [1.0, 0.1, 1e-300, 1e300, 3])
def test_one_pixel_has_no_extent(at, value):
    image = np.zeros((1024, 1024))
    image[at] = value
    found = centroid(sums(image, 0.0))
    assert (found.x, found.y) == pytest.approx((at[1], at[0]))
    assert (found.sigma_x, found.sigma_y, found.sigma_xy) == (0.0, 0.0, 0.0)
    assert (found.skew_x, found.kurtosis_y, found.eccentricity) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("fill", [np.nan, np.inf, -1.0, 1e308])
def test_what_has_no_moments_does_no_harm(fill):
    centroid(sums(np.full((5, 7), fill), -10.0))
    mixed = np.ones((5, 7))
    mixed[2, 3] = fill
    centroid(sums(mixed, -10.0))


def test_negative_pixels_may_leave_no_variance():
    image = np.array([[-1.0, 4.0, -1.0]])
    assert math.isnan(centroid(sums(image, -5.0)).sigma_x)
    assert centroid(sums(image, 0.0)).sigma_x == 0.0


def test_cuts_go_through_the_pixel():
    image = np.arange(12, dtype=np.uint16).reshape(3, 4)
    row, column = cuts(image, 2, 1)
    np.testing.assert_array_equal(row, [4, 5, 6, 7])
    np.testing.assert_array_equal(column, [2, 6, 10])
    assert row.dtype == column.dtype == np.float64
