"""The acquisitions in files of images that no documents tell of: Data Exchange, and TIFF sets."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...documents.images.formats import FileKind, file_kind, file_pixels
from ...documents.images.opening import check_given_file, opened
from ...errors import ImageFileError
from .arrival import Arrival
from .exchange_file import ADDRESSES, ExchangeStack, exchange_stacks
from .frame import StreamAbout
from .numbered_files import by_number, running_numbers
from .replay import StoredAcquisition
from .stored_start import asked_of, directory_start, exchange_start, number_of, uid_of

__all__ = ["dx_acquisitions", "tiff_acquisitions"]

_log = logging.getLogger(__name__)

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
    that :class:`~adsupport.imaging.addons.ImageWriter` notes in each file.  Where names of a
    directory have a running number, those that it leaves out count as expected; so do those that
    an experiment of ours was to take, as its ``experiment_start.json`` tells.

    Parameters
    ----------
    files : path, or mapping of str to path or paths
        A directory with ``darks``, ``flats`` and ``radios``; or by stream a directory or files.
        Files that are given one by one are all there are, in this order.

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
        start = directory_start(root)
        md = asked_of(start)
        sets = {
            stream: _tiffs(root / name, number_of(start, stream))
            for stream, name in _DIRECTORIES.items()
            if (root / name).is_dir()
        }
    if not sets or not all(found.paths for found in sets.values()):
        lacking = next((stream for stream, found in sets.items() if not found.paths), None)
        raise ImageFileError(
            f"No TIFF files were found{'' if lacking is None else f' for stream {lacking!r}'}.",
            remedy="Give a directory with darks, flats and radios, or {'primary': directory}.",
        )
    return [
        StoredAcquisition(StreamAbout("", stream, found.expected, md), partial(_read_tiffs, found))
        for stream, found in sets.items()
    ]


@dataclass(frozen=True)
class _Files:
    """The files of an acquisition, which frames they are, and how many there should be."""

    paths: Sequence[pathlib.Path]
    places: Sequence[int | None]
    expected: int


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


def _tiffs(given: Any, told: int | None = None) -> _Files:
    """Find the files of an acquisition, which was to have a number of frames if that's known."""
    if not isinstance(given, str | os.PathLike):
        paths = [pathlib.Path(each) for each in given]
        return _Files(paths, range(len(paths)), len(paths))
    root = pathlib.Path(given)
    try:
        found = [each for each in root.iterdir() if each.suffix.lower() in (".tif", ".tiff")]
    except FileNotFoundError:
        return _Files((), (), 0)
    except (OSError, ValueError) as error:
        raise ImageFileError(
            f"TIFF files can't be looked for in {root}: {error}.",
            path=root,
            remedy="Give a directory that this user can read.",
        ) from error
    paths = sorted(found, key=by_number)
    number = len(paths)
    if number == told or not number:
        return _Files(paths, range(number), number)
    running = running_numbers(paths)
    if running is None:
        _log.info(
            "Names in %s have no running number: nobody knows whether some are missing.", root
        )
        return _Files(paths, [None] * number, max(number, told or 0))
    noted = _number_noted(paths[0], running.first)
    # names that an ImageWriter gave count from the first frame on, which may be missing
    first, step = (running.first, running.step) if noted is None else (running.first - noted, 1)
    places = [(each - first) // step for each in running.numbers]
    expected = max(places[-1] + 1, told or 0)
    if told is not None and expected > told:  # some were taken again, and nobody says which
        return _Files(paths, [None] * number, told if number > told else expected)
    return _Files(paths, places, expected)


def _number_noted(path: pathlib.Path, most: int) -> int | None:
    """Read which image of its data set an ImageWriter noted; what can't be read is told later."""
    with contextlib.suppress(Exception):
        noted = _description(path).get("number")
        return noted if noted is not None and 0 <= noted <= most else None
    return None


def _read_tiffs(files: _Files) -> Iterator[Arrival]:
    first: FileKind | None = None
    for path, place in zip(files.paths, files.places, strict=True):
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
                "(Y, X) numbers"
                if wrong
                else f"{first.shape} {first.dtype}, as in {files.paths[0]}"
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
            place=place,
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
    numbers = {
        "number": int,
        "unique_id": int,
        "angle": (int, float),
        "timestamp": (int, float),
    }
    return {
        key: found[key]
        for key, kind in numbers.items()
        if isinstance(found.get(key), kind)
        and not isinstance(found[key], bool)
        and math.isfinite(found[key])
    }
