"""What lets databroker 1.2 and tiled open a pack, wherever it is moved to."""

from __future__ import annotations

from typing import Any

import yaml

from ..layout import DOCUMENTS, directories_of
from ..manifest import Manifest

__all__ = ["CATALOG_NAME", "catalog_files"]

#: Of the one catalog in ``catalog.yml``, as databroker-pack calls it.
CATALOG_NAME = "packed_catalog"


def catalog_files(manifest: Manifest) -> dict[str, str]:
    """Make the files with which other programs open a pack.

    Parameters
    ----------
    manifest : Manifest
        What the pack has.

    Returns
    -------
    dict of str to str
        YAML by file name.  ``catalog.yml`` is for ``intake.open_catalog``, which databroker 1.2
        goes through; ``tiled.yml`` for ``tiled serve config``, where adsupport is installed.

    Notes
    -----
    Documents have the roots that they came with: databroker's ``root_map`` leads from these into
    the pack, but for files whose documents have another root than the pack has files of.
    """
    trees = [{"path": "/", "tree": "adsupport.pack.tiled_tree:here.tree"}]
    return {
        "catalog.yml": yaml.safe_dump(_databroker(manifest), sort_keys=False),
        "tiled.yml": yaml.safe_dump({"trees": trees}),
    }


def _databroker(manifest: Manifest) -> dict[str, Any]:
    directories = directories_of(file.path for file in manifest.files)
    args: dict[str, Any] = {"paths": [_in_pack(f"{DOCUMENTS}/*.{manifest.documents}")]}
    roots = {
        root: _in_pack(directory)
        for root, directory in sorted(manifest.roots.items())
        if directory in directories  # else the files have stayed where the documents say
    }
    if roots:
        args["root_map"] = roots
    source = {
        "driver": f"bluesky-{manifest.documents}-catalog",
        "description": "Runs of a pack; see manifest.json",
        "args": args,
    }
    return {"sources": {CATALOG_NAME: source}}


def _in_pack(path: str) -> str:
    # intake renders values, not keys, as templates, in which a path could run commands
    return "{{ CATALOG_DIR }}/" + path.replace("{", "{{ '{' }}")
