"""Values that hardly change from point to point: compressed, in less time than plain ones take."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from .packed_chunks import CHUNK_BYTES, FILTERS, ChunkPacker, ChunkWriter, chunk_size

__all__ = ["SteadyArray"]


class SteadyArray:
    """Values in the order of time that hardly change, in a dataset of its own.

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
    packer : ChunkPacker
        May be that of other datasets as well.
    shape : tuple of int
        Of a point's value.
    of_run : int
        Points of a run: chunks begin with a run where that can be.

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
        packer: ChunkPacker,
        shape: tuple[int, ...] = (),
        of_run: int = 0,
    ) -> None:
        most = max(1, CHUNK_BYTES // max(1, dtype.itemsize * int(np.prod(shape))))
        self._size = 0 if points <= most else chunk_size(of_run or points, most)
        self._size *= max(1, most // self._size) if self._size else 0  # of short runs several
        options: dict[str, Any] = {}
        if self._size:
            options = {"chunks": (self._size, *shape), **FILTERS}
        self.dataset: h5py.Dataset = group.create_dataset(name, (points, *shape), dtype, **options)
        self._writer, self._written = ChunkWriter(self.dataset, packer), 0
        self._waiting: list[np.ndarray] = []
        self._held = 0  # points that wait

    def add(self, values: np.ndarray) -> None:
        """Add values.

        Parameters
        ----------
        values : numpy.ndarray
            (points, ``*shape``).
        """
        if not self._size:
            self.dataset[self._written : self._written + len(values)] = values
            self._written += len(values)
            return
        self._held += len(values)
        if self._held < self._size:
            self._waiting.append(np.array(values, self.dataset.dtype))  # nobody else's
            return
        if self._waiting:
            values = np.concatenate([*self._waiting, values])
        values = np.ascontiguousarray(values, self.dataset.dtype)
        whole = len(values) - len(values) % self._size
        for start in range(0, whole, self._size):
            self._write(values[start : start + self._size])
        self._held = len(values) - whole
        self._waiting = [values[whole:].copy()] if self._held else []

    def close(self) -> None:
        """Write what waits."""
        if self._waiting:
            rest = np.concatenate(self._waiting)
            chunk = np.zeros((self._size, *rest.shape[1:]), rest.dtype)
            chunk[: len(rest)] = rest
            self._write(chunk)
            self._waiting = []

    def _write(self, chunk: np.ndarray) -> None:
        self._writer.write((self._written, *(0,) * (chunk.ndim - 1)), chunk)
        self._written += self._size
