"""What an entry will have, before any of it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...errors import StxmDataError
from ..asked.layout import LAYOUTS, Layout
from ..asked.request import Region, RunIndex, ScanRequest
from ..parts.about import ColumnAbout, PartAbout

__all__ = ["EntryPlan"]


@dataclass(eq=False)
class EntryPlan:
    """An entry that is to be written.

    Parameters
    ----------
    name : str
        Its name.
    sp_id : int
        Number of its region.
    parts : list of PartAbout
        Its runs, in the order of time.
    turn : int or None
        Which of the regions that take turns.
    """

    name: str
    sp_id: int
    parts: list[PartAbout]
    turn: int | None = None

    @property
    def request(self) -> ScanRequest:
        """What its first run was asked for."""
        return self.parts[0].request

    @property
    def index(self) -> RunIndex:
        """Where its first run belongs."""
        return self.request.index

    @property
    def region(self) -> Region:
        """What was scanned."""
        return self.request.regions[self.sp_id]

    @property
    def layout(self) -> Layout:
        """How its data are laid out."""
        return LAYOUTS[self.request.scan_type]

    @property
    def energies(self) -> int:
        """How many photon energies it has."""
        if self.layout.is_stack:
            last = max(each.request.index.e_idx for each in self.parts)
            return max(len(self.region.energies), last + 1)
        return self.parts[0].shape[0] if self.layout.slow == "energy" else 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its data on the grid."""
        slow, fast = self.parts[0].shape
        match self.layout.dimensions:
            case ("energy", "y", "x"):
                return (self.energies, slow, fast)
            case ("energy",):
                return (slow,)
            case ("x",):
                return (fast,)
        return (slow, fast)

    @property
    def points(self) -> int:
        """How many points were measured."""
        return sum(each.points[self.turn or 0] for each in self.parts)

    @property
    def bytes(self) -> int:
        """How many bytes its counters' data and the ring current take."""
        places = math.prod(self.shape)
        sizes = [
            math.prod(each.shape) * each.dtype.itemsize for each in map(self.column, self.counters)
        ]
        return 8 * places * (1 + len(sizes)) + self.points * sum(sizes)

    @property
    def is_whole(self) -> bool:
        """Whether every place of the grid was measured."""
        runs = self.energies if self.layout.is_stack else 1
        turn = self.turn or 0
        return len(self.parts) == runs and all(each.whole_turns[turn] for each in self.parts)

    @property
    def counters(self) -> list[str]:
        """Data keys of what was counted, in any run."""
        return list(dict.fromkeys(key for each in self.parts for key in each.counters))

    def column(self, key: str) -> ColumnAbout:
        """Tell what holds the values of all runs.

        Parameters
        ----------
        key : str
            The data key.

        Returns
        -------
        ColumnAbout
            The widest dtype.

        Raises
        ------
        StxmDataError
            The runs have different shapes.
        """
        found = [each.columns[key] for each in self.parts if key in each.columns]
        shapes = {each.shape for each in found}
        if len(shapes) > 1:
            raise StxmDataError(
                f"{key!r} has values of different shapes in the runs of {self.name}: "
                f"{', '.join(map(str, sorted(shapes)))}.",
                remedy="Leave the runs out that don't belong to the others.",
            )
        dtype = np.result_type(*(each.dtype for each in found))
        return ColumnAbout(dtype, found[0].shape, found[0].units)
