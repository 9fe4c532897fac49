"""Basic statistics and backgrounds against numpy and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from adsupport.sim.arrays.extraction import fit_unsigned
from adsupport.sim.arrays.region import region_statistics
from adsupport.sim.arrays.statistics import background, statistics
from adsupport.sim.ndarray import DataType

DTYPES = [kind.dtype for kind in DataType]


def images(dtypes: list[np.dtype] = DTYPES) -> st.SearchStrategy[np.ndarray]:
    """Small arrays of up to three dimensions; floats and wide integers of moderate size."""

    def of(dtype: np.dtype) -> st.SearchStrategy[np.ndarray]:
        if dtype.kind == "f":
            elements = st.floats(-1e6, 1e6, width=32 if dtype.itemsize == 4 else 64)
        else:
            info = np.iinfo(dtype)
            elements = st.integers(max(info.min, -(2**40)), min(info.max, 2**40))
        shapes = arrays.array_shapes(min_dims=1, max_dims=3, max_side=8)
        return arrays.arrays(dtype, shapes, elements=elements)

    return st.sampled_from(dtypes).flatmap(of)


@given(images())
def test_statistics_are_those_of_numpy_and_scipy(image):
    found = statistics(image)
    doubles = image.astype(np.float64)
    scale = float(np.abs(doubles).max()) or 1.0
    assert (found.minimum, found.maximum) == (float(image.min()), float(image.max()))
    at = ndimage.minimum_position(image), ndimage.maximum_position(image)
    expected = [int(np.ravel_multi_index(np.atleast_1d(place), image.shape)) for place in at]
    assert [found.minimum_at, found.maximum_at] == expected
    assert found.total == pytest.approx(doubles.sum(), rel=1e-12, abs=1e-9 * scale)
    assert found.mean == pytest.approx(doubles.mean(), rel=1e-12, abs=1e-9 * scale)
    assert found.sigma == pytest.approx(doubles.std(), rel=1e-6, abs=1e-7 * scale)
    assert found.net == found.total


@given(images(), st.integers(1, 10))
def test_the_background_counts_the_first_and_last_layers_of_each_axis(image, width):
    layers = []
    for axis, size in enumerate(image.shape):
        layers += [np.take(image, range(min(width, size)), axis).ravel()]
        layers += [np.take(image, range(max(size - width, 0), size), axis).ravel()]
    counts = np.concatenate(layers).astype(np.float64)
    scale = float(np.abs(counts).max()) or 1.0
    assert background(image, width) == pytest.approx(counts.mean(), rel=1e-9, abs=1e-9 * scale)
    net = image.astype(np.float64).sum() - counts.mean() * image.size
    assert statistics(image, width).net == pytest.approx(net, rel=1e-9, abs=1e-6 * scale)


def test_corners_count_once_per_axis():
    image = np.zeros((3, 4))
    image[0, 0] = 14.0
    # rows: 4 + 4 pixels, columns: 3 + 3
    assert background(image, 1) == 2 * 14.0 / 14


@pytest.mark.parametrize("width", [0, -1])
def test_without_a_border_there_is_no_background(width):
    assert background(np.ones((3, 3)), width) == 0.0


def test_the_observed_peak():
    # the picture of a real detector's Peaks with gain 100, whose border adds up to 3987 / 4096
    x, y = np.arange(1024) - 1.0, np.arange(1024)[:, None] - 1.0
    gauss = 100.0 * np.exp(-((x / 10) ** 2) / 2) * np.exp(-((y / 20) ** 2) / 2)
    gauss[80 + 2 :] = 0
    gauss[:, 40 + 2 :] = 0
    found = statistics(gauss.astype(np.uint8), 1)
    assert (found.minimum, found.maximum, found.total) == (0.0, 100.0, 36164.0)
    assert found.mean == 0.034488677978515625
    assert found.net == -984508.0
    assert (found.minimum_at, found.maximum_at) == (32, 1025)


def test_a_small_sigma_of_large_values_is_not_lost():
    noise = 1e9 + np.random.default_rng(1).normal(size=(64, 64))
    assert statistics(noise).sigma == pytest.approx(noise.std(), rel=1e-6)


@pytest.mark.parametrize("first", [1.0, np.nan])
def test_not_a_number_is_an_extreme_only_as_the_first_pixel(first):
    found = statistics(np.array([first, np.nan, -3.0, 7.0]))
    if math.isnan(first):
        assert math.isnan(found.minimum)
        assert math.isnan(found.maximum)
        assert (found.minimum_at, found.maximum_at) == (0, 0)
    else:
        assert (found.minimum, found.minimum_at) == (-3.0, 2)
        assert (found.maximum, found.maximum_at) == (7.0, 3)
    assert math.isnan(found.sigma)


@pytest.mark.parametrize("values", [[np.inf, 1.0], [1e308, 1e308, -1e308], [1e200, 2e200]])
def test_values_beyond_doubles_do_no_harm(values):
    assert statistics(np.array(values)).maximum == max(values)


def test_an_array_without_elements():
    assert statistics(np.empty((0, 5)), 1).total == 0.0


# ---- regions


@given(images().filter(lambda image: image.ndim < 3), st.integers(0, 9))
def test_a_regions_border_counts_corners_once(region, width):
    found = region_statistics(region, width)
    doubles = region.astype(np.float64)
    inner = tuple(slice(width, max(size - width, width)) for size in region.shape)
    border = np.ones(region.shape, bool)
    border[inner] = False
    scale = float(np.abs(doubles).max()) or 1.0
    assert found.minimum == doubles.min()
    assert found.maximum == doubles.max()
    assert found.mean == pytest.approx(doubles.mean(), rel=1e-9, abs=1e-9 * scale)
    assert found.total == pytest.approx(doubles.sum(), rel=1e-9, abs=1e-9 * scale)
    if not width:
        assert found.net == found.total
    elif all(2 * width <= size for size in region.shape):
        net = doubles.sum() - doubles[border].mean() * region.size
        assert found.net == pytest.approx(net, rel=1e-9, abs=1e-6 * scale)


def test_a_region_that_is_all_border_has_no_net():
    assert region_statistics(np.arange(12.0).reshape(3, 4), -1).net == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ((0, 0), (0, 1)),
        ((10, 20), (10, 20)),
        ((90, 20), (90, 10)),
        ((200, 5), (99, 1)),
        ((-5, 10), (99, 1)),
        ((10, -1), (10, 90)),
    ],
)
def test_a_region_is_cut_to_the_axis(asked, taken):
    window = fit_unsigned(*asked, limit=100)
    assert (window.start, window.size) == taken


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1), st.integers(1, 5000))
def test_a_cut_region_is_never_empty_nor_outside(start, size, length):
    window = fit_unsigned(start, size, length)
    assert 0 <= window.start < window.start + window.size <= length
