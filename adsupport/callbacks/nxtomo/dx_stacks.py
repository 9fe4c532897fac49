"""Data Exchange files as they come: where the frames are, their order, angles and the rest."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...documents.images.contents import Contents
from ...documents.images.opening import opened
from ...errors import ImageFileError
from ..tomography.angles import degrees_per_unit
from ..tomography.frames import FrameKind
from ..tomography.kinds import FRAME_TYPES
from .entry import IN_ORDER, About

__all__ = ["DXStacks", "read_dx"]

#: Datasets of frames, and of their angles.
_IMAGES = {
    FrameKind.DARK: ("/exchange/data_dark", "/exchange/theta_dark"),
    FrameKind.FLAT: ("/exchange/data_white", "/exchange/theta_white"),
    FrameKind.PROJECTION: ("/exchange/data", "/exchange/theta"),
}
#: Where each frame has gone, in the order of acquisition: of layouts of the Advanced Photon Source.
_LOCATIONS = ("/defaults/HDF5FrameLocation", "/defaults/SaveDest")
#: The kind of each frame, in the order of acquisition: as adsupport writes it.
_IMAGE_KEY = "/process/acquisition/image_key"
#: Where the rotation began, and its step: tomoscan's names, and those of dxchange.
_ROTATION = "/process/acquisition/rotation"
_STARTS = (("start", "step"), ("rotation_start", "rotation_step"))

_AXES = "theta:y:x"


@dataclass(frozen=True)
class DXStacks:
    """What a Data Exchange file has of a scan.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    contents : dict of FrameKind to Contents
        What each dataset holds; only those with frames.
    image_key : numpy.ndarray
        (n,), int8: :class:`FrameKind` of each frame, in the order of acquisition as far as it's
        known.
    angles : numpy.ndarray
        (n,), float64: degrees; NaN for flats and darks whose angles aren't known.
    order : str
        In which order the frames are, a sentence.
    about : About
        The rest.
    """

    path: Path
    contents: dict[FrameKind, Contents]
    image_key: np.ndarray
    angles: np.ndarray
    order: str
    about: About

    @staticmethod
    def address(kind: FrameKind) -> str:
        """Return where the frames of a kind are."""
        return _IMAGES[kind][0]

    def runs(self) -> Iterator[tuple[FrameKind, int, int, int]]:
        """Yield frames of one kind that were taken one after the other.

        Yields
        ------
        tuple of FrameKind and int
            Kind, index of the first one in its dataset, number, and index of the first one among
            all frames.
        """
        ends = np.flatnonzero(np.diff(self.image_key, append=-1)) + 1
        done = dict.fromkeys(FrameKind, 0)
        start = 0
        for end in ends.tolist():
            kind = FrameKind(self.image_key[start])
            yield kind, done[kind], end - start, start
            done[kind] += end - start
            start = end


def read_dx(path: Path) -> DXStacks:
    """Look at a Data Exchange file, and not at its images.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    DXStacks
        What it has.

    Raises
    ------
    ImageFileError
        It's missing or damaged, is no Data Exchange file, or one whose frames or angles don't fit
        together.
    """
    with opened(path) as file:
        contents = {
            kind: found
            for kind, (address, _) in _IMAGES.items()
            if (found := _contents(path, file, address)) is not None
        }
        if FrameKind.PROJECTION not in contents:
            raise ImageFileError(
                f"{path} has no images at /exchange/data; expected a Data Exchange file. It has "
                f"{', '.join(sorted(file)[:10]) or 'nothing'}.",
                path=path,
                remedy="A file that was written by an IOC needs an HDF5 layout for Data Exchange.",
            )
        held = {kind: each for kind, each in contents.items() if each.frames}
        _check_equal(path, held)
        counts = {kind: each.frames for kind, each in contents.items()}
        image_key = _order(file, counts)
        order = IN_ORDER
        if image_key is None:
            order = "The order of acquisition isn't known: darks, flats, projections."
            image_key = np.repeat(np.array(list(counts), np.int8), list(counts.values()))
        angles = np.full(len(image_key), np.nan)
        for kind, count in counts.items():
            angles[image_key == kind] = _angles(path, file, kind, count)
        return DXStacks(path, held, image_key, angles, order, _about(file))


def _contents(path: Path, file: h5py.File, address: str) -> Contents | None:
    found = _get(file, address)
    if found is None:
        return None
    shape, axes = found.shape, _text(found.attrs.get("axes"))
    if len(shape) not in (2, 3) or found.dtype.kind not in "iuf":
        raise ImageFileError(
            f"{path} has {found.dtype} of shape {shape} at {address}; expected numbers of shape "
            "(frames, Y, X), or one frame.",
            path=path,
        )
    if ":" in axes and axes.replace(" ", "").lower() != _AXES and len(shape) == 3:
        raise ImageFileError(
            f"{path} has the axes {axes!r} at {address}; expected {_AXES!r}.",
            path=path,
            remedy="Sinograms can't be shown as frames without a copy.",
        )
    stacked = len(shape) == 3
    return Contents(
        shape[0] if stacked else 1, shape[1:] if stacked else shape, found.dtype, stacked
    )


def _check_equal(path: Path, contents: dict[FrameKind, Contents]) -> None:
    if not contents:
        raise ImageFileError(
            f"{path} has no frames at {_IMAGES[FrameKind.PROJECTION][0]}.",
            path=path,
            remedy="Nothing was acquired.",
        )
    first, wanted = next(iter(contents.items()))
    for kind, each in contents.items():
        if each.shape != wanted.shape:
            raise ImageFileError(
                f"{path} has frames of {each.shape} at {_IMAGES[kind][0]}, and of {wanted.shape} "
                f"at {_IMAGES[first][0]}; expected one shape for all.",
                path=path,
                remedy="The camera's region was changed during the scan.",
            )


def _order(file: h5py.File, counts: dict[FrameKind, int]) -> np.ndarray | None:
    """Tell the kind of each frame in the order of acquisition; None when the file doesn't."""
    keys = _get(file, _IMAGE_KEY)
    found = None if keys is None else np.ravel(keys[()])
    for address in _LOCATIONS:
        locations = _get(file, address)
        if found is None and locations is not None:
            found = _kinds(np.ravel(locations[()]))
    known = {kind: int(np.count_nonzero(found == kind)) for kind in counts}
    # Counts that differ tell of frames that were lost, or of a destination that came too late.
    if found is None or known != counts or len(found) != sum(counts.values()):
        return None
    return found.astype(np.int8)


def _kinds(locations: np.ndarray) -> np.ndarray:
    texts, found = locations.astype("S"), np.full(len(locations), -1, np.int8)
    for name, kind in FRAME_TYPES.items():
        found[texts == name.encode()] = kind
    return found


def _angles(path: Path, file: h5py.File, kind: FrameKind, count: int) -> np.ndarray | float:
    address = _IMAGES[kind][1]
    found = _get(file, address)
    if found is not None:
        scale = degrees_per_unit(_text(found.attrs.get("units")))
        if scale is None or found.dtype.kind not in "iuf" or found.size != count:
            raise ImageFileError(
                f"{path} has {found.size} {found.dtype} in "
                f"{_text(found.attrs.get('units')) or 'degrees'} at {address}; expected an angle "
                f"for each of the {count} frames at {_IMAGES[kind][0]}.",
                path=path,
                remedy="adsupport.callbacks.dataexchange.finish_dx writes the right ones.",
            )
        return np.ravel(found[()]).astype(np.float64) * scale
    if kind != FrameKind.PROJECTION or not count:
        return np.nan
    for names in _STARTS:
        first, step = (_number(_get(file, f"{_ROTATION}/{name}")) for name in names)
        planned = _number(_get(file, f"{_ROTATION}/num_angles"))
        # One frame that is missing would shift the angles of those behind it.
        if first is not None and step is not None and planned == count:
            return first + step * np.arange(count)
    raise ImageFileError(
        f"{path} has no angles at {address}, nor start, step and num_angles at {_ROTATION} that "
        f"tell them for {count} projections.",
        path=path,
        remedy="adsupport.callbacks.dataexchange.finish_dx writes them.",
    )


def _about(file: h5py.File) -> About:
    measured, sizes = "/measurement/instrument", {}
    for name in ("x", "y"):
        for address in (f"pixel_size_{name}", "pixel_size"):
            found = _get(file, f"{measured}/detector/{address}")
            value = _number(found)
            if found is not None and value is not None and value > 0:
                sizes[f"{name}_pixel_size"] = value, _text(found.attrs.get("units")) or "m"
                break
    return About(
        title=_read(file, "/exchange/name", "/measurement/sample/experiment/title"),
        start_time=_time(_read(file, "/process/acquisition/start_date")),
        end_time=_time(_read(file, "/process/acquisition/end_date")),
        sample=_read(file, "/measurement/sample/name"),
        instrument=_read(file, f"{measured}/name"),
        source=_read(file, f"{measured}/source/name"),
        pixel_sizes=sizes,
    )


def _get(file: h5py.File, address: str) -> h5py.Dataset | None:
    """Return the array at an address; None when nothing is there, or a link leads nowhere."""
    try:
        found: Any = file.get(address)
    except (KeyError, OSError, RuntimeError):
        return None
    return found if isinstance(found, h5py.Dataset) and found.shape is not None else None


def _read(file: h5py.File, *addresses: str) -> str:
    for address in addresses:
        found = _get(file, address)
        if found is not None and found.size == 1:
            text = _text(np.ravel(found[()])[0])
            if text:
                return text
    return ""


def _number(found: h5py.Dataset | None) -> float | None:
    if found is None or found.size != 1 or found.dtype.kind not in "iuf":
        return None
    return float(np.ravel(found[()])[0])


def _text(found: Any) -> str:
    if isinstance(found, np.ndarray) and found.size == 1:
        found = found.ravel()[0]
    if isinstance(found, bytes):
        found = found.partition(b"\0")[0].decode(errors="replace")
    return found.strip() if isinstance(found, str) else ""


def _time(text: str) -> str:
    """Return a time as NeXus has it; empty for what can't be told for sure."""
    try:
        return datetime.datetime.fromisoformat(text).isoformat()
    except ValueError:
        return ""
