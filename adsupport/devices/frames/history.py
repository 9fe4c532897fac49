"""The accounts of the last acquisitions."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import overload

from .report import FrameReport

__all__ = ["FrameReports"]

#: How many are kept.
_MOST_REPORTS = 1000


class FrameReports(Sequence[FrameReport]):
    """The accounts of the last acquisitions, the oldest first; they can be sliced like a list.

    Parameters
    ----------
    most : int
        How many are kept.

    Examples
    --------
    >>> reports = FrameReports(most=3)
    >>> for taken in range(5):
    ...     reports.append(FrameReport(expected=1, taken=taken))
    >>> [report.taken for report in reports[-2:]]
    [3, 4]
    """

    def __init__(self, most: int = _MOST_REPORTS) -> None:
        self._reports: deque[FrameReport] = deque(maxlen=most)

    def append(self, report: FrameReport) -> None:
        """Add the account of an acquisition; the oldest goes when there are too many.

        Parameters
        ----------
        report : FrameReport
            The account.
        """
        self._reports.append(report)

    def clear(self) -> None:
        """Forget all."""
        self._reports.clear()

    def __len__(self) -> int:
        return len(self._reports)

    @overload
    def __getitem__(self, index: int) -> FrameReport: ...
    @overload
    def __getitem__(self, index: slice) -> list[FrameReport]: ...
    def __getitem__(self, index: int | slice) -> FrameReport | list[FrameReport]:
        if isinstance(index, slice):
            return list(self._reports)[index]
        return self._reports[index]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._reports)!r})"
