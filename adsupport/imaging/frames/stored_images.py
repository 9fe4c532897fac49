"""The acquisitions in files of images that no documents tell of: Data Exchange, and TIFF sets."""

from __future__ import annotations

import json
import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import h5py
import numpy as np

from ...documents.images.formats import file_pixels
from ...documents.images.opening import check_given_file, opened
from ...errors import ImageFileError
from .arrival import Arrival
from .frame import StreamAbout
from .replay import StoredAcquisition

__all__ = ["dx_acquisitions", "tiff_acquisitions"]

#: Streams by their address in a Data Exchange file, in the order in which they are played.
_EXCHANGE = {
    "darks": "/exchange/data_dark",
    "flats": "/exchange/data_white",
    "primary": "/exchange/data",
}
#: Directories of a data set as concert and DirectoryWalker name them.
_DIRECTORIES = {"darks": "darks", "flats": "flats", "primary": "radios"}


def dx_acquisitions(path: str | os.PathLike[str]) -> list[StoredAcquisition]:
    """List what a Data Exchange file has: darks, flats and projections.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    list of StoredAcquisition
        Streams ``darks``, ``flats`` and ``primary``, as far as there are frames.  Projections
        have the angles of ``/exchange/theta``, in degrees.

    Raises
    ------
    ImageFileError
        It isn't such a file.
    """
    file_path = pathlib.Path(path)
    check_given_file(file_path, "Data Exchange file")
    found = []
    with opened(file_path) as file:
        for stream, address in _EXCHANGE.items():
            data: Any = file.get(address)
            if not isinstance(data, h5py.Dataset) or not data.shape or not data.shape[0]:
                continue
            if data.ndim != 3:
                raise ImageFileError(
                    f"{file_path} has {data.shape} at {address}; expected (n, Y, X).",
                    path=file_path,
                )
            frames = int(data.shape[0])
            angles = _theta(file, frames) if stream == "primary" else ()
            found.append(
                StoredAcquisition(
                    StreamAbout("", stream, frames, {"file": str(file_path)}, angles),
                    partial(_read_stack, file_path, address, frames),
                )
            )
    if not found:
        raise ImageFileError(
            f"{file_path} has no frames at {', '.join(_EXCHANGE.values())}.",
            path=file_path,
            remedy="Give a Data Exchange file.",
        )
    return found


def tiff_acquisitions(
    files: str | os.PathLike[str] | Mapping[str, str | os.PathLike[str] | Iterable[Any]],
) -> list[StoredAcquisition]:
    """List what sets of TIFF files have, an image a file.

    Files are played in the order of the numbers in their names.  Ids, angles and times are those
    that :class:`~adsupport.imaging.addons.ImageWriter` notes in each file.

    Parameters
    ----------
    files : path, or mapping of str to path or paths
        A directory with ``darks``, ``flats`` and ``radios``; or by stream a directory or files.

    Returns
    -------
    list of StoredAcquisition
        One for each stream, in the order given.

    Raises
    ------
    ImageFileError
        There are no files.
    """
    if isinstance(files, Mapping):
        sets = {stream: _tiffs(given) for stream, given in files.items()}
    else:
        root = pathlib.Path(files)
        sets = {
            stream: _tiffs(root / name)
            for stream, name in _DIRECTORIES.items()
            if (root / name).is_dir()
        }
    if not sets or not all(sets.values()):
        lacking = next((stream for stream, paths in sets.items() if not paths), None)
        raise ImageFileError(
            f"No TIFF files were found{'' if lacking is None else f' for stream {lacking!r}'}.",
            remedy="Give a directory with darks, flats and radios, or {'primary': directory}.",
        )
    return [
        StoredAcquisition(StreamAbout("", stream, len(paths)), partial(_read_tiffs, paths))
        for stream, paths in sets.items()
    ]


def _theta(file: h5py.File, frames: int) -> tuple[float, ...]:
    found: Any = file.get("/exchange/theta")
    if not isinstance(found, h5py.Dataset) or found.shape != (frames,):
        return ()
    return tuple(map(float, found[()]))


def _read_stack(path: pathlib.Path, address: str, frames: int) -> Iterator[Arrival]:
    with opened(path) as file:
        data: Any = file[address]
        for index in range(frames):
            try:
                image = np.asarray(data[index])
            except (OSError, RuntimeError) as error:
                raise ImageFileError(
                    f"Frame {index} of {path} can't be read at {address}: {error}.", path=path
                ) from error
            yield Arrival(lambda image=image: image, stored=False, place=index)


def _tiffs(given: Any) -> list[pathlib.Path]:
    if not isinstance(given, str | os.PathLike):
        return [pathlib.Path(each) for each in given]
    root = pathlib.Path(given)
    found = [each for each in root.glob("*") if each.suffix.lower() in (".tif", ".tiff")]
    return sorted(found, key=_by_number)


def _by_number(path: pathlib.Path) -> list[Any]:
    parts = re.split(r"(\d+)", path.name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def _read_tiffs(paths: list[pathlib.Path]) -> Iterator[Arrival]:
    for path in paths:
        image = file_pixels("tiff", path)
        about = _description(path)
        yield Arrival(
            lambda image=image: image,
            stored=False,
            unique_id=about.get("unique_id"),
            angle=about.get("angle"),
            timestamp=about.get("timestamp"),
        )


def _description(path: pathlib.Path) -> dict[str, Any]:
    """Read what an ImageWriter noted; nothing from files of others."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        text = getattr(file.pages.first, "description", "")
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    numbers = {"unique_id": int, "angle": (int, float), "timestamp": (int, float)}
    return {
        key: found[key]
        for key, kind in numbers.items()
        if isinstance(found.get(key), kind) and not isinstance(found[key], bool)
    }
