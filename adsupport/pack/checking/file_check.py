"""What a file of a pack holds that may do harm to those who read it."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from ...errors import ImageFileError, PackError
from ..hdf5_reach import check_hdf5

__all__ = ["check_file_content"]


def check_file_content(path: Path, root: Path) -> list[str]:
    """Look at a file that documents refer to.

    Parameters
    ----------
    path : pathlib.Path
        A regular file of the pack.
    root : pathlib.Path
        The pack.

    Returns
    -------
    list of str
        Sentences: an HDF5 file leads out of the pack or unfolds to too much, an array is pickled.
        A file that is damaged may have been so when it was packed: that is none.
    """
    try:
        if h5py.is_hdf5(path):
            check_hdf5(path, root)
    except ImageFileError:
        pass
    except PackError as error:
        return [error.problem]
    if _is_pickled(path):
        name = path.relative_to(root)
        return [f"{name} of the pack is refused: it has Python objects, which are pickled."]
    return []


def _is_pickled(path: Path) -> bool:
    """Tell whether a file is one of numpy that needs pickle, by its header."""
    if path.suffix != ".npy":
        return False
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            if version != (1, 0):
                read = np.lib.format.read_array_header_2_0
            return read(file)[2].hasobject
    except (ValueError, OSError):
        return False
