"""Waiting until the files of a column are there and hold what the documents tell of."""

from __future__ import annotations

import math
import pathlib
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ...errors import ConfigurationError, ImageFileError
from ..assets import Frames
from .contents import Contents, ShortFileError, contents_of
from .opening import UnusableFileError, check_file
from .pieces import Piece, frames_per_row, pieces_of

__all__ = ["ImageColumn", "FileKey", "Missing", "file_key", "other_kind", "wait_for_images"]

#: What happens when images never come: an error, or a value that stands for their pixels.
Missing = Literal["error", "placeholder"]

_LONGEST_PAUSE = 0.5  # s

#: A file, and the address in it.
FileKey = tuple[pathlib.Path, str]


@dataclass
class ImageColumn:
    """The images of all rows of a data key, found in their files.

    Parameters
    ----------
    rows : int
        How many rows.
    per_row : int
        Frames of a row.
    frame_shape : tuple of int
        Of one frame.
    dtype : numpy.dtype
        Of the pixels.
    pieces : list of Piece
        Where the frames are; what isn't in one of them is missing.
    contents : dict
        What each file holds, by path and address.
    frame_axis : bool
        Whether a row is a stack of frames, even if of one.
    missing_policy : {"error", "placeholder"}
        What happens to frames that can't be read after all.
    """

    rows: int
    per_row: int
    frame_shape: tuple[int, ...]
    dtype: np.dtype
    pieces: list[Piece]
    contents: dict[FileKey, Contents]
    frame_axis: bool = True
    missing_policy: Missing = "error"

    @property
    def leading(self) -> tuple[int, ...]:
        """Axes before those of a frame: (rows, frames of a row), or (rows,)."""
        return (self.rows, self.per_row) if self.frame_axis else (self.rows,)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole column."""
        return (*self.leading, *self.frame_shape)

    @property
    def frame_bytes(self) -> int:
        """Of a frame, uncompressed."""
        return self.dtype.itemsize * math.prod(self.frame_shape)

    @property
    def missing(self) -> int:
        """How many frames of all rows are in no file."""
        return self.rows * self.per_row - sum(piece.count for piece in self.pieces)

    def contents_of(self, piece: Piece) -> Contents:
        """Return what a piece's file holds.

        Parameters
        ----------
        piece : Piece
            One of :attr:`pieces`.

        Returns
        -------
        Contents
            The file's.
        """
        return self.contents[file_key(piece)]


def wait_for_images(
    rows: Sequence[Frames | None],
    *,
    timeout: float = 20.0,
    missing: Missing = "error",
    frame_shape: tuple[int, ...] | None = None,
    dtype: np.dtype | str | None = None,
    frame_axis: bool | None = None,
    cancelled: threading.Event | None = None,
) -> tuple[ImageColumn | None, list[str]]:
    """Wait until the files of all rows can be read and hold their frames.

    An HDF5 file that its IOC still holds is waited for; one in single-writer/multiple-reader
    mode is taken as soon as it has the frames.

    Parameters
    ----------
    rows : sequence of Frames or None
        The rows in order; None for one whose images never were announced.
    timeout : float
        Seconds, for all files together; 0 looks once.
    missing : {"error", "placeholder"}
        What to do when the time is up.  With ``"placeholder"`` the column lacks the frames, and
        the notes tell why.
    frame_shape, dtype : optional
        Of a frame, as the documents have them: used when no file tells.
    frame_axis : bool, optional
        Whether a row is a stack of frames; by default as the asset says, so only rows of NPY
        files aren't.  Rows of several frames always are.
    cancelled : threading.Event, optional
        Ends the waiting early when it's set.

    Returns
    -------
    ImageColumn or None
        The images; None when no row has any that can be found, and shape and dtype aren't given.
    list of str
        What is missing, and why: each a sentence.

    Raises
    ------
    ImageFileError
        A file is missing, held, damaged, too short, or has images of another shape or type than
        the first one.
    ConfigurationError
        ``missing`` is none of the two.
    """
    if missing not in ("error", "placeholder"):
        raise ConfigurationError(
            f"missing is {missing!r}; expected 'error' or 'placeholder'.",
        )
    per_row, even = frames_per_row(rows)
    pieces, lost = pieces_of(rows, per_row)
    if lost and missing == "error":
        raise lost[0][0]
    notes = [f"{error} {count} frames are missing." for error, count in lost]
    absent = sum(row is None for row in rows)
    if absent:
        notes.append(f"{absent} of {len(rows)} rows have no images: none were announced.")
    if not even:
        notes.append(f"Rows have different numbers of frames; the longest has {per_row}.")
    contents, failed = _wait(pieces, timeout, cancelled or threading.Event())
    if failed and missing == "error":
        raise next(iter(failed.values()))
    for key, error in failed.items():
        if isinstance(error, ShortFileError):  # what it has is right
            contents[key] = error.found
    shape, kind = _common(pieces, contents, failed)
    if failed and missing == "error":
        raise next(iter(failed.values()))
    if shape is None or kind is None:
        shape = frame_shape
        kind = None if dtype is None else np.dtype(dtype)
    kept = [part for piece in pieces if (part := _held(piece, contents)) is not None]
    notes += _failures(pieces, kept, failed)
    if shape is None or kind is None or not per_row:
        return None, notes
    if frame_axis is None or per_row > 1:
        named = (row.asset for row in rows if row is not None)
        frame_axis = per_row > 1 or next(named).has_frame_axis
    return ImageColumn(len(rows), per_row, shape, kind, kept, contents, frame_axis, missing), notes


def file_key(piece: Piece) -> FileKey:
    """Tell what a piece's contents are known by.

    Parameters
    ----------
    piece : Piece
        The piece.

    Returns
    -------
    tuple of pathlib.Path and str
        Its file, and the address in HDF5 files.
    """
    return piece.path, piece.asset.dataset if piece.asset.format == "hdf5" else ""


def _wait(
    pieces: list[Piece], timeout: float, cancelled: threading.Event
) -> tuple[dict[FileKey, Contents], dict[FileKey, ImageFileError]]:
    """Look at all files, and again at those that weren't ready."""
    wanted: dict[FileKey, tuple[Piece, int]] = {}
    for piece in pieces:
        key, end = file_key(piece), piece.first + piece.count
        known = wanted.get(key)
        if known is None or known[1] < end:
            wanted[key] = piece, end
    contents: dict[FileKey, Contents] = {}
    hopeless: dict[FileKey, ImageFileError] = {}
    sizes: dict[tuple[str, int], Contents] = {}
    deadline, pause = time.monotonic() + timeout, 0.02
    waiting = list(wanted)
    while True:
        late: dict[FileKey, ImageFileError] = {}
        for key in waiting:
            try:
                contents[key] = _look(*wanted[key], sizes)
            except UnusableFileError as error:
                hopeless[key] = error
            except ImageFileError as error:
                late[key] = error
        left = deadline - time.monotonic()
        if not late or not left > 0 or cancelled.wait(min(pause, left)):
            break
        waiting, pause = list(late), min(2 * pause, _LONGEST_PAUSE)
    failed = hopeless | late
    return contents, {key: failed[key] for key in wanted if key in failed}


def _look(piece: Piece, frames: int, sizes: dict[tuple[str, int], Contents]) -> Contents:
    asset = piece.asset
    if asset.format == "hdf5":
        return contents_of(asset, piece.path, frames)
    # A file as long as one that has been looked at is as whole, and of the same kind: opening
    # each of 100 000 takes a minute.  What is wrong all the same is found when it's read.
    size = check_file(piece.path).st_size
    known = sizes.get((asset.uid, size))
    if known is None or known.frames < frames:
        known = sizes[asset.uid, size] = contents_of(asset, piece.path, frames)
    return known


def _common(
    pieces: list[Piece], contents: dict[FileKey, Contents], failed: dict[FileKey, ImageFileError]
) -> tuple[tuple[int, ...] | None, np.dtype | None]:
    """Take shape and type of most frames; move files that differ to those that failed."""
    counts: Counter[tuple[tuple[int, ...], np.dtype]] = Counter()
    for piece in pieces:
        found = contents.get(file_key(piece))
        if found is not None:
            counts[found.shape, found.dtype] += piece.count
    if not counts:
        return None, None
    shape, dtype = most = max(counts, key=counts.__getitem__)  # the first one of equal ones
    if len(counts) > 1:
        for key, found in list(contents.items()):
            if (found.shape, found.dtype) != most:
                failed[key] = other_kind(key[0], (found.shape, found.dtype), most)
                del contents[key]
    return shape, dtype


def other_kind(
    path: pathlib.Path,
    found: tuple[tuple[int, ...], np.dtype],
    wanted: tuple[tuple[int, ...], np.dtype],
) -> ImageFileError:
    """Say that a file has images of another shape or type than the column.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    found, wanted : tuple of shape and type
        What it has, and what the others have.

    Returns
    -------
    ImageFileError
        To raise.
    """
    return ImageFileError(
        f"Image file {path} has frames of {found[0]} {found[1]}; expected {wanted[0]} "
        f"{wanted[1]}, as in the run's other files.",
        path=path,
        remedy="The camera's settings were changed during the run.",
    )


def _held(piece: Piece, contents: dict[FileKey, Contents]) -> Piece | None:
    """Return what is there of a piece."""
    found = contents.get(file_key(piece))
    count = 0 if found is None else min(piece.count, found.frames - piece.first)
    return replace(piece, count=count) if count > 0 else None


def _failures(
    pieces: list[Piece], kept: list[Piece], failed: dict[FileKey, ImageFileError]
) -> list[str]:
    """Say what is missing: the first files by name, the others by their number."""
    lost = dict.fromkeys(failed, 0)
    for group, sign in ((pieces, 1), (kept, -1)):
        for piece in group:
            if file_key(piece) in failed:
                lost[file_key(piece)] += sign * piece.count
    notes = [f"{failed[key]} {count} frames are missing." for key, count in list(lost.items())[:5]]
    rest = list(lost.values())[5:]
    if rest:
        notes.append(f"{len(rest)} more files can't be read: {sum(rest)} frames are missing.")
    return notes
