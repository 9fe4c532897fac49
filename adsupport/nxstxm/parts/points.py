"""The points of a run: in the order in which they were measured, and where they are on the grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import StxmDataError
from ..asked.layout import LAYOUTS
from ..asked.request import Region, ScanAxis
from .counters import find_counters
from .line_direction import LineDirection
from .quantities import LENGTH
from .reader import PartColumn, PartReader

__all__ = ["Block", "PartPoints"]

#: Events that a run may lack whose metadata don't tell how many it has.
_MOST_MISSING = 10**6
#: Bytes of a block's values, at most if a line isn't longer.
_BLOCK_BYTES = 8 * 2**20


@dataclass(frozen=True, eq=False)
class Block:
    """Some points of a run, in the order of time: of whole lines.

    Parameters
    ----------
    rows : slice
        Of the stream.
    times : numpy.ndarray
        (points,), seconds since 1970.
    slow, fast : numpy.ndarray
        (points,): where they are on the run's grid, from 0.
    first, last : int
        Lines: those from first to before last.
    is_full : bool
        Whether the points are all of these lines, in the grid's order.
    """

    rows: slice
    times: np.ndarray
    slow: np.ndarray
    fast: np.ndarray
    first: int
    last: int
    is_full: bool

    def __len__(self) -> int:
        return len(self.slow)


class PartPoints:
    """The points of a run's primary stream.

    Events are points, or lines of points when the counters are waveforms.

    Parameters
    ----------
    part : PartReader
        The run.

    Attributes
    ----------
    part, request, layout
        The run, what was asked for, and how that is laid out.
    region : Region
        The run's own; of several that take turns the first.
    rows : int
        Events.
    by_line : bool
        Whether an event is a line.
    shape : tuple of int
        Of the run's grid: (slow, fast).
    counters : list of str
        Data keys of what was counted, the primary detector first.

    Raises
    ------
    StxmDataError
        The events contradict the metadata.
    """

    def __init__(self, part: PartReader) -> None:
        self.part, self.request = part, part.request
        self.layout = LAYOUTS[self.request.scan_type]
        self.region: Region = self.request.region
        stream = part.primary
        self.columns = {} if stream is None else stream.columns
        self._seq = np.empty(0, np.int64) if stream is None else stream.seq_nums
        self._times = np.empty(0) if stream is None else stream.times
        self.rows = len(self._seq)
        fast = self.layout.size(self.layout.fast, self.request, self.region) or 1
        slow = self.layout.size(self.layout.slow, self.request, self.region)
        self.counters = find_counters(part) if self.rows else []
        self.by_line = self._is_by_line(slow, fast)
        if slow is None:  # the energies weren't told
            last = int(self._seq.max(initial=0))
            if last - self.rows > _MOST_MISSING:
                raise StxmDataError(
                    f"Run {part.run.uid} has {self.rows} events, numbered up to {last}.",
                    remedy="Export a run whose events have the numbers 1, 2, 3 and so on.",
                )
            slow = last if self.by_line else -(-last // fast)
        self.shape = (slow, fast)
        self._check()
        self._check_counters()
        self.counters = [key for key in self.counters if self.fits(self.columns[key])]
        self._direction = self._find_direction()

    @property
    def points(self) -> int:
        """How many points there are, also such that were measured again."""
        return self.rows * self.shape[1] if self.by_line else self.rows

    @property
    def is_whole(self) -> bool:
        """Whether every point of the grid was measured."""
        return all(self.whole_turns())

    def whole_turns(self) -> tuple[bool, ...]:
        """Tell whether every point was measured, of regions that take turns those of each.

        Returns
        -------
        tuple of bool
            Of other scans just one.
        """
        here, expected = np.unique(self._seq), self._expected()
        turns = self.shape[1] if self.layout.takes_turns and not self.by_line else 1
        counts = np.bincount((here - 1) % turns, minlength=turns)
        whole = tuple(bool(count * turns == expected) for count in counts)
        return whole * (self.shape[1] if self.layout.takes_turns and self.by_line else 1)

    @property
    def left_out(self) -> list[str]:
        """What columns aren't for the file, and why, in sentences."""
        found = [
            f"{key!r} is left out: its values aren't "
            + ("as many as a line has points." if each.is_numeric else "numbers of one shape.")
            for key, each in self.columns.items()
            if not self.fits(each)
        ]
        return found + [
            f"{wanted!r} of metadata['primary_det'] isn't in stream 'primary'."
            for wanted in self.request.detectors
            if self.rows and not any(key.startswith(wanted) for key in self.columns)
        ]

    def fits(self, column: PartColumn) -> bool:
        """Tell whether a column has numbers for each point.

        Parameters
        ----------
        column : PartColumn
            Of the primary stream.

        Returns
        -------
        bool
            Also for those that have one number for a line.
        """
        if not column.is_numeric or column.dataset.shape[0] != self.rows:
            return False
        return not self.by_line or column.row_shape[:1] in ((), self.shape[1:])

    def point_shape(self, column: PartColumn) -> tuple[int, ...]:
        """Tell the shape of a point's value.

        Parameters
        ----------
        column : PartColumn
            One that :meth:`fits`.

        Returns
        -------
        tuple of int
            ``()`` for a number; the size of a frame without the 1 of a single one.
        """
        shape = column.row_shape[1:] if self.by_line else column.row_shape
        while len(shape) > 2 and shape[0] == 1:
            shape = shape[1:]
        return shape

    def by_turn(self) -> tuple[int, ...]:
        """Count the points, of regions that take turns those of each.

        Returns
        -------
        tuple of int
            Points; of other scans just one number.
        """
        turns = self.shape[1]
        if not self.layout.takes_turns:
            return (self.points,)
        if self.by_line:
            return (self.rows,) * turns
        return tuple(int(each) for each in np.bincount((self._seq - 1) % turns, minlength=turns))

    def values(self, column: PartColumn, block: Block) -> np.ndarray:
        """Read the values of a block's points.

        Parameters
        ----------
        column : PartColumn
            One that :meth:`fits`.
        block : Block
            The points.

        Returns
        -------
        numpy.ndarray
            (points, ...), with the column's dtype.
        """
        found = column.read(block.rows)
        if self.by_line and not column.row_shape:
            return np.repeat(found, self.shape[1])
        return found.reshape(len(block), *self.point_shape(column))

    def blocks(self) -> Iterator[Block]:
        """Go through the points.

        Yields
        ------
        Block
            In the order of time.
        """
        per_event = self.shape[1] if self.by_line else 1
        lines = (self._seq - 1) // (1 if self.by_line else self.shape[1])
        count = max(1, self._rows_of_block() if self.by_line else self.shape[1])
        if not self.by_line:
            count *= max(1, self._rows_of_block() // count)
        start = 0
        while start < self.rows:
            end = min(start + count, self.rows)
            while end < self.rows and lines[end] == lines[end - 1]:
                end += 1
            yield self._block(slice(start, end), lines[start:end], per_event)
            start = end

    def _block(self, rows: slice, lines: np.ndarray, per_event: int) -> Block:
        slow, times = np.repeat(lines, per_event), np.repeat(self._times[rows], per_event)
        width = self.shape[1]
        if self.by_line:
            fast = np.tile(np.arange(width), len(lines))
        else:
            fast = (self._seq[rows] - 1) % width
        # after a pause some points are measured again: numbers go back
        first, last = int(lines.min()), int(lines.max()) + 1
        numbers = self._seq[rows]
        full = len(slow) == (last - first) * width and bool((np.diff(numbers) == 1).all())
        block = Block(rows, times, slow, fast, first, last, full)
        column = self._direction.column
        positions = None if column is None else self.values(column, block)
        backwards = self._direction.backwards(slow, positions)
        if backwards.any():
            flipped = np.where(backwards, width - 1 - fast, fast)
            block = Block(rows, times, slow, flipped, first, last, False)
        return block

    def _find_direction(self) -> LineDirection:
        found, declared = self.along_line(), self.snaking
        if found is None or declared is not None:
            return LineDirection(self.shape, snaking=bool(declared) and self.layout.fast != "turn")
        column, axis = found
        way = float(axis.setpoints[-1] - axis.setpoints[0]) / LENGTH.factor(column.units)
        return LineDirection(self.shape, column, way)

    def along_line(self) -> tuple[PartColumn, ScanAxis] | None:
        """Find the positions of points along a line: of the positioner that moves most there.

        Returns
        -------
        tuple or None
            The column, with a number for each point, and the axis, with different set-points;
            None when there is none.
        """
        stream = self.part.primary
        if self.layout.fast == "turn" or stream is None:
            return None
        axes = [self.region.x] + ([self.region.y] if self.layout.fast == "line" else [])
        axis = max(axes, key=lambda each: float(np.ptp(each.setpoints)) if len(each) else 0.0)
        column = stream.find(self.part.names_of(axis.positioner)) if axis.positioner else None
        if column is None or not self.fits(column) or (self.by_line and not column.row_shape):
            return None
        if self.point_shape(column) or len(axis) < 2 or not np.ptp(axis.setpoints):
            return None
        return column, axis

    @property
    def snaking(self) -> bool | None:
        """Whether every second line was scanned backwards, as metadata tell; None if they don't."""
        if self.request.snaking is not None:
            return self.request.snaking
        told: Any = self.part.run.start.get("snaking")
        if isinstance(told, list | tuple) and told:
            told = told[-1]
        return told if isinstance(told, bool) else None

    def _rows_of_block(self) -> int:
        sizes = [
            each.dataset.dtype.itemsize * int(np.prod(each.row_shape, dtype=np.int64))
            for each in self.columns.values()
            if each.is_numeric
        ]
        return max(1, _BLOCK_BYTES // max([8, *sizes]))

    # what contradicts the metadata

    def _is_by_line(self, slow: int | None, fast: int) -> bool:
        shapes = {key: self.columns[key].row_shape for key in self.counters}
        if any(shape == (fast,) for shape in shapes.values()):
            # unless each point has a spectrum of as many channels
            last = int(self._seq.max())
            counts = () in shapes.values() or last == (slow or 0) * fast
            return not (slow is not None and last > slow and counts)
        waveforms = {key: shape[0] for key, shape in shapes.items() if len(shape) == 1}
        few = slow is not None and self.rows <= slow
        if waveforms and few and self.part.run.exit_status == "success":
            key, length = next(iter(waveforms.items()))
            raise StxmDataError(
                f"Run {self.part.run.uid}: each value of {key!r} has {length} numbers, and the "
                f"metadata say that a line has {fast} points.",
                remedy="Make NPOINTS and SETPOINTS of the regions what was scanned.",
            )
        return False

    def _expected(self) -> int:
        return self.shape[0] if self.by_line else self.shape[0] * self.shape[1]

    def _check(self) -> None:
        run, expected = self.part.run, self._expected()
        ragged = [key for key in self.counters if self.columns[key].is_ragged]
        if ragged:
            raise StxmDataError(
                f"Run {run.uid}: the values of {ragged[0]!r} differ in length, and each line has "
                f"{self.shape[1]} points.",
                remedy="Give the counter one length for all lines.",
            )
        if not self.rows and run.exit_status == "success":
            raise StxmDataError(
                f"Run {run.uid} ended well, and has no event in a stream 'primary'; its streams "
                f"are {', '.join(map(repr, self.part.streams)) or 'none'}.",
                remedy="Read the counters in the plan's primary stream.",
            )
        # of an event that the stop document counts, and that never came, the run's problems tell
        counts = (run.stop or {}).get("num_events")
        told = counts.get("primary") if isinstance(counts, dict) else None
        last = int(self._seq.max(initial=0))
        count = max(last, told) if isinstance(told, int) else last
        if count > expected or (run.exit_status == "success" and count < expected):
            what = "lines" if self.by_line else "points"
            raise StxmDataError(
                f"Run {run.uid} has {count} events, and by its metadata {expected} {what}: "
                f"{self.shape[0]} x {self.shape[1]} points of a {self.layout.label}.",
                remedy="Make scan_type, NPOINTS and SETPOINTS of the regions, and the energies, "
                "what was scanned.",
            )

    def _check_counters(self) -> None:
        """Mind a counter that was asked for and has no value for each point."""
        for wanted in self.request.detectors:
            own = [key for key in self.counters if key.startswith(wanted)]
            if own and not any(self.fits(self.columns[key]) for key in own):
                column = self.columns[own[0]]
                shape = " x ".join(map(str, column.row_shape))
                found = (
                    f"each value of {own[0]!r} has {shape} numbers" if column.is_numeric
                    else f"the values of {own[0]!r} aren't all numbers"
                )  # fmt: skip
                raise StxmDataError(
                    f"Run {self.part.run.uid}: {found}, and a line has {self.shape[1]} points.",
                    remedy="Make NPOINTS and SETPOINTS of the regions what was scanned, or leave "
                    "it out of primary_det.",
                )
