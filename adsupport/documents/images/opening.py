"""Opening HDF5 files that another program may still be writing."""

from __future__ import annotations

import os
import pathlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager

import h5py
import hdf5plugin  # noqa: F401  registers filters

from ...errors import ImageFileError
from ...hdf5_locks import open_to_read

__all__ = [
    "Identity",
    "UnusableFileError",
    "check_file",
    "check_given_file",
    "identity_of",
    "opened",
]

#: Device, inode, size and time of change: whether a file still is the one that was looked at.
Identity = tuple[int, int, int, int]

#: Where packs have all of their files, see :mod:`adsupport.pack.layout`.
_PACKED = "external_files"


class UnusableFileError(ImageFileError):
    """An image file that waiting won't make any better."""


def check_file(path: pathlib.Path, kind: str = "Image file", remedy: str = "") -> os.stat_result:
    """Make sure that there is a file.

    Parameters
    ----------
    path : pathlib.Path
        Its name.
    kind : str
        What it is, for the message.
    remedy : str
        What to do, whatever is wrong; by default what helps with the files of a run.

    Returns
    -------
    os.stat_result
        What the file system says of it.

    Raises
    ------
    UnusableFileError
        It's a directory or the like, or can't be read by this user.
    ImageFileError
        It's missing or empty; it may come yet.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        why = ""
        advice = "If the IOC wrote it elsewhere as seen from here, give a path_map."
        if _PACKED in path.parts:
            why = ": the pack doesn't hold it"
            advice = (
                "path_map={} looks for it where the documents say, and a map of its directory "
                "elsewhere."
            )
        raise ImageFileError(
            f"{kind} {path} is missing{why}.", path=path, remedy=remedy or advice
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name can't be one of a file"
        raise UnusableFileError(
            f"{kind} {str(path)!r} can't be looked at: {reason}.", path=path, remedy=remedy
        ) from error
    if not stat.S_ISREG(found.st_mode):
        what = "a directory" if stat.S_ISDIR(found.st_mode) else "no regular file"
        raise UnusableFileError(
            f"{kind} {path} is {what}; expected a file.",
            path=path,
            remedy=remedy or "Look at the resource document's path and the path_map.",
        )
    if not os.access(path, os.R_OK):
        raise UnusableFileError(
            f"{kind} {path} can't be read by this user.",
            path=path,
            remedy=remedy or "Let its owner allow it.",
        )
    if found.st_size == 0:
        raise ImageFileError(f"{kind} {path} is empty.", path=path, remedy=remedy)
    return found


def check_given_file(path: pathlib.Path, kind: str) -> os.stat_result:
    """Make sure of a file whose name a user has given, and not a document.

    Parameters
    ----------
    path : pathlib.Path
        Its name.
    kind : str
        What is expected, such as ``"Data Exchange file"``.

    Returns
    -------
    os.stat_result
        See :func:`check_file`.

    Raises
    ------
    ImageFileError
        It's missing, empty, a directory or the like, or can't be read by this user.
    """
    return check_file(path, kind, f"Give the path of a {kind}.")


def identity_of(found: os.stat_result) -> Identity:
    """Take from a file's status what tells it from another one of its name.

    Parameters
    ----------
    found : os.stat_result
        The status.

    Returns
    -------
    tuple of int
        Device, inode, size in bytes, time of change in ns.
    """
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def opened(path: pathlib.Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    A file that its writer holds in single-writer/multiple-reader mode is opened in that mode.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Yields
    ------
    h5py.File
        The file; ``swmr_mode`` tells whether its writer still holds it.

    Raises
    ------
    ImageFileError
        It's missing, held by its writer, cut short or no HDF5 file.
    """
    check_file(path)
    with _open(path) as file:
        yield file


def _open(path: pathlib.Path) -> h5py.File:
    try:
        return open_to_read(path)
    except (OSError, RuntimeError) as error:  # the second for a damaged superblock
        reason = error
    try:
        return h5py.File(path, "r", swmr=True, libver="latest")
    except (OSError, RuntimeError, ValueError):
        pass
    text = str(reason)
    held = isinstance(reason, BlockingIOError) or "open for write" in text or "lock file" in text
    remedy = "It isn't a whole HDF5 file: the IOC may have ended without closing it."
    if held:
        remedy = (
            "Its writer still holds it: stop the capture of the file plugin. If no program has "
            "it open, its writer died: h5clear -s clears its mark."
        )
    raise ImageFileError(
        f"Image file {path} can't be opened: {text}.", path=path, remedy=remedy
    ) from reason
