"""Which whole numbers came already, as ranges: ids that follow each other take no memory."""

from __future__ import annotations

from bisect import bisect_right

__all__ = ["SeenIds"]


class SeenIds:
    """A set of whole numbers that only grows."""

    def __init__(self) -> None:
        self._first: list[int] = []  # of each range
        self._last: list[int] = []

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._first, number) - 1
        return at >= 0 and number <= self._last[at]

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """First and last number of each range, in order."""
        return list(zip(self._first, self._last, strict=True))

    def add(self, number: int) -> None:
        """Put a number in.

        Parameters
        ----------
        number : int
            It may be in already.
        """
        if number in self:
            return
        at = bisect_right(self._first, number)
        joins_left = at > 0 and self._last[at - 1] == number - 1
        joins_right = at < len(self._first) and self._first[at] == number + 1
        if joins_left and joins_right:
            self._last[at - 1] = self._last[at]
            del self._first[at], self._last[at]
        elif joins_left:
            self._last[at - 1] = number
        elif joins_right:
            self._first[at] = number
        else:
            self._first.insert(at, number)
            self._last.insert(at, number)
