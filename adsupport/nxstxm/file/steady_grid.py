"""Values on the grid that hardly change from point to point, compressed."""

from __future__ import annotations

import h5py
import numpy as np

from ..parts.points import Block
from .arrays import GridArray
from .packed_chunks import CHUNK_BYTES, FILTERS, ChunkPacker, ChunkWriter, chunk_size

__all__ = ["SteadyGrid"]

#: Smaller images are plain.
_LEAST_BYTES = 2**16


class SteadyGrid(GridArray):
    """Values on the grid of an entry that hardly change, in a dataset of its own.

    Parameters
    ----------
    group, name, shape, dtype, is_whole
        See the base class.
    packer : ChunkPacker
        May be that of other datasets as well.
    """

    def __init__(
        self,
        group: h5py.Group,
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype,
        is_whole: bool,
        packer: ChunkPacker,
    ) -> None:
        self._lines = 0
        if len(shape) > 1 and dtype.itemsize * shape[-2] * shape[-1] >= _LEAST_BYTES:
            most = max(1, CHUNK_BYTES // (dtype.itemsize * shape[-1]))
            self._lines = chunk_size(shape[-2], most)
            chunks = (*(1,) * (len(shape) - 2), self._lines, shape[-1])
            super().__init__(group, name, shape, dtype, is_whole, chunks=chunks, **FILTERS)
        else:
            super().__init__(group, name, shape, dtype, is_whole)
        self._writer = ChunkWriter(self.dataset, packer)

    def add(self, values: np.ndarray, block: Block, width: int, e_idx: int | None) -> None:
        """Write the values of points, those of whole chunks at once; see the base class."""
        height, lines = self.dataset.shape[-2:-1], self._lines
        ends = lines and (block.last % lines == 0 or (block.last,) == height)
        if not (ends and block.is_full and block.first % lines == 0):
            super().add(values, block, width, e_idx)
            return
        found = np.ascontiguousarray(values, self.dataset.dtype).reshape(-1, width)
        for start in range(0, len(found), lines):
            chunk = found[start : start + lines]
            if len(chunk) < lines:  # the image ends within a chunk
                chunk = np.r_[chunk, np.zeros((lines - len(chunk), width), chunk.dtype)]
            place = (block.first + start, 0)
            self._writer.write(place if e_idx is None else (e_idx, *place), chunk)
