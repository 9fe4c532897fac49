"""Images decoded and written again, a few at a time: with another compression, or as they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import h5py
import numpy as np

from ...errors import ConfigurationError, ImageFileError
from .pieces import Piece
from .placing import blank_of, note_gaps, put
from .reading import FrameReader
from .waiting import ImageColumn

__all__ = ["GZIP", "frame_chunks", "new_dataset", "repack", "write_frames"]

#: Compression of :func:`repack` unless told otherwise: every HDF5 library reads it.
GZIP: Mapping[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True}

_BUFFER = 4 * 2**20  # bytes in memory, unless a single frame has more
_SMALL = 2**18  # bytes of a chunk of frames that are smaller
_LARGEST = 2**30  # bytes of a chunk; HDF5 can't have 4 GiB


def repack(
    group: h5py.Group, name: str, column: ImageColumn, compression: Mapping[str, Any] | None = None
) -> tuple[h5py.Dataset, list[str]]:
    """Write the images of a column with another compression.

    Parameters
    ----------
    group : h5py.Group
        Where to write.
    name : str
        Of the dataset.
    column : ImageColumn
        The images, of any format.
    compression : mapping, optional
        For ``h5py.Group.create_dataset``, such as ``hdf5plugin.Bitshuffle()``; an empty one is
        none.  gzip with shuffle by default.

    Returns
    -------
    h5py.Dataset
        Of the column's shape and type.
    list of str
        What couldn't be read, in a column with placeholders.

    Raises
    ------
    ImageFileError
        A file can't be read, and the column is one without placeholders.
    ConfigurationError
        h5py doesn't take the compression.
    """
    options = dict(GZIP if compression is None else compression)
    dataset = new_dataset(group, name, column, options)
    notes: list[str] = []
    with FrameReader(column.contents) as reader:
        write_frames(dataset, column, column.pieces, reader, notes)
    return dataset, notes


def new_dataset(
    group: h5py.Group, name: str, column: ImageColumn, options: Mapping[str, Any]
) -> h5py.Dataset:
    """Make a chunked dataset for the images of a column.

    Parameters
    ----------
    group, name, column
        See :func:`repack`.
    options : mapping
        Compression.

    Returns
    -------
    h5py.Dataset
        Of the column's shape and type; empty.

    Raises
    ------
    ConfigurationError
        h5py doesn't take the options.
    """
    settings = {"chunks": frame_chunks(column), "fillvalue": blank_of(column.dtype), **options}
    try:
        dataset = group.create_dataset(name, shape=column.shape, dtype=column.dtype, **settings)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"The images of {name} can't be written with {dict(options)!r}: {error}.",
            remedy="Give options of h5py.Group.create_dataset, such as compression='gzip'.",
        ) from error
    note_gaps(dataset, column)
    return dataset


def frame_chunks(column: ImageColumn) -> tuple[int, ...] | None:
    """Choose chunks: a frame each, or several small ones.

    Parameters
    ----------
    column : ImageColumn
        The images.

    Returns
    -------
    tuple of int or None
        Of as many axes as the column; None when an axis is empty, which can't be chunked.
    """
    if 0 in column.shape:
        return None
    frame = list(column.frame_shape)
    size = column.frame_bytes
    if frame and size > _LARGEST:
        frame[0] = max(1, frame[0] * _LARGEST // size)
    wanted = max(1, _SMALL // size)
    each = min(column.per_row, wanted)
    rows = min(column.rows, max(1, wanted // column.per_row))
    return (rows, each, *frame) if column.frame_axis else (rows, *frame)


def write_frames(
    dataset: h5py.Dataset,
    column: ImageColumn,
    pieces: Iterable[Piece],
    reader: FrameReader,
    notes: list[str],
) -> None:
    """Decode frames and write them.

    Parameters
    ----------
    dataset : h5py.Dataset
        The column's.
    column : ImageColumn
        The images.
    pieces : iterable of Piece
        Which of them.
    reader : FrameReader
        Of the column.
    notes : list of str
        Takes what couldn't be read, in a column with placeholders.

    Raises
    ------
    ImageFileError
        A file can't be read, and the column is one without placeholders.
    """
    step = max(1, _BUFFER // max(1, column.frame_bytes))
    buffer: np.ndarray | None = None
    for piece in pieces:
        lost, why = 0, ""
        if buffer is None and piece.count > 1 and piece.asset.format == "hdf5":
            buffer = np.empty((step, *column.frame_shape), column.dtype)
        starts = range(0, piece.count, step)
        spans = deque((at, min(step, piece.count - at)) for at in starts)
        while spans:
            index, number = spans.popleft()
            try:
                pixels = reader.frames(piece, index, number, buffer)
            except ImageFileError as error:
                if column.missing_policy == "error":
                    raise
                if number > 1:  # which of them it is
                    spans.extendleft((at, 1) for at in reversed(range(index, index + number)))
                    continue
                lost, why = lost + number, str(error)
                continue
            put(dataset, column, piece.flat + index, pixels)
        if lost:
            notes.append(f"{why} {lost} frames are missing.")
