"""Directories that are made: with the rights that were asked for, or for nobody else."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import OutputError
from .numbered_name import NumberedName

__all__ = ["claim_directory", "make_directory"]

#: How often other sessions may be quicker with the next number.
_MOST_TRIES = 10_000


def make_directory(path: Path, rights: int) -> None:
    """Make a directory, unless it's there already.

    Parameters
    ----------
    path : pathlib.Path
        The directory; that above it exists.
    rights : int
        Of one that is made, whatever the umask is.

    Raises
    ------
    OutputError
        It can't be made, or a file has its name.
    """
    if not os.path.isdir(path):  # which takes an error for a no
        try:
            _make(path, rights)
        except FileExistsError:
            if not os.path.isdir(path):
                raise OutputError(
                    f"{path} can't be a directory: there is a file of this name",
                    path=path,
                    remedy="choose another name, or move the file away.",
                ) from None


def claim_directory(parent: Path, names: NumberedName, rights: int) -> Path:
    """Make a directory with the next number, one above the highest that is there.

    ``mkdir`` makes it for one caller only, however many ask at once on whatever computers.

    Parameters
    ----------
    parent : pathlib.Path
        Where.
    names : NumberedName
        Of such directories.
    rights : int
        See :func:`make_directory`.

    Returns
    -------
    pathlib.Path
        The directory, empty and nobody else's.

    Raises
    ------
    OutputError
        It can't be made.
    """
    try:
        known = [names.number(found) for found in os.listdir(parent)]
    except OSError as error:
        raise _refused(parent, error) from error
    first = max((number + 1 for number in known if number is not None), default=0)
    for number in range(first, first + _MOST_TRIES):
        path = parent / names.of(number)
        try:
            _make(path, rights)
        except FileExistsError:
            continue
        return path
    raise OutputError(
        f"No number was free for {names.template!r} in {parent}, from {first} on", path=parent
    )


def _make(path: Path, rights: int) -> None:
    try:
        os.mkdir(path)
        os.chmod(path, rights)  # the mode of mkdir is subject to the umask
    except FileExistsError:
        raise
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} can't be used as a directory: {error.strerror or error}",
        path=path,
        remedy="look whether its file system is mounted and writable, or give the walker another "
        "root.",
    )
