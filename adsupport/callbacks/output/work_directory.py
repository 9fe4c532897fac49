"""A directory for finished files, until all of them can take their names."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from .temporary import clear_stale, make_temporary, spool_directory

__all__ = ["WorkDirectory"]

_PREFIX, _SUFFIX = ".adsupport-work-", ".tmp"
_LOCK = "lock"


class WorkDirectory:
    """A hidden directory in that where its files are to go, on the same disk if possible.

    A lock in it tells that its maker lives.  Those that are free and older than an hour are
    removed when another one is made in the same directory.

    Parameters
    ----------
    directory : pathlib.Path
        Where the files are to go; it's made.  If it can't be written, the work lies in the spool
        directory.

    Attributes
    ----------
    path : pathlib.Path
        The directory.

    Raises
    ------
    OSError
        Neither can be written.
    """

    def __init__(self, directory: Path) -> None:
        self._process = os.getpid()
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self.path = _made(directory)
        except OSError:
            self.path = _made(spool_directory())
        self._lock = make_temporary(self.path, _LOCK)

    def remove(self) -> None:
        """Remove the directory with all that is in it; not in a forked process."""
        if os.getpid() == self._process:
            self._lock.release()
            shutil.rmtree(self.path, ignore_errors=True)


def _made(directory: Path) -> Path:
    for found in directory.glob(f"{_PREFIX}*{_SUFFIX}"):
        if clear_stale(found, _LOCK):
            shutil.rmtree(found, ignore_errors=True)
    return Path(tempfile.mkdtemp(_SUFFIX, _PREFIX, directory))
