"""Images of an acquisition as files, written while they come: for producers without a file plugin.

Beside these the detector's own plugin is what writes images.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ...callbacks.output.no_replace import sync_directory, sync_file
from ...callbacks.tiff.page import ascii_json
from ...errors import ConfigurationError, NamingError, OutputError
from .data_set import DataSet
from .image_file import HDF5ImageFile, ImageFile, TIFFImageFile

__all__ = ["ImageSetWriter"]

_TIFF = (".tif", ".tiff")
_HDF5 = (".h5", ".hdf5")
#: Bytes of numbers, of each kind, that both formats have.
_SIZES = {"b": (1,), "u": (1, 2, 4, 8), "i": (1, 2, 4, 8), "f": (2, 4, 8), "c": (8, 16)}


class ImageSetWriter:
    """Write the images of a data set, one after the other.

    A file has its final name when it's whole, and replaces none.  Single images have it when
    :meth:`write` returns; :meth:`close` waits until all is on the disk.  As a context manager it's
    closed at the end, also after an exception: what was measured is kept.

    In a TIFF file the ``ImageDescription`` of each image is JSON: its ``number`` in the data set,
    and what ``about`` has.  An HDF5 file has the images at ``/entry/data/data`` (n, Y, X), and
    that JSON at ``/entry/data/about`` (n,).

    Parameters
    ----------
    data_set : DataSet
        Directory, which exists, and names.  The extension tells the format.
    bytes_per_file : int
        Length in bytes that a file doesn't exceed, unless with its first image.  0: a TIFF file
        for each image, one HDF5 file for all.  From 2^32 - 2^25 on TIFF files are BigTIFF.

    Attributes
    ----------
    images, files : int
        How many have been written, and how many files have their names.
    path : pathlib.Path or None
        The last file that has its name.

    Raises
    ------
    NamingError
        The extension tells no format.
    ConfigurationError
        ``bytes_per_file`` can't be.
    ImportError
        tifffile is needed and isn't installed.
    """

    def __init__(self, data_set: DataSet, bytes_per_file: int = 0) -> None:
        self._tiff = self.check(data_set, bytes_per_file)
        self._each = self._tiff and not bytes_per_file
        self.data_set = data_set
        self.bytes_per_file = bytes_per_file
        self.images = self.files = 0
        self.path: Path | None = None
        self._like: tuple[tuple[int, ...], np.dtype] | None = None
        self._next = 0
        self._file: ImageFile | None = None
        self._failure: OutputError | None = None
        self._closed = False

    @staticmethod
    def check(data_set: DataSet, bytes_per_file: int) -> bool:
        """Make sure that a data set could be written.

        Parameters
        ----------
        data_set, bytes_per_file
            See the class.

        Returns
        -------
        bool
            Whether as TIFF.

        Raises
        ------
        NamingError, ConfigurationError
            See the class.
        """
        if isinstance(bytes_per_file, bool) or not isinstance(bytes_per_file, int):
            raise ConfigurationError(f"bytes_per_file={bytes_per_file!r}; expected an integer.")
        if bytes_per_file < 0:
            raise ConfigurationError(f"bytes_per_file={bytes_per_file}; expected 0 or more.")
        extension = Path(data_set.names.of(0)).suffix.lower()
        if extension not in _TIFF + _HDF5:
            raise NamingError(
                f"Name {data_set.names.template!r} has the extension {extension!r}, which tells no "
                "format of images",
                remedy=f"expected one of {', '.join(_TIFF + _HDF5)}.",
            )
        return extension in _TIFF

    def write(
        self,
        image: np.ndarray,
        about: Mapping[str, Any] | None = None,
        number: int | None = None,
    ) -> None:
        """Write an image.

        Parameters
        ----------
        image : numpy.ndarray
            (Y, X), or (Y, X, 3 or 4) in colours; booleans, integers, floats or complex numbers.
            Shape and type are those of the images before.
        about : mapping, optional
            What is known of it, such as its angle: see :mod:`adsupport.documents.json_text`.
        number : int, optional
            Its number in the data set, above that of the image before; by default the next one.
            One that is left out is left out in the names of single images, too.

        Raises
        ------
        ConfigurationError
            The image, or its number, can't be; or the writer is closed.
        OutputError
            It couldn't be written.  Nothing more is written then; the images before are kept, and
            ``kept`` names a file that didn't get its name.
        """
        if self._closed:
            raise ConfigurationError(f"The writer of {self.data_set.path} is closed.")
        if self._failure is not None:
            raise OutputError(
                f"No more images are written to {self.data_set.path}, since number {self._next} "
                f"failed: {self._failure.problem}",
                path=self._failure.path,
                kept=self._failure.kept,
                remedy=self._failure.remedy,
            )
        pixels = self._checked(image)
        number = self._next if number is None else number
        if number < self._next:
            raise ConfigurationError(
                f"number={number} of an image for {self.data_set.path}; expected {self._next} or "
                "more, behind those before."
            )
        text = ascii_json({**(about or {}), "number": number})
        try:
            self._put(pixels, text, number)
        except OutputError as error:
            self._failure = error
            raise
        self.images += 1
        self._next = number + 1

    def close(self) -> None:
        """Finish the last file, and wait until all are on the disk.  Again is harmless.

        Raises
        ------
        OutputError
            A file couldn't be finished, or didn't reach the disk.
        """
        if not self._closed:
            self._closed = True
            self._finish()
            if self._each and self.files:
                self._sync()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except OutputError as problem:
            if error is None:
                raise
            error.add_note(f"Besides: {problem}")

    def _checked(self, image: np.ndarray) -> np.ndarray:
        pixels = np.asarray(image)
        known = pixels.dtype.itemsize in _SIZES.get(pixels.dtype.kind, ())
        colours = pixels.ndim == 3 and pixels.shape[2] in (3, 4)
        like = pixels.shape, pixels.dtype
        what = f"Image {self._next} for {self.data_set.path} has shape {like[0]} and type {like[1]}"
        if not known or not pixels.size or not (pixels.ndim == 2 or colours):
            raise ConfigurationError(
                f"{what}; expected numbers, of shape (Y, X) or (Y, X, 3 or 4), not empty."
            )
        if self._like is None:
            self._like = like
        if like != self._like:
            raise ConfigurationError(
                f"{what}; expected {self._like[0]} and {self._like[1]}, as those before",
                remedy="write the others into a data set of their own.",
            )
        return pixels

    def _put(self, pixels: np.ndarray, text: str, number: int) -> None:
        limit = self.bytes_per_file
        full = self._file is not None and 0 < limit < self._file.size_with(pixels, text)
        if full or self._each:  # a single image is left over when its write was interrupted
            self._finish()
        file = self._file
        if file is None:
            path = self.data_set.file(number if self._each else self.files)
            longest = max(limit, pixels.nbytes + len(text))
            file = TIFFImageFile(path, longest) if self._tiff else HDF5ImageFile(path)
            self._file = file
        try:
            file.add(pixels, text)
        except BaseException:
            if not file.images:
                file.abandon()
            if file.broken:
                self._file = None
            raise
        if self._each:
            self._finish()

    def _finish(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.finish(sync=not self._each)
            self.path = file.path
            self.files += 1

    def _sync(self) -> None:
        """Wait for the single images: to wait for each would take longer than most exposures."""
        path = self.data_set.path
        try:
            for number in range(self._next):
                path = self.data_set.file(number)
                try:
                    sync_file(path)
                except FileNotFoundError:  # left out, or moved to where it's processed
                    continue
            sync_directory(self.data_set.path)
        except OSError as error:
            raise OutputError(
                f"{path} didn't reach the disk: {error.strerror or error}",
                path=path,
                remedy="look after the disk, and take the images again.",
            ) from error
