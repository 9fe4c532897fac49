"""Where the frames of a run really are: their files are waited for and looked at."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from ...documents.assets import Asset
from ...documents.images import FrameRows, ImageColumn, wait_for_images
from ...documents.images.opening import opened
from ...errors import ImageFileError
from .gathered import GatheredFrames
from .matching import matched

__all__ = ["Located", "locate"]

#: Where HDF5 files have each frame's unique id: in ADCore's own layout, and in those of APS.
_UNIQUE_IDS = ("/entry/instrument/NDAttributes/NDArrayUniqueId", "/defaults/NDArrayUniqueId")


@dataclass
class Located:
    """Frames in their files.

    Parameters
    ----------
    sources, positions, ids : numpy.ndarray
        See :class:`~.frames.TomoFrames`.
    column : ImageColumn or None
        What the files hold; None when nothing is found.
    notes : list of str
        What is wrong with the files.
    remarks : list of str
        What had to be taken on trust.
    """

    sources: np.ndarray
    positions: np.ndarray
    ids: np.ndarray
    column: ImageColumn | None = None
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def other_formats(self) -> str:
        """Formats of files that HDF5 can't refer to; empty when there are none."""
        pieces = [] if self.column is None else self.column.pieces
        found = {each.asset.format.upper() for each in pieces} - {"HDF5"}
        return f"{' and '.join(sorted(found))} files" if found else ""


def locate(detector: str, gathered: GatheredFrames, table: np.ndarray, rows: FrameRows,
           timeout: float, ids_named: bool = True) -> Located:  # fmt: skip
    """Find frames in their files.

    Parameters
    ----------
    detector : str
        The data key, for messages.
    gathered : GatheredFrames
        Has the files.
    table : numpy.ndarray
        See :meth:`GatheredFrames.table`.
    rows : FrameRows
        The same frames, as the documents have them.
    timeout : float
        How long to wait for the files, in seconds.
    ids_named : bool
        Whether the user has said which data key has the unique ids.  Those that were found
        without are only used where they fit: not all drivers count frames as the camera does.

    Returns
    -------
    Located
        Of each line of the table.

    Raises
    ------
    ImageFileError
        It can't be told which frames a file has, or they are in colour.
    """
    found = Located(table["asset"].astype(np.int64), table["first"].copy(), table["id"].copy())
    column, found.notes = wait_for_images(
        rows, timeout=timeout, missing="placeholder", frame_axis=False
    )
    if column is None:
        found.sources[:] = -1
        return found
    if len(column.frame_shape) != 2:
        raise ImageFileError(
            f"The images of {detector!r} have the shape {column.frame_shape}; expected (Y, X), as "
            "tomography has no place for colours, or stacks in a frame.",
            remedy="Set the camera to ColorMode Mono, or write HDF5 or NeXus files.",
        )
    found.column = column
    held = np.zeros(len(table), np.bool_)
    for piece in column.pieces:
        held[piece.flat : piece.flat + piece.count] = True
    for number, asset in enumerate(gathered.assets):
        own = np.flatnonzero(table["asset"] == number)
        if own.size and asset.kind == "hdf5":
            _look_in_stack(found, own, table, asset, gathered.announced(number), column, ids_named)
        else:
            found.sources[own[~held[own]]] = -1
    return found


def _look_in_stack(found: Located, own: np.ndarray, table: np.ndarray, asset: Asset,
                   announced: int, column: ImageColumn, ids_named: bool) -> None:  # fmt: skip
    """Find frames that are one behind the other in an HDF5 file."""
    contents = column.contents.get((asset.path, asset.dataset))
    if contents is None or not contents.frames:
        found.sources[own] = -1
        return
    ids, lines = _unique_ids(asset.path, contents.frames), table[own]
    wanted = lines["id"] if (lines["id"] >= 0).all() else None
    if ids is None and not ids_named:
        wanted = None

    def match() -> tuple[np.ndarray, str]:
        return matched(
            lines["first"], lines["row"], lines["stream"], wanted, ids, contents.frames, announced
        )

    places, why = match()
    if why and wanted is not None and not ids_named:
        wanted = None
        places, why = match()
    if why:
        raise ImageFileError(
            f"Image file {asset.path}: {why}.",
            path=asset.path,
            remedy="Name a data key with the unique id of each event's last frame, such as the "
            "camera's array counter, by unique_id=<data key>."
            if wanted is None
            else "Leave out unique_id= if its data key doesn't count the frames of this file.",
        )
    found.remarks += _trusted(asset.path, wanted, ids, contents.frames - announced)
    found.positions[own] = places
    found.sources[own[places < 0]] = -1
    if ids is not None:
        seen = own[places >= 0]
        found.ids[seen] = ids[found.positions[seen]]
        if wanted is None and found.ids[own].max() >= 0:  # those of the lost ones follow
            lost = own[places < 0]
            found.ids[lost] = ids[0] + table["first"][lost]


def _unique_ids(path: pathlib.Path, frames: int) -> np.ndarray | None:
    """Read the unique ids of the frames of a file; None when the file hasn't got them."""
    with opened(path) as file:
        for address in _UNIQUE_IDS:
            try:
                found: Any = file.get(address)
                if isinstance(found, h5py.Dataset) and found.shape == (frames,):
                    return found[()].astype(np.int64)
            except (OSError, RuntimeError, ValueError, TypeError) as error:
                raise ImageFileError(
                    f"Image file {path} has unique ids at {address} that can't be read: {error}.",
                    path=path,
                    remedy="The file is damaged: compare it with a copy.",
                ) from error
    return None


def _trusted(path: pathlib.Path, wanted: np.ndarray | None, ids: np.ndarray | None,
             extra: int) -> Iterator[str]:  # fmt: skip
    """Tell what nobody can be sure of when frames aren't matched by ids."""
    if wanted is not None and ids is not None:
        return
    if wanted is not None:
        yield f"{path} has no unique ids: those of the documents are of no use."
    if extra > 0:
        yield (
            f"{path} has {extra} frames more than the documents tell of: they are taken for the "
            "last ones."
        )
    elif not extra and ids is not None and (np.diff(ids) != 1).any():
        yield (
            f"{path} has as many frames as it should, but gaps in their unique ids: they are taken "
            "for frames that the camera made between two rows."
        )
