"""Images that come in the documents, kept in a file of their own until the run is over."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from ...documents.assets import Asset, Frames
from ...documents.run import Column
from ..output.hdf5_closing import close_anyway
from ..output.temporary import make_temporary

__all__ = ["PixelSpool", "pixels_of"]

#: Colours of a pixel, RGB or RGBA.
_COLOURS = (3, 4)


def pixels_of(value: object, column: Column) -> np.ndarray | None:
    """Make frames of a value of a data key.

    Parameters
    ----------
    value : any
        An array, or lists of numbers.
    column : Column
        What the descriptor says; lists have its type when they fit.

    Returns
    -------
    numpy.ndarray or None
        (frames, Y, X); None for what isn't that, such as an image in colour, or without pixels.
    """
    try:
        found = np.asarray(value)
        if not isinstance(value, np.ndarray) and column.dtype_numpy is not None:
            with np.errstate(all="ignore"):
                typed = found.astype(column.dtype_numpy)
            found = typed if (typed == found).all() else found
    except (TypeError, ValueError):  # lists of different lengths
        return None
    if found.ndim == 2:
        found = found[None]
    colour = found.ndim == 3 and found.shape[2] in _COLOURS and found.shape[0] > max(_COLOURS)
    image = found.ndim == 3 and found.size and found.dtype.kind in "biuf"
    return found if image and not colour else None


class PixelSpool:
    """An HDF5 file beside the target, with a dataset for each shape and type of frames.

    Parameters
    ----------
    directory : path
        Where there is room.
    name : str
        Of the target.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._temporary = make_temporary(directory, name)
        self._file: h5py.File | None = None
        self._assets: dict[str, Asset] = {}
        try:
            self._file = h5py.File(self._temporary.path, "w")
        except BaseException:
            self.remove()
            raise

    def add(self, pixels: np.ndarray) -> Frames:
        """Write frames.

        Parameters
        ----------
        pixels : numpy.ndarray
            (frames, Y, X).

        Returns
        -------
        Frames
            Where they are.
        """
        if self._file is None:
            raise ValueError("The spool of images is closed.")
        shape = pixels.shape[1:]
        name = f"{pixels.dtype.str[1:]} {'x'.join(map(str, shape))}"
        if name not in self._assets:
            self._file.create_dataset(
                name, (0, *shape), pixels.dtype, maxshape=(None, *shape), chunks=(1, *shape)
            )
            self._assets[name] = Asset(
                name, "documents", "hdf5", self._temporary.path, f"/{name}", format="hdf5"
            )
        dataset = self._file[name]
        if not isinstance(dataset, h5py.Dataset):
            raise TypeError(f"{name} isn't a dataset.")
        first = len(dataset)
        dataset.resize(first + len(pixels), axis=0)
        dataset[first:] = pixels
        return Frames(self._assets[name], first, len(pixels))

    def close(self) -> None:
        """Let the file be read."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Remove the file."""
        if self._file is not None:
            close_anyway(self._file)
            self._file = None
        self._temporary.remove()
