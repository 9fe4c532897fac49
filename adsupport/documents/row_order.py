"""The rows of a stream in the order of their numbers, each once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DocumentError

__all__ = ["RowOrder"]

#: How many rows may wait for one that is missing, before it's given up.
AHEAD = 10_000

#: How many rows that have gone on are kept, to be compared with repetitions.
RECENT = 2_000

#: Values that rows may keep in memory, where rows are large: 8 bytes each.
VALUES = 1_000_000

Event = dict[str, Any]


class RowOrder:
    """Put rows in order and leave out those that come again.

    A row of the same number and another uid is a point that was taken again: the RunEngine goes
    back to its last checkpoint after a pause.  Both are kept, one after the other.

    Parameters
    ----------
    name : str
        The stream, for messages.
    problem : callable
        Called with a sentence about what is wrong.
    remark : callable
        Called with a sentence about what is unusual.

    Attributes
    ----------
    ready : list of dict
        Rows that are in order, to be taken by :meth:`take`.
    next : int
        The number that comes next.
    """

    def __init__(
        self, name: str, problem: Callable[[str], None], remark: Callable[[str], None]
    ) -> None:
        self.ready: list[Event] = []
        self.next = 1
        self._name = name
        self._problem = problem
        self._remark = remark
        self._ahead: dict[int, list[Event]] = {}
        self._recent: deque[list[Event]] = deque()
        self._recent_rows = 0
        self._limit_ahead, self._limit_recent = AHEAD, RECENT

    def size_rows(self, values: int) -> None:
        """Keep fewer rows in memory when they are large.

        Parameters
        ----------
        values : int
            Numbers in a row.
        """
        most = max(2, VALUES // max(1, values))
        self._limit_ahead, self._limit_recent = min(AHEAD, most), min(RECENT, most)

    @property
    def has_ahead(self) -> bool:
        """Whether any row waits for one before it."""
        return bool(self._ahead)

    def add(self, event: Event) -> None:
        """Take a row.

        Parameters
        ----------
        event : dict
            The row; a new dict, which stays here.

        Raises
        ------
        DocumentError
            It contradicts a row that came before.
        """
        number = event["seq_num"]
        if number == self.next and number not in self._ahead:
            self.ready.append(event)
            self.next = number + 1
            if self._ahead:
                self._follow()
            return
        before = self._same_number(number)
        for other in before:
            if _same(other, event):
                return
            if other["uid"] == event["uid"]:
                raise DocumentError(
                    f"Stream {self._name!r}: event {event['uid']!r} (seq_num {number}) came twice, "
                    "with different content.",
                    remedy="The first is kept. Find out who changed the other.",
                )
        if number < self.next:
            if number == 0 and not self._recent_rows and not self.ready:  # counted from 0
                self.ready.append(event)
                return
            if not before and number < self.next - len(self.ready) - self._recent_rows:
                self._problem(
                    f"Stream {self._name!r}: another event with seq_num {number} came too late to "
                    "be compared with the first; it is left out."
                )
                return
            self._tell_again(number)
            self.ready.append(event)
            return
        if before:
            self._tell_again(number)
        self._ahead.setdefault(number, []).append(event)
        if len(self._ahead) > self._limit_ahead:
            self._skip()

    def has(self, number: int, uid: Any) -> bool:
        """Tell whether a row has come, as far as that is remembered.

        Parameters
        ----------
        number : int
            Its ``seq_num``.
        uid : str
            Its event's.

        Returns
        -------
        bool
            Whether it's one of this number and uid.
        """
        return any(each["uid"] == uid for each in self._same_number(number))

    def _tell_again(self, number: int) -> None:
        self._remark(
            f"Stream {self._name!r}: seq_num {number} was taken again; both rows are kept."
        )

    def _same_number(self, number: int) -> list[Event]:
        if number >= self.next:
            return self._ahead.get(number, [])
        found = [each for each in reversed(self.ready) if each["seq_num"] == number]
        if not found:
            for rows in reversed(self._recent):
                found = [each for each in rows if each["seq_num"] == number]
                if found:
                    break
        return found

    def _follow(self) -> None:
        while self.next in self._ahead:
            self.ready += self._ahead.pop(self.next)
            self.next += 1

    def _skip(self) -> None:
        """Give up what is missing before the first row that waits."""
        first = min(self._ahead)
        missing = f"seq_num {self.next}"
        if first - 1 > self.next:
            missing += f" to {first - 1}"
        self._problem(f"Stream {self._name!r}: {missing} never came.")
        self.next = first
        self._follow()

    def give_up(self) -> None:
        """Let all rows go on that wait: nothing more comes."""
        while self._ahead:
            self._skip()

    def take(self) -> list[Event]:
        """Take the rows that are in order.

        Returns
        -------
        list of dict
            Perhaps none.
        """
        rows, self.ready = self.ready, []
        if rows:
            self._recent.append(rows)
            self._recent_rows += len(rows)
            while self._recent_rows - len(self._recent[0]) >= self._limit_recent:
                self._recent_rows -= len(self._recent.popleft())
        return rows


def _same(one: Event, other: Event) -> bool:
    return (
        one["time"] == other["time"]
        and _equal(one["timestamps"], other["timestamps"])
        and _equal(one["data"], other["data"])
    )


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(_equal(value, other[key]) for key, value in one.items())
        )
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other, equal_nan=_has_nan(one, other))
    if isinstance(one, (np.ndarray, list, tuple)):
        if not isinstance(other, (np.ndarray, list, tuple)) or len(one) != len(other):
            return False
        return all(map(_equal, one, other))
    # NaN is itself
    return bool(one == other) or (one != one and other != other)


def _has_nan(*arrays: np.ndarray) -> bool:
    return all(each.dtype.kind in "fc" for each in arrays)
