"""Replacing a detector's bad pixels (NDPluginBadPixel)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from adsupport.sim.arrays.casting import to_pixels
from adsupport.sim.ndarray import Dimension

MOST_SOURCES = 10_000_000
"""Pixels that the medians of all bad pixels are taken of, at most."""


class Remedy(Enum):
    """What to do about a bad pixel, by its key in the file; a later one wins over an earlier."""

    MEDIAN = "Median"
    SET = "Set"
    REPLACE = "Replace"


@dataclass(frozen=True, slots=True)
class Defect:
    """One bad pixel.

    Attributes
    ----------
    x, y : int
        Column and row on the detector.
    remedy : Remedy
        What replaces it.
    dx, dy : int
        Columns and rows: of ``MEDIAN`` how far it reaches, of ``REPLACE`` where the source is.
    value : float
        Value of ``SET``.
    """

    x: int
    y: int
    remedy: Remedy = Remedy.SET
    dx: int = 0
    dy: int = 0
    value: float = 0.0


class BadPixelMap:
    """A list of bad pixels, placed in arrays of one size, region and binning.

    Parameters
    ----------
    pixels : tuple of Defect
        The list.
    x, y : Dimension
        Columns and rows of the arrays; reversed axes are not taken into account, as in ADCore.

    Raises
    ------
    ValueError
        When medians are of so many pixels that their places would not fit into memory.
    """

    def __init__(self, pixels: tuple[Defect, ...], x: Dimension, y: Dimension) -> None:
        self._x, self._y = x, y
        self._bad = {(pixel.x, pixel.y) for pixel in pixels}
        sets: list[tuple[int, float]] = []
        copies: list[tuple[int, int]] = []
        medians: dict[int, list[tuple[int, np.ndarray]]] = {}
        total = 0
        for pixel in pixels:
            target = self._place(pixel.x, pixel.y)
            if target is None:
                continue
            if pixel.remedy is Remedy.SET:
                sets.append((target, pixel.value))
            elif pixel.remedy is Remedy.REPLACE:
                source = self._source(pixel, pixel.dx, pixel.dy)
                if source is not None:
                    copies.append((target, source))
            else:
                sources = self._around(pixel)
                total += sources.size
                if total > MOST_SOURCES:
                    raise ValueError(
                        f"the medians of bad pixels are of more than {MOST_SOURCES} pixels"
                    )
                if sources.size:
                    medians.setdefault(sources.size, []).append((target, sources))
        self._sets = [_column(sets, 0, np.intp), _column(sets, 1, np.float64)]
        self._copies = [_column(copies, 0, np.intp), _column(copies, 1, np.intp)]
        self._medians = [
            (np.array([target for target, _ in group], np.intp), np.stack([s for _, s in group]))
            for group in medians.values()
        ]

    def _place(self, x: int, y: int) -> int | None:
        """Return a detector pixel's place in the array, counted row by row; None if outside."""
        column = _divide(x - self._x.offset, self._x.binning)
        row = _divide(y - self._y.offset, self._y.binning)
        if 0 <= column < self._x.size and 0 <= row < self._y.size:
            return row * self._x.size + column
        return None

    def _source(self, pixel: Defect, right: int, down: int) -> int | None:
        """Return the place of a good pixel that far away; None if it is bad, too, or outside."""
        x = pixel.x + right * self._x.binning
        y = pixel.y + down * self._y.binning
        return None if (x, y) in self._bad else self._place(x, y)

    def _around(self, pixel: Defect) -> np.ndarray:
        """Return the places of the good pixels whose median replaces a bad one."""
        places = [
            self._source(pixel, right, down)
            for down in self._reach(pixel.y, pixel.dy, self._y)
            for right in self._reach(pixel.x, pixel.dx, self._x)
            if right or down
        ]
        return np.array([place for place in places if place is not None], np.intp)

    @staticmethod
    def _reach(position: int, distance: int, axis: Dimension) -> range:
        """Return steps along an axis, without those that surely lead out of the array."""
        index = _divide(position - axis.offset, axis.binning)
        return range(max(-distance, -index - 1), min(distance, axis.size - index) + 1)

    def repair(self, data: np.ndarray) -> np.ndarray:
        """Return a copy of an array with its bad pixels replaced.

        Parameters
        ----------
        data : numpy.ndarray
            Array of the map's size. Of colour arrays, the first so many elements are taken for
            rows and columns, as in ADCore.
        """
        repaired = np.array(data, order="C")
        flat, good = repaired.reshape(-1), data.reshape(-1)
        for targets, sources in self._medians:
            values = np.median(good[sources].astype(np.float64), axis=1)
            flat[targets] = to_pixels(values, data.dtype)
        targets, sources = self._copies
        flat[targets] = good[sources]
        targets, values = self._sets
        flat[targets] = to_pixels(values, data.dtype)
        return repaired


def _column(
    rows: list[tuple[int, float]] | list[tuple[int, int]], which: int, dtype: type
) -> np.ndarray:
    return np.array([row[which] for row in rows], dtype)


def _divide(number: int, divisor: int) -> int:
    """Divide as C does: towards zero, so a pixel just outside counts as the edge of a bin."""
    quotient = abs(number) // max(divisor, 1)
    return quotient if number >= 0 else -quotient
