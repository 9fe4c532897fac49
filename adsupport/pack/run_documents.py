"""The documents of a run on their way into a pack: written, counted and hashed in one pass."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from ..documents import json_text
from ..errors import DocumentError
from .layout import documents_path
from .manifest import PackedRunEntry
from .writing import write_all, writing_to

__all__ = ["RunDocuments"]

_BUFFER = 2**18


class RunDocuments:
    """Writes the documents of a run.

    Parameters
    ----------
    start : mapping
        Its start document.
    form : str
        ``"jsonl"`` or ``"msgpack"``.
    path : pathlib.Path or None
        The file to write, which doesn't exist; None to take the digest alone.
    other : callable or None
        See :func:`~adsupport.documents.json_text.encode_document`.

    Attributes
    ----------
    uid : str
        The run's.
    stopped : bool
        Whether its stop document has come.

    Raises
    ------
    DocumentError
        The start document has no uid.
    OutputError
        The file can't be written.
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        form: str,
        path: Path | None,
        other: Callable[[str, Any], None] | None = None,
    ) -> None:
        uid = start.get("uid")
        if not isinstance(uid, str) or not uid:
            raise DocumentError(
                f"A start document has the uid {uid!r:.60}.", remedy="A run needs one to be packed."
            )
        self.uid = uid
        self.stopped = False
        self._start = dict(start)
        self._form = form
        self._other = other
        self._encode = _encoder(form)
        self._path = path
        self._size = self._count = 0
        self._digest = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._file = None
        if path is not None:
            with writing_to(path, 0):
                self._file = path.open("xb", buffering=0)

    def add(self, name: str, doc: Mapping[str, Any]) -> None:
        """Write a document.

        Parameters
        ----------
        name, doc
            The document.

        Raises
        ------
        DocumentError
            It can't be written.
        OutputError
            The file can't be written.
        """
        text = self._encode(name, doc, other=self._other)
        self._count += 1
        self.stopped |= name == "stop"
        self._waiting.append(text)
        self._waiting_bytes += len(text)
        if self._waiting_bytes >= _BUFFER:
            self._write()

    def finish(self) -> PackedRunEntry:
        """Write what is left; it may not be on the disk yet.

        Returns
        -------
        PackedRunEntry
            What was written, under the name that it's to get.

        Raises
        ------
        OutputError
            The file can't be written.
        """
        self._write()
        self.close()
        time, scan_id = self._start.get("time"), self._start.get("scan_id")
        return PackedRunEntry(
            self.uid,
            documents_path(self.uid, self._form),
            self._size,
            self._digest.hexdigest(),
            self._count,
            float(time) if _is_number(time) else None,
            int(scan_id) if _is_number(scan_id) and scan_id == int(scan_id) else None,
        )

    def close(self) -> None:
        """Close the file, as it is.  Again is harmless."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self) -> None:
        text = b"".join(self._waiting)
        self._digest.update(text)
        self._size += len(text)
        self._waiting.clear()
        self._waiting_bytes = 0
        if self._file is not None and self._path is not None:
            with writing_to(self._path, self._size):
                write_all(self._file.fileno(), text)


def _encoder(form: str) -> Callable[..., bytes]:
    if form == "jsonl":
        return json_text.encode_document
    from . import msgpack_text

    return msgpack_text.encode_document


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value) and not isinstance(value, bool)
