"""The documents of a run on their way into a pack: written, counted and hashed in one pass."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

from ...documents import json_text
from ...errors import DocumentError
from ..layout import documents_path
from ..manifest import PackedRunEntry
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
    path : pathlib.Path
        The file to write, which doesn't exist.
    known : (PackedRunEntry, pathlib.Path) or None
        The run as the pack has it, and where.  The file is written only if these documents are
        the same and go on where those end without a stop; else their digest alone is taken.
    other : callable or None
        See :func:`~adsupport.documents.json_text.encode_document`.

    Attributes
    ----------
    uid : str
        The run's.
    stopped : bool
        Whether its stop document has come.
    grown : bool
        Whether the pack has the beginning of it.
    path : pathlib.Path or None
        As given; None if nothing was written.

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
        path: Path,
        known: tuple[PackedRunEntry, Path] | None = None,
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
        self.grown = False
        self.path: Path | None = None
        self._target = path
        self._known = known
        self._size = self._count = 0
        self._digest = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._file: BinaryIO | None = None
        if known is None:
            self._open()

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
        if self._known is not None and self._size + self._waiting_bytes == self._known[0].size:
            self._go_on(*self._known)
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

    def _open(self) -> None:
        with writing_to(self._target, 0):
            self._file = self._target.open("xb", buffering=0)
        self.path = self._target

    def _go_on(self, entry: PackedRunEntry, packed: Path) -> None:
        """Write from here on, behind what the pack has, if that is the beginning of this run."""
        self._known = None
        self._write()
        if self.stopped or self._digest.hexdigest() != entry.sha256:
            return
        with packed.open("rb") as source:
            if hashlib.file_digest(source, "sha256").hexdigest() != entry.sha256:
                return
            source.seek(0)
            self._open()
            with writing_to(self._target, entry.size):
                shutil.copyfileobj(source, self._file)  # type: ignore[arg-type]
        self.grown = True

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
        if self._file is not None:
            with writing_to(self._target, self._size):
                write_all(self._file.fileno(), text)


def _encoder(form: str) -> Callable[..., bytes]:
    if form == "jsonl":
        return json_text.encode_document
    from .. import msgpack_text

    return msgpack_text.encode_document


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value) and not isinstance(value, bool)
