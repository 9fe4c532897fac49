"""Files of documents, one on each line: JSON lines, as our writer and suitcase-jsonl write them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import DocumentError
from .json_text import decode_document

__all__ = ["Line", "documents_of_run", "find_starts", "read_documents", "read_starts"]

logger = logging.getLogger(__name__)

Document = tuple[str, dict[str, Any]]

#: Keys by which documents refer to one they belong to.
_OWNERS = ("run_start", "descriptor", "resource", "stream_resource")
#: What precedes each record in JSON text sequences (RFC 7464).
_SEPARATOR = b"\x1e"


class Line(NamedTuple):
    """Where a line of a file begins.

    Parameters
    ----------
    number : int
        Of the line, from 1.
    offset : int
        Bytes before it.
    """

    number: int = 1
    offset: int = 0


_FIRST = Line()


def read_documents(path: str | os.PathLike[str], first: Line = _FIRST) -> Iterator[Document]:
    """Read the documents of a JSON lines file, one by one.

    Parameters
    ----------
    path : str or path
        A file with a document on each line, such as ``["start", {...}]``, of one or several runs.
        Also read: tiled's ``{"name": "start", "doc": {...}}`` and ``NaN``, which isn't JSON.
    first : Line
        Where to begin.

    Yields
    ------
    str, dict
        Name and document.

    Raises
    ------
    DocumentError
        A line isn't a document.  But a last line without its end is what a program leaves that
        was killed: then a warning is logged, and what's before it counts.
    OSError
        The file can't be read.
    """
    for _, document in _decoded(path, first):
        yield document


def read_starts(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """Read the start documents of a JSON lines file only.

    Parameters
    ----------
    path : str or path
        See :func:`read_documents`.

    Yields
    ------
    dict
        In the file's order.

    Raises
    ------
    DocumentError, OSError
        See :func:`read_documents`.
    """
    for _, doc in find_starts(path):
        yield doc


def find_starts(path: str | os.PathLike[str]) -> Iterator[tuple[Line, dict[str, Any]]]:
    """Find the start documents of a JSON lines file.

    Parameters
    ----------
    path : str or path
        See :func:`read_documents`.

    Yields
    ------
    Line, dict
        Where it stands and what it is, in the file's order.

    Raises
    ------
    DocumentError, OSError
        See :func:`read_documents`.
    """
    for where, (name, doc) in _decoded(path, beginning=b'"start"'):
        if name == "start":
            yield where, doc


def _lines(path: str | os.PathLike[str], first: Line = _FIRST) -> Iterator[tuple[Line, bytes]]:
    with Path(path).open("rb") as file:
        offset = file.seek(first.offset)
        for number, line in enumerate(file, first.number):
            where = Line(number, offset)
            offset += len(line)
            line = line.removeprefix(_SEPARATOR)
            if line.strip():
                yield where, line


def _decoded(
    path: str | os.PathLike[str], first: Line = _FIRST, beginning: bytes = b""
) -> Iterator[tuple[Line, Document]]:
    """Decode lines, of which only those that have something near their begin."""
    for where, line in _lines(path, first):
        if beginning not in line[:30]:  # such as {"name": "start", ...
            continue
        try:
            document = decode_document(line, where=f"line {where.number} of {os.fspath(path)}")
        except DocumentError as error:
            if line.endswith(b"\n"):
                raise
            logger.warning(
                "%s ends within line %d, as after a crash of its writer: that line is left out. %s",
                path,
                where.number,
                error.problem,
            )
            return
        yield where, document


def documents_of_run(documents: Iterable[Document], uid: str) -> Iterator[Document]:
    """Select the documents of a run among those of several.

    Parameters
    ----------
    documents : iterable of (str, dict)
        Of runs that may have been under way at once; each document behind those it refers to.
        They may begin with the run's own start, whatever others began before it.
    uid : str
        The run's.

    Yields
    ------
    str, dict
        Its documents, up to its stop document, and those that don't say whose they are.
    """
    mine = {uid}
    for name, doc in documents:
        owners = [doc[key] for key in _OWNERS if key in doc]
        if name == "bulk_events":
            doc = {each: events for each, events in doc.items() if each in mine}
        elif doc.get("uid") != uid if name == "start" else owners and mine.isdisjoint(owners):
            continue
        if isinstance(doc.get("uid"), str):  # a page has a list of them
            mine.add(doc["uid"])
        yield name, doc
        if name == "stop":
            return
