"""Samples made of discs, whose projections are known exactly."""

from __future__ import annotations

import numpy as np


def angles_of(number, span=180.0):
    """Return equal steps, degrees."""
    return np.arange(number) * span / number


def made_discs(width, seed=0, number=8, reach=0.35):
    """Return x, y (upwards), radius and density of each disc, in pixels from the axis."""
    rng = np.random.default_rng(seed)
    far = reach * width * np.sqrt(rng.uniform(0, 1, number))
    turn = rng.uniform(0, 2 * np.pi, number)
    radius = rng.uniform(0.02, 0.1, number) * width
    return np.stack(
        [far * np.cos(turn), far * np.sin(turn), radius, rng.uniform(0.2, 1.0, number)], axis=1
    )


def sinogram(discs, angles, width, centre=None):
    """Return the projections: (N, W), float32."""
    centre = width // 2 if centre is None else centre
    turned = np.deg2rad(np.asarray(angles, float))
    columns = np.arange(width)
    rows = np.zeros((len(turned), width))
    for x, y, radius, density in discs:
        seen = centre + x * np.cos(turned) + y * np.sin(turned)
        rows += 2 * density * np.sqrt(np.maximum(0, radius**2 - (columns - seen[:, None]) ** 2))
    return rows.astype(np.float32)


def picture(discs, width):
    """Return the sample itself: (W, W), the axis in pixel (W // 2, W // 2), rows going down."""
    y, x = np.mgrid[:width, :width] - width // 2
    image = np.zeros((width, width))
    for to_right, up, radius, density in discs:
        image += density * ((x - to_right) ** 2 + (-y - up) ** 2 <= radius**2)
    return image


def rms(found, wanted):
    """Return the root mean square of the difference, relative to that of what is wanted."""
    return float(np.sqrt(np.mean(np.square(found - wanted)) / np.mean(np.square(wanted))))
