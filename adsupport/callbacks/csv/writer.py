"""Runs as CSV files: one for each stream, and what describes them beside these."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ...documents import json_text
from ...documents.run import Column, Rows, Run, Stream
from ..choice import Choice
from ..file_set import FileSet, writing
from ..file_writer import FileWriter
from ..output import AtomicFile, Exists
from ..run_file import RunFile
from .keys import Arrays
from .table import CSVTable

__all__ = ["FORMAT", "CSVFile", "CSVWriter"]

#: Name and version of the files' format, as it stands in the metadata file.
FORMAT = "adsupport-csv-1"

_OWN = {
    "seq_num": "Number of the event in its stream, from 1.",
    "time": "Time of the event, in seconds since 1970 (UTC).",
}


class CSVFile(RunFile):
    """The CSV files of a run.

    Parameters
    ----------
    stem : path
        Directory and beginning of the names.
    exists : str
        See :class:`~adsupport.callbacks.file_set.FileSet`.
    arrays, timestamps
        See :class:`CSVWriter`.
    """

    def __init__(
        self,
        stem: Path,
        exists: Exists = "refuse",
        arrays: Arrays = "columns",
        timestamps: bool = False,
    ) -> None:
        super().__init__()
        self._files = FileSet(stem, exists)
        self._arrays: Arrays = arrays
        self._timestamps = timestamps
        self._tables: dict[str, tuple[CSVTable, AtomicFile]] = {}
        self._metadata: AtomicFile | None = None

    def stream(self, run: Run, stream: Stream) -> None:
        """Begin a table, or give it more columns; see the base class."""
        if stream.name not in self._tables:
            file = self._files.add(f"-{stream.name}", ".csv")
            with writing(file.path):
                table = CSVTable(file.temporary, self._arrays, self._timestamps)
            self._tables[stream.name] = table, file
        self._tables[stream.name][0].describe(stream)

    def rows(self, run: Run, rows: Rows) -> None:
        """Write rows; see the base class."""
        table, file = self._tables[rows.stream.name]
        with writing(file.path):
            table.add(rows)

    def finish(self) -> list[Path]:
        """Close the tables, write the metadata, name all; see the base class."""
        for name, (table, file) in self._tables.items():
            with writing(file.path):
                table.close()
            self._tell(name, table)
        if self._metadata is None:  # the last one to be named
            self._metadata = self._files.add("-metadata", ".json")
        return self._files.take_names(self._describe)

    def abandon(self) -> None:
        """Remove the files; see the base class."""
        for table, _ in self._tables.values():
            try:
                table.close()
            except OSError:  # it's to be removed
                continue
        self._files.abandon()

    def _tell(self, name: str, table: CSVTable) -> None:
        for text in table.notes():
            self.skip(f"Stream {name!r}: {text}")
        if table.left_out:
            self.remark(f"Stream {name!r}: arrays are left out: {', '.join(table.left_out)}.")

    def _describe(self, paths: list[Path]) -> None:
        """Write the metadata, in which the tables' names are."""
        file = self._metadata
        if file is not None and not file.committed:
            with writing(file.path):
                file.temporary.write_bytes(self._described(paths))

    def _described(self, paths: list[Path]) -> bytes:
        run = self.run
        streams = {}
        for (name, (table, _)), path in zip(self._tables.items(), paths, strict=False):
            stream = run.streams[name]
            streams[name] = {
                "file": path.name,
                "rows": table.rows,
                "columns": {
                    header: _about(stream.columns.get(key), header, key)
                    for header, key in table.data_keys.items()
                },
                "descriptors": stream.descriptors,
            }
        content = {
            "format": FORMAT,
            "start": run.start,
            "stop": run.stop,
            "streams": streams,
            "problems": [*run.problems, *self.skipped],
            "remarks": [*run.remarks, *self.remarks],
        }
        text = json_text.encode(content, where="metadata", other=self._odd)
        # in lines, for people
        return (json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n").encode()

    def _odd(self, place: str, value: Any) -> None:
        self.skip(f"{place}: only the text of a {type(value).__name__} is in the metadata file.")


class CSVWriter(FileWriter):
    """Write each stream of a run to a CSV file, and the metadata to a JSON file beside these.

    ``<name>-<stream>.csv`` has a line of column names, then one line for each event: ``seq_num``,
    ``time`` (seconds since 1970, UTC), and the data keys.  Numbers are written so that
    ``float()`` gives them back to the last bit, texts stand in quotes, a cell with nothing in it,
    not even quotes, is a value that isn't there.  Images are told by their file and frames in it,
    ``/data/a.h5[20:25]``.  ``<name>-metadata.json`` has the start and stop documents, the
    descriptors, and what each column is; it takes its name last.

    Parameters
    ----------
    file_path, file_name, exists, strict, path_map
        See :class:`~adsupport.callbacks.file_writer.FileWriter`.
    arrays : str
        ``"columns"``: an array of one dimension, whose fixed length in the descriptor is at most
        64, has a column for each element, ``key[0]``, ``key[1]`` ...; others are JSON text in
        one cell, as Python's ``json.loads`` reads it.  ``"json"``: such text for all arrays.
        ``"skip"``: arrays are left out.
    timestamps : bool
        Whether each data key has a column ``key:timestamp``, when it was measured.

    Examples
    --------
    >>> writer = CSVWriter("/data/tables")
    >>> RE.subscribe(writer.receiver)  # doctest: +SKIP
    >>> pandas.read_csv("/data/tables/x-primary.csv",
    ...                 float_precision="round_trip")  # doctest: +SKIP
    """

    file_extension = "csv"
    one_file = False
    arrays: Any = Choice("columns", "json", "skip")

    def __init__(
        self,
        file_path: str | os.PathLike[str] | None = None,
        file_name: str | os.PathLike[str] | None = None,
        *,
        arrays: Arrays = "columns",
        timestamps: bool = False,
        exists: Exists = "refuse",
        strict: bool = True,
        path_map: Any = None,
    ) -> None:
        super().__init__(file_path, file_name, exists=exists, strict=strict, path_map=path_map)
        self.arrays = arrays
        self.timestamps = timestamps

    def run_file(self, run: Run) -> CSVFile:
        """Make the files of a run; see the base class."""
        return CSVFile(self.stem(run), self.exists, self.arrays, self.timestamps)


def _about(column: Column | None, header: str, data_key: str) -> dict[str, Any]:
    if column is None:
        units = {"units": "s"} if header == "time" else {}
        return {"description": _OWN.get(header, ""), **units}
    if header == f"{data_key}:timestamp":
        return {
            "data_key": data_key,
            "description": "When it was measured, in seconds since 1970 (UTC).",
            "units": "s",
        }
    return {
        "data_key": data_key,
        "dtype": column.dtype,
        "shape": column.shape,
        "units": column.units,
        "source": column.source,
        "object_name": column.object_name,
    }
