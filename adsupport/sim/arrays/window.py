"""Cutting, reversing and binning one axis of an image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from adsupport.sim.ndarray import Dimension


@dataclass(frozen=True, slots=True)
class Window:
    """The part of one axis that is read out.

    Attributes
    ----------
    start : int
        First pixel, counted on the unbinned axis.
    size : int
        Unbinned pixels.
    binning : int
        Pixels summed into one.
    reverse : bool
        Whether the last pixel comes first.
    """

    start: int
    size: int
    binning: int = 1
    reverse: bool = False

    def fit(self, limit: int) -> Window:
        """Return the nearest window that lies inside an axis of ``limit`` pixels.

        The size is rounded down to whole bins, and is at least one bin.

        Parameters
        ----------
        limit : int
            Length of the axis, at least 1.
        """
        start = min(max(self.start, 0), limit - 1)
        room = limit - start
        binning = min(max(self.binning, 1), room)
        size = min(max(self.size, binning), room)
        return replace(self, start=start, size=size - size % binning, binning=binning)

    def dimension(self) -> Dimension:
        """Return how a fitted window describes itself in the array that it makes."""
        return Dimension(
            size=self.size // self.binning,
            offset=self.start,
            binning=self.binning,
            reverse=self.reverse,
        )

    def cut(self, image: np.ndarray, axis: int) -> np.ndarray:
        """Cut, reverse and bin one axis of an image.

        Parameters
        ----------
        image : numpy.ndarray
            Any shape and type; sums of bins wrap around in that type.
        axis : int
            Axis of ``image`` that a fitted window applies to.
        """
        index: list[slice] = [slice(None)] * image.ndim
        index[axis] = slice(self.start, self.start + self.size)
        part = image[tuple(index)]
        if self.reverse:
            part = np.flip(part, axis)
        if self.binning > 1:
            index[axis] = slice(0, None, self.binning)
            total = part[tuple(index)].copy()
            for first in range(1, self.binning):
                index[axis] = slice(first, None, self.binning)
                total += part[tuple(index)]
            part = total
        return part
