"""Documents of a pack, with the places that its files have now."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...documents.asset_paths import path_of_document
from ..reading.paths_in_pack import PathsInPack

__all__ = ["Place", "moved_document"]

#: From a path in the pack to the ``root`` and ``resource_path`` of where it's to be.
Place = Callable[[Path], tuple[str, str]]


def moved_document(
    name: str, doc: dict[str, Any], paths: PathsInPack, place: Place
) -> dict[str, Any]:
    """Let a resource tell of another place.

    Parameters
    ----------
    name, doc
        A document.
    paths : PathsInPack
        Of its pack.
    place : callable
        Tells the place.

    Returns
    -------
    dict
        A resource or stream_resource with another path; any other document, and one whose files
        the pack doesn't have, as it is.
    """
    if name not in ("resource", "stream_resource"):
        return doc
    found = _path(doc, paths)
    if found is None or not (found.exists() or found.parent.exists()):
        return doc
    root, path = place(found)
    if "uri" in doc:
        end = "/" if str(doc["uri"]).endswith("/") else ""
        return doc | {"uri": f"file://localhost{quote(os.path.join(root, path))}{end}"}
    end = "/" if str(doc["resource_path"]).endswith("/") else ""
    moved = {"root": root, "resource_path": path + end}
    if "path_semantics" in doc:
        moved["path_semantics"] = "posix"  # not those of the IOC any more
    return doc | moved


def _path(doc: Mapping[str, Any], paths: PathsInPack) -> Path | None:
    try:
        return path_of_document(doc, paths)
    except (ValueError, TypeError, AttributeError, KeyError):  # nobody can read its files
        return None
