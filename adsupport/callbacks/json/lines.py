"""Runs as JSON lines: every document as it came, without loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...documents.json_text import encode_document
from ...documents.run import Run
from ..file_set import writing
from ..file_writer import FileWriter
from ..output import AtomicFile, Exists
from ..run_file import RunFile

__all__ = ["JSONLinesFile", "JSONLinesWriter"]

_BUFFER = 2**18


class JSONLinesFile(RunFile):
    """The JSON lines file of a run.

    Parameters
    ----------
    path : path
        Its name.
    exists : str
        See :class:`~adsupport.callbacks.output.AtomicFile`.
    """

    wants_documents = True
    wants_rows = False

    def __init__(self, path: Path, exists: Exists = "refuse") -> None:
        super().__init__()
        self._file = AtomicFile(path, exists=exists)
        try:
            with writing(path):
                self._lines = self._file.temporary.open("wb", buffering=_BUFFER)
        except BaseException:
            self._file.abandon()
            raise
        self._stop = b""

    def document(self, name: str, doc: dict[str, Any]) -> None:
        """Write a document; see the base class."""
        line = encode_document(name, doc, other=self._odd)
        if name == "stop":
            self._stop = line  # readers look for it at the end; others may still come
            return
        try:
            self._lines.write(line)
        except OSError:
            with writing(self._file.path):
                raise

    def finish(self) -> list[Path]:
        """Write the stop document and name the file; see the base class."""
        with writing(self._file.path):
            if not self._lines.closed:
                self._lines.write(self._stop)
                self._lines.close()
        return [self._file.commit()]

    def abandon(self) -> None:
        """Remove the file; see the base class."""
        try:
            self._lines.close()
        except OSError:  # it's to be removed
            pass
        self._file.abandon()

    def _odd(self, place: str, value: Any) -> None:
        self.skipped.append(f"{place}: only the text of a {type(value).__name__} is in the file.")


class JSONLinesWriter(FileWriter):
    """Write each run to a JSON lines file: one document a line, such as ``["start", {...}]``.

    All documents are there, in the order in which they came, and nothing of them is lost: see
    :mod:`adsupport.documents.json_text` for what JSON doesn't have.  The files can be played
    again by :func:`adsupport.documents.replay`, and read by databroker's ``bluesky-jsonl-catalog``.

    Parameters
    ----------
    file_path, file_name, exists, strict, path_map
        See :class:`~adsupport.callbacks.file_writer.FileWriter`.

    Examples
    --------
    >>> writer = JSONLinesWriter("/data/documents")
    >>> RE.subscribe(writer.receiver)  # doctest: +SKIP
    >>> replay("/data/documents/x.jsonl", other_writer.receiver)  # doctest: +SKIP
    """

    file_extension = "jsonl"

    def run_file(self, run: Run) -> JSONLinesFile:
        """Make the file of a run; see the base class."""
        return JSONLinesFile(self.target(run), self.exists)
