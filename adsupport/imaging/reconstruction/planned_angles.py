"""The angles that a scan is to have: what each counts, and what is done about lost ones.

The weight of an angle is half the gaps to its neighbours.  When a neighbour is lost the gap is
wider, but the projection has long been added, and isn't kept.  Only those whose neighbour hasn't
come yet are: in a scan that goes round, the first, the last, and two at each gap.  At the end they
get what their weights lack.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ConfigurationError, FrameCountError
from .weights import angle_weights, widest_gap

__all__ = ["PlannedAngles"]


class PlannedAngles:
    """Which of the angles of a scan have come.

    Parameters
    ----------
    angles : sequence of float
        Degrees, in the order of the scan.
    most_held : int
        How many rows may be kept; of more, those that came first are given up.  Their weights
        stay as planned, and those of the others are set in relation to these.

    Attributes
    ----------
    angles : numpy.ndarray
        (N,), degrees.
    weights : numpy.ndarray
        (N,), radians, when none is lost.
    arrived : numpy.ndarray
        (N,), bool.

    Raises
    ------
    ConfigurationError
        There is no angle, or one isn't a finite number.
    """

    def __init__(self, angles: Sequence[float] | np.ndarray, most_held: int) -> None:
        self.angles = np.array(angles, np.float64)
        if self.angles.ndim != 1 or not self.angles.size or not np.isfinite(self.angles).all():
            raise ConfigurationError(
                f"angles has shape {self.angles.shape}, and {np.isfinite(self.angles).sum()} "
                "finite numbers; expected a list of finite numbers, in degrees."
            )
        self.weights = angle_weights(self.angles)
        self.arrived = np.zeros(len(self.angles), bool)
        order = np.argsort(np.mod(self.angles, 180.0), kind="stable")
        self._before, self._behind = np.empty_like(order), np.empty_like(order)
        self._before[order], self._behind[order] = np.roll(order, 1), np.roll(order, -1)
        self._most_held = most_held
        self._held: dict[int, np.ndarray] = {}

    @property
    def missing(self) -> list[int]:
        """Places, from 0, that haven't come."""
        return np.flatnonzero(~self.arrived).tolist()

    def place_of(self, angle: float) -> int:
        """Find the place of a projection that doesn't say it: the nearest that hasn't come.

        Parameters
        ----------
        angle : float
            Degrees.

        Returns
        -------
        int
            From 0.

        Raises
        ------
        FrameCountError
            All have come.
        """
        if self.arrived.all():
            raise FrameCountError(
                f"A projection at {angle:g} degrees is one more than the {len(self.angles)} of "
                "the plan.",
                expected=len(self.angles),
                got=len(self.angles) + 1,
            )
        return int(np.argmin(np.where(self.arrived, np.inf, np.abs(self.angles - angle))))

    def check(self, place: int) -> None:
        """Refuse a place that doesn't exist, or came before.

        Parameters
        ----------
        place : int
            From 0.

        Raises
        ------
        FrameCountError
            It can't come.
        """
        if not 0 <= place < len(self.angles) or self.arrived[place]:
            known = 0 <= place < len(self.angles)
            raise FrameCountError(
                f"Projection {place} of {len(self.angles)} "
                f"{'came twice' if known else 'is not in the plan'}.",
                expected=len(self.angles),
                got=int(self.arrived.sum()),
            )

    def take(self, place: int, rows: np.ndarray) -> float:
        """Take a projection.

        Parameters
        ----------
        place : int
            Which, from 0.
        rows : numpy.ndarray
            (S, E): filtered; a copy is kept as long as a neighbour is missing.

        Returns
        -------
        float
            Its weight, radians.

        Raises
        ------
        FrameCountError
            It can't come.
        """
        self.check(place)
        self.arrived[place] = True
        if self._lacks_neighbour(place):
            self._held[place] = rows.copy()
        for near in (self._before[place], self._behind[place]):
            if not self._lacks_neighbour(near):
                self._held.pop(int(near), None)
        while len(self._held) > self._most_held:
            del self._held[next(iter(self._held))]
        return float(self.weights[place])

    def fill(self) -> list[tuple[int, float, np.ndarray]]:
        """Tell what neighbours of lost projections lack; they are given up.

        Returns
        -------
        list of (int, float, numpy.ndarray)
            Place, radians to add to its weight, and its filtered rows.
        """
        if self.arrived.all() or not self.arrived.any():
            return []
        final = np.zeros_like(self.weights)
        final[self.arrived] = angle_weights(self.angles[self.arrived], widest_gap(self.angles))
        # those that were given up can't get more: all others are weighted as these are
        kept_on = self.arrived.copy()
        kept_on[list(self._held)] = False
        planned, wanted = self.weights[kept_on].sum(), final[kept_on].sum()
        if planned > 0 and wanted > 0:
            final *= planned / wanted
        lacking = final - self.weights
        found = [(place, float(lacking[place]), rows) for place, rows in self._held.items()]
        self._held = {}
        return [each for each in found if abs(each[1]) > 1e-12]

    def _lacks_neighbour(self, place: int) -> bool:
        return not (self.arrived[self._before[place]] and self.arrived[self._behind[place]])
