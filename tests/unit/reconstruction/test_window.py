"""A sample that turns without end: the slices of the last half turn."""

from __future__ import annotations

import numpy as np
import pytest

from adsupport.errors import ConfigurationError, FrameCountError
from adsupport.imaging.reconstruction import FilteredBackprojection

from .discs import made_discs, rms, sinogram

W, STEP = 32, 4.5  # 40 projections in half a turn
ANGLES = np.arange(0, 2000) * STEP
DISCS = made_discs(W, 4)


def batch(rows, angles):
    found = FilteredBackprojection(W, input="absorption", backend="numpy")
    for row, angle in zip(rows, angles, strict=True):
        found.add(row[None], angle)
    return found.picture()


def turning(number, backend="numpy", wrapped=False):
    """Return a window and all rows after so many projections; the sample changes on the way."""
    rows = sinogram(DISCS, ANGLES[:number], W) * np.linspace(1, 3, number)[:, None]
    angles = np.mod(ANGLES, 360.0) if wrapped else ANGLES
    found = FilteredBackprojection(W, input="absorption", window=180, backend=backend)
    for place, row in enumerate(rows):
        found.add(row[None], angles[place], place)
    return found, rows


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("number", [1, 25, 40, 41, 333])
def test_it_is_the_batch_of_the_same_angles(number, wrapped):
    found, rows = turning(number, wrapped=wrapped)
    last = slice(max(0, number - 40), number)
    assert rms(found.picture(), batch(rows[last], ANGLES[last])) < 1e-5


def test_turning_backwards():
    rows = sinogram(DISCS, -ANGLES[:100], W)
    found = FilteredBackprojection(W, input="absorption", window=180)
    for row, angle in zip(rows, -ANGLES[:100], strict=True):
        found.add(row[None], angle)
    assert rms(found.picture(), batch(rows[60:], -ANGLES[60:100])) < 1e-5


def test_a_sample_that_rocks_fills_no_memory():
    found = FilteredBackprojection(W, input="absorption", window=180, backend="numpy")
    angles = 90 - np.abs(np.arange(300) * STEP % 180 - 90)  # to 90 degrees and back
    rows = sinogram(DISCS, angles, W) * np.linspace(1, 3, 300)[:, None]
    for row, angle in zip(rows, angles, strict=True):
        found.add(row[None], angle)
    assert rms(found.picture(), batch(rows[-80:], angles[-80:])) < 1e-5


def test_rounding_does_not_pile_up_over_many_turns():
    found, rows = turning(2000, "numba")
    assert rms(found.picture(), batch(rows[-40:], ANGLES[-40:])) < 3e-6


def test_a_projection_is_taken_out():
    found, rows = turning(60)
    found.remove(45)
    kept = [number for number in range(20, 60) if number != 45]
    assert rms(found.picture(), batch(rows[kept], ANGLES[kept])) < 1e-5
    for gone in (45, 5, 70):
        with pytest.raises(FrameCountError, match=f"Projection {gone} isn't among the 39"):
            found.remove(gone)
    with pytest.raises(FrameCountError, match="came twice"):
        found.add(rows[5][None], ANGLES[5], 5)


def test_without_a_window_nothing_can_be_taken_out():
    found = FilteredBackprojection(W, input="absorption")
    found.add(np.ones((1, W)), 0.0, 1)
    with pytest.raises(ConfigurationError, match="Give window=180"):
        found.remove(1)


def test_flats_come_before_a_window():
    found = FilteredBackprojection(W, window=180)
    found.add_flat(np.full((1, W), 100))
    found.add(np.full((1, W), 100), 0.0)
    assert not found.picture().any()
    with pytest.raises(ConfigurationError, match="Take flats first"):
        found.add_flat(np.full((1, W), 100))
