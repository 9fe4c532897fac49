"""Our own judge of NXstxm files: the definition's XML, the base classes', and its words."""

from __future__ import annotations

from pathlib import Path

import h5py

from .nxdl import application
from .nxdl_rules import application_faults, base_class_faults, children_of
from .stxm_layout import layout_faults

__all__ = ["violations"]


def violations(path: Path | str, *, older_attributes: bool = False) -> list[str]:
    """Get what a file has against NXstxm, a sentence each.

    Parameters
    ----------
    path : path-like
        The file.
    older_attributes : bool
        Let datasets have NX_class, as ``compat="cls"`` writes them.
    """
    with h5py.File(path) as file:
        entries = children_of(file, "NXentry")
        found = [] if entries else [f"{file.name}: no NXentry"]
        found += _default_faults(file)
        for entry in entries:
            found += application_faults(entry, application("NXstxm"))
            found += base_class_faults(entry)
            found += layout_faults(entry)
        if not older_attributes:
            file.visititems(lambda name, item: found.extend(_class_on_dataset(item)))
    return list(dict.fromkeys(found))


def _class_on_dataset(item: h5py.Group | h5py.Dataset) -> list[str]:
    if isinstance(item, h5py.Dataset) and "NX_class" in item.attrs:
        return [f"{item.name}@NX_class: on a dataset"]
    return []


def _default_faults(file: h5py.File) -> list[str]:
    """``@default`` leads from the file to what is to be plotted, for viewers."""
    entry = file.get(str(file.attrs.get("default", "?")))
    plot = entry.get(str(entry.attrs.get("default", "?"))) if entry is not None else None
    return [] if plot is not None else [f"{file.name}@default: doesn't lead to an NXdata"]
