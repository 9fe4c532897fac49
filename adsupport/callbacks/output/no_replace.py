"""Give a file its final name without replacing another one, in one step."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["rename_new", "sync_directory", "sync_file"]

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1

#: What a file system says to a call that it doesn't know.
_UNKNOWN = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM)


def rename_new(source: Path, target: Path) -> None:
    """Rename a file; the new name must be free.

    Linux's ``renameat2`` does it in one step.  Where that is missing (NFS) the file gets the
    second name first, and loses the old one then: killed between the two, it has both.

    Parameters
    ----------
    source, target : pathlib.Path
        Old and new name, on one file system.

    Raises
    ------
    FileExistsError
        The new name is taken, if only by a link that leads nowhere.
    OSError
        The file can't be renamed, or the file system has neither call.
    """
    call = _renameat2()
    if call is not None:
        number = call(os.fsencode(source), os.fsencode(target))
        if number == 0:
            return
        if number not in _UNKNOWN:
            raise OSError(number, os.strerror(number), str(target))
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        # NFS may answer so to a request that it has served and was sent again
        if not _same_file(source, target):
            raise
    source.unlink()


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk.

    Parameters
    ----------
    path : pathlib.Path
        The file itself, not a link to it.

    Raises
    ------
    OSError
        It can't be opened, or writing failed: what has been written may be lost then, whatever
        a second call says.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Wait until a directory's names are on the disk, where the file system can do that.

    Parameters
    ----------
    path : pathlib.Path
        The directory.

    Raises
    ------
    OSError
        It can't be opened, or writing failed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNKNOWN:
            raise
    finally:
        os.close(descriptor)


def _same_file(first: Path, second: Path) -> bool:
    with contextlib.suppress(OSError):
        return os.path.samestat(first.lstat(), second.lstat())
    return False


@functools.cache
def _renameat2() -> Callable[[bytes, bytes], int] | None:
    """Return C's renameat2 as a function that returns the error number; None without it."""
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    function.argtypes = [
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_uint,
    ]
    function.restype = ctypes.c_int

    def call(source: bytes, target: bytes) -> int:
        failed = function(_AT_FDCWD, source, _AT_FDCWD, target, _RENAME_NOREPLACE)
        return ctypes.get_errno() if failed else 0

    return call
