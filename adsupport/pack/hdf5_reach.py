"""Whether an HDF5 file of a pack, which may come from anybody, leads out of it when it's read."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from h5py import h5d  # pyright: ignore[reportAttributeAccessIssue]

from ..errors import PackError
from .hdf5_named import NamedFile, files_named

__all__ = ["check_hdf5", "check_unfolded"]

#: What data are, their shape, bytes of an element, and bytes that they may have in any case.
_Size = tuple[str, tuple[int, ...], int, int]

#: Files that lead to files that lead to files.
_LONGEST_CHAIN = 8

#: What is read at once, such as a frame or a chunk, may unfold to so many bytes from nothing ...
_AT_ONCE = 2**30
#: ... and all of a dataset to so many: one that was made for many frames may have got a few ...
_IN_ALL = 2**40
#: ... and beyond, to so many times what is stored: deflate reaches 1030, and only for one value.
_RATIO = 1000


def check_hdf5(path: Path, root: Path) -> None:
    """Make sure that reading an HDF5 file opens nothing outside of a pack, and can't fill memory.

    Parameters
    ----------
    path : pathlib.Path
        A file in the pack.
    root : pathlib.Path
        The pack.

    Raises
    ------
    PackError
        It leads out of the pack: by external links, virtual datasets or external storage; its
        data unfold to more than what is stored can mean; or see
        :func:`~adsupport.pack.hdf5_named.files_named`.
    ImageFileError
        It's no HDF5 file.
    """
    _check(path, root, 1, set())


def _check(path: Path, root: Path, length: int, done: set[Path]) -> None:
    if path in done:
        return
    if length > _LONGEST_CHAIN:
        raise _refused(path, root, f"it is the {length}th of files that lead to each other")
    done.add(path)
    sizes: list[_Size] = []
    named = list(files_named(path, lambda found, where: sizes.extend(_sizes(found, where))))
    targets = list(dict.fromkeys(_target(each, path, root) for each in named))
    for what, shape, item, most in sizes:
        check_unfolded(what, shape, item, path, root, targets, most)
    for target in targets:
        _check(target, root, length + 1, done)


def _target(named: NamedFile, path: Path, root: Path) -> Path:
    """Find a file that another one names, which HDF5 looks for beside that one."""
    what, name = f"{named.how} {named.where}", named.name
    if named.how == "external storage":  # HDF5 looks for it where the program is
        raise _refused(path, root, f"{what} leads out of the pack, to {name!r:.300}")
    if named.how == "virtual dataset":
        plain = name.replace("%%", "%")
        if plain.count("%") * 2 != name.count("%"):
            raise _refused(path, root, f"{what} leads to files by the pattern {name!r:.300}")
        name = plain
    target = Path(os.path.normpath(path.parent / name))
    if os.path.isabs(name) or "\\" in name or not target.is_relative_to(root):
        raise _refused(path, root, f"{what} leads out of the pack, to {name!r:.300}")
    # what isn't there HDF5 would look for elsewhere
    if not target.is_file() or target.resolve() != root.resolve() / target.relative_to(root):
        raise _refused(path, root, f"{what} leads to {name!r:.300}, which is no file of the pack")
    return target


def _sizes(found: Any, where: str) -> list[_Size]:
    creation, item = found.get_create_plist(), found.get_type().get_size()
    layout = creation.get_layout()
    if layout == h5d.VIRTUAL:
        if not creation.get_virtual_count():
            return []
        # not the dataset itself: asked for its shape, it may open its sources
        return _sizes_of(where, creation.get_virtual_vspace(0).shape, item)
    sizes = _sizes_of(where, found.shape or (), item)
    if layout == h5d.CHUNKED:
        sizes.append((f"a chunk of dataset {where}", creation.get_chunk(), item, _AT_ONCE))
    return sizes


def _sizes_of(where: str, shape: tuple[int, ...], item: int) -> list[_Size]:
    # nobody reads more than a row at once without asking for it
    return [
        (f"a row of dataset {where}", shape[1:], item, _AT_ONCE),
        (f"dataset {where}", shape, item, _IN_ALL),
    ]


def check_unfolded(
    what: str,
    shape: tuple[int, ...],
    item: int,
    path: Path,
    root: Path,
    others: Iterable[Path] = (),
    most: int = _AT_ONCE,
) -> None:
    """Refuse data that unfold from nearly nothing to more than the memory holds.

    Parameters
    ----------
    what : str
        What they are, for the message.
    shape : tuple of int
        Of the array.
    item : int
        Bytes of an element.
    path, root : pathlib.Path
        The file, and the pack.
    others : iterable of pathlib.Path
        Files that have a part of the data.
    most : int
        Bytes that they may have in any case.

    Raises
    ------
    PackError
        They have more, and more than a thousand times what is stored.
    """
    size = math.prod(shape) * item
    if size <= most:
        return
    stored = sum(os.path.getsize(each) for each in (path, *others))
    if size > _RATIO * stored:
        problem = f"{what} unfolds to {size} bytes, and there are {stored} in its files"
        raise _refused(path, root, problem)


def _refused(path: Path, root: Path, problem: str) -> PackError:
    name = path.relative_to(root)
    return PackError(
        f"{name} of the pack is refused: {problem}.",
        path=name,
        remedy="Don't read it by other means, unless you know who wrote it.",
    )
