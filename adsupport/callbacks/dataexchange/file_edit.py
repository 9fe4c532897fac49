"""What an edit of a file changes, kept in memory until it's wanted, and its note in the file."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Edit", "Overlay", "noted_edit"]

_PIECE = 512  # bytes

#: The end of a file with a note: SHA-256 of the note, its length, this.
_MAGIC = b"adsupport-edit-1"
_FOOTER = 32 + 8 + len(_MAGIC)


@dataclass(frozen=True)
class Edit:
    """What an edit writes.

    Parameters
    ----------
    before, after : int
        Size of the file in bytes.
    pieces : list of (int, bytes)
        Where in the old file, and what shall be there.
    added : bytes
        What comes behind its end.
    """

    before: int
    after: int
    pieces: list[tuple[int, bytes]]
    added: bytes

    @property
    def end(self) -> int:
        """Where the note stands: behind the old and the new file."""
        return max(self.before, self.after)

    def note(self) -> bytes:
        """Write down what is to be done once ``added`` is in its place."""
        text = json.dumps(
            {
                "before": self.before,
                "after": self.after,
                "added": hashlib.sha256(self.added).hexdigest(),
                "pieces": [(at, new.hex()) for at, new in self.pieces],
            }
        ).encode()
        return text + hashlib.sha256(text).digest() + len(text).to_bytes(8, "big") + _MAGIC


def noted_edit(descriptor: int) -> tuple[Edit, bool] | None:
    """Read the note at the end of a file.

    Parameters
    ----------
    descriptor : int
        The open file.

    Returns
    -------
    Edit and bool, or None
        The edit, and whether it was begun, so that the old file isn't there any more; None when
        there is no note, or only a part of one.
    """
    size = os.fstat(descriptor).st_size
    footer = os.pread(descriptor, _FOOTER, max(0, size - _FOOTER))
    length = int.from_bytes(footer[32:40], "big")
    if footer[40:] != _MAGIC or length > size - _FOOTER:
        return None
    text = os.pread(descriptor, length, size - _FOOTER - length)
    if hashlib.sha256(text).digest() != footer[:32]:
        return None
    try:
        found = json.loads(text)
        before, after, digest = int(found["before"]), int(found["after"]), str(found["added"])
        pieces = [(int(at), bytes.fromhex(new)) for at, new in found["pieces"]]
    except (ValueError, TypeError, KeyError):  # anybody can write a text and its SHA-256
        return None
    inside = all(0 <= at <= before - len(new) for at, new in pieces)
    if min(before, after) < 0 or max(before, after) != size - _FOOTER - length or not inside:
        return None
    added = os.pread(descriptor, max(0, after - before), before)
    # the note is on the disk before the first piece is written, and all that was added is, too
    whole = hashlib.sha256(added).hexdigest() == digest
    return Edit(before, after, pieces, added), whole


class Overlay(io.RawIOBase):
    """A file for h5py whose changes stay in memory, in pieces of some hundred bytes.

    Parameters
    ----------
    descriptor : int
        The open file; it's only read.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before = self._size = os.fstat(descriptor).st_size
        self._at = 0
        self._changed: dict[int, bytearray] = {}

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place; see :meth:`io.IOBase.seek`."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def truncate(self, size: int | None = None) -> int:
        """Give the file another size; without one, end it here."""
        self._size = self._at if size is None else size
        return self._size

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read from here on as many bytes as the buffer and the file have."""
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._size - self._at))
        read = os.preadv(self._descriptor, [view[:count]], self._at) if count else 0
        view[read:count] = bytes(count - read)
        if self._changed:
            for number, start, stop, place in self._parts(count):
                piece = self._changed.get(number)
                if piece is not None:
                    view[place : place + stop - start] = piece[start:stop]
        self._at += count
        return count

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Keep what shall stand from here on."""
        view = memoryview(data).cast("B")
        for number, start, stop, place in self._parts(len(view)):
            piece = self._changed.get(number)
            if piece is None:
                piece = self._changed[number] = bytearray(self._old(number))
                piece.extend(bytes(_PIECE - len(piece)))
            piece[start:stop] = view[place : place + stop - start]
        self._at += len(view)
        self._size = max(self._size, self._at)
        return len(view)

    def edit(self) -> Edit | None:
        """Return what was changed; None when nothing was."""
        pieces = []
        for number in sorted(self._changed):
            old = self._old(number)
            new = bytes(self._changed[number][: len(old)])
            if new != old:
                pieces.append((number * _PIECE, new))
        if not pieces and self._size == self._before:
            return None
        self._at = self._before
        added = bytearray(max(0, self._size - self._before))
        self.readinto(added)
        return Edit(self._before, self._size, pieces, bytes(added))

    def _parts(self, count: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield the pieces from here on: number, part of it, and how far from here."""
        place = 0
        while place < count:
            number, start = divmod(self._at + place, _PIECE)
            stop = min(_PIECE, start + count - place)
            yield number, start, stop, place
            place += stop - start

    def _old(self, number: int) -> bytes:
        """Return what the file has of a piece; it may end within it."""
        left = max(0, min(_PIECE, self._before - number * _PIECE))
        return os.pread(self._descriptor, left, number * _PIECE) if left else b""
