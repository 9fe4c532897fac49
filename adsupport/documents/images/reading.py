"""Pixels of frames, one after the other: no more than one file is open, and little in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType

import h5py
import numpy as np

from ...errors import ImageFileError
from ..assets import Frames
from .contents import Contents, dataset_of
from .formats import file_pixels
from .opening import check_file, identity_of, opened
from .pieces import Piece
from .placing import blank_of
from .waiting import FileKey, ImageColumn, file_key, other_kind, wait_for_images

__all__ = ["FrameReader", "frames_of", "kind", "read"]


def kind(frames: Frames, timeout: float = 0.0) -> tuple[tuple[int, ...], np.dtype]:
    """Tell shape and type of a frame, without its pixels.

    Parameters
    ----------
    frames : Frames
        The images.
    timeout : float
        Seconds to wait for their files.

    Returns
    -------
    tuple of int, numpy.dtype
        Of one frame, as the files have it.

    Raises
    ------
    ImageFileError
        The files can't be read, or lack frames.
    """
    column = _column(frames, timeout)
    return column.frame_shape, column.dtype


def read(frames: Frames, timeout: float = 0.0) -> np.ndarray:
    """Read images.

    Parameters
    ----------
    frames : Frames
        The images.
    timeout : float
        Seconds to wait for their files.

    Returns
    -------
    numpy.ndarray
        (count, Y, X), with the colour where the files have it.

    Raises
    ------
    ImageFileError
        The files can't be read, or lack frames.
    """
    column = _column(frames, timeout)
    found = np.empty((frames.count, *column.frame_shape), column.dtype)
    for index, pixels in enumerate(frames_of(column)):
        found[index] = pixels
    return found


def _column(frames: Frames, timeout: float) -> ImageColumn:
    column, _ = wait_for_images([frames], timeout=timeout)
    if column is None:
        raise ImageFileError(f"Resource {frames.asset.uid}: {frames.count} frames are asked for.")
    return column


def frames_of(column: ImageColumn, notes: list[str] | None = None) -> Iterator[np.ndarray]:
    """Go through all frames of a column.

    Parameters
    ----------
    column : ImageColumn
        The images.
    notes : list of str, optional
        Takes what couldn't be read, in a column with placeholders.

    Yields
    ------
    numpy.ndarray
        (Y, X), with the colour where the files have it, in the order of rows and frames; a frame
        that is missing is filled with :func:`~adsupport.documents.images.placing.blank_of`.

    Raises
    ------
    ImageFileError
        A file can't be read, and the column is one without placeholders.
    """
    lost = [] if notes is None else notes
    blank = np.full(column.frame_shape, blank_of(column.dtype), column.dtype)
    position = 0
    with FrameReader(column.contents) as reader:
        for piece in column.pieces:
            for _ in range(position, piece.flat):
                yield blank.copy()
            for index in range(piece.count):
                try:
                    pixels = reader.frames(piece, index, 1)[0]
                except ImageFileError as error:
                    if column.missing_policy == "error":
                        raise
                    lost.append(f"{error} A frame is missing.")
                    pixels = blank.copy()
                yield pixels
            position = piece.flat + piece.count
    for _ in range(position, column.rows * column.per_row):
        yield blank.copy()


class FrameReader:
    """Reads frames; the HDF5 file of the last one stays open.

    Parameters
    ----------
    contents : mapping
        What each file held when it was waited for, by its key.
    """

    def __init__(self, contents: Mapping[FileKey, Contents]) -> None:
        self._contents = contents
        self._stack = ExitStack()
        self._piece: Piece | None = None
        self._dataset: h5py.Dataset | None = None

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.confirm()
        finally:
            self._stack.close()

    def dataset(self, piece: Piece) -> h5py.Dataset:
        """Open the HDF5 dataset of a piece.

        Parameters
        ----------
        piece : Piece
            Of a file of the contents.

        Returns
        -------
        h5py.Dataset
            Open until another file's is asked for.

        Raises
        ------
        ImageFileError
            It can't be opened, or is another one than was waited for.
        """
        key = file_key(piece)
        if self._piece is not None and self._dataset is not None and file_key(self._piece) == key:
            return self._dataset
        self.confirm()
        self._stack.close()
        self._piece = self._dataset = None
        wanted = self._contents[key]
        file = self._stack.enter_context(opened(piece.path))
        data = dataset_of(piece.asset, piece.path, file)
        shape = data.shape[1:] if wanted.stacked else data.shape
        held = data.shape[0] if wanted.stacked and data.shape else 1
        if shape != wanted.shape or data.dtype != wanted.dtype or held < wanted.frames:
            raise _replaced(piece)
        self._piece, self._dataset = piece, data
        self.confirm()
        return data

    def confirm(self) -> None:
        """Make sure that the open file is still the one that was waited for.

        Raises
        ------
        ImageFileError
            It has been replaced, or written again.
        """
        if self._piece is None:
            return
        identity = self._contents[file_key(self._piece)].identity
        if identity is not None and identity_of(check_file(self._piece.path)) != identity:
            raise _replaced(self._piece)

    def frames(
        self, piece: Piece, index: int, count: int, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Read some frames of a piece.

        Parameters
        ----------
        piece : Piece
            Of a file of the contents.
        index : int
            The first one, from 0 for the piece's first.
        count : int
            How many.
        out : numpy.ndarray, optional
            Memory to use, for at least as many frames, of their type; new memory costs more time
            than the reading of a file in the cache.

        Returns
        -------
        numpy.ndarray
            (count, Y, X), with the colour where the file has it; maybe a part of ``out``.

        Raises
        ------
        ImageFileError
            They can't be read, or aren't what was waited for.
        """
        first, wanted = piece.first + index, self._contents[file_key(piece)]
        if piece.asset.format != "hdf5":
            found = [
                file_pixels(piece.asset.format, piece.path, number)
                for number in range(first, first + count)
            ]
            for each in found:  # files of one length may differ all the same
                if (each.shape, each.dtype) != (wanted.shape, wanted.dtype):
                    raise other_kind(
                        piece.path, (each.shape, each.dtype), (wanted.shape, wanted.dtype)
                    )
            return found[0][None] if count == 1 else np.stack(found)
        data = self.dataset(piece)
        try:
            if not wanted.stacked:
                return np.asarray(data[()])[None]
            if out is None or not data.size:
                return data[first : first + count]
            part = out[:count]
            data.read_direct(part, np.s_[first : first + count])
            return part
        except (OSError, RuntimeError) as error:
            raise unreadable(piece, error) from error


def unreadable(piece: Piece, error: Exception) -> ImageFileError:
    """Say that HDF5 can't read or decode pixels.

    Parameters
    ----------
    piece : Piece
        Whose.
    error : Exception
        What HDF5 says.

    Returns
    -------
    ImageFileError
        To raise.
    """
    text = str(error).rstrip(".")
    remedy = "The file is damaged: compare it with a copy, or take the others."
    if "filter" in text:
        remedy = "Its compression needs a plugin of HDF5 that isn't here."
    return ImageFileError(
        f"Image file {piece.path} can't be read at {piece.asset.dataset}: {text}.",
        path=piece.path,
        remedy=remedy,
    )


def _replaced(piece: Piece) -> ImageFileError:
    return ImageFileError(
        f"Image file {piece.path} was replaced or written again while it was being read.",
        path=piece.path,
        remedy="Read it once its writer is done.",
    )
