"""Bring a file into a pack and take its SHA-256 meanwhile: read once, hashed beside the writing."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from ...errors import OutputError
from .writing import check_room, write_all, writing_to

__all__ = ["Copied", "Copier", "SourceError"]

_BUFFER = 4 * 2**20
#: Enough that reading goes on while the slower one of hashing and writing has a buffer.
_BUFFERS = 4

#: Bytes of a file after which it's sent to the disk, lest the kernel stops its writer at some time.
_FLUSH = 64 * 2**20

#: ``_IOW(0x94, 9, int)`` of linux/fs.h: let a file share the blocks of another one.
_FICLONE = 0x40049409

#: How often a source is read that changes meanwhile.
_TRIES = 2
_CHANGED = "it is being written: it changed while it was read"


class SourceError(Exception):
    """A source can't be packed; the text says why, in a sentence's end.

    Parameters
    ----------
    reason : str
        The text.
    missing : bool
        Whether there's no such file.
    """

    def __init__(self, reason: str, missing: bool = False) -> None:
        super().__init__(reason)
        self.missing = missing


class Copied(NamedTuple):
    """What was read of a source.

    Parameters
    ----------
    size : int
        Bytes.
    mtime_ns : int
        When it was last changed, in nanoseconds since 1970 (UTC).
    digest : concurrent.futures.Future
        Its SHA-256, hexadecimal, once the hashing has come to it.
    flushed : tuple of concurrent.futures.Future
        Parts of the target on their way to the disk; an OutputError if that says no.
    """

    size: int
    mtime_ns: int
    digest: Future[str]
    flushed: tuple[Future[None], ...] = ()


class Copier:
    """Copies files, one after the other, with a thread that hashes.

    Parameters
    ----------
    how : str
        ``"copy"``; ``"hardlink"``: the same file gets a second name; ``"reflink"``: a new file
        shares the blocks of the source until one of them is changed; ``"list"``: the source is
        only read.
    told : callable
        Called with the number of bytes that were read, some times a file.
    """

    def __init__(self, how: str, told: Callable[[int], None]) -> None:
        self._how = how
        self._told = told
        self._hasher = ThreadPoolExecutor(1, "adsupport-pack-sha256")
        self._free = [bytearray(_BUFFER) for _ in range(_BUFFERS)]
        self._flusher = ThreadPoolExecutor(1, "adsupport-pack-flush")
        self._hashing: deque[tuple[Future[None], bytearray]] = deque()

    def close(self) -> None:
        """End the threads, once they are done."""
        self._hasher.shutdown()
        self._flusher.shutdown()

    def bring(self, source: Path, target: Path) -> Copied:
        """Bring a file to a name that is free; its content may not be on the disk yet.

        Parameters
        ----------
        source : pathlib.Path
            A regular file, or a link to one.
        target : pathlib.Path
            In a directory that exists.  The new file has the source's time of change.

        Returns
        -------
        Copied
            Of what is there now.

        Raises
        ------
        SourceError
            The source is missing, can't be read or isn't a regular file; or it was changed while
            it was read, twice.
        OutputError
            The target can't be written; or has no room, or can't be made in this way on its
            file system.
        """
        for _ in range(_TRIES):
            try:
                return self._try(source, target)
            except BaseException as error:
                with contextlib.suppress(OSError):
                    target.unlink()
                if not isinstance(error, _ChangedError):
                    raise
        raise SourceError(_CHANGED)

    def look(self, source: Path) -> Copied:
        """Read a file for its digest alone.

        Parameters
        ----------
        source : pathlib.Path
            See :meth:`bring`.

        Returns
        -------
        Copied
            Of the source.

        Raises
        ------
        SourceError
            See :meth:`bring`.
        """
        for _ in range(_TRIES):
            with contextlib.suppress(_ChangedError), _opened(source) as reader:
                return self._read(source, reader, None)
        raise SourceError(_CHANGED)

    def _try(self, source: Path, target: Path) -> Copied:
        if self._how == "hardlink":
            return self._link(source, target)
        with _opened(source) as reader:
            size = os.fstat(reader).st_size
            with writing_to(target, size):
                writer = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            try:
                if self._how == "reflink":
                    _clone(reader, writer, target)
                    copied = self._read(source, reader, None)
                else:
                    check_room(target, size)
                    copied = self._read(source, reader, writer, target)
                with writing_to(target, size):
                    os.utime(writer, ns=(copied.mtime_ns, copied.mtime_ns))
            finally:
                os.close(writer)
        return copied

    def _link(self, source: Path, target: Path) -> Copied:
        with _opened(source) as reader:
            try:
                # by the open file, so that what is linked is what is read, through any link
                os.link(source.resolve(), target)
            except OSError as error:
                raise OutputError(
                    f"{source} can't have a second name in the pack: {error.strerror}",
                    path=target,
                    remedy="use external='copy'; hard links are only within one file system.",
                ) from error
            if not os.path.samestat(os.fstat(reader), target.stat()):
                raise _ChangedError
            return self._read(source, reader, None)

    def _read(
        self, source: Path, reader: int, writer: int | None, target: Path | None = None
    ) -> Copied:
        before, size, digest = os.fstat(reader), 0, hashlib.sha256()
        flushed: list[Future[None]] = []
        while True:
            buffer = self._buffer()
            try:
                count = os.readv(reader, [buffer])
            except OSError as error:
                self._free.append(buffer)
                raise SourceError(f"it can't be read: {error.strerror}") from error
            part = memoryview(buffer)[:count]
            self._hashing.append((self._hasher.submit(digest.update, part), buffer))
            if not count:
                break
            if writer is not None and target is not None:
                with writing_to(target, before.st_size):
                    write_all(writer, part)
                    if (size + count) // _FLUSH > size // _FLUSH:
                        task = self._flusher.submit(_flush, os.dup(writer), target)
                        flushed.append(task)
            size += count
            self._told(count)
        try:
            same = _state(before) == _state(os.fstat(reader)) == _state(os.stat(source))
        except OSError:
            same = False
        if not same or size != before.st_size:
            self._told(-size)
            raise _ChangedError
        task = self._hasher.submit(digest.hexdigest)
        return Copied(size, before.st_mtime_ns, task, tuple(flushed))

    def _buffer(self) -> bytearray:
        """Take a buffer that is free, or wait until one has been hashed."""
        if self._free:
            return self._free.pop()
        hashed, buffer = self._hashing.popleft()
        hashed.result()
        return buffer


class _ChangedError(Exception):
    """A source was changed while it was read."""


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[int]:
    try:
        # a pipe would wait for its writer
        reader = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise SourceError("there is no such file", missing=True) from error
        raise SourceError(f"it can't be opened: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(reader).st_mode):
            raise SourceError("it isn't a regular file")
        yield reader
    finally:
        os.close(reader)


def _clone(reader: int, writer: int, target: Path) -> None:
    try:
        fcntl.ioctl(writer, _FICLONE, reader)
    except OSError as error:
        raise OutputError(
            f"{target} can't share the blocks of its source: {error.strerror}",
            path=target,
            remedy="use external='copy'; reflinks need one file system, such as Btrfs or XFS.",
        ) from error


def _flush(writer: int, target: Path) -> None:
    try:
        with writing_to(target, os.fstat(writer).st_size):
            os.fdatasync(writer)
    finally:
        os.close(writer)


def _state(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
