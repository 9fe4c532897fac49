"""Handlers: from the resource and datum documents of a run to its images.

They read the files of plugins that write one file a frame, point by point, and each frame
when it's needed: the arrays are dask's, with the size and type that stand in the files.

``AD_JPEG`` has no other handler and is found by databroker as soon as adsupport is installed.
For ``AD_TIFF`` and ``AD_HDF5_SINGLE`` databroker takes those of area-detector-handlers, and of
two entry points with one name it takes any: ours don't compete there, but replace them in a
catalog by :func:`register_handlers`.

Importing this module registers the HDF5 filters of hdf5plugin, so that ``AD_HDF5`` files
compressed with Blosc, LZ4 or Bitshuffle can be read by area-detector-handlers.
"""

from __future__ import annotations

import os
import pathlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  registers filters
import numpy as np
from area_detector_handlers import HandlerBase

from .assets import ADCORE_DATASET
from .images.formats import file_kind, file_pixels

__all__ = [
    "HANDLERS",
    "MIMETYPES",
    "HDF5FramesHandler",
    "JPEGFramesHandler",
    "TIFFFramesHandler",
    "register_handlers",
]


class _FramesHandler(HandlerBase):
    """Reads the points of a run whose frames have a file each.

    Parameters
    ----------
    fpath : str or path
        Directory of the files.
    template : str
        Python's ``%`` format of directory, name and number, as ``%s%s_%6.6d.tif``.
    filename : str
        Name of the files, without number.
    frame_per_point : int
        Frames of one point; frame ``i`` of point ``p`` has the number ``p * frame_per_point + i``.
    """

    # databroker leaves the arrays lazy, instead of guessing float for their type.
    return_type = {"delayed": True}

    def __init__(
        self,
        fpath: str | os.PathLike[str],
        template: str,
        filename: str,
        frame_per_point: int = 1,
    ) -> None:
        self._directory = os.path.join(fpath, "")
        self._template = template
        self._filename = filename
        self._frames = int(frame_per_point)

    def __call__(self, point_number: int) -> Any:
        """Return the images of one point.

        Parameters
        ----------
        point_number : int
            Of the datum document.

        Returns
        -------
        dask.array.Array
            (frames, Y, X), with the colour where the files have it; one chunk a frame.

        Raises
        ------
        OSError
            A file is missing or can't be read; also when the array is computed.
        """
        import dask.array
        from dask.delayed import delayed

        paths = list(self._paths(point_number))
        for path in paths:
            path.stat()  # a missing frame is said now, not in the midst of a computation
        shape, dtype = self.kind(paths[0])
        read = delayed(self._checked, pure=True)
        return dask.array.stack(
            [dask.array.from_delayed(read(path, shape), shape, dtype) for path in paths]
        )

    def _checked(self, path: pathlib.Path, shape: tuple[int, ...]) -> np.ndarray:
        pixels = self.pixels(path)
        if pixels.shape != shape:
            raise OSError(
                f"{path} holds an image of shape {pixels.shape}, and the first one of its point "
                f"has {shape}: the camera's settings were changed during the point."
            )
        return pixels

    def _paths(self, point_number: int) -> Iterator[pathlib.Path]:
        first = int(point_number) * self._frames
        for number in range(first, first + self._frames):
            yield pathlib.Path(self._template % (self._directory, self._filename, number))

    def get_file_list(self, datum_kwargs_gen: Iterable[dict[str, Any]]) -> list[str]:
        """List the files of some points.

        Parameters
        ----------
        datum_kwargs_gen : iterable of dict
            ``datum_kwargs`` of the datum documents.

        Returns
        -------
        list of str
            Full names, in the order of the points and frames.
        """
        return [
            str(path) for kwargs in datum_kwargs_gen for path in self._paths(kwargs["point_number"])
        ]

    @abstractmethod
    def kind(self, path: pathlib.Path) -> tuple[tuple[int, ...], np.dtype]:
        """Tell shape and type of a file's image, without its pixels.

        Parameters
        ----------
        path : pathlib.Path
            A file.

        Returns
        -------
        tuple of int, numpy.dtype
            Of what :meth:`pixels` returns.
        """

    @abstractmethod
    def pixels(self, path: pathlib.Path) -> np.ndarray:
        """Read a file's image.

        Parameters
        ----------
        path : pathlib.Path
            A file.

        Returns
        -------
        numpy.ndarray
            (Y, X), with the colour where the file has it.
        """


class _ImageFilesHandler(_FramesHandler):
    """Reads files of a format of single images."""

    _format: str

    def kind(self, path: pathlib.Path) -> tuple[tuple[int, ...], np.dtype]:
        """Tell shape and type of the first image; see the base class."""
        _, shape, dtype = file_kind(self._format, path)
        return shape, dtype

    def pixels(self, path: pathlib.Path) -> np.ndarray:
        """Decode the first image; see the base class."""
        return file_pixels(self._format, path)


class TIFFFramesHandler(_ImageFilesHandler):
    """Reads ``AD_TIFF``: colours stay where the file has them, (Y, X, 3) or (3, Y, X)."""

    specs = {"AD_TIFF"} | HandlerBase.specs
    _format = "tiff"


class JPEGFramesHandler(_ImageFilesHandler):
    """Reads ``AD_JPEG``: (Y, X), or (Y, X, 3) for colours; always ``uint8``."""

    specs = {"AD_JPEG"} | HandlerBase.specs
    _format = "jpeg"


class HDF5FramesHandler(_FramesHandler):
    """Reads ``AD_HDF5_SINGLE``: HDF5 files of one frame each; no file is left open."""

    specs = {"AD_HDF5_SINGLE"} | HandlerBase.specs

    def kind(self, path: pathlib.Path) -> tuple[tuple[int, ...], np.dtype]:
        """Tell shape and type of the dataset; see the base class."""
        with h5py.File(path) as file:
            data: Any = file[ADCORE_DATASET]
            return data.shape, data.dtype

    def pixels(self, path: pathlib.Path) -> np.ndarray:
        """Read the dataset; see the base class."""
        with h5py.File(path) as file:
            data: Any = file[ADCORE_DATASET]
            return data[()]


#: Handlers by spec.
HANDLERS: dict[str, type[HandlerBase]] = {
    "AD_HDF5_SINGLE": HDF5FramesHandler,
    "AD_JPEG": JPEGFramesHandler,
    "AD_TIFF": TIFFFramesHandler,
}

#: For ``TiledWriter(client, spec_to_mimetype=MIMETYPES)``, which knows no ``AD_JPEG``.
MIMETYPES: dict[str, str] = {"AD_JPEG": "multipart/related;type=image/jpeg"}


def register_handlers(catalog: Any) -> None:
    """Let a databroker catalog read the images of a run by the handlers of this module.

    Parameters
    ----------
    catalog : databroker.v2.Broker
        A catalog such as ``databroker.temp().v2`` or ``databroker.catalog["mine"]``.
    """
    for spec, handler in HANDLERS.items():
        catalog.register_handler(spec, handler, overwrite=True)
