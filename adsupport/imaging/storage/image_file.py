"""One file of a data set while it's being written: TIFF or HDF5, whole under its final name."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from ...callbacks.output import AtomicFile
from ...callbacks.output.no_replace import rename_new
from ...callbacks.output.temporary import make_temporary
from ...callbacks.tiff.page import needs_bigtiff, tifffile_module, write_page
from ...errors import OutputError, OutputExistsError

__all__ = ["FORMAT", "HDF5ImageFile", "ImageFile", "TIFFImageFile"]

#: Name and version of the layout of HDF5 files.
FORMAT = "adsupport-images-1"

#: What the libraries raise for a disk that refuses, beside OSError.
_FAILED = (OSError, RuntimeError, ValueError)
_LARGEST_CHUNK = 2**30  # bytes; HDF5 has none of 4 GiB


class ImageFile(ABC):
    """A file under a temporary name, which gets images and then its final name.

    Parameters
    ----------
    path : pathlib.Path
        The final name; its directory exists.

    Attributes
    ----------
    path : pathlib.Path
        As given.
    images : int
        How many it has.
    size : int
        Bytes that it has, or a few more.
    broken : bool
        Whether it can't be finished any more.

    Raises
    ------
    OutputError
        It can't be made.
    """

    #: Bytes that an image takes beside its pixels and its text, and that must be free beside them.
    overhead = 1024
    spare = 2**16

    def __init__(self, path: Path) -> None:
        self.path = path
        self.images = 0
        self.size = 0
        self.broken = False
        self._temporary = None
        try:
            self._temporary = make_temporary(path.parent, path.name)
            self._open(self._temporary.path)
        except _FAILED as error:
            self._give_up(error)

    def size_with(self, pixels: np.ndarray, text: str) -> int:
        """Tell how long the file would be.

        Parameters
        ----------
        pixels, text
            See :meth:`add`.

        Returns
        -------
        int
            Bytes, at most.
        """
        return self.size + pixels.nbytes + len(text) + self.overhead

    def add(self, pixels: np.ndarray, text: str) -> None:
        """Append an image.

        Parameters
        ----------
        pixels : numpy.ndarray
            (Y, X), or with colours behind.
        text : str
            What is known of it, ASCII.

        Raises
        ------
        OutputError
            There is no room: then the file can still be finished, without this image.  Or it
            couldn't be written: then the file is kept under a temporary name.
        """
        size = self.size_with(pixels, text)
        if self._temporary is not None:
            AtomicFile(self.path, finished=self._temporary.path).check_room(
                size - self.size + self.spare
            )
        try:
            self._add(pixels, text)
        except _FAILED as error:
            self._give_up(error)
        except BaseException:
            self.abandon()
            raise
        self.images += 1
        self.size = size

    def finish(self, sync: bool = True) -> None:
        """Close the file, and give it its final name.

        Parameters
        ----------
        sync : bool
            Whether to wait until it's on the disk.

        Raises
        ------
        OutputError
            It couldn't be; ``kept`` says where it is.
        """
        if self.broken:
            return
        try:
            self._close()
        except _FAILED as error:
            self._give_up(error)
        temporary = self._temporary
        if temporary is None:
            return
        try:
            if sync or not self._renamed(temporary.path):
                AtomicFile(self.path, finished=temporary.path).commit(synced=not sync)
        except OutputExistsError as error:
            raise OutputExistsError(
                error.problem,
                path=self.path,
                kept=error.kept,
                remedy="write into a data set that nobody else writes to.",
            ) from error
        finally:
            temporary.release()

    def abandon(self) -> None:
        """Close the file, and remove it if it has no image; else it's kept.

        Its temporary name ends in ``.kept`` then.  Again is harmless.
        """
        if self.broken:
            return
        self.broken = True
        with contextlib.suppress(*_FAILED):
            self._close_anyway()
        temporary = self._temporary
        if temporary is None:
            return
        if self.images:
            file = AtomicFile(self.path, finished=temporary.path)
            file.keep()
            temporary.path = file.temporary
            temporary.release()
        else:
            with contextlib.suppress(OSError):
                temporary.remove()
            self._temporary = None

    def _renamed(self, temporary: Path) -> bool:
        """Give the file its name; False where that fails, which a commit tells better."""
        with contextlib.suppress(OSError):
            rename_new(temporary, self.path)
            return True
        return False

    def _give_up(self, error: Exception) -> None:
        self.abandon()
        kept = None if self._temporary is None else self._temporary.path
        number = error.errno if isinstance(error, OSError) else None
        reason = os.strerror(number) if number else ""
        raise OutputError(
            f"{self.path} can't be written: {reason or str(error).partition(chr(10))[0]}"
            + (f"; what it has of {self.images} images is kept as {kept}" if kept else ""),
            path=self.path,
            kept=kept,
            remedy="make room or see to the permissions, and take the images again.",
        ) from error

    @abstractmethod
    def _open(self, path: Path) -> None: ...

    @abstractmethod
    def _add(self, pixels: np.ndarray, text: str) -> None: ...

    @abstractmethod
    def _close(self) -> None: ...

    @abstractmethod
    def _close_anyway(self) -> None: ...


class TIFFImageFile(ImageFile):
    """A TIFF file with a page for each image, whose ``ImageDescription`` is the text.

    Parameters
    ----------
    path : pathlib.Path
        See :class:`ImageFile`.
    longest : int
        Bytes to which it may grow: beyond 2^32 - 2^25 it's a BigTIFF file.
    """

    def __init__(self, path: Path, longest: int) -> None:
        self._big = needs_bigtiff(1, longest, 0)
        self._tiff: Any = None
        super().__init__(path)

    def _open(self, path: Path) -> None:
        self._tiff = tifffile_module().TiffWriter(path, bigtiff=self._big)

    def _add(self, pixels: np.ndarray, text: str) -> None:
        write_page(self._tiff, pixels, text)

    def _close(self) -> None:
        self._tiff.close()

    def _close_anyway(self) -> None:
        if self._tiff is not None:
            self._tiff.close()


class HDF5ImageFile(ImageFile):
    """An HDF5 file with one growing data set, and the texts beside it.

    Parameters
    ----------
    path : pathlib.Path
        See :class:`ImageFile`.
    """

    overhead = 2048
    spare = 2**25  # a full disk would keep HDF5 from closing the file

    def __init__(self, path: Path) -> None:
        self._file: Any = None
        self._data: Any = None
        self._about: Any = None
        super().__init__(path)

    def _open(self, path: Path) -> None:
        import h5py

        self._file = h5py.File(path, "w", locking=False)
        self._file.attrs["format"] = FORMAT

    def _begin(self, pixels: np.ndarray) -> None:
        import h5py

        entry = self._file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "default": "data"})
        group = entry.create_group("data")
        group.attrs.update({"NX_class": "NXdata", "signal": "data"})
        rows = max(1, min(pixels.shape[0], _LARGEST_CHUNK // max(1, pixels[0].nbytes)))
        self._data = group.create_dataset(
            "data",
            shape=(0, *pixels.shape),
            maxshape=(None, *pixels.shape),
            chunks=(1, rows, *pixels.shape[1:]),
            dtype=pixels.dtype,
        )
        self._about = group.create_dataset(
            "about", shape=(0,), maxshape=(None,), chunks=(1024,), dtype=h5py.string_dtype()
        )

    def _add(self, pixels: np.ndarray, text: str) -> None:
        if not self.images:
            self._begin(pixels)
        for data, value in ((self._data, pixels), (self._about, text)):
            data.resize(self.images + 1, axis=0)
            data[self.images] = value
        self._file.flush()  # a disk that refuses is to say so now

    def _close(self) -> None:
        self._file.flush()  # where that fails, a close would leave the file half closed
        self._file.close()

    def _close_anyway(self) -> None:
        from ...callbacks.output.hdf5_closing import close_anyway

        if self._file is not None:
            close_anyway(self._file)
