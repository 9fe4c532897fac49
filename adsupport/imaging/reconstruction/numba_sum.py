"""Back-projection on all cores: kernels that numba compiles, in threads of our own.

numba's own threads can't be used: with its default threading layer two parallel functions that
run at once, from two threads, end the process.  These kernels release Python's lock instead, and
each sum spreads the rows of its slices over a small pool.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np

from .slice_grid import SliceGrid

__all__ = ["NumbaSum"]

#: Pixels of slices for which a job of its own is worth its start.
_JOB = 1 << 16


def _compiled(function: Callable[..., None]) -> Any:
    try:
        return numba.njit(function, nogil=True, cache=True)
    except RuntimeError:  # no directory that numba may keep its machine code in
        return numba.njit(function, nogil=True)


@_compiled
def _add_lines(volume, rows, cosines, sines, starts, y, chords, first, last):  # noqa: ANN001, ANN202
    """Add rows (K, S, E) to lines ``first`` to ``last`` of all slices (S, Y, X)."""
    # never negative, and unsigned: numba needn't look for places counted from the end
    index = np.empty(volume.shape[2], np.uint32)
    part = np.empty(volume.shape[2], np.float32)
    for line in range(first, last):
        begin, end = chords[line, 0], chords[line, 1]
        for k in range(rows.shape[0]):
            for s in range(volume.shape[0]):
                start = starts[k, s]
                # slices with one axis share where they are met
                if s == 0 or start != starts[k, s - 1]:
                    start -= y[line] * sines[k]
                    for x in range(begin, end):
                        t = start + x * cosines[k]
                        i = np.int32(t)
                        index[x] = i
                        part[x] = np.float32(t - i)
                row, out = rows[k, s], volume[s, line]
                for x in range(begin, end):
                    low = row[index[x]]
                    out[x] += low + part[x] * (row[index[x] + np.uint32(1)] - low)


class NumbaSum:
    """Slices to which filtered rows are added, with numba.

    Parameters
    ----------
    grid : SliceGrid
        Their pixels.
    threads : int
        How many may work at once.
    """

    def __init__(self, grid: SliceGrid, threads: int) -> None:
        self._grid = grid
        self._threads = threads
        self._offsets = np.array(grid.centres) + grid.margins[0]
        self._y, self._x0 = grid.y, float(grid.x[0])
        self._chords = np.ascontiguousarray(grid.chords)
        self._volume = np.zeros(grid.shape, np.float32)
        # threads start with the first job, and end with this object; the caller's is one more
        self._pool = ThreadPoolExecutor(threads - 1, "reconstruction") if threads > 1 else None

    def add(self, rows: np.ndarray, angles: np.ndarray) -> None:
        """Add filtered rows.

        Parameters
        ----------
        rows : numpy.ndarray
            (K, S, E), float32, contiguous, with the grid's margins; already weighted.
        angles : numpy.ndarray
            (K,), degrees.
        """
        turned = np.deg2rad(angles)
        cosines, sines = np.cos(turned), np.sin(turned)
        starts = self._offsets + (self._x0 * cosines)[:, None]
        given = (self._volume, rows, cosines, sines, starts, self._y, self._chords)
        lines = self._grid.shape[1]
        jobs = min(4 * self._threads, lines, len(angles) * self._volume.size // _JOB)
        if self._pool is None or jobs < 2:
            _add_lines(*given, 0, lines)
            return
        bounds = np.linspace(0, lines, jobs + 1).astype(int).tolist()
        parts = list(zip(bounds, bounds[1:], strict=False))
        futures = [self._pool.submit(_add_lines, *given, *part) for part in parts]
        # this thread takes from the other end what none of the pool has begun
        for future, part in zip(reversed(futures), reversed(parts), strict=True):
            if future.cancel():
                _add_lines(*given, *part)
            else:
                future.result()

    def slices(self) -> np.ndarray:
        """Return a copy of the slices: (S, Y, X), float32."""
        return self._volume.copy()

    def clear(self) -> None:
        """Set all to 0."""
        self._volume[:] = 0.0
