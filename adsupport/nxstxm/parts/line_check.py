"""Compares the positions along lines with those that were asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .points import PartPoints
from .quantities import LENGTH

__all__ = ["off_the_lines"]

#: Of the length of a line: how far positions may be from set-points, but for a common offset.
_NEAR = 0.3


def off_the_lines(points: PartPoints) -> list[str]:
    """Tell when positions aren't near the set-points, as when nx and ny were exchanged.

    Looks at a few lines: of a wrong grid nearly all are wrong.

    Parameters
    ----------
    points : PartPoints
        The run.

    Returns
    -------
    list of str
        A sentence, or none.
    """
    found = points.along_line()
    if found is None:
        return []
    column, axis = found
    asked = axis.setpoints / LENGTH.factor(column.units)
    limit = _NEAR * float(np.ptp(asked))
    for rows in _lines(points):
        measured = column.read(rows).reshape(-1).astype(np.float64)
        if len(measured) != len(asked) or not np.isfinite(measured).all():
            continue
        if min(np.ptp(measured - each) for each in (asked, asked[::-1])) > limit:
            return [
                f"the positions of {column.key!r} along lines aren't near the set-points of the "
                "region, which tell where the points are in the image: are NPOINTS, SETPOINTS, "
                "their units, and which axis is the fast one, what was scanned?"
            ]
    return []


def _lines(points: PartPoints) -> Iterator[slice]:
    """Find the events of the first two lines and of one in the middle, where they're whole."""
    stream = points.part.primary
    numbers = np.empty(0, np.int64) if stream is None else stream.seq_nums
    width = 1 if points.by_line else points.shape[1]
    for line in sorted({0, 1, points.shape[0] // 2}):
        wanted = np.arange(line * width + 1, (line + 1) * width + 1)
        start = int(np.searchsorted(numbers, wanted[0]))
        if np.array_equal(numbers[start : start + width], wanted):
            yield slice(start, start + width)
