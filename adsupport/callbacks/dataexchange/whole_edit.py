"""Edits of an HDF5 file in place that are made whole, or not at all.

HDF5 itself writes changed pieces of a file in no order that would survive a crash.  So it gets a
file whose changes stay in memory.  Then new pieces are written behind the file's end, where
nothing refers to them yet, and behind these a note of the old pieces that change.  When all that
is on the disk, the old pieces are changed, and the note is cut off.  A file that ends with a note
was interrupted, and is completed before anything else.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import h5py

from ...documents.images.opening import Identity, identity_of
from ...errors import ImageFileError, OutputError
from .file_edit import Edit, Overlay, noted_edit

__all__ = ["edited", "redo"]

#: What a file system says that has no locks.
_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)


@contextlib.contextmanager
def edited(path: Path, found: Identity) -> Iterator[h5py.File]:
    """Open a file whose changes take place at the end, all together.

    Parameters
    ----------
    path : pathlib.Path
        The file, not a link to it.
    found : tuple of int
        What it was when the changes were planned, see
        :func:`adsupport.documents.images.opening.identity_of`.

    Yields
    ------
    h5py.File
        Open for writing.  An error in the block leaves the file as it is.

    Raises
    ------
    ImageFileError
        It's held by another program, or isn't the one that was found any more.
    OutputError
        It can't be written; it's as it was, unless the message says otherwise.
    """
    with _locked(path) as descriptor:
        if identity_of(os.fstat(descriptor)) != found:
            raise ImageFileError(
                f"File {path} was changed while it was looked at.",
                path=path,
                remedy="Try again once its writer is done.",
            )
        overlay = Overlay(descriptor)
        with h5py.File(overlay, "r+") as file:
            yield file
        edit = overlay.edit()
        if edit is not None:
            _prepare(path, descriptor, edit)
            _carry_out(path, descriptor, edit)


def redo(path: Path) -> bool:
    """Finish an edit that was interrupted.

    Parameters
    ----------
    path : pathlib.Path
        The file, not a link to it.

    Returns
    -------
    bool
        Whether there was one.

    Raises
    ------
    ImageFileError
        The file is held by another program.
    OutputError
        It can't be written.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):  # who opens it next says what is wrong
        return False
    try:
        if noted_edit(descriptor) is None:
            return False
    except OSError:  # a directory, for instance
        return False
    finally:
        os.close(descriptor)
    with _locked(path) as descriptor:
        noted = noted_edit(descriptor)
        if noted is None:  # another program has just done it
            return True
        edit, begun = noted
        if begun:
            _carry_out(path, descriptor, edit)
        else:
            os.ftruncate(descriptor, edit.before)
    return True


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a file for writing, and lock it as HDF5 does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {error.strerror or error}; it's as it was",
            path=path,
            remedy="make it writable for this user.",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ImageFileError(
                f"File {path} is open in another program, or in this one; it's as it was.",
                path=path,
                remedy="Close it there; if the IOC writes it, stop the capture of its file plugin.",
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield descriptor
    finally:
        os.close(descriptor)


def _prepare(path: Path, descriptor: int, edit: Edit) -> None:
    """Write what is new, and the note of what changes, behind the end of the file."""
    note = edit.note()
    try:
        os.posix_fallocate(descriptor, edit.before, edit.end - edit.before + len(note))
        _write(descriptor, edit.added, edit.before)
        _write(descriptor, note, edit.end)
        os.fsync(descriptor)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, edit.before)
        raise OutputError(
            f"{path} can't be written: {error.strerror or error}; it's as it was",
            path=path,
            remedy="make room.",
        ) from error


def _carry_out(path: Path, descriptor: int, edit: Edit) -> None:
    """Change the old pieces, then cut off the note."""
    try:
        for at, new in edit.pieces:
            _write(descriptor, new, at)
        os.fsync(descriptor)
        os.ftruncate(descriptor, edit.after)
        os.fsync(descriptor)
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {error.strerror or error}; what is left to do is noted at "
            "its end",
            path=path,
            remedy="make room, and call finish_dx again: till then the file may be unreadable.",
        ) from error


def _write(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        count = os.pwrite(descriptor, view, at)
        view, at = view[count:], at + count
