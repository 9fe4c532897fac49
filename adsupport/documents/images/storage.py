"""How an HDF5 dataset is stored: what must agree before its chunks can be taken as they are."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from h5py import h5d  # pyright: ignore[reportAttributeAccessIssue]

__all__ = ["Chunks", "Storage", "chunks_of", "storage_of"]

#: Leading parameters in which a filter only notes its own release: Blosc, Bitshuffle.
_RELEASES = {32001: 2, 32008: 2}


@dataclass(frozen=True)
class Storage:
    """What a dataset's raw chunks depend on.

    Parameters
    ----------
    layout : int
        ``h5py.h5d.CHUNKED``, ``CONTIGUOUS`` and so on.
    chunks : tuple of int
        Shape of a chunk; empty unless chunked.
    filters : tuple
        Number and parameters of each filter, without what doesn't change the bytes.
    fill : bytes
        The fill value.
    dtype : h5py.h5t.TypeID
        Type in the file, byte order included.
    """

    layout: int
    chunks: tuple[int, ...]
    filters: tuple[tuple[int, tuple[int, ...]], ...]
    fill: bytes
    dtype: Any

    @property
    def chunked(self) -> bool:
        """Whether there are chunks."""
        return self.layout == h5d.CHUNKED

    def same_bytes(self, other: Storage) -> bool:
        """Tell whether a chunk of the same number of pixels has the same bytes.

        Filters work on the bytes of a chunk, with their parameters, and don't see its shape.

        Parameters
        ----------
        other : Storage
            Of another dataset.

        Returns
        -------
        bool
            Whether type and filters agree.
        """
        return self.filters == other.filters and self.dtype.equal(other.dtype)


def storage_of(dataset: h5py.Dataset) -> Storage:
    """Look how a dataset is stored.

    Parameters
    ----------
    dataset : h5py.Dataset
        Open.

    Returns
    -------
    Storage
        Its storage.
    """
    creation: Any = dataset.id.get_create_plist()
    layout = creation.get_layout()
    filters = []
    for index in range(creation.get_nfilters()):
        code, _, values, *_ = creation.get_filter(index)
        filters.append((code, tuple(values)[_RELEASES.get(code, 0) :]))
    fill = np.zeros((), dataset.dtype)
    creation.get_fill_value(fill)
    chunks = creation.get_chunk() if layout == h5d.CHUNKED else ()
    return Storage(layout, chunks, tuple(filters), fill.tobytes(), dataset.id.get_type())


@dataclass(frozen=True)
class Chunks:
    """The chunks that a dataset has in its file.

    Parameters
    ----------
    offsets : numpy.ndarray
        (chunks, axes), int64: index of each one's first pixel, in the order of the first axis.
    largest : int
        Bytes of the largest one.
    """

    offsets: np.ndarray
    largest: int

    def between(self, start: int, stop: int) -> np.ndarray:
        """Choose chunks by the first axis.

        Parameters
        ----------
        start, stop : int
            Where they begin, at least, and before what.

        Returns
        -------
        numpy.ndarray
            (chunks, axes), int64.
        """
        first, last = np.searchsorted(self.offsets[:, 0], (start, stop))
        return self.offsets[first:last]


def chunks_of(dataset: h5py.Dataset) -> Chunks:
    """List the chunks of a dataset; those never written have no place in the file.

    Parameters
    ----------
    dataset : h5py.Dataset
        Chunked.

    Returns
    -------
    Chunks
        Its chunks: some 8 bytes of memory for each and axis.
    """
    found, largest = array("q"), 0

    def note(chunk: Any) -> None:
        nonlocal largest
        found.extend(chunk.chunk_offset)
        largest = max(largest, chunk.size)

    dataset.id.chunk_iter(note)
    offsets = np.frombuffer(found, np.int64).reshape(-1, dataset.ndim)
    order = np.lexsort(offsets.T[::-1])
    return Chunks(offsets[order], largest)
