"""Whether the documents of a pack can be read, and the pack has what they refer to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from ...errors import AdsupportError
from ..layout import MANIFEST
from ..making.needed_files import NeededFiles
from ..reading.opening import Pack, PackedRun

__all__ = ["check_runs"]

#: What is done with files that a pack has; of the other ways it has none.
_BRINGS_FILES = ("copy", "hardlink", "reflink")
#: Ways to pack without asking documents for their files.
_AS_THEY_ARE = ("fill", "ignore")


def check_runs(pack: Pack, runs: Sequence[PackedRun]) -> list[str]:
    """Read the documents of runs.

    Parameters
    ----------
    pack : Pack
        Theirs.
    runs : sequence of PackedRun
        Those whose files are as they were packed.

    Returns
    -------
    list of str
        What is wrong, each a sentence that names a file.
    """
    problems: list[str] = []
    resources: set[str] = set()
    understood = 0
    manifest = pack.listed
    told = {uid for each in manifest.missing for uid in each.documents}
    listed = {file.path for file in manifest.files}
    followed = manifest.external not in _AS_THEY_ARE
    looked = manifest.external in _BRINGS_FILES
    for run in runs:
        needed = NeededFiles(pack.path_map)
        try:
            for name, doc in run.documents():
                if followed:
                    needed.take(name, doc)
            needed.finish()
        except AdsupportError as error:
            problems.append(f"{run.entry.path}: {error.problem}")
            continue
        except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
            problems.append(f"{run.entry.path}: its documents aren't understood: {error!r}.")
            continue
        understood += 1
        resources |= needed.resources
        if looked:
            lacking = _lacking(pack, needed, told, listed)
            problems += [f"{run.entry.path} {each}." for each in lacking]
    if understood == len(pack):  # else the others may have them
        for file in manifest.files:
            unknown = sorted(set(file.documents) - resources)
            if unknown:
                problems.append(
                    f"{MANIFEST} says that document {unknown[0]!r} refers to {file.path}; no run "
                    "of the pack has it."
                )
    return problems


def _lacking(pack: Pack, needed: NeededFiles, told: Set[str], listed: Set[str]) -> Iterator[str]:
    """Tell what the documents of a run refer to, and its packer didn't say is missing."""
    for file in needed.files.values():
        if not file.frames or file.documents <= told or os.path.isfile(file.source):
            continue
        name = _name(pack, file.source)
        if name not in listed:  # else whoever compares the files says so
            yield f"refers to {name}, which the pack lacks"
    for (source, reason), uids in needed.problems.items():
        if not uids <= told:
            yield f"refers to {source}: {reason}"


def _name(pack: Pack, path: Path) -> str:
    inside = path.is_relative_to(pack.directory)
    return str(path.relative_to(pack.directory) if inside else path)
