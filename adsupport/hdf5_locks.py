"""Open an HDF5 file for reading that the same program may have open, with locks or without."""

from __future__ import annotations

import os
from typing import Any

import h5py

__all__ = ["open_to_read"]

#: Ways to lock a file: as the environment says, not at all, always, and where it's possible.
_WAYS = (None, False, True, "best-effort")


def open_to_read(path: str | os.PathLike[str], locking: Any = None) -> h5py.File:
    """Open a file as it is wanted, or as whoever in this program has it open already.

    HDF5 wants all of a program's handles of a file to be alike in this.

    Parameters
    ----------
    path : str or path
        The file.
    locking : bool, str or None
        What is wanted: see :class:`h5py.File`.

    Returns
    -------
    h5py.File
        Open for reading.

    Raises
    ------
    OSError, RuntimeError
        It can't be opened; the second for a damaged superblock.
    """
    ways = (locking, *(each for each in _WAYS if each is not locking))
    for way in ways * 2:  # who has it open may close it in between, and another one open it
        try:
            return h5py.File(path, "r", locking=way)
        except OSError as error:
            if "flag values don't match" not in str(error):
                raise
    return h5py.File(path, "r", locking=locking)
