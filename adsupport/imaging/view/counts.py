"""How many frames came, how fast, and how many didn't."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

__all__ = ["FrameCounts"]

#: Seconds that a rate is the mean of.
_SPAN = 2.0
_MOST = 64


@dataclass
class FrameCounts:
    """Counts the frames of a channel.

    Attributes
    ----------
    taken : int
        Frames that the source gave.
    skipped : int
        Of these, those that weren't looked at, because later ones were there already.
    lost : int or None
        Frames that the source never gave, by their unique ids; None when they have none.
    """

    taken: int = 0
    skipped: int = 0
    lost: int | None = None
    _sequence: int | None = None
    _id: int | None = None
    _times: deque[tuple[float, int]] = field(default_factory=deque)

    def begin(self) -> None:
        """Note that numbers may begin anew: another acquisition follows."""
        self._sequence = None

    def note(self, now: float, sequence: int | None = None, unique_id: int | None = None) -> None:
        """Count a frame.

        Parameters
        ----------
        now : float
            Seconds, of a clock that is never set.
        sequence : int, optional
            Its place among those that the source gave: places left out were skipped.
        unique_id : int, optional
            Of its detector: numbers left out that weren't skipped are lost.  A smaller one than
            before means that the detector has started anew.
        """
        before = self._sequence
        gap = 0
        if sequence is not None:
            # of an acquisition's first frames, too: its places begin at 0, or go on
            gap = max(0, sequence - before - 1) if before is not None else 0
            self._sequence = sequence
        self.taken += 1 + gap
        self.skipped += gap
        if unique_id is not None:
            self.lost = self.lost or 0
            if self._id is not None and unique_id > self._id and before is not None:
                self.lost += max(0, unique_id - self._id - 1 - gap)
            self._id = unique_id
        self._times.append((now, self.taken))
        while len(self._times) > _MOST or (
            len(self._times) > 2 and now - self._times[0][0] > _SPAN
        ):
            self._times.popleft()

    def age(self, now: float) -> float | None:
        """Tell how long ago the latest frame came.

        Parameters
        ----------
        now : float
            See :meth:`note`.

        Returns
        -------
        float or None
            Seconds; None when none has come.
        """
        return now - self._times[-1][0] if self._times else None

    def rate(self, now: float) -> float:
        """Tell how many frames a second the source gives.

        Parameters
        ----------
        now : float
            See :meth:`note`.

        Returns
        -------
        float
            Of the last two seconds; less when none has come for longer than that, towards 0.
        """
        if len(self._times) < 2:
            return 0.0
        (first, from_), (last, to) = self._times[0], self._times[-1]
        usual = (last - first) / (to - from_)  # seconds a frame
        if not usual > 0:
            return 0.0
        late = now - last
        if late < max(1.0, 2 * usual):
            return 1 / usual
        return 1 / late if late < max(3.0, 4 * usual) else 0.0
