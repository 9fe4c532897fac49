"""HDF5 files on disks that get full.

When a disk is full, HDF5 can't close a file: what it still has in memory has to be written first.
It tries again whenever one of the file's objects is collected, and in the end the process dies of
it.  So a writer stops while there is still some room, and a file that isn't wanted gets another
place to be closed in: its descriptor is made one of memory, where all is taken.
"""

from __future__ import annotations

import contextlib
import os
import resource

import h5py

__all__ = ["ROOM", "close_anyway"]

#: Bytes that must be free before HDF5 writes anything.
ROOM = 32 << 20

#: Of a larger file only what HDF5 writes from now on goes to memory; it may miss what it reads.
_LARGEST = 256 << 20


def close_anyway(file: h5py.File) -> None:
    """Close a file that isn't wanted, whatever its disk says; it isn't whole afterwards.

    Parameters
    ----------
    file : h5py.File
        A file that is open for writing, or closed already.
    """
    if not file:
        return
    # A limit of the files' size holds in memory, too; the null device has none, but no content.
    limited = resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        (_give_nothing if limited else _give_memory)(file.id.get_vfd_handle())
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        file.close()


def _give_nothing(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, descriptor, inheritable=False)
    os.close(null)


def _give_memory(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    memory = os.memfd_create("adsupport-closing")
    try:
        os.ftruncate(memory, size)
        at = 0
        while at < size <= _LARGEST:
            piece = os.pread(descriptor, 1 << 20, at)
            if not piece:
                break
            if piece.count(0) < len(piece):
                os.pwrite(memory, piece, at)
            at += len(piece)
        os.dup2(memory, descriptor, inheritable=False)
    finally:
        os.close(memory)
