"""HDF5's compression filters, used on bytes in memory.

hdf5plugin brings Blosc, LZ4 and Bitshuffle, but only as HDF5 filters: a dataset of one chunk in a
file that never leaves memory has them do their work.
"""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import hdf5plugin  # noqa: F401  registers its filters when imported
import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t, h5z

_names = itertools.count()


@contextmanager
def _one_chunk(
    shape: tuple[int, ...], dtype: np.dtype, code: int, options: tuple[int, ...]
) -> Iterator[h5d.DatasetID]:
    """Open a dataset of one chunk behind a filter."""
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fapl_core(1 << 20, False)
    # HDF5 tells files in memory apart by their names
    file = h5f.create(b"filter-%d" % next(_names), h5f.ACC_TRUNC, fapl=access)
    try:
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk(shape)
        plist.set_fill_time(h5d.FILL_TIME_NEVER)
        # optional: what a filter cannot make smaller is kept as it is, and marked
        plist.set_filter(code, h5z.FLAG_OPTIONAL, options)
        space = h5s.create_simple(shape)
        yield h5d.create(file, b"chunk", h5t.py_create(dtype), space, plist)
    finally:
        file.close()


def apply_filter(data: np.ndarray, code: int, options: tuple[int, ...]) -> bytes | None:
    """Return what a filter makes of an array; None when it cannot make it smaller.

    Parameters
    ----------
    data : numpy.ndarray
        At least one element.
    code : int
        HDF5's number of the filter.
    options : tuple of int
        Its client data.

    Raises
    ------
    OSError
        When the filter refuses type or options.
    """
    data = np.ascontiguousarray(data).reshape(-1)
    with _one_chunk(data.shape, data.dtype, code, options) as dataset:
        dataset.write(h5s.ALL, h5s.ALL, data)
        mask, chunk = dataset.read_direct_chunk((0,))
        return None if mask else bytes(chunk)


def undo_filter(
    chunk: bytes, code: int, options: tuple[int, ...], dtype: np.dtype, count: int
) -> np.ndarray:
    """Return the elements of a chunk that a filter made.

    Parameters
    ----------
    chunk : bytes
        As in an HDF5 file.
    code, options
        See :func:`apply_filter`.
    dtype : numpy.dtype
        Type of the elements.
    count : int
        Their number.

    Raises
    ------
    OSError
        When the filter cannot read the chunk.
    """
    data = np.empty(count, dtype)
    with _one_chunk((count,), data.dtype, code, options) as dataset:
        dataset.write_direct_chunk((0,), chunk)
        dataset.read(h5s.ALL, h5s.ALL, data)
    return data
