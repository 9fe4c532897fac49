"""Frames of an area detector in the final file: by reference to the files that have them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py

from ..parts.reader import PartReader
from .entry_plan import EntryPlan

__all__ = ["link_frames"]


def link_frames(plan: EntryPlan, key: str, group: h5py.Group) -> h5py.Dataset | None:
    """Refer to the frames of all runs of an entry, one after the other.

    Parameters
    ----------
    plan : EntryPlan
        The entry; a part refers to its images by a virtual dataset.
    key : str
        The data key.
    group : h5py.Group
        Gets the dataset ``data``: (points, ``*shape of a frame``).

    Returns
    -------
    h5py.Dataset or None
        None when they're to be copied: they came within the documents, or those of several
        regions take turns.
    """
    about = plan.column(key)
    takes_turns = plan.turn is not None and len(plan.request.regions) > 1
    if takes_turns or len(about.shape) < 2 or any(key not in each.columns for each in plan.parts):
        return None
    create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    shape = (plan.points, *about.shape)
    start = 0
    for each in plan.parts:
        with PartReader(each.path) as part:
            found = None if part.primary is None else part.primary.columns[key].dataset
            if found is None or not found.is_virtual:
                return None
            for source in found.virtual_sources():
                space = _placed(source.vspace, found.shape, start, shape)
                if space is None:
                    return None
                name = _seen_from(each.path, source.file_name, group.file.filename)
                create.set_virtual(space, name, source.dset_name.encode(), source.src_space)
        start += each.points[0]
    kind = h5py.h5t.py_create(about.dtype)
    made = h5py.h5d.create(group.id, b"data", kind, h5py.h5s.create_simple(shape), create)
    return h5py.Dataset(made)


def _placed(
    rows: Any, of_part: tuple[int, ...], start: int, shape: tuple[int, ...]
) -> h5py.h5s.SpaceID | None:
    """Select the points of some rows, behind the points that are there; None if it can't be."""
    first, stride, count, block = rows.get_regular_hyperslab()
    # A row has an axis for its frames: those of a line, or a single one.
    extra = len(of_part) - len(shape)
    width = of_part[1] if extra else 1
    if width > 1:
        lines, frames = (
            count[axis] * block[axis] if count[axis] == 1 or stride[axis] == block[axis] else None
            for axis in (0, 1)
        )
        if lines is None or frames is None or not (frames == width or lines == 1):
            return None
        begin, step, times, size = first[0] * width + first[1], 1, 1, lines * frames
    else:
        begin, step, times, size = first[0], stride[0], count[0], block[0]
    space = h5py.h5s.create_simple(shape)
    space.select_hyperslab(
        (begin + start, *first[1 + extra :]),
        (times, *count[1 + extra :]),
        (step, *stride[1 + extra :]),
        (size, *block[1 + extra :]),
    )
    return space


def _seen_from(part: Path, name: str, target: str) -> bytes:
    """Make a part's name for a file what it is from the directory of another file."""
    if name != "." and not os.path.isabs(name):
        where = os.path.join(part.parent, name.replace("%%", "%"))
        name = os.path.relpath(where, os.path.dirname(target)).replace("%", "%%")
    return os.fsencode(name)
