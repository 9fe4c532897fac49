"""What the datasets of all ways have in common: where pieces go, and what stands for gaps."""

from __future__ import annotations

from collections.abc import Iterator

import h5py
import numpy as np

from ..column_type import fill_of
from .waiting import ImageColumn

__all__ = ["blank_of", "blocks", "note_gaps", "put"]


def blocks(flat: int, count: int, per_row: int) -> Iterator[tuple[int, int, int, int]]:
    """Split consecutive frames into boxes of (rows, frames).

    Parameters
    ----------
    flat, count : int
        Index of the first frame among those of all rows, and how many.
    per_row : int
        Frames of a row.

    Yields
    ------
    tuple of int
        Row, frame within the row, number of rows, number of frames in each: at most three boxes,
        for the end of a row, whole rows, the begin of a row.

    Examples
    --------
    >>> list(blocks(1, 6, 3))
    [(0, 1, 1, 2), (1, 0, 1, 3), (2, 0, 1, 1)]
    """
    while count:
        row, frame = divmod(flat, per_row)
        if frame or count < per_row:
            number = min(per_row - frame, count)
            yield row, frame, 1, number
        else:
            number = count - count % per_row
            yield row, 0, number // per_row, per_row
        flat, count = flat + number, count - number


def put(dataset: h5py.Dataset, column: ImageColumn, flat: int, values: np.ndarray) -> None:
    """Write consecutive frames, or what stands for each, where they belong.

    Parameters
    ----------
    dataset : h5py.Dataset
        The column's.
    column : ImageColumn
        The images.
    flat : int
        Index of the first frame among those of all rows.
    values : numpy.ndarray
        (frames, ...), as the dataset has them behind the axes of rows and frames.
    """
    done = 0
    for row, frame, rows, frames in blocks(flat, len(values), column.per_row):
        part = values[done : done + rows * frames]
        done += rows * frames
        if column.frame_axis:
            part = part.reshape(rows, frames, *values.shape[1:])
            dataset[row : row + rows, frame : frame + frames] = part
        else:
            dataset[row : row + rows] = part


def blank_of(dtype: np.dtype) -> np.ndarray:
    """Choose what stands for a pixel that is missing.

    Zero would be a dark image, and look right.

    Parameters
    ----------
    dtype : numpy.dtype
        Of the pixels.

    Returns
    -------
    numpy.ndarray
        (), what :func:`~adsupport.documents.column_type.fill_of` has for numbers, and zero bytes
        for anything else.
    """
    value = fill_of(dtype)
    return np.zeros((), dtype) if value is None else np.array(value, dtype)


def note_gaps(dataset: h5py.Dataset, column: ImageColumn) -> None:
    """Leave the number of missing frames at the dataset, where readers of the file see it.

    Parameters
    ----------
    dataset : h5py.Dataset
        The column's; it gets the attribute ``missing_frames`` when there are any.
    column : ImageColumn
        The images.
    """
    if column.missing:
        dataset.attrs["missing_frames"] = column.missing
