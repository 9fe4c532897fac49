"""One stream as a table of text: the header, and a line for each event.

Lines are written as the rows come.  When a column appears later (a second descriptor, a longer
array), it's put at the right end, and what was written before is made as wide at the end.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from ...documents.run import Rows, Stream
from .cells import cells
from .keys import Arrays, KeyCells

__all__ = ["CSVTable"]

_BUFFER_BYTES = 1 << 20


class CSVTable:
    """Writes a stream.

    Parameters
    ----------
    path : path
        The file, which may exist and be empty.
    arrays : str
        See :class:`~adsupport.callbacks.csv.keys.KeyCells`.
    timestamps : bool
        Whether a column ``key:timestamp`` for each data key says when it was measured.

    Attributes
    ----------
    header : list of str
        Names of the columns.
    data_keys : dict of str to str
        The data key of each column, by the column's name; empty for ``seq_num`` and ``time``.
    rows : int
        How many have been written.
    """

    def __init__(self, path: Path, arrays: Arrays = "columns", timestamps: bool = False) -> None:
        self.path = path
        self.header: list[str] = []
        self.data_keys: dict[str, str] = {}
        self.rows = 0
        self._arrays: Arrays = arrays
        self._timestamps = timestamps
        self._keys: dict[str, tuple[KeyCells, list[int], int | None]] = {}
        #: First row and width of the lines from it on, whenever that has changed.
        self._widths: list[tuple[int, int]] = []
        self._add_column("seq_num", "")
        self._add_column("time", "")
        self._file: IO[str] | None = _opened(path, "w")
        self._writer = _writer(self._file)

    def describe(self, stream: Stream) -> None:
        """Take what the descriptors say of the stream's columns so far.

        Parameters
        ----------
        stream : Stream
            The stream.
        """
        for name, column in stream.columns.items():
            if name in self._keys:
                continue
            found = KeyCells(column, self._arrays)
            places = [self._add_column(each, name) for each in found.names]
            stamp = None
            if self._timestamps and places:
                stamp = self._add_column(f"{name}:timestamp", name)
            self._keys[name] = found, places, stamp

    def add(self, rows: Rows) -> None:
        """Write rows.

        Parameters
        ----------
        rows : Rows
            All of their keys have been described.
        """
        events = rows.events
        if not events:
            return
        found: dict[int, Sequence[Any]] = {
            0: cells([each["seq_num"] for each in events]),
            1: cells([each["time"] for each in events]),
        }
        for name, (key, places, stamp) in self._keys.items():
            columns = key.columns(rows.values(name))
            places += [self._add_column(each, name) for each in key.names[len(places) :]]
            found.update(zip(places, columns, strict=True))
            if stamp is not None:
                found[stamp] = cells([each["timestamps"].get(name) for each in events])
        if not self._widths:
            self._writer.writerow(self.header)
        if not self._widths or self._widths[-1][1] < len(self.header):
            self._widths.append((self.rows, len(self.header)))
        table = zip(*(found[place] for place in range(len(self.header))), strict=True)
        self._writer.writerows(table)
        self.rows += len(events)

    @property
    def left_out(self) -> list[str]:
        """Data keys that have no column, because arrays were not wanted."""
        return [name for name, (_, places, _) in self._keys.items() if not places]

    def notes(self) -> list[str]:
        """List what isn't in the file as it was in the documents.

        Returns
        -------
        list of str
            Sentences.
        """
        return [text for key, _, _ in self._keys.values() for text in key.notes]

    def close(self) -> None:
        """Finish the file; again is harmless.

        Raises
        ------
        OSError
            It can't be written.
        """
        file, self._file = self._file, None
        if file is None:
            return
        with file:
            if not self._widths:
                self._writer.writerow(self.header)
        if self._widths and self._widths[0][1] < len(self.header):
            self._widen()

    def _add_column(self, name: str, data_key: str) -> int:
        free, number = name, 1
        while free in self.data_keys:  # a data key may be called "time", too
            free, number = f"{name}_{number}", number + 1
        self.header.append(free)
        self.data_keys[free] = data_key
        return len(self.header) - 1

    def _widen(self) -> None:
        """Write the whole header, and make the early lines as long as it is."""
        with tempfile.TemporaryFile(dir=self.path.parent) as copy:
            text = io.TextIOWrapper(copy, encoding="utf-8", newline="", write_through=True)
            with _opened(self.path, "r") as file:
                lines = _records(file)
                next(lines)
                _writer(text).writerow(self.header)
                text.writelines(self._padded(lines))
            text.flush()
            copy.seek(0)
            with self.path.open("wb") as target:
                shutil.copyfileobj(copy, target, _BUFFER_BYTES)
            text.detach()

    def _padded(self, lines: Iterable[str]) -> Iterator[str]:
        ahead = self._widths[1:]
        width = self._widths[0][1]
        for row, line in enumerate(lines):
            if ahead and ahead[0][0] == row:
                width = ahead.pop(0)[1]
            yield f"{line[:-1]}{',' * (len(self.header) - width)}\n"


def _opened(path: Path, mode: str) -> IO[str]:
    # Half of a surrogate pair has no UTF-8: it stays readable, and the rest of the file right.
    return path.open(mode, _BUFFER_BYTES, encoding="utf-8", errors="backslashreplace", newline="")


def _writer(file: IO[str]) -> Any:
    return csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")


def _records(file: IO[str]) -> Iterator[str]:
    """Go through the lines of a table; a text in quotes may have ends of lines."""
    parts: list[str] = []
    quotes = 0
    for line in file:
        parts.append(line)
        quotes += line.count('"')
        if quotes % 2 == 0:
            yield "".join(parts)
            parts.clear()
