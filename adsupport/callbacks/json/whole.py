"""Runs as JSON: one object with the metadata and the columns of each stream."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...documents.assets import Frames
from ...documents.json_text import TAG, encode
from ...documents.run import Rows, Run, Stream
from ...errors import ImageFileError
from ..choice import Choice
from ..file_set import writing
from ..file_writer import FileWriter
from ..frames_text import frames_text
from ..output import AtomicFile, Exists
from ..run_file import RunFile
from .spool import ColumnSpool

__all__ = ["FORMAT", "JSONFile", "JSONWriter"]

#: Name and version of the files' format, as it stands in them.
FORMAT = "adsupport-run-1"

_Arrays = Literal["lists", "exact"]

#: Rows, or numbers in arrays, that are kept in memory before they go to the spool.
_ROWS, _ELEMENTS = 2000, 200_000


class JSONFile(RunFile):
    """The JSON file of a run.

    Parameters
    ----------
    path : path
        Its name.
    exists : str
        See :class:`~adsupport.callbacks.output.AtomicFile`.
    arrays : str
        See :class:`JSONWriter`.
    """

    def __init__(
        self,
        path: Path,
        exists: Exists = "refuse",
        arrays: _Arrays = "lists",
    ) -> None:
        super().__init__()
        self._file = AtomicFile(path, exists=exists)
        self._arrays: _Arrays = arrays
        self._streams: dict[str, _StreamColumns] = {}
        self._written = False

    def stream(self, run: Run, stream: Stream) -> None:
        """Begin the columns of a stream; see the base class."""
        if stream.name not in self._streams:
            with writing(self._file.path):
                spool = ColumnSpool(self._file.temporary.parent)
            self._streams[stream.name] = _StreamColumns(stream, spool, self)

    def rows(self, run: Run, rows: Rows) -> None:
        """Keep rows; see the base class."""
        with writing(self._file.path):
            self._streams[rows.stream.name].add(rows)

    def finish(self) -> list[Path]:
        """Write the file, column after column, and name it; see the base class."""
        if not self._written:
            with writing(self._file.path):
                for columns in self._streams.values():
                    columns.flush()
                with self._file.temporary.open("wb") as file:
                    file.writelines(self._text())
            self._written = True
            self._close()
        return [self._file.commit()]

    def abandon(self) -> None:
        """Remove the file; see the base class."""
        self._close()
        self._file.abandon()

    def plain(self, value: Any) -> Any:
        """Make of a value of a column what JSON text is made of.

        Parameters
        ----------
        value : any
            A value of a row.

        Returns
        -------
        any
            Lists for arrays, unless these are wanted exactly; a text for images in files.
        """
        if isinstance(value, Frames):
            try:
                return frames_text(value)
            except ImageFileError as error:
                self.skip(str(error))
                return None
        if self._arrays == "lists" and isinstance(value, np.ndarray | np.generic):
            if value.dtype.kind in "biufSU":
                return value.tolist()
        return value

    def encoded(self, value: Any, where: str) -> bytes:
        """Write a value as JSON text.

        Parameters
        ----------
        value : any
            The value.
        where : str
            What it is, for what is noted.

        Returns
        -------
        bytes
            Without line ends.
        """
        return encode(value, where=where, other=self._odd)

    def _odd(self, place: str, value: Any) -> None:
        self.skip(f"{place}: only the text of a {type(value).__name__} is in the file.")

    def _close(self) -> None:
        for columns in self._streams.values():
            columns.close()

    def _text(self) -> Iterator[bytes]:
        run = self.run
        yield b'{"format":%b,\n"start":' % self.encoded(FORMAT, "format")
        yield self.encoded(run.start, "start")
        yield b',\n"streams":{'
        for index, (name, columns) in enumerate(self._streams.items()):
            yield b",\n" if index else b"\n"
            yield b"%b:{" % _key(name)
            yield from columns.text()
            yield b"}"
        yield b'},\n"stop":' + self.encoded(run.stop, "stop")
        yield b',\n"problems":' + self.encoded([*run.problems, *self.skipped], "problems")
        yield b',\n"remarks":' + self.encoded([*run.remarks, *self.remarks], "remarks")
        yield b"}\n"


class _StreamColumns:
    """The columns of one stream."""

    def __init__(self, stream: Stream, spool: ColumnSpool, file: JSONFile) -> None:
        self._stream, self._spool, self._file = stream, spool, file
        self._events: list[dict[str, Any]] = []
        self._elements = 0
        self._flushed = 0
        self._keys: list[str] = []

    def add(self, rows: Rows) -> None:
        for event in rows.events:
            self._events.append(event)
            self._elements += sum(map(_size, event["data"].values()))
            if len(self._events) >= _ROWS or self._elements >= _ELEMENTS:
                self.flush()

    def flush(self) -> None:
        """Bring rows to the spool."""
        if not self._events:
            return
        rows = Rows(self._stream, self._events)
        self._put("", "seq_num", rows.seq_nums().tolist())
        self._put("", "time", rows.times().tolist())
        for key in self._stream.columns:
            if key not in self._keys:
                self._keys.append(key)
                if self._flushed:  # from a later descriptor: earlier rows don't have it
                    for part in ("data", "timestamps"):
                        self._spool.add(part, key, b",".join([b"null"] * self._flushed))
            self._put("data", key, [self._file.plain(each) for each in rows.values(key)])
            stamps = [each["timestamps"].get(key) for each in self._events]
            self._put("timestamps", key, stamps)
        self._flushed += len(self._events)
        self._events, self._elements = [], 0

    def _put(self, part: str, key: str, values: list[Any]) -> None:
        where = f"{self._stream.name} {part}[{key!r}], from row {self._flushed + 1} on: value"
        self._spool.add(part, key, self._file.encoded(values, where)[1:-1])

    def text(self) -> Iterator[bytes]:
        where = f"descriptors of {self._stream.name}"
        yield b'"descriptors":' + self._file.encoded(self._stream.descriptors, where)
        for key in ("seq_num", "time"):
            yield b',\n"%b":' % key.encode()
            yield from self._spool.column("", key)
        for part in ("data", "timestamps"):
            yield b',\n"%b":{' % part.encode()
            for index, key in enumerate(self._keys):
                yield b",\n" if index else b"\n"
                yield _key(key) + b":"
                yield from self._spool.column(part, key)
            yield b"}"

    def close(self) -> None:
        self._spool.close()


def _key(name: str) -> bytes:
    """Write the name of a stream or data key; JSON has no lone surrogates, and tags are taken."""
    return encode(name.encode("utf-8", "replace").decode() + ("_" if name == TAG else ""))


def _size(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.size
    return len(value) if isinstance(value, list | tuple | str) else 1


class JSONWriter(FileWriter):
    """Write each run to a JSON file, which ``json.load`` reads.

    It's one object: ``format``, ``start``, ``streams``, ``stop`` (null if there was none),
    ``problems`` and ``remarks``.  Each stream by its name has ``descriptors``, and lists with an
    element for each event: ``seq_num``, ``time``, ``data`` and ``timestamps``, the last two by
    data key.  ``null`` stands where an event has no such value.  Images are told by their file
    and frames in it, ``/data/a.h5[20:25]``.  What JSON doesn't have, such as NaN, is an object as
    :mod:`adsupport.documents.json_text` tells, whose ``decode`` restores it.

    Parameters
    ----------
    file_path, file_name, exists, strict, path_map
        See :class:`~adsupport.callbacks.file_writer.FileWriter`.
    arrays : str
        ``"lists"``: arrays are lists in lists, their type is what the descriptor says.
        ``"exact"``: numpy's arrays keep their type and bytes, for ``decode``.

    Examples
    --------
    >>> writer = JSONWriter("/data/runs")
    >>> RE.subscribe(writer.receiver)  # doctest: +SKIP
    >>> json.load(open("/data/runs/x.json"))["streams"]["primary"]["data"]  # doctest: +SKIP
    """

    file_extension = "json"
    arrays: Any = Choice("lists", "exact")

    def __init__(
        self,
        file_path: str | os.PathLike[str] | None = None,
        file_name: str | os.PathLike[str] | None = None,
        *,
        arrays: _Arrays = "lists",
        exists: Exists = "refuse",
        strict: bool = True,
        path_map: Any = None,
    ) -> None:
        super().__init__(file_path, file_name, exists=exists, strict=strict, path_map=path_map)
        self.arrays = arrays

    def run_file(self, run: Run) -> JSONFile:
        """Make the file of a run; see the base class."""
        return JSONFile(self.target(run), self.exists, self.arrays)
