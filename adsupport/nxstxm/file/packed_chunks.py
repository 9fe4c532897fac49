"""Chunks of datasets, packed as HDF5's filters would do it, but not again and again."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from typing import Any

import h5py
import numpy as np

__all__ = ["CHUNK_BYTES", "FILTERS", "ChunkPacker", "ChunkWriter", "chunk_size"]

#: Bytes of a chunk, at most: readers keep chunks of up to 1 MiB in memory.
CHUNK_BYTES = 2**19
#: How a dataset of such chunks is made.
FILTERS: dict[str, Any] = {"compression": 1, "shuffle": True}
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


class ChunkWriter:
    """Write whole chunks of a dataset; those that don't become smaller as they are.

    Parameters
    ----------
    dataset : h5py.Dataset
        Made with :data:`FILTERS`.
    packer : ChunkPacker
        May be that of other datasets as well.
    """

    def __init__(self, dataset: h5py.Dataset, packer: ChunkPacker) -> None:
        self._dataset, self._packer, self._hopeless = dataset, packer, 0

    def write(self, place: tuple[int, ...], chunk: np.ndarray) -> None:
        """Write a chunk.

        Parameters
        ----------
        place : tuple of int
            Where it begins in the dataset.
        chunk : numpy.ndarray
            Contiguous, of the chunks' shape and the dataset's dtype.
        """
        if self._hopeless:
            self._hopeless -= 1
        else:
            packed = self._packer.packed(chunk)
            if 2 * len(packed) < chunk.nbytes:
                self._dataset.id.write_direct_chunk(place, packed)
                return
            self._hopeless = _PATIENCE
        self._dataset.id.write_direct_chunk(place, chunk, _UNPACKED)


def chunk_size(size: int, most: int) -> int:
    """Choose the length of chunks, of which whole ones make up the size if possible.

    Parameters
    ----------
    size : int
        Points, or lines, that are written together.
    most : int
        The longest.

    Returns
    -------
    int
        From half of the longest on, if the size is more.
    """
    pieces = -(-size // most)
    good = (each for each in range(pieces, 2 * pieces + 1) if size % each == 0)
    return -(-size // next(good, pieces))
