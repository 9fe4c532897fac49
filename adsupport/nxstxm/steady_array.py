"""Values that hardly change from point to point: compressed, in less time than plain ones take."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from typing import Any

import h5py
import numpy as np

__all__ = ["ChunkPacker", "SteadyArray"]

#: Bytes of a chunk, at most: readers keep chunks of up to 1 MiB in memory.
_CHUNK_BYTES = 2**19
#: HDF5's mask of filters that a chunk went without: of the two, both.
_UNPACKED = 0b11
#: Chunks that are remembered, and how many bytes of both ends tell most of them apart.
_REMEMBERED, _END = 16, 16
#: After a chunk that doesn't become smaller, so many aren't tried.
_PATIENCE = 15


class ChunkPacker:
    """Pack chunks as HDF5's filters shuffle and gzip do; equal ones only once.

    Set-points, times and the like are the same in each run, and several datasets have the same.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int, bytes], tuple[np.ndarray, bytes]] = OrderedDict()

    def packed(self, chunk: np.ndarray) -> bytes:
        """Pack a chunk.

        Parameters
        ----------
        chunk : numpy.ndarray
            Contiguous.

        Returns
        -------
        bytes
            As the file has it.
        """
        raw = chunk.reshape(-1).view(np.uint8)
        width = chunk.dtype.itemsize
        ends = raw.size, width, raw[:_END].tobytes() + raw[-_END:].tobytes()
        other, found = self._known.get(ends, (None, b""))
        if other is None or not np.array_equal(other, raw):
            shuffled = np.ascontiguousarray(raw.reshape(-1, width).T)
            found = zlib.compress(shuffled.data, 1)
            self._known[ends] = raw.copy(), found
        self._known.move_to_end(ends)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found


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
        most = max(1, _CHUNK_BYTES // max(1, dtype.itemsize * int(np.prod(shape))))
        self._size = _chunk_size(of_run or points, most) if points > most else 0
        options: dict[str, Any] = {}
        if self._size:
            options = {"chunks": (self._size, *shape), "compression": 1, "shuffle": True}
        self.dataset: h5py.Dataset = group.create_dataset(name, (points, *shape), dtype, **options)
        self._packer, self._written, self._hopeless = packer, 0, 0
        self._waiting: list[np.ndarray] = []

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
        if self._waiting:
            values = np.concatenate([*self._waiting, values])
        values = np.ascontiguousarray(values, self.dataset.dtype)
        whole = len(values) - len(values) % self._size
        for start in range(0, whole, self._size):
            self._write(values[start : start + self._size])
        self._waiting = [values[whole:]] if whole < len(values) else []

    def close(self) -> None:
        """Write what waits."""
        if self._waiting:
            rest = np.concatenate(self._waiting)
            chunk = np.zeros((self._size, *rest.shape[1:]), rest.dtype)
            chunk[: len(rest)] = rest
            self._write(chunk)
            self._waiting = []

    def _write(self, chunk: np.ndarray) -> None:
        place = (self._written, *(0,) * (chunk.ndim - 1))
        self._written += self._size
        if self._hopeless:
            self._hopeless -= 1
        else:
            packed = self._packer.packed(chunk)
            if 2 * len(packed) < chunk.nbytes:
                self.dataset.id.write_direct_chunk(place, packed)
                return
            self._hopeless = _PATIENCE
        self.dataset.id.write_direct_chunk(place, chunk, _UNPACKED)


def _chunk_size(of_run: int, most: int) -> int:
    """Choose a chunk of at most so many points, by which a run can be divided if possible."""
    pieces = -(-of_run // most)
    good = (each for each in range(pieces, 2 * pieces + 1) if of_run % each == 0)
    return -(-of_run // next(good, pieces))
