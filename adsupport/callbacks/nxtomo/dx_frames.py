"""What adsupport's Data Exchange files tell of each frame, for a view of them."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from ...errors import ImageFileError
from ..dataexchange.texts import units_of
from ..nexus.nx_group import nx_group
from ..tomography.frame_table import MISSING_TEXT, Z_TRANSLATION
from ..tomography.frames import MOST_FRAMES
from ..tomography.metadata import Fact, metres_per_unit

__all__ = ["copy_frames", "heights"]

_FRAMES, _MISSING = "/process/acquisition/frames", "/process/acquisition/missing_frames"


def copy_frames(source: h5py.File, entry: h5py.Group, count: int, description: str) -> None:
    """Copy what is told of frames: a number or a text for each, and the same of lost ones.

    Parameters
    ----------
    source : h5py.File
        The Data Exchange file.
    entry : h5py.Group
        Gets ``frames`` and ``missing_frames``, as far as the source has them.
    count : int
        How many frames there are.
    description : str
        In which order, a sentence.

    Raises
    ------
    ImageFileError
        The file is damaged.
    """
    for address, frames, text in ((_FRAMES, count, description), (_MISSING, None, MISSING_TEXT)):
        columns = _columns(source, address, frames)
        if not columns:
            continue
        group = nx_group(entry, address.rpartition("/")[2], "NXcollection")
        group.attrs["description"] = text
        for name, column in columns.items():
            source.copy(column, group, name)


def heights(source: h5py.File, count: int) -> Fact | None:
    """Find where the sample was along the axis of rotation.

    Parameters
    ----------
    source : h5py.File
        The Data Exchange file.
    count : int
        How many frames there are.

    Returns
    -------
    Fact or None
        (count,), with units of length; None when the file doesn't tell.
    """
    columns = _columns(source, _FRAMES, count)
    name = source[_FRAMES].attrs.get(Z_TRANSLATION) if columns else None
    found = columns.get(name) if isinstance(name, str) else None
    if found is None or found.dtype.kind not in "iuf":
        return None
    units = units_of(found)
    return None if metres_per_unit(units) is None else Fact(np.asarray(found[()]), units)


def _columns(source: h5py.File, address: str, count: int | None) -> dict[str, h5py.Dataset]:
    """Find the arrays with a value for each frame, and make sure that they can be read."""
    found = {}
    try:
        group: Any = source.get(address)
        for name in group if isinstance(group, h5py.Group) else ():
            each = group[name] if isinstance(group.get(name, getlink=True), h5py.HardLink) else None
            if not isinstance(each, h5py.Dataset) or each.shape is None or len(each.shape) != 1:
                continue
            size = each.shape[0]
            text = h5py.check_string_dtype(each.dtype) is not None
            fits = size <= MOST_FRAMES if count is None else size == count
            if fits and (text or each.dtype.kind in "iufb"):
                each[()]
                found[name] = each
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ImageFileError(
            f"{source.filename} can't be read at {address}: {error}.",
            path=source.filename,
            remedy="It's damaged: compare it with a copy.",
        ) from error
    return found
