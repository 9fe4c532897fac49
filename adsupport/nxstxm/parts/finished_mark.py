"""A note beside the parts of a file: which file they've become, should the program die then.

The file takes its name first, and its parts are removed afterwards.  A program that died between
the two, or among the parts, leaves parts of a file that's there already: this note tells that.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["MARK", "finished_before", "identities", "mark", "unchanged"]

MARK = "finished.json"


def identities(parts: Iterable[Path]) -> dict[str, list[int] | None]:
    """Tell files from what they may become, or were before.

    Parameters
    ----------
    parts : iterable of pathlib.Path
        The files.

    Returns
    -------
    dict of str to list of int
        By name: inode, size and time of the last change; None for a file that isn't there.
    """
    return {each.name: _identity(each) for each in parts}


def mark(
    work: Path, file: Path, parts: dict[str, list[int] | None], told: dict[str, Any]
) -> dict[str, Any]:
    """Note what the parts have become, before the file takes its name.

    Parameters
    ----------
    work : pathlib.Path
        The directory of the work.
    file : pathlib.Path
        The file, whole, under its temporary name.
    parts : dict
        The :func:`identities` of what it was made of.
    told : dict
        What is to be known of it, as JSON has it.

    Returns
    -------
    dict
        The note.
    """
    note = {"file": _identity(file), "parts": parts, "told": told}
    # Half a note, if the program dies here, is none: it isn't JSON.
    (work / MARK).write_text(json.dumps(note), "utf-8")
    return note


def finished_before(work: Path) -> tuple[Path, dict[str, Any]] | None:
    """Find the file that a program has finished that died then.

    Parameters
    ----------
    work : pathlib.Path
        The directory of the work.

    Returns
    -------
    path : pathlib.Path
        The file, under whatever name it took.
    note : dict
        See :func:`mark`; None instead of both when there is no such file.
    """
    try:
        note = json.loads((work / MARK).read_text("utf-8"))
        identity, _parts, _told = note["file"], dict(note["parts"]), dict(note["told"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    with os.scandir(work.parent) as entries:
        for entry in entries:
            # Its temporary has a dot: that's a file that never took its name.
            if entry.name.endswith(".hdf5") and not entry.name.startswith("."):
                path = Path(entry.path)
                if identity and _identity(path) == identity:
                    return path, note
    return None


def unchanged(work: Path, note: dict[str, Any]) -> list[Path]:
    """List the parts that are those that were noted, and not newer ones of the same run.

    Parameters
    ----------
    work : pathlib.Path
        The directory of the work.
    note : dict
        See :func:`mark`.

    Returns
    -------
    list of pathlib.Path
        What may be removed.
    """
    here = {name: _identity(work / name) for name in note["parts"]}
    return [work / name for name, found in here.items() if found and found == note["parts"][name]]


def _identity(path: Path) -> list[int] | None:
    with contextlib.suppress(OSError):
        found = path.lstat()
        return [found.st_ino, found.st_size, found.st_mtime_ns]
    return None
