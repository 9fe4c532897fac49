"""Images that a computation gives: a file for each, or one for all, by their names."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...callbacks.output import AtomicFile
from ...callbacks.tiff.page import ascii_json, tifffile_module
from ...errors import ConfigurationError, OutputError, OutputExistsError
from .device_snapshot import plain_value
from .image_file import TIFFImageFile

if TYPE_CHECKING:
    import h5py

__all__ = [
    "FORMATS",
    "check_formats",
    "check_free",
    "files_of",
    "new_hdf5",
    "write_images",
    "write_tiff",
]

#: Extensions of the formats.
FORMATS = {"tiff": ".tif", "hdf5": ".h5"}


def check_formats(formats: str | Collection[str]) -> tuple[str, ...]:
    """Make sure that images can be written in some formats.

    Parameters
    ----------
    formats : str or collection of str
        ``"tiff"`` (needs tifffile), ``"hdf5"`` or both.

    Returns
    -------
    tuple of str
        The formats.

    Raises
    ------
    ConfigurationError
        There is no such format.
    ImportError
        tifffile is needed and isn't installed.
    """
    listed = (formats,) if isinstance(formats, str) else tuple(formats)
    unknown = [each for each in listed if each not in FORMATS]
    if unknown or not listed:
        raise ConfigurationError(
            f"files={formats!r}: expected {' or '.join(map(repr, FORMATS))}, or both."
        )
    if "tiff" in listed:
        tifffile_module()
    return listed


def files_of(
    directory: Path, images: Collection[str], formats: Collection[str], together: str
) -> list[Path]:
    """List the files of some images.

    Parameters
    ----------
    directory : pathlib.Path
        Where.
    images : collection of str
        Their names.
    formats : collection of str
        See :func:`check_formats`.
    together : str
        Name, without extension, of the HDF5 file.

    Returns
    -------
    list of pathlib.Path
        A TIFF file for each image, one HDF5 file for all.
    """
    single = [directory / f"{name}{FORMATS['tiff']}" for name in images if "tiff" in formats]
    return single + [directory / f"{together}{FORMATS['hdf5']}" for _ in range("hdf5" in formats)]


def check_free(files: Collection[Path]) -> None:
    """Make sure that no file has one of these names.

    Parameters
    ----------
    files : collection of pathlib.Path
        See :func:`files_of`.

    Raises
    ------
    OutputExistsError
        One has.
    """
    for path in files:
        if os.path.lexists(path):
            raise OutputExistsError(
                f"{path} exists already, and isn't replaced",
                path=path,
                remedy="write into a directory of another name, or move the file away.",
            )


def write_images(
    directory: Path,
    images: Mapping[str, np.ndarray],
    formats: Collection[str],
    together: str,
    *,
    units: Mapping[str, str],
    about: Mapping[str, Any],
) -> list[Path]:
    """Write images; no file is replaced, and each is whole when it has its name.

    TIFF files have float32, which any program reads, and JSON as ``ImageDescription``: ``name``,
    ``units``, and what ``about`` has.  The HDF5 file has the images as they are, in an ``NXdata``
    group at ``/entry/data`` whose signal is the last one, and what ``about`` has at
    ``/entry/about``.

    Parameters
    ----------
    directory : pathlib.Path
        Where, which exists.
    images : mapping of str to numpy.ndarray
        (Y, X), floats, by their names.
    formats, together
        See :func:`files_of`.
    units : mapping of str to str
        Of the images, by their names.
    about : mapping of str to object
        What is known of all: numbers and texts; None is left out.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    OutputExistsError
        A file is there already.
    OutputError
        One couldn't be written.
    """
    files = files_of(directory, images, formats, together)
    check_free(files)
    known = {key: plain_value(each)[0] for key, each in about.items() if each is not None}
    for path in files:
        if path.suffix == FORMATS["hdf5"]:
            _write_hdf5(path, images, units, known)
        else:
            name = path.stem
            text = ascii_json({"name": name, "units": units[name], **known})
            write_tiff(path, np.asarray(images[name], np.float32), text)
    return files


def write_tiff(path: Path, pixels: np.ndarray, text: str) -> None:
    """Write a TIFF file of one image; no file is replaced.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    pixels : numpy.ndarray
        (Y, X).
    text : str
        Its ``ImageDescription``, ASCII.

    Raises
    ------
    OutputError
        It couldn't be written.
    """
    file = TIFFImageFile(path, pixels.nbytes + len(text))
    file.add(pixels, text)
    file.finish()


@contextlib.contextmanager
def new_hdf5(path: Path, size: int) -> Iterator[h5py.File]:
    """Open an HDF5 file that has its name when all is written; no file is replaced.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    size : int
        Bytes of its images: there has to be room for them.

    Yields
    ------
    h5py.File
        Empty.

    Raises
    ------
    OutputError
        It couldn't be written.
    """
    import h5py

    try:
        with AtomicFile(path) as target:
            target.check_room(size + 2**20)
            with h5py.File(target.temporary, "w", locking=False) as file:
                yield file
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{path} can't be written: {str(error).partition(chr(10))[0]}",
            path=path,
            remedy="make room or see to the permissions, and write it again.",
        ) from error


def _write_hdf5(
    path: Path,
    images: Mapping[str, np.ndarray],
    units: Mapping[str, str],
    about: Mapping[str, Any],
) -> None:
    with new_hdf5(path, sum(each.nbytes for each in images.values())) as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "default": "data"})
        data = entry.create_group("data")
        data.attrs.update({"NX_class": "NXdata", "signal": list(images)[-1]})
        for name, pixels in images.items():
            data.create_dataset(name, data=pixels).attrs["units"] = units[name]
        notes = entry.create_group("about")
        notes.attrs["NX_class"] = "NXcollection"
        for name, value in about.items():
            notes.create_dataset(name, data=value)
