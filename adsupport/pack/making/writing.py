"""Writing the files of a pack, and saying what is wrong when the disk is full or fails."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from ...errors import OutputError

__all__ = ["check_room", "write_all", "writing_to"]

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_all(writer: int, content: bytes | memoryview) -> None:
    """Write all of a content, however little the system takes at once.

    Parameters
    ----------
    writer : int
        Descriptor of an open file.
    content : bytes or memoryview
        What to write.

    Raises
    ------
    OSError
        It can't be written.
    """
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(writer, rest) :]


@contextlib.contextmanager
def writing_to(target: Path, size: int) -> Iterator[None]:
    """Say what is wrong when a file of a pack can't be written.

    Parameters
    ----------
    target : pathlib.Path
        The file.
    size : int
        Bytes that it needs.

    Yields
    ------
    None

    Raises
    ------
    OutputError
        In place of any OSError.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise _no_room(target, size, f" ({error.strerror})") from error
        raise OutputError(
            f"{target} can't be written: {error.strerror or error}",
            path=target,
            remedy="pack again once it can: what is done stays.",
        ) from error


def check_room(target: Path, size: int) -> None:
    """Make sure that there is room for so much, before it's written.

    Parameters
    ----------
    target : pathlib.Path
        In a directory that exists.
    size : int
        Bytes.

    Raises
    ------
    OutputError
        The file system has less.
    """
    found = os.statvfs(target.parent)
    if found.f_blocks and found.f_bavail * found.f_frsize < size:
        raise _no_room(target, size)


def _no_room(target: Path, size: int, reason: str = "") -> OutputError:
    found = os.statvfs(target.parent)
    return OutputError(
        f"{target.parent} has no room for a file of {size} bytes: "
        f"{found.f_bavail * found.f_frsize} are free{reason}",
        path=target,
        remedy="make room and pack again: what is done stays; or pack to another disk.",
    )
