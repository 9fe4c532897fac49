"""What a file of images holds, and whether the frames that the documents tell of are there."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from ...errors import ImageFileError
from ..assets import Asset
from .formats import file_kind
from .opening import Identity, UnusableFileError, check_file, identity_of, opened

__all__ = [
    "Contents",
    "ShortFileError",
    "contents_of",
    "dataset_of",
    "is_stack",
    "never_written",
]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds.

    Parameters
    ----------
    frames : int
        How many frames.
    shape : tuple of int
        Of one frame.
    dtype : numpy.dtype
        Of the pixels.
    stacked : bool
        Of HDF5: whether the dataset's first axis is that of the frames.
    identity : tuple of int or None
        The file's, to see whether it's replaced later; None while its writer holds it.
    """

    frames: int
    shape: tuple[int, ...]
    dtype: np.dtype
    stacked: bool = False
    identity: Identity | None = None


class ShortFileError(ImageFileError):
    """An image file with fewer frames than the documents tell of.

    Attributes
    ----------
    found : Contents
        What it holds.
    """

    def __init__(self, path: pathlib.Path, found: Contents, frames: int) -> None:
        super().__init__(
            f"Image file {path} holds {found.frames} frames; the run's documents tell of {frames}.",
            path=path,
            remedy="Its writer lost frames, or was stopped before the last ones came.",
        )
        self.found = found


def contents_of(asset: Asset, path: pathlib.Path, frames: int) -> Contents:
    """Look at a file.

    Parameters
    ----------
    asset : Asset
        Whose file.
    path : pathlib.Path
        The file.
    frames : int
        How many frames it must hold.

    Returns
    -------
    Contents
        What it holds: at least these frames.

    Raises
    ------
    UnusableFileError
        Waiting won't help.
    ShortFileError
        It has too few frames.
    ImageFileError
        It's missing, held by its writer, or cut short.
    """
    if asset.format == "hdf5":
        with opened(path) as file:
            data = dataset_of(asset, path, file)
            stacked = is_stack(asset, data)
            identity = None if file.swmr_mode else identity_of(check_file(path))
            shape = data.shape[1:] if stacked else data.shape
            held = data.shape[0] if stacked else 1
            if held == 1 and never_written(data):
                held = 0
            found = Contents(held, shape, data.dtype, stacked, identity)
    else:
        check_file(path)
        found = Contents(*file_kind(asset.format, path, frames))
    if found.dtype.hasobject:
        raise UnusableFileError(
            f"Image file {path} holds {found.dtype}; expected numbers.", path=path
        )
    if found.frames < frames:
        raise ShortFileError(path, found, frames)
    return found


def never_written(data: h5py.Dataset) -> bool:
    """Tell whether no frame came to a dataset: the IOC leaves a blank one in it.

    Parameters
    ----------
    data : h5py.Dataset
        The dataset.

    Returns
    -------
    bool
        True when it's chunked and has no chunk.
    """
    return data.chunks is not None and data.id.get_num_chunks() == 0


def dataset_of(asset: Asset, path: pathlib.Path, file: h5py.File) -> h5py.Dataset:
    """Find the images in an open HDF5 file.

    Parameters
    ----------
    asset : Asset
        Has the address.
    path : pathlib.Path
        The file, for the message.
    file : h5py.File
        The file.

    Returns
    -------
    h5py.Dataset
        The images.

    Raises
    ------
    ImageFileError
        There is no such dataset.
    """
    try:
        found: Any = file.get(asset.dataset)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise ImageFileError(
            f"Image file {path} can't be read at {asset.dataset!r}: {error}.", path=path
        ) from error
    if not isinstance(found, h5py.Dataset) or found.shape is None:
        what = "nothing" if found is None else "no array"
        raise ImageFileError(
            f"Image file {path} has {what} at {asset.dataset}; expected the images there.",
            path=path,
            remedy="Files of another layout need the address in the resource document.",
        )
    return found


def is_stack(asset: Asset, data: h5py.Dataset) -> bool:
    """Tell whether the first axis of a dataset is that of the frames.

    ADCore writes the number of dimensions of its arrays beside the images; a file of mode
    Single has exactly these.

    Parameters
    ----------
    asset : Asset
        Whose file.
    data : h5py.Dataset
        The images.

    Returns
    -------
    bool
        False when the dataset is one frame.
    """
    told = data.attrs.get("NDArrayNumDims")
    if told is not None and np.size(told) == 1:
        own = int(np.ravel(told)[0])
        if data.ndim == own:
            return False
        if data.ndim == own + 1:
            return True
    if asset.kind == "hdf5":
        return data.ndim > 0
    return asset.frames_per_file > 1
