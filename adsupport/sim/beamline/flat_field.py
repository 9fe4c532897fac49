"""What the camera sees without a sample: beam profile, vignetting, pixel gains and dust."""

from __future__ import annotations

import numpy as np

PIXEL_GAIN_SPREAD = 0.01
"""Standard deviation of the pixels' sensitivities."""

EDGE_LOSS = 0.15
"""Loss by vignetting at the corners of the image."""

BEAM_HEIGHT = 0.9
"""Standard deviation of the beam's vertical profile, in heights of the image."""

DUST_SPOTS = 12
DUST_RADII = (0.004, 0.02)
"""Radii of the dust spots, in widths of the image."""
DUST_LOSSES = (0.03, 0.15)
"""Loss in the middle of a spot."""


def flat_field(rows: int, columns: int, seed: int) -> np.ndarray:
    """Return the relative brightness of each pixel, the same for the same seed.

    It is the product of a vertical Gaussian beam profile, vignetting that grows with the square
    of the distance from the centre, round dust spots with soft edges and the pixels' own gains.

    Parameters
    ----------
    rows, columns : int
        Size of the image.
    seed : int
        Decides on gains and dust.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(rows, columns)``, about 1 in the middle.
    """
    random = np.random.default_rng(seed)
    y = (np.arange(rows)[:, None] - (rows - 1) / 2) / rows
    x = (np.arange(columns) - (columns - 1) / 2) / columns
    pattern = np.exp(-((y / BEAM_HEIGHT) ** 2) / 2) * (1 - EDGE_LOSS * 2 * (x**2 + y**2))
    for _ in range(DUST_SPOTS):
        centre_x, centre_y = random.uniform(-0.5, 0.5, 2)
        radius = random.uniform(*DUST_RADII)
        loss = random.uniform(*DUST_LOSSES)
        distance = np.hypot(x - centre_x, (y - centre_y) * rows / columns)
        pattern *= 1 - loss / (1 + (distance / radius) ** 8)
    pattern *= random.normal(1.0, PIXEL_GAIN_SPREAD, (rows, columns))
    return pattern.astype(np.float32)
