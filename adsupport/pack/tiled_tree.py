"""The runs of a pack as a tree that tiled serves, straight from the pack's files.

``tiled serve config tiled.yml`` in a pack goes here.  Nothing is written, and no database is made:
to put the runs into a tiled server for good there is :func:`adsupport.pack.unpack`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..documents.json_text import encode
from ..errors import ImageFileError
from .reading.lazy_images import LazyImages
from .reading.opening import PackedRun, open_pack

__all__ = ["here", "pack_tree"]

logger = logging.getLogger(__name__)

#: What tiled's own writer of runs leaves out of a descriptor.
_NOT_KEPT = {"name", "object_keys", "run_start"}


def pack_tree(directory: str | os.PathLike[str]) -> Any:
    """Make a tree of the runs of a pack.

    Parameters
    ----------
    directory : str or path
        The pack.

    Returns
    -------
    tiled.adapters.mapping.MapAdapter
        By uid, the runs, in the layout of ``TiledWriter``: each has its streams, these a table
        ``internal`` of ``seq_num``, ``time`` and all columns of single values, and an array for
        each other data key.  Times of single values aren't in it.

    Raises
    ------
    PackError, OSError
        See :func:`adsupport.pack.open_pack`.
    """
    from tiled.utils import OneShotCachedMap

    pack = open_pack(directory)
    runs = OneShotCachedMap({run.uid: partial(_run, run) for run in pack})
    return _branch(runs, {"name": pack.name}, _spec("CatalogOfBlueskyRuns"))


class _Here:
    """Knows the pack that a configuration lies in, while tiled reads that."""

    @property
    def tree(self) -> Callable[[], Any]:
        """What makes the tree of this pack."""
        # tiled has the directory of its configuration first in the path when it imports what
        # that names: the only way to a pack that may be moved, and served from anywhere
        return partial(pack_tree, os.path.abspath(sys.path[0]))


here = _Here()


def _branch(parts: Mapping[str, Any], metadata: Any, *specs: Any) -> Any:
    from tiled.adapters.mapping import MapAdapter

    # nothing in it that JSON doesn't have: tags stand for the rest
    return MapAdapter(parts, metadata=json.loads(encode(metadata)), specs=list(specs))


def _run(run: PackedRun) -> Any:
    from tiled.utils import OneShotCachedMap

    descriptors: dict[str, list[dict[str, Any]]] = {}
    for name, doc in run.documents():
        if name == "descriptor":
            descriptors.setdefault(doc.get("name", "primary"), []).append(doc)
    streams = {name: partial(_stream, run, name, docs) for name, docs in descriptors.items()}
    metadata = {"start": run.start, "stop": run.stop}
    return _branch(OneShotCachedMap(streams), metadata, _spec("BlueskyRun"))


def _stream(run: PackedRun, name: str, descriptors: list[dict[str, Any]]) -> Any:
    import pandas
    from tiled.adapters.table import TableAdapter

    single: dict[str, Any] = {}
    parts: dict[str, Any] = {}
    for key, values in run.read(name).items():
        try:
            if values.ndim == 1 and values.dtype.kind in "biufUO":
                single[key] = values
            else:
                parts[key] = _array(values)
        except ImageFileError as error:
            logger.warning("%s of %r isn't served: %s", key, run, error)
    parts["internal"] = TableAdapter.from_pandas(pandas.DataFrame(single))
    first, *others = descriptors
    metadata: dict[str, Any] = {key: first[key] for key in first if key not in _NOT_KEPT}
    metadata["_config_updates"] = [
        {key: each[key] for key in ("uid", "time", "configuration") if key in each}
        for each in others
    ]
    return _branch(parts, metadata, _spec("BlueskyEventStream"), _spec("composite", None))


def _array(values: np.ndarray | LazyImages) -> Any:
    import dask.array
    from tiled.adapters.array import ArrayAdapter

    if isinstance(values, LazyImages):
        chunks: Any = (1, *values.shape[1:])  # a row each
        lazy = dask.array.from_array(values, chunks=chunks, name=False, asarray=False)
        return ArrayAdapter.from_array(lazy)
    return ArrayAdapter.from_array(np.asarray(values))


def _spec(name: str, version: str | None = "3.0") -> Any:
    from tiled.structures.core import Spec

    return Spec(name, version)
