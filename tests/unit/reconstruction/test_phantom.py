"""The head of the simulated beamline, from its projections back to its density."""

from __future__ import annotations

import numpy as np
import pytest

from adsupport.imaging.reconstruction import centre_from_pair, reconstruct
from adsupport.sim.beamline.phantom import head_with_beads
from adsupport.sim.beamline.projection import Pose, Screen, path_lengths

from .discs import angles_of, rms

PIXEL, WIDTH = 0.04, 128  # mm; the head is 3.7 mm high


def sampled(phantom, heights, centre, fine=4):
    """Return the mean density of each pixel, (slices, W, W), as the picture's rows go down."""
    within = (np.arange(fine) - (fine - 1) / 2) / fine
    places = ((np.arange(WIDTH) - WIDTH // 2)[:, None] + within).ravel() * PIXEL
    z, y, x = np.meshgrid(-places, heights, places, indexing="ij")
    density = phantom.density(np.stack([x, y, z], axis=-1)).transpose(1, 0, 2)
    return density.reshape(len(heights), WIDTH, fine, WIDTH, fine).mean(axis=(2, 4))


@pytest.mark.parametrize("across", [0.0, 0.1])
def test_the_head_comes_back(across):
    phantom, screen = head_with_beads(), Screen(9, WIDTH, PIXEL)
    angles = angles_of(200)
    poses = [Pose(angle, across=across) for angle in (*angles, 180.0)]
    lines = np.stack([path_lengths(phantom, pose, screen) for pose in poses])
    centre = centre_from_pair(lines[0], lines[-1])
    assert centre == pytest.approx((WIDTH - 1) / 2 + across / PIXEL, abs=0.1)
    rows = [1, 4, 8]
    found = reconstruct(lines[:-1], angles, rows=rows, centre=centre, input="absorption") / PIXEL
    wanted = sampled(phantom, screen.v[rows], centre)
    assert rms(found, wanted) < 0.16  # nearly all of it at the edges of the skull
    inside = np.hypot(*np.mgrid[-64:64, -64:64]) < 25  # the brain: ventricles and tumours
    assert np.abs(found - wanted)[:, inside].mean() < 0.01
    mirrored = found[:, :, ::-1]
    assert np.abs(mirrored - wanted)[:, inside].mean() > 0.04
