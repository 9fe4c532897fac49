"""The files that an HDF5 file names: by links, virtual datasets and external storage.

HDF5 opens them as soon as their data are asked for, wherever they are.  Here they're found by the
links and the creation properties of datasets alone, which opens nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import h5py
from h5py import h5d, h5g, h5l, h5o  # pyright: ignore[reportAttributeAccessIssue]

from ..documents.images.opening import opened
from ..errors import PackError

__all__ = ["NamedFile", "files_named"]

#: Groups within groups; real files have less than ten.
_DEEPEST = 64
#: Links and mappings of a file; one of NDAttributes has a hundred.
_MOST_OBJECTS = 200_000


class NamedFile(NamedTuple):
    """A file that an HDF5 file names.

    Parameters
    ----------
    how : str
        ``"external link"``, ``"virtual dataset"`` or ``"external storage"``.
    where : str
        The address of the link or dataset.
    name : str
        The file, as it stands there: HDF5 looks for it in the directory of the file that names it;
        that of external storage, in the program's.  In those of virtual datasets ``%%`` means
        ``%``, and ``%b`` numbers.
    """

    how: Literal["external link", "virtual dataset", "external storage"]
    where: str
    name: str


def files_named(
    path: Path, dataset: Callable[[Any, str], None] = lambda found, where: None
) -> Iterator[NamedFile]:
    """Find the files that an HDF5 file names.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    dataset : callable
        Called with the ``h5py.h5d.DatasetID`` and the address of each dataset.

    Yields
    ------
    NamedFile
        Each once; not the file itself.

    Raises
    ------
    ImageFileError
        It's no HDF5 file, or its writer still has it.
    PackError
        Its groups are nested more than 64 deep, it has more than 200 000 links and mappings, a
        link of a kind that isn't HDF5's own, or damaged ones.
    """
    with opened(path) as file:
        seen: set[NamedFile] = set()
        try:
            for each in _named(file, dataset, path):
                if each not in seen:
                    seen.add(each)
                    yield each
        except PackError:
            raise
        except (OSError, RuntimeError, KeyError, ValueError, OverflowError) as error:
            raise _refused(path, f"can't be looked through: {error}") from error


def _named(file: h5py.File, dataset: Callable[[Any, str], None], path: Path) -> Iterator[NamedFile]:
    seen: set[int] = set()
    groups: list[tuple[Any, str, int]] = [(h5g.open(file.id, b"/"), "", 0)]
    count = 0
    while groups:
        group, place, depth = groups.pop()
        if depth > _DEEPEST:
            raise _refused(path, f"has groups nested more than {_DEEPEST} deep")
        names: list[bytes] = []
        group.links.iterate(names.append)
        for name in names:
            where = f"{place}/{name.decode(errors='replace')}"
            kind = group.links.get_info(name).type
            if kind == h5l.TYPE_EXTERNAL:
                target = os.fsdecode(group.links.get_val(name)[0])
                yield NamedFile("external link", where, target)
            elif kind == h5l.TYPE_HARD:  # a soft one stays in the file
                found = h5o.open(group, name)
                address = h5o.get_info(found).addr
                if address in seen:
                    continue
                seen.add(address)
                if isinstance(found, h5g.GroupID):
                    groups.append((found, where, depth + 1))
                elif isinstance(found, h5d.DatasetID):
                    count += _mappings(found)
                    _limit(count, path)
                    yield from _sources(found, where)
                    dataset(found, where)
            elif kind != h5l.TYPE_SOFT:
                raise _refused(path, f"has a link of a kind that isn't HDF5's own, {where}")
        count += len(names)
        _limit(count, path)


def _mappings(found: Any) -> int:
    creation = found.get_create_plist()
    return creation.get_virtual_count() if creation.get_layout() == h5d.VIRTUAL else 0


def _sources(found: Any, where: str) -> Iterator[NamedFile]:
    creation = found.get_create_plist()
    for index in range(creation.get_external_count()):
        name = os.fsdecode(creation.get_external(index)[0])
        yield NamedFile("external storage", where, name)
    for index in range(_mappings(found)):
        name = creation.get_virtual_filename(index)
        if name != ".":  # the file itself
            yield NamedFile("virtual dataset", where, name)


def _limit(count: int, path: Path) -> None:
    if count > _MOST_OBJECTS:
        raise _refused(path, f"has more than {_MOST_OBJECTS} links and mappings")


def _refused(path: Path, problem: str) -> PackError:
    return PackError(
        f"HDF5 file {path} {problem}.",
        path=path,
        remedy="It may be damaged, or made to do harm: compare it with its source.",
    )
