"""Directories that databroker-pack 0.3 made: which runs they have, and where their files are.

========================================== =======================================================
file                                       content
========================================== =======================================================
``catalog.yml``                            a catalog of databroker: ``sources``, of which each has
                                           ``args: root_map``, a directory by each root of resources
``documents_manifest.txt``                 files of documents, relative
``documents/<uid>.jsonl`` (``.msgpack``)   the documents of a run, with pages in place of single
                                           ones, and other roots in their resources
``external_files/<root>/...``              copies of files
``external_files_manifest_<root>.txt``     their paths
========================================== =======================================================

In resources ``root`` is a hash, of which the catalog's ``root_map`` says what it stands for: a
directory of the pack, or the absolute one in which the files stayed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ...errors import PackError
from ..layout import DOCUMENTS, DOCUMENTS_LIST, EXTERNAL_FILES, JOURNAL, MANIFEST, SUMS
from ..manifest import PackedRunEntry
from ..safe_paths import checked_relative, inside_pack

__all__ = ["CATALOG", "DatabrokerPack", "is_databroker_pack", "read_databroker_pack"]

CATALOG = "catalog.yml"

#: A catalog has a line for each root; the longest list is one of documents.
_MOST_BYTES = {CATALOG: 2**18, DOCUMENTS_LIST: 2**28}

_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")


@dataclass(frozen=True)
class DatabrokerPack:
    """What is in such a directory.

    Parameters
    ----------
    runs : tuple of PackedRunEntry
        In the order of their names; size, digest, time and number of documents aren't known.
    roots : mapping of str to str
        Directories of the pack, relative, by the ``root`` of resources.
    outside : mapping of str to str
        The same for files that weren't copied: absolute directories.
    """

    runs: tuple[PackedRunEntry, ...]
    roots: Mapping[str, str] = field(default_factory=dict)
    outside: Mapping[str, str] = field(default_factory=dict)

    def place(self, path: str) -> str | None:
        """Tell where the pack has a file.

        Parameters
        ----------
        path : str
            ``root`` of a resource and its path.

        Returns
        -------
        str or None
            Relative to the pack; None for a root of which it has no files.

        Raises
        ------
        PackError
            The path leads out of its root.
        """
        root, _, rest = path.partition("/")
        if root not in self.roots:
            return None
        return checked_relative(f"{self.roots[root]}/{rest}".rstrip("/"))

    def original(self, path: str) -> str:
        """Tell where a file was that wasn't copied.

        Parameters
        ----------
        path : str
            See :meth:`place`.

        Returns
        -------
        str
            The path that documents had when it was packed; others as they are.
        """
        root, _, rest = path.partition("/")
        return os.path.join(self.outside[root], rest) if root in self.outside else path


def is_databroker_pack(directory: Path) -> bool:
    """Tell whether databroker-pack made a directory.

    Parameters
    ----------
    directory : pathlib.Path
        Any.

    Returns
    -------
    bool
        Whether it has a catalog and a list of documents, and nothing that is only in packs of ours.
    """
    if any(os.path.lexists(directory / name) for name in (JOURNAL, MANIFEST, SUMS)):
        return False
    return all((directory / name).is_file() for name in (CATALOG, DOCUMENTS_LIST))


def read_databroker_pack(directory: Path) -> DatabrokerPack:
    """Read what databroker-pack says of a directory.

    Parameters
    ----------
    directory : pathlib.Path
        The directory.

    Returns
    -------
    DatabrokerPack
        With paths that stay in it.

    Raises
    ------
    PackError
        A list is damaged, has a path that leads out, or the catalog has YAML tags.
    OSError
        They can't be read.
    """
    roots: dict[str, str] = {}
    outside: dict[str, str] = {}
    for root, place in _root_map(directory).items():
        if "/" in root or not root:
            raise _damaged(f"root_map has {root!r:.80}; expected a hash")
        if _ABSOLUTE.match(place):
            outside[root] = place
            continue
        roots[root] = checked_relative(os.path.normpath(place))
        if not roots[root].startswith(EXTERNAL_FILES + "/"):
            raise _damaged(f"root_map has {place!r:.200}, which isn't in {EXTERNAL_FILES}")
    return DatabrokerPack(tuple(_runs(directory)), roots, outside)


def _runs(directory: Path) -> list[PackedRunEntry]:
    lines = _text(directory, DOCUMENTS_LIST).splitlines()
    found = []
    for path in dict.fromkeys(line.strip() for line in lines):
        if not path:
            continue
        name = checked_relative(path).removeprefix(DOCUMENTS + "/")
        uid, ending = os.path.splitext(name)
        if name == path or "/" in name or ending not in (".jsonl", ".msgpack"):
            raise PackError(
                f"{DOCUMENTS_LIST} has {path!r:.200}; expected documents/<uid>.jsonl or .msgpack.",
                path=DOCUMENTS_LIST,
            )
        found.append(PackedRunEntry(uid, path, size=0, sha256="", documents=0))
    return found


def _root_map(directory: Path) -> dict[str, str]:
    try:
        # safe_load makes nothing but texts, numbers, lists and dictionaries
        found = yaml.safe_load(_text(directory, CATALOG))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise _damaged(f"it isn't plain YAML: {reason}") from None
    sources = found.get("sources") if isinstance(found, Mapping) else None
    if not isinstance(sources, Mapping):
        raise _damaged("it has no sources")
    roots: dict[str, str] = {}
    for source in sources.values():
        args = source.get("args") if isinstance(source, Mapping) else None
        mapped: Any = args.get("root_map") if isinstance(args, Mapping) else None
        if mapped is None:
            continue
        if not isinstance(mapped, Mapping):
            raise _damaged("its root_map isn't a mapping")
        for root, place in mapped.items():
            if not isinstance(root, str) or not isinstance(place, str):
                raise _damaged(f"root_map has {root!r:.80}: {place!r:.80}; expected texts")
            roots[root] = place
    return roots


def _text(directory: Path, name: str) -> str:
    path = inside_pack(directory, name)
    size = path.stat().st_size
    if size > _MOST_BYTES[name]:
        raise PackError(
            f"{name} has {size} bytes; expected at most {_MOST_BYTES[name]}.", path=name
        )
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise PackError(f"{name} isn't text: {error}.", path=name) from None


def _damaged(problem: str) -> PackError:
    return PackError(
        f"{CATALOG} of the pack can't be used: {problem}.",
        path=CATALOG,
        remedy="Get the pack from its source again.",
    )
