"""How many bytes a plugin may put out in a second: MaxByteRate."""

from __future__ import annotations


class Throttle:
    """A bucket of bytes that fills up at a steady rate (Throttler of ADCore).

    It holds what may go out in one second, and is full at first: so much may go out at once.
    """

    def __init__(self) -> None:
        self._rate = 0.0
        self._left = 0.0
        self._filled = 0.0

    def reset(self, rate: float, now: float) -> None:
        """Start with a full bucket.

        Parameters
        ----------
        rate : float
            Bytes per second; with 0 or less there is no limit.
        now : float
            Seconds of a clock that never goes back.
        """
        self._rate = self._left = max(rate, 0.0)
        self._filled = now

    def takes(self, size: int, now: float) -> bool:
        """Return whether an array may go out, and count its bytes if so.

        Parameters
        ----------
        size : int
            Bytes of the array.
        now : float
            Seconds of the clock.
        """
        if not self._rate:
            return True
        self._left = min(self._left + (now - self._filled) * self._rate, self._rate)
        self._filled = now
        if size > self._left:
            return False
        self._left -= size
        return True
