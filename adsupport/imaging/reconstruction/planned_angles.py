"""The angles that a scan is to have: what each counts, and what is done about lost ones.

The weight of an angle is half the gaps to its neighbours.  When a neighbour is lost the gap is
wider, but the projection has long been added, and isn't kept.  Only those whose neighbour hasn't
come yet are: in a scan of a half turn, the first, the last, and two at each gap.  At the end they
get what their weights lack.

In a scan of a whole turn the neighbours on the half circle come half a scan later: there's no room
for all that wait for them.  So those beside a gap of the scan are kept rather.  They get what those
lack that had to be given up between them on the half circle.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from ...errors import ConfigurationError, FrameCountError
from .weights import angle_weights, widest_gap

__all__ = ["PlannedAngles"]

#: So many wedges, as `widest_gap` has them, two rows may be apart that get what is between them.
_FAR = 4.0


class PlannedAngles:
    """Which of the angles of a scan have come.

    Parameters
    ----------
    angles : sequence of float
        Degrees, in the order of the scan.
    most_held : int
        How many rows may be kept; of more, those that came first are given up, those beside a gap
        of the scan last.  Their weights stay as planned: what they lack those get that are kept
        near them, and where there are none all others are weighted as they are.

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
        self._came = bytearray(len(self.angles))
        self.arrived = np.frombuffer(self._came, bool)
        self._folded = np.mod(self.angles, 180.0)
        order = np.argsort(self._folded, kind="stable")
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        self._before = array("q", np.roll(order, 1)[places].tolist())
        self._behind = array("q", np.roll(order, -1)[places].tolist())
        self._most_held = most_held
        self._held: dict[int, np.ndarray] = {}
        self._spare: dict[int, None] = {}  # of these: those that aren't beside a gap of the scan

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
        near, beside = self._near(place), self._beside(place)
        if not self._have_come(*near, *beside):
            self._held[place] = rows.copy()
        for each in (place, *near, *beside):
            self._settle(each)
        while len(self._held) > self._most_held:
            self._give_up(next(iter(self._spare or self._held)))
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
        lacking = self._lacking()
        found = [(place, float(lacking[place]), rows) for place, rows in self._held.items()]
        self._held, self._spare = {}, {}
        return [each for each in found if abs(each[1]) > 1e-12]

    def _near(self, place: int) -> tuple[int, int]:
        """Tell which come before and behind it on the half circle."""
        return self._before[place], self._behind[place]

    def _beside(self, place: int) -> tuple[int, int]:
        """Tell which come before and behind it in the scan."""
        return max(place - 1, 0), min(place + 1, len(self._came) - 1)

    def _have_come(self, *places: int) -> bool:
        return all(self._came[place] for place in places)

    def _settle(self, place: int) -> None:
        """See what rows that are kept still wait for."""
        if place not in self._held or not self._have_come(*self._beside(place)):
            return
        if self._have_come(*self._near(place)):
            self._give_up(place)
        else:
            self._spare[place] = None

    def _give_up(self, place: int) -> None:
        del self._held[place]
        self._spare.pop(place, None)

    def _lacking(self) -> np.ndarray:
        """Tell what each weight lacks, radians; what is given up, of that which is near it."""
        held = np.zeros(len(self.angles), bool)
        held[list(self._held)] = True
        widest = widest_gap(self.angles) * (1 + 1e-9)
        lost = np.flatnonzero(~self.arrived)
        pairs, parts, gaps = self._between(lost, self.arrived)
        parts[gaps > widest] = 0.0  # a wedge that wasn't measured
        wanted = np.where(self.arrived, self.weights, 0.0)
        np.add.at(wanted, pairs, parts * self.weights[lost][:, None])
        given_up = np.flatnonzero(self.arrived & ~held)
        pairs, parts, gaps = self._between(given_up, held)
        near = gaps <= _FAR * widest
        # what has nothing near it can't get more: all others are weighted as it is
        alone = given_up[~near]
        planned, total = self.weights[alone].sum(), wanted[alone].sum()
        if planned > 0 and total > 0:
            wanted *= planned / total
        lacking = wanted - self.weights
        np.add.at(lacking, pairs[near], parts[near] * lacking[given_up[near]][:, None])
        return lacking

    def _between(
        self, places: np.ndarray, some: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find between which two of some others places are on the half circle.

        With each, which part it has of a straight line between the two, and how far these are
        apart.
        """
        among = np.flatnonzero(some)
        among = among[np.argsort(self._folded[among], kind="stable")]
        angles, at = self._folded[among], self._folded[places]
        if not among.size:
            pairs = np.stack([places, places], axis=1)
            return pairs, np.zeros(pairs.shape), np.full(places.shape, np.inf)
        behind = np.searchsorted(angles, at, side="right")
        pairs = np.stack([among[behind - 1], among[behind % among.size]], axis=1)
        ahead = np.append(angles, angles[0] + 180.0)[behind] - at
        gaps = ahead + at - np.append(angles[-1] - 180.0, angles)[behind]
        parts = np.stack([ahead / gaps, 1.0 - ahead / gaps], axis=1)
        return pairs, parts, gaps
