"""Whether an HDF5 file has the images that documents refer to, while it's being packed."""

from __future__ import annotations

from pathlib import Path

from ...documents.images.contents import ShortFileError, contents_of
from ...documents.images.opening import opened
from ...errors import ImageFileError
from ..hdf5_named import files_named
from .needed_files import NeededFile

__all__ = ["damage_of"]

_HELD = "its writer still has it: stop the capture of the file plugin"


def damage_of(file: NeededFile, path: Path) -> str:
    """Tell what is wrong with a file.

    Parameters
    ----------
    file : NeededFile
        The file, and the frames that it must have.
    path : pathlib.Path
        Where it can be read.

    Returns
    -------
    str
        That it can't be opened, is held by its writer or lacks frames, in a sentence's end; empty
        if it's whole.

    Raises
    ------
    PackError
        It can't be looked through, see :func:`~adsupport.pack.hdf5_named.files_named`.
    """
    try:
        with opened(path) as found:
            if found.swmr_mode:
                return _HELD
        for asset, frames in file.needs.values():
            try:
                contents_of(asset, path, frames)
            except ShortFileError:
                raise
            except ImageFileError:
                if not any(True for _ in files_named(path)):  # else those are looked at, too
                    raise
    except ImageFileError as error:
        return error.problem.rstrip(".")
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:  # of h5py
        return f"it can't be read: {error}"
    return ""
