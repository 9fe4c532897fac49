"""Temporary files beside their target: made, locked, and cleared away when nobody has them.

A temporary is named ``.<name>.<pid>-<random>.tmp``.  Its maker holds a lock on it for as long
as it lives; one that is free and old was left behind by a process that died.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
import struct
import tempfile
import time
from pathlib import Path

from ...naming.template import MAX_NAME_BYTES

__all__ = [
    "Temporary",
    "clear_sometimes",
    "clear_stale",
    "make_temporary",
    "spool_directory",
]

#: Seconds after which a temporary that nobody has is cleared away.
_STALE_AFTER = 3600.0

#: Bytes of the target's name that a temporary's name repeats; pid, random and dots follow.
_LONGEST = MAX_NAME_BYTES - 55
#: What follows it.
_REST = re.compile(r"\d+-[0-9a-f]{8}\.tmp")

_LOOK_AFTER = 10.0
_MOST_REMEMBERED = 1000
_looked_at: dict[Path, float] = {}


class Temporary:
    """A temporary file that exists, and is locked.

    Parameters
    ----------
    path : pathlib.Path
        Where it lies.
    descriptor : int
        The open file that has the lock.
    """

    __slots__ = ("_descriptor", "path")

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Give up the lock; the file stays.  Again is harmless."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def remove(self) -> None:
        """Give up the lock and the file, if it's there still.

        Raises
        ------
        OSError
            It can't be removed.
        """
        try:
            with contextlib.suppress(FileNotFoundError):
                self.path.unlink()
        finally:
            self.release()


def make_temporary(directory: Path, name: str) -> Temporary:
    """Make an empty temporary file for a target, and lock it.

    Parameters
    ----------
    directory : pathlib.Path
        Where; it exists.
    name : str
        Name of the target.

    Returns
    -------
    Temporary
        Of a name that nobody else has.

    Raises
    ------
    OSError
        It can't be made there.
    """
    start = _beginning(name)
    for _ in range(100):
        path = directory / f"{start}{os.getpid()}-{secrets.token_hex(4)}.tmp"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            continue
        _lock(descriptor)
        return Temporary(path, descriptor)
    raise FileExistsError(errno.EEXIST, "No unused temporary name was found", str(directory))


def clear_stale(directory: Path, name: str, older_than: float = _STALE_AFTER) -> list[Path]:
    """Remove the temporaries of a target that processes left behind when they died.

    Parameters
    ----------
    directory : pathlib.Path
        Where the target is to be.
    name : str
        Name of the target.
    older_than : float
        Seconds since the last change; a younger one stays.

    Returns
    -------
    list of pathlib.Path
        What was removed.  What can't be removed stays, without an error.
    """
    beginning, removed = _beginning(name), []
    with contextlib.suppress(OSError):
        for found in os.listdir(directory):
            if not found.startswith(beginning) or not _REST.fullmatch(found[len(beginning) :]):
                continue
            path = directory / found
            with contextlib.suppress(OSError):
                if _is_stale(path, older_than):
                    path.unlink()
                    removed.append(path)
    return removed


def clear_sometimes(directory: Path, name: str) -> None:
    """Do as :func:`clear_stale`, unless the directory was looked at some seconds ago.

    It may have a hundred thousand files, and get another one for each image.

    Parameters
    ----------
    directory, name
        See :func:`clear_stale`.
    """
    now = time.monotonic()
    if now - _looked_at.get(directory, -_LOOK_AFTER) < _LOOK_AFTER:
        return
    if len(_looked_at) > _MOST_REMEMBERED:
        _looked_at.clear()
    _looked_at[directory] = now
    clear_stale(directory, name)


def spool_directory() -> Path:
    """Return the directory for work whose own directory can't be written.

    Returns
    -------
    pathlib.Path
        ``adsupport-spool-<user id>`` in the system's directory for temporary files; it belongs
        to this user, and nobody else can look into it.

    Raises
    ------
    OSError
        It can't be made.
    """
    path = Path(tempfile.gettempdir()) / f"adsupport-spool-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    # anybody can put a name into /tmp: a link, or a directory of theirs, isn't trusted
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
        return path
    return Path(tempfile.mkdtemp(prefix="adsupport-spool-"))


def _beginning(name: str) -> str:
    """Return the beginning of a temporary's name: the target's, cut if it's a long one."""
    raw = os.fsencode(name)
    if len(raw) > _LONGEST:
        tag = hashlib.blake2b(raw, digest_size=6).hexdigest().encode()
        raw = raw[: _LONGEST - 13] + b"~" + tag
    return f".{os.fsdecode(raw)}."


def _is_stale(path: Path, older_than: float) -> bool:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or time.time() - found.st_mtime < older_than:
        return False
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock a file for as long as it's open; False where it's locked or can't be."""
    # A lock of the open file description, on a byte that no file has: flock would keep h5py,
    # which takes that, from opening the file, and a POSIX lock goes with h5py's own close.
    command = getattr(fcntl, "F_OFD_SETLK", None)
    if command is None:
        return False
    request = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 2**62, 1, 0)
    try:
        fcntl.fcntl(descriptor, command, request)
    except OSError:
        return False
    return True
