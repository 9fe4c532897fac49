"""A check of NeXus files: what the plot needs, and links that say where they lead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

__all__ = ["check_nexus"]


def check_nexus(path: str | os.PathLike[str]) -> list[str]:
    """Check what other judges of NeXus files don't look at.

    ``@default`` leads to a group; ``@signal`` names a dataset; ``@axes`` names as many datasets
    as the signal has dimensions (``"."`` for none), each as long as its dimension, and so do
    ``@*_indices`` and ``@auxiliary_signals``; ``@target`` is an address of the very same object;
    no link leads nowhere; ``@NX_class`` begins with NX.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    list of str
        What is wrong, each with its address; empty when nothing is.

    Raises
    ------
    OSError
        The file can't be read as HDF5.
    """
    with h5py.File(path, "r") as file:
        return list(_group(file, set()))


def _group(group: h5py.Group, seen: set[Any]) -> Iterator[str]:
    if group.id in seen:
        return
    seen.add(group.id)
    nx_class = _text(group.attrs.get("NX_class"))
    if nx_class is not None and not nx_class.startswith("NX"):
        yield f"{group.name}: @NX_class is {nx_class!r}."
    default = _text(group.attrs.get("default"))
    if default is not None and default not in group:
        yield f"{group.name}: @default is {default!r}, which isn't in it."
    yield from _target(group)
    if nx_class == "NXdata":
        yield from _data(group)
    for name in group:
        try:
            item = group[name]
        except (KeyError, OSError) as error:
            yield f"{group.name}: {name!r} leads nowhere: {error}."
            continue
        if isinstance(item, h5py.Group):
            yield from _group(item, seen)
        elif isinstance(item, h5py.Dataset):
            yield from _target(item)
            yield from _sources(item)


def _target(item: h5py.Group | h5py.Dataset) -> Iterator[str]:
    target = _text(item.attrs.get("target"))
    if target is None:
        return
    try:
        found: Any = item.file.get(target)
    except (KeyError, OSError):
        found = None
    if found is None or found.id != item.id:
        yield f"{item.name}: @target is {target!r}, which isn't this object."


def _sources(item: h5py.Dataset) -> Iterator[str]:
    if not item.is_virtual:
        return
    directory = os.path.dirname(os.path.realpath(item.file.filename))
    for name in sorted({each.file_name for each in item.virtual_sources()} - {"."}):
        # A percent sign stands for itself when it's doubled.
        if not os.path.exists(os.path.join(directory, name.replace("%%", "%"))):
            yield f"{item.name}: its data are in {name}, which isn't there."


def _data(group: h5py.Group) -> Iterator[str]:
    signal = _text(group.attrs.get("signal"))
    axes = _names(group.attrs.get("axes"))
    if signal is None:
        if axes:
            yield f"{group.name}: @axes without @signal."
        return
    found = _dataset(group, signal)
    if found is None:
        yield f"{group.name}: @signal is {signal!r}, and there is no such dataset."
        return
    shape = found.shape
    if axes and len(axes) != len(shape):
        yield (
            f"{group.name}: @axes names {len(axes)} axes, and {signal!r} has "
            f"{len(shape)} dimensions."
        )
    for dimension, name in enumerate(axes):
        if name != "." and f"{name}_indices" not in group.attrs:
            yield from _axis(group, name, (dimension,), shape)
    for name in group.attrs:
        if str(name).endswith("_indices"):
            given: Any = group.attrs[name]
            indices = tuple(int(each) for each in np.ravel(given))
            yield from _axis(group, str(name).removesuffix("_indices"), indices, shape)
    for name in _names(group.attrs.get("auxiliary_signals")):
        other = _dataset(group, name)
        if other is None or other.shape != shape:
            yield f"{group.name}: auxiliary signal {name!r} isn't a dataset of shape {shape}."


def _axis(
    group: h5py.Group, name: str, dimensions: tuple[int, ...], shape: tuple[int, ...]
) -> Iterator[str]:
    axis = _dataset(group, name)
    if axis is None:
        yield f"{group.name}: the axis {name!r} isn't a dataset in it."
        return
    if any(each >= len(shape) for each in dimensions):
        yield f"{group.name}: the axis {name!r} is of dimension {dimensions} of {len(shape)}."
        return
    expected = tuple(shape[each] for each in dimensions)
    # Bins have one edge more than the signal has values.
    edges = tuple(each + 1 for each in expected) if len(expected) == 1 else expected
    if axis.shape not in (expected, edges):
        yield f"{group.name}: the axis {name!r} has the shape {axis.shape}; expected {expected}."


def _dataset(group: h5py.Group, name: str) -> h5py.Dataset | None:
    try:
        found = group.get(name)
    except (KeyError, OSError):
        return None
    return found if isinstance(found, h5py.Dataset) else None


def _text(found: Any) -> str | None:
    if isinstance(found, bytes):
        return found.decode(errors="replace")
    return found if isinstance(found, str) else None


def _names(found: Any) -> list[str]:
    if found is None:
        return []
    return [_text(each) or str(each) for each in np.ravel(found)]
