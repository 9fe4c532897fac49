"""Several files of one run that take their names together."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import AdsupportError, OutputError, OutputExistsError
from .output import AtomicFile, Exists, safe_component

__all__ = ["FileSet", "writing"]

#: Numbers that are tried behind a name that is taken.
_MOST_NUMBERS = 9999
#: How often another program may be quicker with a number that was free.
_MOST_TRIES = 100
#: Runs that end together would choose the same number.
_choosing = threading.Lock()


class FileSet:
    """Files whose names begin alike.

    Parameters
    ----------
    stem : path
        Directory and beginning of the names.
    exists : str
        What to do when one of the names is taken: ``"refuse"``, ``"replace"``, or ``"bump"``,
        which puts the same free number behind the stem of all.

    Attributes
    ----------
    files : list of AtomicFile
        In the order in which they take their names.
    """

    def __init__(self, stem: Path, exists: Exists = "refuse") -> None:
        self.files: list[AtomicFile] = []
        self._stem = stem
        self._exists = exists
        self._suffixes: list[str] = []
        self._number = 0

    def add(self, suffix: str, extension: str) -> AtomicFile:
        """Begin a file.

        Parameters
        ----------
        suffix : str
            Behind the stem; any text.
        extension : str
            With its dot.

        Returns
        -------
        AtomicFile
            To be written to; its commit is this object's.

        Raises
        ------
        OutputError
            See :class:`AtomicFile`.
        """
        whole, number = suffix + extension, 1
        taken = {self._path(each) for each in self._suffixes}
        while self._path(whole) in taken:
            whole, number = f"{suffix}_{number}{extension}", number + 1
        file = AtomicFile(
            self._path(whole), exists="replace" if self._exists == "replace" else "refuse"
        )
        self.files.append(file)
        self._suffixes.append(whole)
        return file

    def choose(self) -> list[Path]:
        """Choose the final names, as far as that hasn't been done.

        Returns
        -------
        list of pathlib.Path
            One for each file.  Nothing keeps another program from taking one until the commit.
        """
        if self._exists == "bump" and not any(each.committed for each in self.files):
            for self._number in range(_MOST_NUMBERS):
                if not any(os.path.lexists(self._path(each)) for each in self._suffixes):
                    break
        return [self._path(each) for each in self._suffixes]

    def commit(self) -> list[Path]:
        """Give the files the names that were chosen, all of them or, if one is taken, none.

        Returns
        -------
        list of pathlib.Path
            The final names.

        Raises
        ------
        OutputError
            See :meth:`AtomicFile.commit`; another call goes on where this one has failed.
        """
        paths = [self._path(each) for each in self._suffixes]
        pairs = list(zip(self.files, paths, strict=True))
        if self._exists != "replace":  # one that fails for sure goes first
            pairs.sort(key=lambda pair: pair[0].committed or not os.path.lexists(pair[1]))
        try:
            for file, path in pairs:
                file.commit(path)
        except OutputError:
            for file in self.files:
                file.keep()
            raise
        return paths

    def take_names(self, describe: Callable[[list[Path]], None] = lambda paths: None) -> list[Path]:
        """Choose the final names and take them; with ``"bump"`` others while somebody is quicker.

        Parameters
        ----------
        describe : callable, optional
            Gets the names that were chosen before they're taken, to write them into a file.

        Returns
        -------
        list of pathlib.Path
            The final names.

        Raises
        ------
        OutputError
            See :meth:`commit`.
        """
        tries = _MOST_TRIES if self._exists == "bump" else 1
        with _choosing if tries > 1 else contextlib.nullcontext():
            while True:
                describe(self.choose())
                tries -= 1
                try:
                    return self.commit()
                except OutputExistsError:
                    if not tries or any(each.committed for each in self.files):
                        raise

    def abandon(self) -> None:
        """Remove what has no final name."""
        for each in self.files:
            each.abandon()

    def _path(self, suffix: str) -> Path:
        number = f"-{self._number}" if self._number else ""
        return self._stem.with_name(safe_component(f"{self._stem.name}{number}{suffix}"))


def _reason(error: OSError) -> str:
    """Return the first line: HDF5 tells of its buffers, too."""
    known = os.strerror(error.errno) if error.errno else ""
    return known or str(error.strerror or error).partition("\n")[0]


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say which file it was when one can't be written.

    Parameters
    ----------
    path : pathlib.Path
        The file as the user knows it.

    Yields
    ------
    None

    Raises
    ------
    OutputError
        For an OSError.
    """
    try:
        yield
    except AdsupportError:
        raise
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {_reason(error)}",
            path=path,
            remedy="make room, and write the run again from its catalog.",
        ) from error
