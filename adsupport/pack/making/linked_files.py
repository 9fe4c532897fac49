"""The files that an HDF5 file of a run leads to: without them it's a shell."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from pathlib import Path

import h5py

from ...errors import PackError
from ..hdf5_named import NamedFile, files_named
from ..safe_paths import checked_relative
from .needed_files import NeededFile, NeededFiles

__all__ = ["add_linked_files"]


def add_linked_files(needed: NeededFiles, file: NeededFile, path: Path) -> Iterator[NeededFile]:
    """Find the files that an HDF5 file names, by external links or virtual datasets.

    Parameters
    ----------
    needed : NeededFiles
        Of the run; takes the files, and as problems what can't come along: names that are
        absolute, which wouldn't lead into the pack.
    file : NeededFile
        The file.
    path : pathlib.Path
        Where it can be read.

    Yields
    ------
    NeededFile
        Those of which it wasn't known that these documents need them.

    Raises
    ------
    ImageFileError, PackError
        The file can't be looked through, see :func:`~adsupport.pack.hdf5_named.files_named`.
    """
    for named in files_named(path):
        name, problem = _relative(named)
        place = posixpath.normpath(posixpath.join(posixpath.dirname(file.place), name))
        if not problem and not _is_beside(place, file.place):
            problem = "which isn't below the same directory"
        source = file.source.parent / name
        if not problem and os.path.isfile(source) and not h5py.is_hdf5(source):
            problem = "which isn't an HDF5 file"
        if problem:
            reason = f"its {named.how} {named.where} leads to {named.name!r}, {problem}"
            needed.problem(file.source, reason, file.documents)
            continue
        found = needed.files.get(place)
        if found is None:
            found = needed.files[place] = NeededFile(place, source, is_hdf5=True)
        found.frames = True
        if not found.documents >= file.documents:
            found.documents |= file.documents
            yield found


def _relative(named: NamedFile) -> tuple[str, str]:
    """Return a name as HDF5 understands it, and why it can't be packed."""
    name = named.name
    if named.how == "external storage":
        return name, "which HDF5 looks for in the directory of whatever program reads it"
    if named.how == "virtual dataset":
        if "%" in name.replace("%%", ""):
            return name, "which is a pattern of names"
        name = name.replace("%%", "%")
    if name.startswith("/"):
        return name, "which is absolute: it won't lead into the pack"
    return name, ""


def _is_beside(place: str, other: str) -> bool:
    """Tell whether two places belong to one file system of the documents."""
    try:
        parts = checked_relative(place).split("/")
    except PackError:
        return False
    return len(parts) > 2 and parts[:2] == other.split("/")[:2]
