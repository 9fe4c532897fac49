"""Data Exchange files as they come: where the frames are, their order, angles and the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ...documents.images.contents import Contents, never_written
from ...documents.images.opening import opened
from ...errors import AdsupportError, ImageFileError
from ..dataexchange.matching import rotation_angles
from ..dataexchange.texts import AXES, other_axes, units_of
from ..dataexchange.writer import DATASETS
from ..tomography.angles import degrees_per_unit
from ..tomography.frames import INVALID, MOST_FRAMES, FrameKind
from ..tomography.kinds import FRAME_TYPES
from .dx_values import about_scan, dataset_at
from .entry import IN_ORDER, About

__all__ = ["DXStacks", "read_dx"]

#: Datasets of frames, and of their angles.
_IMAGES = {
    kind: (f"/exchange/{DATASETS[kind][0]}", f"/exchange/{DATASETS[kind][1]}")
    for kind in (FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION)
}
_PROJECTIONS = _IMAGES[FrameKind.PROJECTION][0]
#: Where each frame has gone, in the order of acquisition: of layouts of the Advanced Photon Source.
_LOCATIONS = ("/defaults/HDF5FrameLocation", "/defaults/SaveDest")
#: The kind of each frame, in the order of acquisition: as adsupport writes it.
_IMAGE_KEY = "/process/acquisition/image_key"


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
        (n,), int8: :class:`FrameKind` of each frame, or :data:`INVALID`, in the order of
        acquisition as far as it's known.
    angles : numpy.ndarray
        (n,), float64: degrees; NaN for flats and darks whose angles aren't known.
    order : str
        In which order the frames are, a sentence.
    units : str
        Of the images; empty when the file doesn't tell.
    about : About
        The rest.
    """

    path: Path
    contents: dict[FrameKind, Contents]
    image_key: np.ndarray
    angles: np.ndarray
    order: str
    units: str
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
        stacks = _stack_of(self.image_key)
        ends = np.flatnonzero(np.diff(stacks, append=-1)) + 1
        done = dict.fromkeys(FrameKind, 0)
        start = 0
        for end in ends.tolist():
            kind = FrameKind(stacks[start])
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
        try:
            return _read_stacks(path, file)
        except AdsupportError:
            raise
        except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
            raise ImageFileError(
                f"{path} can't be read: {error}.",
                path=path,
                remedy="It's damaged: compare it with a copy.",
            ) from error


def _read_stacks(path: Path, file: h5py.File) -> DXStacks:
    contents = {
        kind: found
        for kind, (address, _) in _IMAGES.items()
        if (found := _contents(path, file, address)) is not None
    }
    if FrameKind.PROJECTION not in contents:
        raise ImageFileError(
            f"{path} has no images at {_PROJECTIONS}; expected a Data Exchange file. It has "
            f"{', '.join(sorted(file)[:10]) or 'nothing'}.",
            path=path,
            remedy="A file that was written by an IOC needs an HDF5 layout for Data Exchange.",
        )
    held = {kind: each for kind, each in contents.items() if each.frames}
    _check_equal(path, held)
    counts = {kind: each.frames for kind, each in contents.items()}
    order, image_key = IN_ORDER, _order(file, counts)
    if image_key is None:
        order = "The order of acquisition isn't known: darks, flats, projections."
        image_key = np.repeat(np.array(list(counts), np.int8), list(counts.values()))
    angles, stacks = np.full(len(image_key), np.nan), _stack_of(image_key)
    for kind, count in counts.items():
        angles[stacks == kind] = _angles(path, file, kind, count)
    images = dataset_at(file, _PROJECTIONS)
    units = "" if images is None else units_of(images)
    return DXStacks(path, held, image_key, angles, order, units, about_scan(file))


def _contents(path: Path, file: h5py.File, address: str) -> Contents | None:
    found = dataset_at(file, address)
    if found is None:
        if file.get(address, getlink=True) is not None:
            raise ImageFileError(
                f"{path} has no array at {address}, or a link there that leads nowhere.",
                path=path,
                remedy="Bring the file that it leads to, or remove the link.",
            )
        return None
    shape = found.shape
    if len(shape) not in (2, 3) or found.dtype.kind not in "iuf":
        raise ImageFileError(
            f"{path} has {found.dtype} of shape {shape} at {address}; expected numbers of shape "
            "(frames, Y, X), or one frame.",
            path=path,
        )
    axes = other_axes(found)
    if axes and len(shape) == 3:
        raise ImageFileError(
            f"{path} has the axes {axes!r} at {address}; expected {AXES!r}.",
            path=path,
            remedy="Sinograms can't be shown as frames without a copy.",
        )
    stacked = len(shape) == 3
    frames = shape[0] if stacked else 1
    if frames > MOST_FRAMES:
        raise ImageFileError(
            f"{path} has {frames} frames at {address}; expected at most {MOST_FRAMES}.",
            path=path,
        )
    if frames == 1 and never_written(found):
        frames = 0
    return Contents(frames, shape[-2:], found.dtype, stacked)


def _check_equal(path: Path, contents: dict[FrameKind, Contents]) -> None:
    if not contents:
        raise ImageFileError(
            f"{path} has no frames at {_PROJECTIONS}.",
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
    """Tell what each frame is in the order of acquisition; None when the file doesn't."""
    total = sum(counts.values())
    for address in (_IMAGE_KEY, *_LOCATIONS):
        found = dataset_at(file, address)
        if found is not None:
            break
    else:
        return None
    numbers = address == _IMAGE_KEY
    if found.size != total or found.dtype.kind not in ("iu" if numbers else "SOUiu"):
        return None
    key = np.ravel(found[()])
    key = key if numbers else _kinds(key)
    # Counts that differ tell of frames that were lost, or of a destination that came too late.
    if any(np.count_nonzero(_stack_of(key) == kind) != count for kind, count in counts.items()):
        return None
    return key.astype(np.int8)


def _stack_of(key: np.ndarray) -> np.ndarray:
    """Tell where each frame is: a blank one, in place of a lost one, is among the projections."""
    return np.where(key == INVALID, FrameKind.PROJECTION, key)


def _kinds(locations: np.ndarray) -> np.ndarray:
    # A frame whose destination is no dataset goes to that of the projections.
    texts = locations.astype("S")
    found = np.full(len(locations), FrameKind.PROJECTION, np.int8)
    for name, kind in FRAME_TYPES.items():
        found[texts == name.encode()] = kind
    return found


def _angles(path: Path, file: h5py.File, kind: FrameKind, count: int) -> np.ndarray | float:
    address = _IMAGES[kind][1]
    found = dataset_at(file, address)
    if found is not None:
        units = units_of(found)
        scale = degrees_per_unit(units)
        if scale is None or found.dtype.kind not in "iuf" or found.size != count:
            raise ImageFileError(
                f"{path} has {found.size} {found.dtype} in {units or 'degrees'} at {address}; "
                f"expected an angle for each of the {count} frames at {_IMAGES[kind][0]}.",
                path=path,
                remedy="adsupport.callbacks.dataexchange.finish_dx writes the right ones.",
            )
        return np.ravel(found[()]).astype(np.float64) * scale
    if kind != FrameKind.PROJECTION or not count:
        return np.nan
    planned = rotation_angles(file)
    # One frame that is missing would shift the angles of those behind it.
    if planned is not None and len(planned) == count:
        return planned
    raise ImageFileError(
        f"{path} has no angles at {address}, nor start, step and num_angles in "
        f"/process/acquisition/rotation that tell them for {count} projections.",
        path=path,
        remedy="adsupport.callbacks.dataexchange.finish_dx writes them.",
    )
