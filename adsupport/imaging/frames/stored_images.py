"""The acquisitions in files of images that no documents tell of: Data Exchange, and TIFF sets."""

from __future__ import annotations

import json
import math
import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from ...documents.images.formats import FileKind, file_kind, file_pixels
from ...documents.images.opening import check_given_file, opened
from ...errors import ImageFileError
from .arrival import Arrival
from .exchange_file import ADDRESSES, ExchangeStack, exchange_stacks
from .frame import StreamAbout
from .replay import StoredAcquisition
from .stored_start import asked_of, directory_start, exchange_start, uid_of

__all__ = ["dx_acquisitions", "tiff_acquisitions"]

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
        have the angles of ``/exchange/theta``, in degrees.  Blank ones that stand for lost frames
        are left out, and count as expected.

    Raises
    ------
    ImageFileError
        It isn't such a file, or pixels are missing: frames that were never written, or those of
        a file that it links to; or there isn't one angle for each projection.
    """
    file_path = pathlib.Path(path)
    check_given_file(file_path, "Data Exchange file")
    stacks, start = exchange_stacks(file_path), exchange_start(file_path)
    uid, md = uid_of(start), {"file": str(file_path), **asked_of(start)}
    found = [
        StoredAcquisition(
            StreamAbout(uid, stream, stack.frames, md, stack.angles, angles_from="recorded"),
            partial(_read_stack, file_path, ADDRESSES[stream], stack),
        )
        for stream, stack in stacks.items()
    ]
    if not found:
        raise ImageFileError(
            f"{file_path} has no frames at {', '.join(ADDRESSES.values())}.",
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
        There are no files, or a directory can't be read.  A file that can't be, or isn't like the
        first one, is told when its turn has come.
    """
    md: dict[str, Any] = {}
    if isinstance(files, Mapping):
        sets = {stream: _tiffs(given) for stream, given in files.items()}
    else:
        root = pathlib.Path(files)
        md = asked_of(directory_start(root))
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
        StoredAcquisition(StreamAbout("", stream, len(paths), md), partial(_read_tiffs, paths))
        for stream, paths in sets.items()
    ]


def _read_stack(path: pathlib.Path, address: str, stack: ExchangeStack) -> Iterator[Arrival]:
    with opened(path) as file:
        for index in range(stack.frames):
            if index in stack.blank:
                continue
            try:
                data: Any = file[address]
                image = np.asarray(data[index])
            except (OSError, RuntimeError, KeyError, ValueError, IndexError, MemoryError) as error:
                raise ImageFileError(
                    f"Frame {index} of {path} can't be read at {address}: {error}.", path=path
                ) from error
            yield Arrival(lambda image=image: image, stored=False, place=index)


def _tiffs(given: Any) -> list[pathlib.Path]:
    if not isinstance(given, str | os.PathLike):
        return [pathlib.Path(each) for each in given]
    root = pathlib.Path(given)
    try:
        found = [each for each in root.iterdir() if each.suffix.lower() in (".tif", ".tiff")]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ImageFileError(
            f"TIFF files can't be looked for in {root}: {error}.",
            path=root,
            remedy="Give a directory that this user can read.",
        ) from error
    return sorted(found, key=_by_number)


def _by_number(path: pathlib.Path) -> list[Any]:
    parts = re.split(r"(\d+)", path.name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def _read_tiffs(paths: list[pathlib.Path]) -> Iterator[Arrival]:
    first: FileKind | None = None
    for path in paths:
        check_given_file(path, "TIFF file")
        found = file_kind("tiff", path, 2)
        first = first or found
        if found.frames > 1:
            raise ImageFileError(
                f"TIFF file {path} has {found.frames} images; expected one a file.",
                path=path,
                remedy="Write a file for each, or a Data Exchange file.",
            )
        wrong = len(found.shape) < 2 or 0 in found.shape or found.dtype.kind not in "buif"
        if wrong or (found.shape, found.dtype) != (first.shape, first.dtype):
            expected = (
                "(Y, X) numbers" if wrong else f"{first.shape} {first.dtype}, as in {paths[0]}"
            )
            raise ImageFileError(
                f"TIFF file {path} has {found.shape} {found.dtype}; expected {expected}.", path=path
            )
        try:
            image = file_pixels("tiff", path)
        except MemoryError as error:
            raise ImageFileError(f"TIFF file {path} can't be read: {error}.", path=path) from error
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
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    numbers = {"unique_id": int, "angle": (int, float), "timestamp": (int, float)}
    return {
        key: found[key]
        for key, kind in numbers.items()
        if isinstance(found.get(key), kind)
        and not isinstance(found[key], bool)
        and math.isfinite(found[key])
    }
