"""The rotation axis: from two opposite projections, and from slices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.errors import ConfigurationError
from adsupport.imaging.reconstruction import METRICS, centre_from_pair, centre_from_slices

from .discs import angles_of, made_discs, sinogram

W = 120


def made_rows(angles, centre, noise, seed=0, width=W):
    discs = made_discs(width, seed, reach=0.25)
    rows = sinogram(discs, angles, width, centre)
    return rows + noise * rows.max() * np.random.default_rng(1).normal(size=rows.shape)


@settings(max_examples=40)
@given(st.floats(-20, 20), st.integers(0, 1000), st.floats(-200, 200))
def test_opposite_projections_without_noise(shift, seed, angle):
    rows = made_rows([angle, angle + 180], 59.5 + shift, 0, seed)
    assert centre_from_pair(*rows) == pytest.approx(59.5 + shift, abs=0.5)


@pytest.mark.parametrize("shift", [-17.3, 0.0, 0.25, 9.5])
def test_opposite_projections_with_noise(shift):
    pairs = [made_rows([0, 180], 59.5 + shift, 0.02, seed) for seed in range(4)]
    assert centre_from_pair(*pairs[0]) == pytest.approx(59.5 + shift, abs=1.0)
    images = np.stack(pairs, axis=1)  # (2, rows, W)
    assert centre_from_pair(images[0], images[1]) == pytest.approx(59.5 + shift, abs=0.3)


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("shift", [-0.2, -0.1, 0.12])
@pytest.mark.parametrize("radius", [0.02, 0.08, 0.12])
def test_columns_beside_a_small_sample_tell_nothing(radius, shift, noise):
    discs = np.array([[0, 0, radius * 512, 1.0], [radius * 200, radius * 100, radius * 150, 0.5]])
    rows = sinogram(discs, [0, 180], 512, 255.5 + shift * 512)
    rows = rows + noise * rows.max() * np.random.default_rng(1).normal(size=rows.shape)
    assert centre_from_pair(*rows) == pytest.approx(255.5 + shift * 512, abs=1.0)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("noise", "within"), [(0.0, 0.5), (0.02, 1.0)])
def test_slices_tell(metric, noise, within):
    angles = angles_of(90)
    for shift in (-6.3, 4.5):
        rows = made_rows(angles, 59.5 + shift, noise)
        found = centre_from_slices(rows, angles, metric=metric)
        assert found == pytest.approx(59.5 + shift, abs=within)


def test_a_wide_detector_is_searched_coarsely_first():
    angles = angles_of(100)
    rows = made_rows(angles, 151.4, 0.02, width=320)
    assert centre_from_slices(rows, angles, (140, 170)) == pytest.approx(151.4, abs=0.5)


def test_an_axis_outside_of_the_search_is_told():
    angles = angles_of(60)
    with pytest.raises(ConfigurationError, match="Search farther than 70 to 80"):
        centre_from_slices(made_rows(angles, 60, 0), angles, (70, 80))


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (np.ones(20), np.ones(20), "show no sample"),
        (np.ones(20), np.ones(21), "that are the same"),
        (np.full(20, np.nan), np.ones(20), "aren't finite"),
    ],
)
def test_a_pair_that_tells_nothing(first, second, words):
    with pytest.raises(ConfigurationError, match=words):
        centre_from_pair(first, second)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"metric": "sharpness"}, "negativity, entropy"),
        ({"search": (30, 20)}, "in order"),
        ({"angles": [0.0]}, r"shape \(3, 40\), and there are 1 angles"),
    ],
)
def test_wrong_arguments_are_named(wrong, words):
    with pytest.raises(ConfigurationError, match=words):
        centre_from_slices(np.ones((3, 40)), **{"angles": [0.0, 60.0, 120.0], **wrong})
