"""The images of many rows, in little memory."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from ..assets import Frames

__all__ = ["FrameRows"]


class FrameRows(Sequence["Frames | None"]):
    """References to images, row by row, as a list of them would be.

    Rows that follow each other in a file are kept as one: a million rows of a scan that flies
    take no more room than ten.

    Parameters
    ----------
    rows : int
        Rows without images to begin with.
    """

    def __init__(self, rows: int = 0) -> None:
        self._rows = 0
        self._starts: list[int] = []
        self._firsts: list[Frames | None] = []
        self.extend([None] * min(rows, 1))
        self._rows = rows

    def extend(self, values: Iterable[Frames | None]) -> None:
        """Add rows.

        Parameters
        ----------
        values : iterable of Frames or None
            One for each row; None for one whose images never were announced.
        """
        for value in values:
            if not self._firsts or value != self._expected():
                self._starts.append(self._rows)
                self._firsts.append(value)
            self._rows += 1

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[Frames | None]:
        ends = [*self._starts, self._rows][1:]
        for start, end, first in zip(self._starts, ends, self._firsts, strict=True):
            for row in range(end - start):
                yield _later(first, row)

    @overload
    def __getitem__(self, index: int) -> Frames | None: ...
    @overload
    def __getitem__(self, index: slice) -> list[Frames | None]: ...
    def __getitem__(self, index: int | slice) -> Frames | list[Frames | None] | None:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(self._rows))]
        row = index + self._rows if index < 0 else index
        if not 0 <= row < self._rows:
            raise IndexError(f"row {index} of {self._rows}")
        part = bisect.bisect_right(self._starts, row) - 1
        return _later(self._firsts[part], row - self._starts[part])

    def _expected(self) -> Frames | None:
        """Return what would continue the last part."""
        return _later(self._firsts[-1], self._rows - self._starts[-1])


def _later(first: Frames | None, rows: int) -> Frames | None:
    if first is None or not rows:
        return first
    return Frames(first.asset, first.first + rows * first.count, first.count)
