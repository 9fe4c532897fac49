"""Darks, flats and the logarithm: in one go, or with the flats last."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from adsupport.errors import ConfigurationError
from adsupport.imaging.reconstruction import FilteredBackprojection, reconstruct
from adsupport.imaging.reconstruction.normalisation import (
    FrameMean,
    absorption,
    replace_bad,
    transmission,
)

from .discs import angles_of, made_discs, rms, sinogram

W = 64
ANGLES = angles_of(60)
LINES = np.repeat(sinogram(made_discs(W, 2), ANGLES, W)[:, None], 2, axis=1) / 20


def made_counts(noise=0.0):
    """Return dark and flat images and projections of a detector with structure, in counts."""
    rng = np.random.default_rng(3)
    dark = rng.uniform(90, 110, (2, W))
    light = rng.uniform(20_000, 40_000, (2, W))
    counts = dark + light * np.exp(-LINES)
    flats = [dark + light * factor for factor in (0.99, 1.01, 1.02)]
    darks = [dark - 5, dark + 5]
    return darks, flats, counts + rng.normal(0, noise, counts.shape) if noise else counts


@given(
    hnp.arrays(np.uint16, st.tuples(st.integers(1, 9), st.just(3), st.just(4))),
)
def test_the_mean_of_frames(frames):
    mean = FrameMean((3, 4))
    assert not mean.mean.any()
    for frame in frames:
        mean.add(frame)
    np.testing.assert_allclose(mean.mean, frames.mean(axis=0, dtype=float), rtol=1e-12)
    assert mean.count == len(frames)


@given(
    hnp.arrays(
        np.float32, (2, 5), elements=st.floats(-(2.0**99), 2.0**99, width=32) | st.just(np.nan)
    ),
    hnp.arrays(np.float64, (2, 5), elements=st.floats(-100, 100)),
    hnp.arrays(np.float64, (2, 5), elements=st.floats(-1e5, 1e5) | st.just(np.inf)),
)
def test_whatever_the_counts_are_the_lines_are_finite(image, dark, flat):
    lines, replaced = absorption(image, dark, flat)
    assert lines.dtype == np.float32
    assert np.isfinite(lines).all()
    light, beam = (image - dark).astype(np.float32), (flat - dark).astype(np.float32)
    good = (light > 0) & (beam > 0) & np.isfinite(light) & np.isfinite(beam)
    assert replaced == np.count_nonzero(~good)
    wanted = -np.log(light[good].astype(float)) + np.log(beam[good].astype(float))
    np.testing.assert_allclose(lines[good], wanted, rtol=1e-5, atol=1e-4)


def test_a_bad_pixel_lies_between_its_neighbours():
    rows = np.array([[np.nan, 1, np.inf, np.nan, 4], [np.nan] * 5, [1, 2, 3, 4, 5]], np.float32)
    assert replace_bad(rows) == 8
    np.testing.assert_allclose(rows, [[1, 1, 2, 3, 4], [0] * 5, [1, 2, 3, 4, 5]])


def test_transmission_says_where_there_is_no_light():
    found = transmission(np.array([60, 10, 10]), 10.0, np.array([110, 110, 10]))
    np.testing.assert_array_equal(found, np.float32([0.5, 0, np.nan]))


def test_counts_give_the_slices_of_the_lines():
    darks, flats, counts = made_counts()
    wanted = reconstruct(LINES - np.log(1 / 1.006_666_667), ANGLES, input="absorption")
    found = reconstruct(counts, ANGLES, darks=darks, flats=flats)
    assert rms(found, wanted) < 1e-4


@pytest.mark.parametrize("early", [0, 1, 3])
def test_flats_that_come_last(early):
    darks, flats, counts = made_counts(noise=50)
    wanted = reconstruct(counts, ANGLES, darks=darks, flats=flats)
    late = FilteredBackprojection(W, 2, angles=ANGLES)
    for dark in darks:
        late.add_dark(dark)
    for flat in flats[:early]:
        late.add_flat(flat)
    for number, rows in enumerate(counts):
        late.add(rows, ANGLES[number], number, number)
    for flat in flats[early:]:
        late.add_flat(flat)
    assert (late.darks, late.flats, late.late_flats, late.replaced) == (2, 3, 3 - early, 0)
    late.picture()
    assert rms(late.finish(), wanted) < 1e-5
    assert late.late_flats == 0
    np.testing.assert_array_equal(late.finish(), late.picture())


def test_lost_projections_and_late_flats_together():
    darks, flats, counts = made_counts()
    came = [number for number in range(len(ANGLES)) if number not in (3, 30)]
    wanted = reconstruct(counts[came], ANGLES[came], darks=darks, flats=flats)
    late = FilteredBackprojection(W, 2, angles=ANGLES)
    for dark in darks:
        late.add_dark(dark)
    for number in came:
        late.add(counts[number], ANGLES[number], number, number)
    for flat in flats:
        late.add_flat(flat)
    assert rms(late.finish(), wanted) < 1e-5


def test_late_flats_with_bad_pixels_are_near():
    darks, flats, counts = made_counts()
    for images in (counts, *flats):
        images[..., 20] = 0  # a dead column
    counts[7, 1, 33] = np.nan
    wanted = reconstruct(counts, ANGLES, darks=darks, flats=flats)
    late = FilteredBackprojection(W, 2, angles=ANGLES)
    for dark in darks:
        late.add_dark(dark)
    for number, rows in enumerate(counts):
        late.add(rows, ANGLES[number])
    for flat in flats:
        late.add_flat(flat)
    assert rms(late.finish(), wanted) < 0.05
    assert late.replaced == 2 * 60 + 1 + 2


def test_dark_after_a_projection_is_refused():
    found = FilteredBackprojection(W, 2)
    found.add(np.ones((2, W)), 0.0)
    with pytest.raises(ConfigurationError, match=r"dark came after .* take them first"):
        found.add_dark(np.zeros((2, W)))


def test_a_flat_of_another_shape_is_refused():
    with pytest.raises(ConfigurationError, match=r"flat has shape \(64,\); expected \(2, 64\)"):
        FilteredBackprojection(W, 2).add_flat(np.ones(W))
