"""Rows gathered to pieces that datasets take at once, and taken apart by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from ...documents.run import Column, Rows, Stream

__all__ = ["RowPieces", "by_column"]

_MOST_ROWS = 4096
_MOST_BYTES = 8 << 20


class RowPieces:
    """Gathers rows: a dataset that grows by single rows takes a thousand times as long.

    Parameters
    ----------
    stream : Stream
        Whose rows they are.
    write : callable
        Takes each piece, as :class:`~adsupport.documents.run.Rows`.
    """

    def __init__(self, stream: Stream, write: Callable[[Rows], None]) -> None:
        self._stream, self._write = stream, write
        self._waiting: list[dict[str, Any]] = []
        self._most = _MOST_ROWS
        self._has_arrays = False
        self.measure()

    def measure(self) -> None:
        """Choose how many rows a piece has, by the stream's columns as they are now."""
        columns = self._stream.columns.values()
        self._has_arrays = not all(each.is_scalar for each in columns)
        row_bytes = sum(_row_bytes(each) for each in columns)
        self._most = max(1, min(_MOST_ROWS, _MOST_BYTES // max(1, row_bytes)))

    def add(self, rows: Rows) -> None:
        """Take rows; write the pieces that are full.

        Parameters
        ----------
        rows : Rows
            Of the stream.
        """
        self._waiting += rows.events
        if self._has_arrays and rows.events:
            # Arrays may be larger than the descriptor says; images may come in the documents.
            found = rows.events[-1]["data"].values()
            row_bytes = sum(each.nbytes for each in found if isinstance(each, np.ndarray))
            self._most = max(1, min(self._most, _MOST_BYTES // max(1, row_bytes)))
        # Whole chunks of the datasets at once: one that is written in parts is copied about.
        whole = len(self._waiting) - len(self._waiting) % self._most
        if whole:
            waiting, self._waiting = self._waiting, self._waiting[whole:]
            self._write_pieces(waiting[:whole])

    def flush(self) -> None:
        """Write the rows that wait."""
        waiting, self._waiting = self._waiting, []
        self._write_pieces(waiting)

    def _write_pieces(self, events: list[dict[str, Any]]) -> None:
        for start in range(0, len(events), self._most):
            self._write(Rows(self._stream, events[start : start + self._most]))


def by_column(rows: Rows, keys: Sequence[str]) -> tuple[list[list[Any]], list[np.ndarray]]:
    """Take values and times of all columns at once, which is what most of the time goes to.

    Parameters
    ----------
    rows : Rows
        The rows.
    keys : sequence of str
        Data keys.

    Returns
    -------
    list of list
        The values of each key; None for a row without.
    list of numpy.ndarray
        When they were measured: (rows,), float64, seconds since 1970; NaN where unknown.
    """
    width = len(keys)
    if width > 1:
        take = itemgetter(*keys)
        data = [each["data"] for each in rows.events]
        times = [each["timestamps"] for each in rows.events]
        try:
            # One flat list: no container for each row, which the garbage collector would look at.
            flat = list(chain.from_iterable(map(take, data)))
            stamps = np.fromiter(chain.from_iterable(map(take, times)), np.float64, len(flat))
        except (KeyError, TypeError, ValueError):  # a row lacks a key
            pass
        else:
            table = np.ascontiguousarray(stamps.reshape(-1, width).T)
            return [flat[column::width] for column in range(width)], list(table)
    return [rows.values(key) for key in keys], [rows.timestamps(key) for key in keys]


def _row_bytes(column: Column) -> int:
    """Estimate what a row takes in memory; images stay in their files."""
    if column.external:
        return 200
    elements = int(np.prod([each or 1000 for each in column.shape], dtype=np.int64))
    return 100 if column.is_scalar else 100 + 8 * elements
