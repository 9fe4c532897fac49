"""What a Data Exchange file holds, and that it is there: of missing pixels HDF5 makes zeros."""

from __future__ import annotations

import math
import pathlib
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from ...callbacks.tomography.angles import degrees_per_unit
from ...documents.images.opening import check_file, opened
from ...errors import ImageFileError

__all__ = ["ADDRESSES", "ExchangeStack", "exchange_stacks"]

#: Streams by their address in a Data Exchange file, in the order in which they are played.
ADDRESSES = {
    "darks": "/exchange/data_dark",
    "flats": "/exchange/data_white",
    "primary": "/exchange/data",
}
_THETA = "/exchange/theta"
#: What each frame is, in files of our own: projection, flat, dark, missing projection.
_KEYS = "/process/acquisition/image_key"
_KINDS = {"darks": (2,), "flats": (1,), "primary": (0, 3)}
_NUMBERS = "buif"


@dataclass(frozen=True)
class ExchangeStack:
    """The frames of one kind.

    Parameters
    ----------
    frames : int
        How many, those included that stand for lost ones.
    angles : tuple of float
        Of each, in degrees, NaN where unknown; empty when the file doesn't say.
    blank : frozenset of int
        Which of them, from 0, only stand for lost ones.
    """

    frames: int
    angles: tuple[float, ...] = ()
    blank: frozenset[int] = frozenset()


def exchange_stacks(path: pathlib.Path) -> dict[str, ExchangeStack]:
    """Tell which frames a file holds, and make sure that it holds their pixels.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict of str to ExchangeStack
        By stream, as far as there are frames.

    Raises
    ------
    ImageFileError
        It can't be read, holds something else there, or pixels are missing.
    """
    found = {}
    with opened(path) as file:
        try:
            keys = _image_keys(file, path)
            for stream, address in ADDRESSES.items():
                data = _stack(file, path, address)
                frames = 0 if data is None else int(data.shape[0])
                own = None if keys is None else keys[np.isin(keys, _KINDS[stream])]
                if own is not None and len(own) != frames:
                    raise ImageFileError(
                        f"{path} has {frames} frames at {address}; expected {len(own)}, as {_KEYS} "
                        "tells.",
                        path=path,
                        remedy="Part of the file is lost, or was changed: write it again.",
                    )
                if data is None or not frames:
                    continue
                blank = frozenset([] if own is None else np.flatnonzero(own == 3).tolist())
                _check_written(data, path, address, blank)
                angles = _theta(file, path, frames) if stream == "primary" else ()
                found[stream] = ExchangeStack(frames, angles, blank)
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            if isinstance(error, ImageFileError):
                raise
            raise ImageFileError(f"{path} can't be read: {error}.", path=path) from error
    return found


def _dataset(file: h5py.File, path: pathlib.Path, address: str) -> h5py.Dataset | None:
    """Find a dataset; None when there is nothing, not even a link that leads nowhere."""
    parent, _, name = address.rpartition("/")
    group: Any = file.get(parent)
    if not isinstance(group, h5py.Group) or group.get(name, getlink=True) is None:
        return None
    try:
        found: Any = group[name]
    except (OSError, RuntimeError, KeyError) as error:
        link = group.get(name, getlink=True)
        where = f" of {link.filename}" if isinstance(link, h5py.ExternalLink) else ""
        raise ImageFileError(
            f"{path} can't be read at {address}{where}: {error}.",
            path=path,
            remedy="The file that it links to has to be where it was when this one was written.",
        ) from error
    if not isinstance(found, h5py.Dataset):
        raise ImageFileError(f"{path} has no dataset at {address}; expected an array.", path=path)
    if found.dtype.kind not in _NUMBERS:
        raise ImageFileError(
            f"{path} holds {found.dtype} at {address}; expected numbers.", path=path
        )
    return found


def _stack(file: h5py.File, path: pathlib.Path, address: str) -> h5py.Dataset | None:
    data = _dataset(file, path, address)
    if data is not None and (data.shape is None or data.ndim != 3 or 0 in data.shape[1:]):
        raise ImageFileError(
            f"{path} has {data.shape} at {address}; expected (n, Y, X).", path=path
        )
    return data


def _image_keys(file: h5py.File, path: pathlib.Path) -> np.ndarray | None:
    keys = _dataset(file, path, _KEYS)
    return None if keys is None or keys.shape is None or keys.ndim != 1 else np.asarray(keys[()])


def _theta(file: h5py.File, path: pathlib.Path, frames: int) -> tuple[float, ...]:
    found = _dataset(file, path, _THETA)
    if found is None:
        return ()
    if found.shape != (frames,):
        raise ImageFileError(
            f"{path} has {found.shape} at {_THETA}; expected an angle for each of {frames} "
            "projections.",
            path=path,
            remedy="Nobody knows which of them belong together: correct it in a copy.",
        )
    units = found.attrs.get("units", "")
    units = units.decode(errors="replace") if isinstance(units, bytes) else str(units)
    factor = degrees_per_unit(units)
    if factor is None:
        raise ImageFileError(
            f"{path} has angles in {units!r} at {_THETA}; expected degree or rad.", path=path
        )
    angles = np.asarray(found[()], np.float64) * factor
    return tuple(np.where(np.isfinite(angles), angles, math.nan).tolist())


def _check_written(
    data: h5py.Dataset, path: pathlib.Path, address: str, blank: frozenset[int]
) -> None:
    """Make sure that there are pixels behind all frames but the blank ones."""
    if data.is_virtual:
        _check_sources(data, path, address)
        return
    frames = int(data.shape[0])
    there = _written(data)
    if there is None or len(there) == frames:
        return
    if frames - len(there) > len(blank) or not blank.issuperset(set(range(frames)) - there):
        first = next(each for each in range(frames) if each not in there and each not in blank)
        raise ImageFileError(
            f"{path} has pixels of {len(there)} of {frames} frames at {address}: none were written "
            f"for frame {first}.",
            path=path,
            remedy="Its writer was stopped, or lost frames.",
        )


def _written(data: h5py.Dataset) -> set[int] | None:
    """Tell which frames have been written; None: all of them."""
    if data.external:
        return None
    if data.chunks is None:
        return None if data.id.get_storage_size() else set()
    along = [math.ceil(n / chunk) for n, chunk in zip(data.shape, data.chunks, strict=True)]
    if data.id.get_num_chunks() == math.prod(along):
        return None
    counts: dict[int, int] = {}

    def count(chunk: Any) -> None:
        row = int(chunk.chunk_offset[0])
        counts[row] = counts.get(row, 0) + 1

    data.id.chunk_iter(count)
    whole = [row for row, number in counts.items() if number == math.prod(along[1:])]
    ends = {row: min(row + data.chunks[0], data.shape[0]) for row in whole}
    return {frame for row in whole for frame in range(row, ends[row])}


def _check_sources(data: h5py.Dataset, path: pathlib.Path, address: str) -> None:
    """Make sure of the files of a virtual dataset; of a missing one HDF5 gives zeros."""
    for name, dataset in {(each.file_name, each.dset_name) for each in data.virtual_sources()}:
        if name == "." or "%" in name:
            continue
        source = path.parent / name
        try:
            check_file(source)
            with opened(source) as file:
                known = isinstance(file.get(dataset), h5py.Dataset)
        except ImageFileError as error:
            raise ImageFileError(
                f"{path} has its frames of {address} in another file. {error}",
                path=path,
                remedy="Move both together, or write the file with images='copy'.",
            ) from error
        if not known:
            raise ImageFileError(
                f"{path} has its frames of {address} in {source}, and nothing is there at "
                f"{dataset}.",
                path=path,
            )
