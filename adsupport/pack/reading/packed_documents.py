"""The documents of a pack's files, read as what anybody may have written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...documents.json_text import decode_document
from ...errors import PackError
from ..msgpack_text import read_documents

__all__ = ["packed_documents", "packed_stop"]

Document = tuple[str, dict[str, Any]]

#: Bytes of a line: an image of 300 MB, filled in, has as many.
_LONGEST_LINE = 2**29


def packed_documents(path: Path, beginning: bytes = b"") -> Iterator[Document]:
    """Read the documents of a file of a pack.

    Parameters
    ----------
    path : pathlib.Path
        ``.jsonl`` or ``.msgpack``.
    beginning : bytes
        Of JSON lines, only those are read that have it near their begin.

    Yields
    ------
    str, dict
        Name and document.

    Raises
    ------
    DocumentError
        Something isn't a document, or an object has a key twice.
    PackError
        A line is longer than any document.
    OSError
        The file can't be read.
    """
    if path.suffix == ".msgpack":
        yield from read_documents(path)
        return
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_LONGEST_LINE + 1):
            number += 1
            where = f"line {number} of {os.fspath(path)}"
            if len(line) > _LONGEST_LINE:
                raise PackError(
                    f"{where} is longer than {_LONGEST_LINE} bytes; no document is.",
                    path=path.name,
                    remedy="Get the pack from its source again.",
                )
            if beginning in line[:30] and line.strip():
                yield decode_document(line, where=where, unique=True)


def packed_stop(path: Path) -> dict[str, Any] | None:
    """Read the stop document of a run.

    Parameters
    ----------
    path : pathlib.Path
        The file of its documents.

    Returns
    -------
    dict or None
        None if there is none.

    Raises
    ------
    DocumentError, PackError, OSError
        See :func:`packed_documents`.
    """
    found = packed_documents(path, beginning=b'"stop"')
    return next((doc for name, doc in found if name == "stop"), None)
