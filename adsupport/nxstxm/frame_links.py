"""Frames of an area detector in the final file: by reference to the files that have them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py

from .entry_plan import EntryPlan
from .part_reader import PartReader

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
        None when the frames came within the documents: these are to be copied.
    """
    about = plan.column(key)
    if len(about.shape) < 2 or any(key not in each.columns for each in plan.parts):
        return None
    create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    whole = h5py.h5s.create_simple((plan.points, *about.shape))
    start = 0
    for each in plan.parts:
        with PartReader(each.path) as part:
            found = None if part.primary is None else part.primary.columns[key].dataset
            if found is None or not found.is_virtual:
                return None
            _add(create, found, start, (plan.points, *about.shape), each.path, group.file.filename)
        start += each.points[0]
    kind = h5py.h5t.py_create(about.dtype)
    made = h5py.h5d.create(group.id, b"data", kind, whole, create)
    return h5py.Dataset(made)


def _add(
    create: Any, found: h5py.Dataset, start: int, shape: tuple[int, ...], part: Path, target: str
) -> None:
    """Take a part's sources over, behind the frames that are there."""
    for source in found.virtual_sources():
        first, stride, count, block = source.vspace.get_regular_hyperslab()
        # A row's only frame has an axis to itself in the part.
        extra = len(first) - len(shape)
        space = h5py.h5s.create_simple(shape)
        space.select_hyperslab(
            (first[0] + start, *first[1 + extra :]),
            (count[0], *count[1 + extra :]),
            (stride[0], *stride[1 + extra :]),
            (block[0], *block[1 + extra :]),
        )
        name = source.file_name
        if name != "." and not os.path.isabs(name):
            where = os.path.join(part.parent, name.replace("%%", "%"))
            name = os.path.relpath(where, os.path.dirname(target)).replace("%", "%%")
        create.set_virtual(space, os.fsencode(name), source.dset_name.encode(), source.src_space)
