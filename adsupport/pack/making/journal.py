"""What a packer has done so far, for the one that goes on after it was killed.

The journal lies in the pack until it's finished: a JSON object on each line.  A line is written
before the file of which it tells takes its name, and after that file's content has reached the
disk: a file that has its name, size and time of change is done.  The journal itself isn't brought
to the disk: what a power failure takes of it is packed again.  The packer holds a lock on it, so
that there's only one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
from pathlib import Path
from typing import Any

from ...errors import OutputError
from ..layout import JOURNAL
from .writing import write_all, writing_to

__all__ = ["Journal"]


class Journal:
    """The journal of a pack, locked.

    Parameters
    ----------
    directory : pathlib.Path
        The pack's; it exists.

    Attributes
    ----------
    records : list of dict
        What was there already; a last line without its end is left out.

    Raises
    ------
    OutputError
        Another process is packing there; or the journal can't be written.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / JOURNAL
        self._removed = False
        self._file = self._locked()
        self.records = self._read()
        self._lines = len(self.records)

    @property
    def is_bare(self) -> bool:
        """Whether it has no more than a first record, and had none before."""
        return self._lines <= 1 and not self.records

    def begin(self, record: dict[str, Any]) -> None:
        """Begin anew, with a first record.

        Parameters
        ----------
        record : dict
            See :meth:`add`.

        Raises
        ------
        OutputError
            It can't be written.
        """
        with writing_to(self._path, 0):
            os.ftruncate(self._file, 0)
        self._lines = 0
        self.add(record)

    def add(self, record: dict[str, Any]) -> None:
        """Write a record.

        Parameters
        ----------
        record : dict
            Of what JSON has.

        Raises
        ------
        OutputError
            It can't be written.
        """
        line = json.dumps(record).encode("ascii") + b"\n"
        with writing_to(self._path, len(line)):
            write_all(self._file, line)
        self._lines += 1

    def remove(self) -> None:
        """Remove the journal: the pack is finished.  Again is harmless.

        Raises
        ------
        OutputError
            It can't be removed.
        """
        if not self._removed:
            with writing_to(self._path, 0):
                self._path.unlink()
            self._removed = True

    def close(self) -> None:
        """Give up the lock.  Again is harmless."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _locked(self) -> int:
        # a pipe would wait for its writer
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        while True:
            try:
                file = os.open(self._path, flags, 0o666)
            except OSError as error:
                raise OutputError(
                    f"{self._path} can't be written: {error.strerror}",
                    path=self._path,
                    remedy="make the directory writable, or choose another one.",
                ) from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(file)
                raise OutputError(
                    f"{self._path.parent} is being packed by another process",
                    path=self._path,
                    remedy="wait for it, or choose another directory.",
                ) from error
            # the other one may have finished, and removed it, between the two calls
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), self._path.lstat()):
                    return file
            os.close(file)

    def _read(self) -> list[dict[str, Any]]:
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            self.close()
            raise self.damaged(TypeError("it isn't a regular file"))
        with open(self._file, "rb", closefd=False) as file:
            lines = file.read().split(b"\n")
        torn = lines.pop()  # nothing, unless its writer was killed or had no room
        if torn:
            os.ftruncate(self._file, os.fstat(self._file).st_size - len(torn))
        try:
            return [json.loads(line) for line in lines]
        except (ValueError, RecursionError) as error:
            self.close()
            raise self.damaged(error) from error

    def damaged(self, error: Exception) -> OutputError:
        """Say that the journal isn't as a packer leaves it.

        Parameters
        ----------
        error : Exception
            What shows it.

        Returns
        -------
        OutputError
            To raise.
        """
        return OutputError(
            f"{self._path} is damaged: {type(error).__name__}: {error}",
            path=self._path,
            remedy="remove the directory and pack again, or pack to another one.",
        )
