"""Datasets that grow while a run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

__all__ = ["GrowingDataset"]

_CHUNK_BYTES = 1 << 18


class GrowingDataset:
    """Takes blocks of rows, one after the other.

    The first block waits in memory: a dataset that gets no second one is stored contiguous, in
    its exact size, as a short scan's should be.  Chunks come with the second block.

    Parameters
    ----------
    group : h5py.Group
        Where the dataset will be.
    name : str
        Its name.
    dtype : numpy.dtype
        Of the values; h5py's special types are good as well.
    row_shape : tuple of int
        Of one row.
    """

    def __init__(
        self, group: h5py.Group, name: str, dtype: np.dtype, row_shape: tuple[int, ...] = ()
    ) -> None:
        self.dtype, self.row_shape = dtype, row_shape
        self.rows = self._room = 0
        self._group, self._name = group, name
        self._first: np.ndarray | None = None
        self._dataset: h5py.Dataset | None = None

    def append(self, block: np.ndarray) -> None:
        """Add rows.

        Parameters
        ----------
        block : numpy.ndarray
            (rows, ``*row_shape``).
        """
        if not len(block):
            return
        if 0 in self.row_shape:
            pass  # without elements there is nothing to keep but their number
        elif not self.rows:
            self._first = block
        else:
            dataset = self._chunked()
            needed = self.rows + len(block)
            if needed > self._room:  # by doubling, as each resize takes as long as a write
                self._room = max(needed, 2 * self._room)
                dataset.resize(self._room, axis=0)
            self._write(dataset, self.rows, block)
        self.rows += len(block)

    def blocks(self, rows: int) -> Iterator[np.ndarray]:
        """Read back what is there.

        Parameters
        ----------
        rows : int
            Of a block, at most.

        Yields
        ------
        numpy.ndarray
            The rows, in order; text as str.
        """
        for start in range(0, self.rows, rows):
            piece = slice(start, min(start + rows, self.rows))
            if 0 in self.row_shape:
                count = min(rows, self.rows - start)
                yield np.empty((count, *self.row_shape), self.dtype)
            elif self._first is not None:
                yield self._first[piece]
            elif self._dataset is not None:
                text = h5py.check_string_dtype(self.dtype) is not None
                reader: Any = self._dataset.asstr() if text else self._dataset
                yield reader[piece]

    def close(self) -> h5py.Dataset:
        """Write what waits.

        Returns
        -------
        h5py.Dataset
            With all rows; of no rows, an empty one.
        """
        if self._dataset is None:
            return self._created()
        if self._room > self.rows:
            self._dataset.resize(self.rows, axis=0)
            self._room = self.rows
        return self._dataset

    def rename(self, name: str) -> None:
        """Give the dataset another name.

        Parameters
        ----------
        name : str
            Not taken in the group.
        """
        if self._dataset is not None:
            self._group.move(self._name, name)
        self._name = name

    def discard(self) -> None:
        """Remove the dataset: another one takes its name."""
        if self._dataset is not None:
            del self._group[self._name]
        self._dataset = self._first = None
        self.rows = self._room = 0

    def _chunked(self) -> h5py.Dataset:
        if self._dataset is not None:
            return self._dataset
        row_bytes = max(1, self.dtype.itemsize * int(np.prod(self.row_shape, dtype=np.int64)))
        rows = max(1, min(4096, _CHUNK_BYTES // row_bytes))
        return self._created(chunks=(rows, *self.row_shape), maxshape=(None, *self.row_shape))

    def _created(self, **options: Any) -> h5py.Dataset:
        """Make the dataset of the rows so far, and write what waits."""
        dataset = self._group.create_dataset(
            self._name, (self.rows, *self.row_shape), self.dtype, **options
        )
        if self._first is not None:
            self._write(dataset, 0, self._first)
        self._dataset, self._first, self._room = dataset, None, self.rows
        return dataset

    def _write(self, dataset: h5py.Dataset, start: int, block: np.ndarray) -> None:
        rows = slice(start, start + len(block))
        if h5py.check_vlen_dtype(self.dtype) is None:
            dataset[rows] = block
        else:  # h5py takes arrays that happen to have one length for another dimension
            dataset.write_direct(block.astype(self.dtype), dest_sel=rows)
