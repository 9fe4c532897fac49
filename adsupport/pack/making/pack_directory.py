"""The directory of a pack while it's written: files take their names there once they are whole."""

from __future__ import annotations

import contextlib
import itertools
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ...callbacks.output.no_replace import sync_directory, sync_file
from ...errors import OutputError, OutputExistsError, PackError
from ..layout import JOURNAL, MANIFEST
from .writing import writing_to

__all__ = ["PackDirectory"]

#: Files that aren't whole yet; only one process packs, so those of others are left over.
_TEMPORARY = ".adsupport-pack.{}.tmp"

#: File systems bring to the disk in one go what several threads ask for at once: of small files
#: some hundred a second one by one, and some thousand so.
_SYNCS = 16


class PackDirectory:
    """The directory of a pack.

    Parameters
    ----------
    path : pathlib.Path
        Missing, empty, or that of a pack; it's made.

    Raises
    ------
    OutputExistsError
        It has something else in it.
    OutputError
        It can't be made or read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers = itertools.count()
        self._named_in: set[Path] = set()
        self._syncing = ThreadPoolExecutor(_SYNCS, "adsupport-pack-sync")
        try:
            path.mkdir(parents=True, exist_ok=True)
            names = os.listdir(path)
        except OSError as error:
            raise OutputError(
                f"{path} can't be made or read: {error.strerror}",
                path=path,
                remedy="choose another directory.",
            ) from error
        if names and MANIFEST not in names and JOURNAL not in names:
            raise OutputExistsError(
                f"{path} isn't empty, and isn't a pack: it has {min(names)!r}, and no {MANIFEST}",
                path=path,
                remedy="give the name of a new directory.",
            )

    def temporary(self) -> Path:
        """Choose the name of a file to be written.

        Returns
        -------
        pathlib.Path
            There's no such file.
        """
        return self.path / _TEMPORARY.format(next(self._numbers))

    def clear(self) -> None:
        """Remove the files that have no final name."""
        for each in self.path.glob(_TEMPORARY.format("*")):
            with contextlib.suppress(OSError):
                each.unlink()

    def to_disk(self, path: Path) -> Future[None]:
        """Bring the content of a file to the disk, beside other work.

        Parameters
        ----------
        path : pathlib.Path
            The file.

        Returns
        -------
        concurrent.futures.Future
            Its result is there once the content is; an OutputError if the disk says no.
        """
        return self._syncing.submit(_to_disk, path)

    def close(self) -> None:
        """Remove what has no final name, and end the threads."""
        self._syncing.shutdown()
        self.clear()

    def name(self, temporary: Path, relative: str) -> None:
        """Give a file its final name, in place of one that has it.

        Parameters
        ----------
        temporary : pathlib.Path
            The file; its content is on the disk.
        relative : str
            Its name, relative to the pack.

        Raises
        ------
        PackError
            A directory on the way is a link.
        OutputError
            It can't be named.
        """
        *directories, last = relative.split("/")
        directory = self.path
        with writing_to(self.path / relative, 0):
            for each in directories:
                directory = directory / each
                if directory not in self._named_in:
                    _make(directory)
                    self._named_in.add(directory)
            os.replace(temporary, directory / last)
            # two names of one file stay two, says POSIX
            temporary.unlink(missing_ok=True)

    def sync(self) -> None:
        """Wait until all final names are on the disk.

        Raises
        ------
        OutputError
            The disk says no.
        """
        for each in (self.path.parent, self.path, *sorted(self._named_in)):
            with writing_to(each, 0):
                sync_directory(each)


def _to_disk(path: Path) -> None:
    with writing_to(path, 0):
        size = path.stat().st_size
    with writing_to(path, size):
        sync_file(path)


def _make(directory: Path) -> None:
    with contextlib.suppress(FileExistsError):
        directory.mkdir()
    if directory.is_symlink() or not directory.is_dir():
        raise PackError(
            f"{directory} isn't a directory, or a link to one.",
            path=directory,
            remedy="A pack has none such: get it from its source again.",
        )
