"""Several files of one run that take their names together."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..errors import AdsupportError, OutputError, OutputExistsError
from .output import AtomicFile, Exists, safe_component

__all__ = ["FileSet", "commit_in_turn", "is_blocked", "writing"]

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
        """Give the files the names that were chosen: all, or none if one is known to be taken.

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
        files = dict(zip(paths, self.files, strict=True))
        done = [path for path, file in files.items() if file.committed]
        left = [path for path, file in files.items() if not file.committed]
        for path in left:
            files[path].sync()
        try:
            commit_in_turn(left, files.__getitem__, self._exists == "replace", done)
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


def commit_in_turn(
    left: Iterable[Path], file_of: Callable[[Path], AtomicFile], replace: bool, done: list[Path]
) -> None:
    """Give files that are on the disk their names; a name that is blocked comes first.

    Parameters
    ----------
    left : iterable of pathlib.Path
        The final names.
    file_of : callable
        Returns the file for a name.
    replace : bool
        Whether files that have these names are to be replaced.
    done : list of pathlib.Path
        Names that were taken before; gets the others, one by one.

    Raises
    ------
    OutputError
        See :meth:`AtomicFile.commit`; it tells which names have been taken, and which not.
    """
    waiting = sorted(left, key=lambda path: not is_blocked(path, replace))
    for number, path in enumerate(waiting):
        try:
            file_of(path).commit(path, synced=True)
        except OutputError as error:
            if not done:
                raise
            told = ("were replaced", "weren't") if replace else ("have their names", "don't")
            raise type(error)(
                f"{error.problem}. Of the run's files these {told[0]}: {_listed(done)}; these "
                f"{told[1]}: {_listed(waiting[number:])}",
                path=error.path,
                kept=error.kept,
                remedy=error.remedy,
            ) from error
        done.append(path)


def is_blocked(path: Path, replace: bool) -> bool:
    """Tell whether a file can't take a name, as far as that is known before.

    Parameters
    ----------
    path : pathlib.Path
        The name.
    replace : bool
        Whether a file that has it is to be replaced.

    Returns
    -------
    bool
        Whether it's taken, or with ``replace`` whether it's a directory's.
    """
    return path.is_dir() and not path.is_symlink() if replace else os.path.lexists(path)


def _listed(paths: list[Path]) -> str:
    names = ", ".join(path.name for path in paths[:5])
    return names if len(paths) <= 5 else f"{names} and {len(paths) - 5} more"


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
