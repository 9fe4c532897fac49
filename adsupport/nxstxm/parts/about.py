"""What there is in a part: all that's needed to put runs together, without their values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..asked.request import ScanRequest
from .facts import PointFacts
from .line_check import off_the_lines
from .points import PartPoints
from .reader import PartReader

__all__ = ["ColumnAbout", "PartAbout"]


class ColumnAbout(NamedTuple):
    """What a column of a run has.

    Parameters
    ----------
    dtype : numpy.dtype
        Of its values.
    shape : tuple of int
        Of a point's value.
    units : str
        As the descriptor has it.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    units: str


@dataclass(frozen=True, eq=False)
class PartAbout:
    """What there is in a part, without its values.

    Parameters
    ----------
    path : pathlib.Path
        The part.
    uid : str
        Of its run.
    begun, ended : float
        When, in seconds since 1970; the end is that of the last event if no document tells it.
    exit_status : str
        See :attr:`adsupport.documents.run.Run.exit_status`.
    request : ScanRequest
        What was asked for, without its text: there may be thousands of runs.
    shape : tuple of int
        Of the run's grid.
    points : tuple of int
        How many there are; of regions that take turns, for each.
    whole_turns : tuple of bool
        Whether all points of the grid are there; of regions that take turns, for each.
    counters : tuple of str
        Data keys of what was counted.
    columns : dict of str to ColumnAbout
        Those that have a value for each point.
    problems : tuple of str
        What was wrong with the run's documents, and what of them isn't for the file.
    remarks : tuple of str
        What isn't known, or unlikely: see :meth:`PointFacts.remarks`, :func:`off_the_lines`.
    as_they_are : tuple of str
        See :meth:`PointFacts.as_they_are`.
    """

    path: Path
    uid: str
    begun: float
    ended: float
    exit_status: str
    request: ScanRequest
    shape: tuple[int, int]
    points: tuple[int, ...]
    whole_turns: tuple[bool, ...]
    counters: tuple[str, ...]
    columns: dict[str, ColumnAbout] = field(repr=False)
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    as_they_are: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all points of the grid are there."""
        return all(self.whole_turns)

    @classmethod
    def of(cls, path: Path) -> PartAbout:
        """Look at a part.

        Parameters
        ----------
        path : pathlib.Path
            The part.

        Returns
        -------
        PartAbout
            What it has.

        Raises
        ------
        StxmDataError, StxmMetadataError
            See :class:`PartReader` and :class:`PartPoints`.
        """
        with PartReader(path) as part:
            points, run = PartPoints(part), part.run
            times = np.empty(0) if part.primary is None else part.primary.times
            ended = run.stop_time or (float(times[-1]) if len(times) else run.time)
            request = replace(part.request, text="")
            facts = PointFacts(points)
            return cls(
                path, run.uid, run.time, ended, run.exit_status, request, points.shape,
                points.by_turn(), points.whole_turns(), tuple(points.counters),
                {
                    key: ColumnAbout(each.dtype, points.point_shape(each), each.units)
                    for key, each in points.columns.items()
                    if points.fits(each)
                },
                (*part.problems, *points.left_out),
                (*facts.remarks(points.region), *off_the_lines(points)),
                facts.as_they_are(points.region),
            )  # fmt: skip
