"""The content of an HDF5 file as lines of text, in the manner of NeXus browsers."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

__all__ = ["tree_lines"]

_EDGE = 3  # values shown at the start of an axis that is too long to show
_FULL = 6  # axes up to this length are shown whole


def tree_lines(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield the tree of an HDF5 file, one line per group, dataset, attribute or link.

    An object that has two names (the images of an areaDetector file have) is shown once: where
    its ``@target`` says that it's at home, or where it's met first; other names point to it, as
    virtual datasets do to their files.  Only the edges of large datasets are read.

    Parameters
    ----------
    path : str or path
        The file.

    Yields
    ------
    str
        A line, without its end.

    Raises
    ------
    OSError
        The file can't be opened as HDF5.
    """
    import hdf5plugin  # noqa: F401  registers the filters of areaDetector with h5py

    with h5py.File(path, "r") as file:
        kind = " : NeXus data file" if _is_nexus(file) else " : HDF5 data file"
        yield f"{Path(path)}{kind}"
        yield from _group_lines(file, "  ", {file: "/"})


def _is_nexus(file: h5py.File) -> bool:
    return any(_text(group.attrs.get("NX_class", "")) == "NXentry" for group in file.values())


def _group_lines(group: h5py.Group, indent: str, seen: dict[h5py.HLObject, str]) -> Iterator[str]:
    yield from _attribute_lines(group, indent)
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            yield f"{indent}{name} --> {link.path}"
            continue
        if isinstance(link, h5py.ExternalLink):
            yield f"{indent}{name} --> {link.filename}#{link.path}"
            continue
        item = group[name]
        where = seen.get(item) or _target(item, f"{str(group.name).rstrip('/')}/{name}")
        if where:
            yield f"{indent}{name} --> {where}"
            continue
        seen[item] = f"{str(group.name).rstrip('/')}/{name}"
        if isinstance(item, h5py.Group):
            nx_class = _text(item.attrs.get("NX_class", ""))
            yield f"{indent}{name}{':' if nx_class else ''}{nx_class}"
            yield from _group_lines(item, indent + "  ", seen)
        elif isinstance(item, h5py.Dataset):
            yield from _dataset_lines(item, f"{indent}{name}", indent + "  ")
            yield from _source_lines(item, indent + "  ")
            yield from _attribute_lines(item, indent + "  ")
        else:
            yield f"{indent}{name}: a named type"


def _target(item: h5py.HLObject, name: str) -> str:
    """Return where NeXus says that an object is at home, unless that is here."""
    home = _text(item.attrs.get("target", "")) if "target" in item.attrs else ""
    if home in ("", name) or not home.startswith("/"):
        return ""
    return home if item.file.get(home) == item else ""


def _attribute_lines(item: h5py.HLObject, indent: str) -> Iterator[str]:
    for name in sorted(item.attrs):
        yield f"{indent}@{name} = {_show(item.attrs[name])}"


def _nexus_type(dtype: np.dtype) -> str:
    if dtype.kind in "iuf":
        kind = {"i": "INT", "u": "UINT", "f": "FLOAT"}[dtype.kind]
        return f"NX_{kind}{8 * dtype.itemsize}"
    return "NX_CHAR" if dtype.kind in "SUO" else str(dtype)


def _shape(dataset: h5py.Dataset) -> str:
    if not dataset.shape:
        return ""
    return "[" + ",".join(str(size) for size in dataset.shape) + "]"


def _dataset_lines(dataset: h5py.Dataset, name: str, indent: str) -> Iterator[str]:
    start = f"{name}:{_nexus_type(dataset.dtype)}{_shape(dataset)} ="
    if dataset.shape is None:
        yield f"{start} (empty)"
        return
    try:
        if dataset.ndim == 0:
            yield f"{start} {_show(dataset[()])}"
        elif dataset.ndim == 1:
            yield f"{start} {_row(dataset, ())}"
        else:
            rows = [*_leading_indices(dataset.shape[:-1])]
            values = [_row(dataset, index) for index in rows]
            yield start
            for index, row in zip(rows, values, strict=True):
                yield f"{indent}[{', '.join(map(str, index))}, :] = {row}"
    except OSError as error:  # a filter that is not installed, a truncated file
        yield f"{start} (can't be read: {error})"


def _source_lines(dataset: h5py.Dataset, indent: str) -> Iterator[str]:
    """Yield where a virtual dataset has its values from."""
    if not dataset.is_virtual:
        return
    found = (f"{each.file_name}#{each.dset_name}" for each in dataset.virtual_sources())
    sources = list(dict.fromkeys(found))
    for source in sources[:_EDGE]:
        yield f"{indent}--> {source}"
    if len(sources) > _EDGE:
        yield f"{indent}--> ... {len(sources) - _EDGE} more"


def _leading_indices(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the indices of the rows to show: all along short axes, else the first and the last."""
    ranges = [range(size) if size <= _FULL else (0, size - 1) for size in shape]
    return itertools.product(*ranges)


def _row(dataset: h5py.Dataset, index: tuple[int, ...]) -> str:
    """Return the values along the last axis, the middle left out when it is long."""
    size = dataset.shape[-1]
    if size <= _FULL:
        shown = [_show(value) for value in dataset[(*index, slice(None))]]
    else:
        first = [_show(value) for value in dataset[(*index, slice(_EDGE))]]
        shown = [*first, "...", _show(dataset[(*index, size - 1)])]
    return "[" + ", ".join(shown) + "]"


def _show(value: object) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return "[" + " ".join(_show(item) for item in value) + "]"
    if isinstance(value, bytes | str):  # with quotes, and control characters escaped
        return json.dumps(_text(value), ensure_ascii=False)
    return str(value)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
