"""Files of documents, one on each line: JSON lines, as our writer and suitcase-jsonl write them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import DocumentError
from .json_text import decode_document

__all__ = ["documents_of_run", "read_documents", "read_starts"]

logger = logging.getLogger(__name__)

Document = tuple[str, dict[str, Any]]

#: Keys by which documents refer to one they belong to.
_OWNERS = ("run_start", "descriptor", "resource", "stream_resource")
#: What precedes each record in JSON text sequences (RFC 7464).
_SEPARATOR = b"\x1e"


def read_documents(path: str | os.PathLike[str]) -> Iterator[Document]:
    """Read the documents of a JSON lines file, one by one.

    Parameters
    ----------
    path : str or path
        A file with a document on each line, such as ``["start", {...}]``, of one or several runs.
        Also read: tiled's ``{"name": "start", "doc": {...}}`` and ``NaN``, which isn't JSON.

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
    for number, line in _lines(path):
        try:
            document = decode_document(line, where=f"line {number} of {os.fspath(path)}")
        except DocumentError as error:
            if line.endswith(b"\n"):
                raise
            _warn_torn(path, number, error)
            return
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
    for number, line in _lines(path):
        if b'"start"' not in line[:30]:  # such as {"name": "start", ...
            continue
        try:
            name, doc = decode_document(line, where=f"line {number} of {os.fspath(path)}")
        except DocumentError as error:
            if line.endswith(b"\n"):
                raise
            _warn_torn(path, number, error)
            return
        if name == "start":
            yield doc


def _lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, bytes]]:
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            line = line.removeprefix(_SEPARATOR)
            if line.strip():
                yield number, line


def _warn_torn(path: Any, number: int, error: DocumentError) -> None:
    logger.warning(
        "%s ends within line %d, as after a crash of its writer: that line is left out. %s",
        path,
        number,
        error.problem,
    )


def documents_of_run(documents: Iterable[Document], uid: str) -> Iterator[Document]:
    """Select the documents of a run among those of several.

    Parameters
    ----------
    documents : iterable of (str, dict)
        Of runs that may have been under way at once; each document behind those it refers to.
    uid : str
        The run's.

    Yields
    ------
    str, dict
        Its documents, up to its stop document, and those that don't say whose they are.
    """
    others: set[str] = set()  # what belongs to other runs
    for name, doc in documents:
        if name == "bulk_events":
            doc = {each: events for each, events in doc.items() if each not in others}
        elif doc.get("uid") != uid if name == "start" else _refers_to(doc, others):
            others.add(doc.get("uid", ""))
            continue
        yield name, doc
        if name == "stop":
            return


def _refers_to(doc: dict[str, Any], uids: set[str]) -> bool:
    return any(doc.get(key) in uids for key in _OWNERS)
