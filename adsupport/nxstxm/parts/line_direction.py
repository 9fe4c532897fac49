"""Which lines of a scan were scanned backwards: told once for all, or by the positions of each."""

from __future__ import annotations

import numpy as np

from .reader import PartColumn

__all__ = ["LineDirection"]


class LineDirection:
    """The direction of a run's lines, whose points come in the order of time.

    Parameters
    ----------
    shape : tuple of int
        Of the run's grid: (lines, points of a line).
    column : PartColumn or None
        The positions that tell it; None when none do.
    way : float
        How far the column's values go along a line, in its units; never 0.
    snaking : bool
        Whether every second line is backwards, where no column tells it.

    Attributes
    ----------
    column
        As given.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        column: PartColumn | None = None,
        way: float = 1.0,
        *,
        snaking: bool = False,
    ) -> None:
        self.column = column
        self._way, self._width, self._snaking = way, shape[1], snaking
        # of each line the longest stretch that came, and whether that was backwards
        size = shape[0] if column is not None else 0
        self._longest, self._turned = np.zeros(size, np.int64), np.zeros(size, np.bool_)

    def backwards(self, lines: np.ndarray, positions: np.ndarray | None) -> np.ndarray:
        """Tell which points are of lines that were scanned backwards.

        Parameters
        ----------
        lines : numpy.ndarray
            (points,), int: in which line each is, from 0; blocks of points in the order of time.
        positions : numpy.ndarray or None
            (points,): the column's values; not needed without a column.

        Returns
        -------
        numpy.ndarray
            (points,), bool.
        """
        if positions is None:
            return lines % 2 == 1 if self._snaking else np.zeros(len(lines), np.bool_)
        values = _filled(positions.astype(np.float64))
        starts = np.flatnonzero(np.r_[True, np.diff(lines) != 0])
        ends = np.r_[starts[1:], len(lines)] - 1
        moved = (values[ends] - values[starts]) / self._way
        share = (ends - starts) / max(1, self._width - 1)
        told = (moved < 0) & (-moved > 0.5 * share) & (share > 0)
        # of a line that was begun again the longest stretch tells: it comes last
        order = np.argsort(ends - starts, kind="stable")
        begun, lengths, told = lines[starts][order], (ends - starts)[order], told[order]
        longer = lengths >= self._longest[begun]
        self._longest[begun[longer]] = lengths[longer]
        self._turned[begun[longer]] = told[longer]
        return self._turned[lines]


def _filled(values: np.ndarray) -> np.ndarray:
    """Put what came before in the place of what isn't a number."""
    good = np.flatnonzero(np.isfinite(values))
    if not 0 < len(good) < len(values):
        return values
    before = np.searchsorted(good, np.arange(len(values)), "right") - 1
    return values[good[np.maximum(before, 0)]]
