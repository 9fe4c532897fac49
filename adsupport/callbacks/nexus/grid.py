"""The grid of a scan: which point of it each row is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ...documents.run import Run, Stream

__all__ = ["Grid", "dimension_fields", "find_grid", "with_snaking"]

#: Plans of bluesky whose rows go through the grid point by point; those of a spiral don't.
_PATTERNS = ("outer_product", "outer_list_product")


@dataclass(frozen=True)
class Grid:
    """Points on a grid.

    Parameters
    ----------
    shape : tuple of int
        Points along each dimension, slowest first.
    snaking : tuple of bool
        Whether a dimension goes back and forth.
    fields : tuple of tuple of str
        Data keys of the positions along each dimension.
    """

    shape: tuple[int, ...]
    snaking: tuple[bool, ...]
    fields: tuple[tuple[str, ...], ...]

    @property
    def points(self) -> int:
        """How many there are."""
        return prod(self.shape)

    @cached_property
    def places(self) -> np.ndarray:
        """Where in the grid each row is.

        (rows,), int64: index in the grid flattened in C order, each once.
        """
        rows = np.arange(self.points, dtype=np.int64)
        indices = list(np.unravel_index(rows, self.shape))
        passed = 1
        for axis, (length, snakes) in enumerate(zip(self.shape, self.snaking, strict=True)):
            passed *= length
            if snakes and axis:
                # How often the dimension has been gone through before; every other time backwards.
                turn = rows // (len(rows) // passed * length)
                indices[axis] = np.where(turn % 2, length - 1 - indices[axis], indices[axis])
        return np.ravel_multi_index(tuple(indices), self.shape).astype(np.int64)

    def spans(self) -> list[tuple[int, int, int]]:
        """Tell which rows lie one after the other in the grid as well.

        Returns
        -------
        list of (int, int, int)
            First row, its place in the flattened grid, number of rows; all within one line of
            the fastest dimension, or single points of a line that goes backwards.
        """
        places = self.places
        line = self.shape[-1]
        starts = np.flatnonzero(
            np.concatenate([[True], (np.diff(places) != 1) | (places[1:] % line == 0)])
        )
        ends = np.append(starts[1:], len(places))
        return [(int(a), int(places[a]), int(b - a)) for a, b in zip(starts, ends, strict=True)]

    def ordered(self, values: np.ndarray) -> np.ndarray:
        """Put rows into the grid.

        Parameters
        ----------
        values : numpy.ndarray
            (rows,).

        Returns
        -------
        numpy.ndarray
            ``shape``, of the same dtype.
        """
        found = np.empty_like(values)
        found[self.places] = values
        return found.reshape(self.shape)

    def spread(self, values: np.ndarray, axis: int) -> float:
        """Tell how much positions differ that should be the same.

        Parameters
        ----------
        values : numpy.ndarray
            (rows,): positions as they were measured.
        axis : int
            The dimension along which they are.

        Returns
        -------
        float
            Sum of squares of the differences from the means of :meth:`along`.
        """
        lines = self._lines(values, axis)
        return float(np.nansum((lines - _means(lines)[:, np.newaxis]) ** 2))

    def along(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Return the positions along a dimension.

        Parameters
        ----------
        values : numpy.ndarray
            (rows,): positions as they were measured.
        axis : int
            The dimension.

        Returns
        -------
        numpy.ndarray
            (shape[axis],), float64: means over the other dimensions; NaN where nothing was
            measured.
        """
        return _means(self._lines(values, axis))

    def _lines(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Gather what was measured at each position along a dimension: (shape[axis], others)."""
        grid = np.moveaxis(self.ordered(values.astype(np.float64)), axis, 0)
        return grid.reshape(self.shape[axis], -1)


def dimension_fields(run: Run, stream: Stream, motors: Sequence[str]) -> list[tuple[str, ...]]:
    """Tell by which data keys a plan moved along each dimension.

    Parameters
    ----------
    run : Run
        Its hints have ``dimensions``.
    stream : Stream
        Whose data keys count.
    motors : sequence of str
        Data keys of the motors, for a plan without such hints.

    Returns
    -------
    list of tuple of str
        Of each dimension, slowest first; keys that the stream doesn't have are left out.
    """
    found: list[tuple[str, ...]] = []
    hints = run.start.get("hints")
    dimensions = hints.get("dimensions") if isinstance(hints, dict) else None
    for each in dimensions if isinstance(dimensions, (list, tuple)) else ():
        match each:
            case [[*fields], str(name)] | ([*fields], str(name)) if name == stream.name:
                found.append(tuple(str(key) for key in fields if key in stream.columns))
    if any(found):
        return found
    return [(key,) for key in motors]


def find_grid(run: Run, stream: Stream, motors: Sequence[str], rows: int) -> Grid | None:
    """Find the grid that a scan's rows fill.

    Parameters
    ----------
    run : Run
        The run.
    stream : Stream
        The rows' stream.
    motors : sequence of str
        Data keys of the motors.
    rows : int
        How many there are.

    Returns
    -------
    Grid or None
        None when the plan wasn't a grid scan, or ended before the last point.
    """
    start = run.start
    shape = _integers(start.get("shape"))
    if start.get("plan_pattern", _PATTERNS[0]) not in _PATTERNS or len(shape) < 2:
        return None
    if min(shape) < 1 or prod(shape) != rows:
        return None
    fields = dimension_fields(run, stream, motors)
    if len(fields) != len(shape) or not all(fields):
        return None
    return Grid(shape, (False,) * len(shape), tuple(fields))


def with_snaking(grid: Grid, run: Run, positions: Sequence[np.ndarray]) -> Grid:
    """Find out which dimensions go back and forth.

    bluesky's ``grid_scan`` says so in the start document, its ``list_grid_scan`` doesn't: then
    it's that way by which the positions along a dimension differ least.

    Parameters
    ----------
    grid : Grid
        Without snaking.
    run : Run
        The run.
    positions : sequence of numpy.ndarray
        (rows,) for each dimension: positions as they were measured.

    Returns
    -------
    Grid
        The same grid.
    """
    told = run.start.get("snaking")
    if isinstance(told, (list, tuple)) and len(told) == len(grid.shape):
        return replace(grid, snaking=tuple(bool(each) for each in told))
    found = [False]
    for axis in range(1, len(grid.shape)):
        back = replace(grid, snaking=tuple(each == axis for each in range(len(grid.shape))))
        values = positions[axis]
        found.append(back.spread(values, axis) < 0.99 * grid.spread(values, axis))
    return replace(grid, snaking=tuple(found))


def _means(lines: np.ndarray) -> np.ndarray:
    known = np.isfinite(lines)
    counts = known.sum(axis=1)
    sums = np.where(known, lines, 0).sum(axis=1)
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)


def _integers(found: Any) -> tuple[int, ...]:
    try:
        return tuple(int(each) for each in found)
    except (TypeError, ValueError, OverflowError):  # not a shape: metadata are the user's own
        return ()
