"""Colours for the levels of a picture."""

from __future__ import annotations

import functools

import numpy as np

__all__ = ["palettes"]

#: Of matplotlib's, when that is installed.
_MATPLOTLIB = ("viridis", "inferno")
#: A ramp of our own, from dark blue over green to light yellow: (level, red, green, blue).
_SEA = (
    (0, 8, 12, 40),
    (64, 24, 62, 122),
    (128, 20, 128, 138),
    (192, 122, 190, 104),
    (255, 250, 244, 180),
)


@functools.cache
def palettes() -> dict[str, np.ndarray]:
    """Make the colour maps that there are.

    Returns
    -------
    dict of str to numpy.ndarray
        By name, ``gray`` first; each (256, 3), uint8: red, green and blue of every level.
        ``viridis`` and ``inferno`` are there when matplotlib is.
    """
    levels = np.arange(256)
    gray = np.repeat(levels[:, np.newaxis], 3, axis=1)
    knots = np.array(_SEA, np.float64)
    sea = np.stack([np.interp(levels, knots[:, 0], knots[:, each]) for each in (1, 2, 3)], axis=1)
    found = {"gray": gray, "gray, inverted": gray[::-1], "sea": sea}
    try:
        from matplotlib import colormaps
    except ImportError:
        pass
    else:
        for name in _MATPLOTLIB:
            found[name] = 255 * np.asarray(colormaps[name](levels))[:, :3]
    return {name: np.rint(colours).astype(np.uint8) for name, colours in found.items()}
