"""The arrays of an entry while its points come: in the order of time, on the grid, and means."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from ..parts.points import Block

__all__ = ["AxisMean", "FlatArray", "GridArray"]


class FlatArray:
    """Values in the order of time, in a dataset of its own.

    Parameters
    ----------
    group : h5py.Group
        Where.
    name : str
        Of the dataset.
    points : int
        How many there will be.
    dtype : numpy.dtype
        Of the values.
    shape : tuple of int
        Of a point's value.

    Attributes
    ----------
    dataset : h5py.Dataset
        (points, ``*shape``).
    """

    def __init__(
        self,
        group: h5py.Group,
        name: str,
        points: int,
        dtype: np.dtype,
        shape: tuple[int, ...] = (),
    ) -> None:
        self.dataset: h5py.Dataset = group.create_dataset(name, (points, *shape), dtype)
        self._next = 0

    def add(self, values: np.ndarray) -> None:
        """Add values.

        Parameters
        ----------
        values : numpy.ndarray
            (points, ``*shape``).
        """
        self.dataset[self._next : self._next + len(values)] = values
        self._next += len(values)


class GridArray:
    """Values on the grid of an entry, in a dataset of its own.

    Parameters
    ----------
    group : h5py.Group
        Where.
    name : str
        Of the dataset.
    shape : tuple of int
        Of the grid.
    dtype : numpy.dtype
        Of the values.
    is_whole : bool
        Whether all places get one; otherwise the dtype is float64 and the others have NaN.
    **storage
        How h5py is to keep it.

    Attributes
    ----------
    dataset : h5py.Dataset
        The dataset.
    """

    def __init__(
        self,
        group: h5py.Group,
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype,
        is_whole: bool,
        **storage: Any,
    ) -> None:
        self._dtype = dtype if is_whole else np.dtype(np.float64)
        if not is_whole:
            storage["fillvalue"] = np.nan
        self.dataset: h5py.Dataset = group.create_dataset(name, shape, self._dtype, **storage)

    def add(self, values: np.ndarray, block: Block, width: int, e_idx: int | None) -> None:
        """Write the values of points.

        Parameters
        ----------
        values : numpy.ndarray
            (points,).
        block : Block
            Where they are in their run.
        width : int
            Points of a line.
        e_idx : int or None
            Of a stack, which image.
        """
        lines = block.last - block.first
        if block.is_full:
            buffer = values.reshape(lines, width)
        else:
            buffer = np.empty((lines, width), self._dtype)
            place = (block.slow - block.first, block.fast)
            here = np.zeros((lines, width), np.bool_)
            here[place] = True
            if not here.all():  # some may have come with another block
                found: Any = self.dataset[self._where(block, width, e_idx)]
                buffer[...] = found.reshape(lines, width)
            buffer[place] = values
        where = self._where(block, width, e_idx)
        self.dataset[where] = buffer.reshape(self._shape(buffer, width, e_idx))

    def _where(self, block: Block, width: int, e_idx: int | None) -> Any:
        """Tell where a block's lines are."""
        rows = slice(block.first, block.last)
        if e_idx is not None:
            return (e_idx, rows)
        return (rows,) if self.dataset.ndim == 2 or width == 1 else ...

    def _shape(self, buffer: np.ndarray, width: int, e_idx: int | None) -> tuple[int, ...]:
        if e_idx is not None or self.dataset.ndim == 2:
            return buffer.shape
        return (len(buffer),) if width == 1 else (width,)


class AxisMean:
    """The mean of what was measured at each place of an axis.

    Parameters
    ----------
    size : int
        Places.
    """

    def __init__(self, size: int) -> None:
        self._sum, self._count = np.zeros(size), np.zeros(size)

    def add(self, values: np.ndarray, index: np.ndarray) -> None:
        """Take values.

        Parameters
        ----------
        values : numpy.ndarray
            (points,); NaN is left out.
        index : numpy.ndarray
            (points,): their places.
        """
        if not len(values):
            return
        if (values[0] == values).all() and (index[0] == index).all():  # as most images have it
            self._sum[index[0]] += values[0] * len(values)
            self._count[index[0]] += len(values)
            return
        good = np.isfinite(values)
        if not good.all():
            values, index = values[good], index[good]
        size = len(self._sum)
        self._sum += np.bincount(index, values, size)
        self._count += np.bincount(index, minlength=size)

    def add_lines(self, values: np.ndarray, first: int, is_slow: bool) -> None:
        """Take the values of whole lines, which is faster.

        Parameters
        ----------
        values : numpy.ndarray
            (lines, points of a line); NaN is left out.
        first : int
            Where the first line is.
        is_slow : bool
            Whether the axis is that of the lines, else that of a line's points.
        """
        good = np.isfinite(values)
        if not good.all():
            values = np.where(good, values, 0)
        where, over = (slice(first, first + len(values)), 1) if is_slow else (slice(None), 0)
        self._sum[where] += values.sum(over)
        self._count[where] += good.sum(over)

    def mean(self, otherwise: np.ndarray) -> np.ndarray:
        """Tell the means.

        Parameters
        ----------
        otherwise : numpy.ndarray
            (places,): what stands where nothing was measured.

        Returns
        -------
        numpy.ndarray
            (places,), float64.
        """
        with np.errstate(invalid="ignore"):
            return np.where(self._count > 0, self._sum / np.maximum(self._count, 1), otherwise)
