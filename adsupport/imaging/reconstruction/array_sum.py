"""Back-projection with whole arrays: by numpy, or by cupy on a GPU.

What it computes is what the kernels of numba_sum compute, pixel by pixel; only pixels that are
asked for are kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .slice_grid import SliceGrid

__all__ = ["ArraySum"]


class ArraySum:
    """Slices to which filtered rows are added, with numpy or cupy.

    Parameters
    ----------
    grid : SliceGrid
        Their pixels.
    arrays : module
        ``numpy``, or ``cupy``, which has the same functions.
    """

    def __init__(self, grid: SliceGrid, arrays: Any = np) -> None:
        self._grid, self._arrays = grid, arrays
        columns = np.arange(grid.shape[2])
        begin, end = grid.chords[:, :1], grid.chords[:, 1:]
        self._wanted = np.flatnonzero((columns >= begin) & (columns < end))
        self._y = arrays.asarray(grid.y[self._wanted // grid.shape[2]])
        self._x = arrays.asarray(grid.x[self._wanted % grid.shape[2]])
        self._offsets = [centre + grid.margins[0] for centre in grid.centres]
        self._sums = arrays.zeros((grid.shape[0], len(self._wanted)), np.float32)

    def add(self, rows: np.ndarray, angles: np.ndarray) -> None:
        """Add filtered rows.

        Parameters
        ----------
        rows : numpy.ndarray
            (K, S, E), float32, with the grid's margins; already weighted.
        angles : numpy.ndarray
            (K,), degrees.
        """
        sent = self._arrays.asarray(rows)
        for k, turned in enumerate(np.deg2rad(angles).tolist()):
            seen = self._x * np.cos(turned) - self._y * np.sin(turned)
            index = part = offset = None
            for s, centre in enumerate(self._offsets):
                if index is None or part is None or centre != offset:
                    t, offset = seen + centre, centre
                    index = t.astype(np.int32)
                    part = (t - index).astype(np.float32)
                row = sent[k, s]
                low = row[index]
                self._sums[s] += low + part * (row[index + 1] - low)

    def slices(self) -> np.ndarray:
        """Return a copy of the slices: (S, Y, X), float32."""
        whole = np.zeros(self._grid.shape, np.float32)
        sums = self._sums if self._arrays is np else self._arrays.asnumpy(self._sums)
        whole.reshape(len(whole), -1)[:, self._wanted] = sums
        return whole

    def clear(self) -> None:
        """Set all to 0."""
        self._sums[:] = 0.0
