"""A sum over the last half turn only, for a sample that turns and turns.

Back-projection is a sum: what has left the window is taken away again.  The filtered rows of the
window are all that must be kept for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...errors import FrameCountError
from .backprojection import BackprojectionSum

__all__ = ["WindowedSum"]

#: After so many windows the sum is made anew: float32 keeps a little of each row taken away.
_RENEW = 16
#: What came before so many times the width, to and fro, leaves the window too.
_ROCKED = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    angle: float  # degrees, unwrapped
    path: float  # degrees that it had turned, to and fro
    number: int  # how many came before it
    unique_id: int | None
    rows: np.ndarray


class WindowedSum:
    """Slices of the rows that came within the last so many degrees.

    Parameters
    ----------
    make : callable
        Makes a sum of 0; called now and then.
    width : float
        Degrees; twice as many where the sample turns to and fro.
    """

    def __init__(self, make: Callable[[], BackprojectionSum], width: float) -> None:
        self._make, self._width = make, width
        self._sum = make()
        self._held: deque[_Held] = deque()
        self._came = self._gone = 0
        # a second sum, made of additions only, that takes the place of the first
        self._next: BackprojectionSum | None = None
        self._next_from = 0

    def __len__(self) -> int:
        """How many projections the window has."""
        return len(self._held)

    @property
    def angles(self) -> list[float]:
        """Degrees of each of them, continued beyond whole turns; in the order they came."""
        return [held.angle for held in self._held]

    def add(self, rows: np.ndarray, angle: float, unique_id: int | None) -> None:
        """Add a projection, and take away those that are too far behind it.

        Parameters
        ----------
        rows : numpy.ndarray
            (1, S, E), float32: filtered.
        angle : float
            Degrees; whole turns may be left out, as an encoder does it.
        unique_id : int or None
            Its id.
        """
        path = 0.0
        if self._held:
            before = self._held[-1].angle
            angle = before + (angle - before + 180.0) % 360.0 - 180.0
            path = self._held[-1].path + abs(angle - before)
        self._change(rows, angle, self._came)
        self._held.append(_Held(angle, path, self._came, unique_id, rows))
        self._came += 1
        for held in list(self._held):
            # a sample that only rocks never goes so far away, and would be kept for ever
            rocked = path - held.path >= _ROCKED * self._width - 1e-6
            if rocked or abs(angle - held.angle) >= self._width - 1e-6:
                self._drop(held)
        self._renew()

    def remove(self, unique_id: int) -> None:
        """Take a projection away.

        Parameters
        ----------
        unique_id : int
            Its id.

        Raises
        ------
        FrameCountError
            The window doesn't have it.
        """
        for held in self._held:
            if held.unique_id == unique_id:
                self._drop(held)
                return
        raise FrameCountError(
            f"Projection {unique_id} isn't among the {len(self)} of the window.",
            missing=(unique_id,),
            remedy="It never came, or it has left the window already.",
        )

    def slices(self) -> np.ndarray:
        """Return a copy of the sum: (S, Y, X), float32."""
        return self._sum.slices()

    def _change(self, rows: np.ndarray, angle: float, number: int) -> None:
        self._sum.add(rows, np.array([angle]))
        if self._next is not None and number >= self._next_from:
            self._next.add(rows, np.array([angle]))

    def _drop(self, held: _Held) -> None:
        self._held.remove(held)
        self._change(-held.rows, held.angle, held.number)
        self._gone += 1

    def _renew(self) -> None:
        if self._next is None:
            if self._gone > _RENEW * len(self._held):
                self._next, self._next_from = self._make(), self._came
        elif self._held[0].number >= self._next_from:
            self._sum, self._next, self._gone = self._next, None, 0
