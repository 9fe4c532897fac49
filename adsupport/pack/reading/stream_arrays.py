"""A stream of a run as arrays, one for each data key."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ...documents.assets import Frames
from ...documents.columns import as_array
from ...documents.images import ImageColumn
from ...documents.router import RunRouter
from ...documents.run import Column, Rows, Run, Stream
from ...errors import DocumentError
from .lazy_images import LazyImages

__all__ = ["stream_arrays"]

logger = logging.getLogger(__name__)


def stream_arrays(
    documents: Iterable[tuple[str, dict[str, Any]]],
    name: str,
    path_map: Callable[[str], Any],
    check: Callable[[ImageColumn], None],
) -> dict[str, Any]:
    """Read a stream.

    Parameters
    ----------
    documents : iterable of (str, dict)
        Of one run.
    name : str
        The stream's.
    path_map : callable
        See :func:`adsupport.documents.asset_of`.
    check : callable
        See :class:`~adsupport.pack.LazyImages`.

    Returns
    -------
    dict
        By data key, an array of (rows, ...), of the types of :mod:`adsupport.documents.columns`; a
        row without value is NaN in floats, and masked in other types.  Images are
        :class:`~adsupport.pack.LazyImages`.  Also ``seq_num`` and ``time`` of the
        events, in seconds since 1970 (UTC), unless data keys have these names.

    Raises
    ------
    DocumentError
        The run has no such stream.
    """
    gathered = _Gathered(name)
    router = RunRouter(lambda run: gathered, path_map=path_map)
    for kind, doc in documents:
        router(kind, doc)
    router.close()
    stream = gathered.found
    if stream is None:
        known = ", ".join(gathered.streams) or "none"
        raise DocumentError(f"The run has no stream {name!r}; it has {known}.")
    for each in gathered.problems:
        logger.warning("%s", each)
    rows = Rows(stream, gathered.events)
    arrays: dict[str, Any] = {"seq_num": rows.seq_nums(), "time": rows.times()}
    for key, column in stream.columns.items():
        arrays[key] = _array(column, rows.values(key), check)
    return arrays


class _Gathered:
    """Takes all rows of one stream."""

    def __init__(self, name: str) -> None:
        self.found: Stream | None = None
        self.streams: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self._name = name

    def begin(self, run: Run) -> None:
        """Take the start of the run."""

    def stream(self, run: Run, stream: Stream) -> None:  # noqa: ARG002
        """Take a stream."""
        self.streams = list(dict.fromkeys([*self.streams, stream.name]))
        if stream.name == self._name:
            self.found = stream

    def rows(self, run: Run, rows: Rows) -> None:  # noqa: ARG002
        """Take rows."""
        if rows.stream.name == self._name:
            self.events += rows.events

    def end(self, run: Run) -> None:
        """Take the end."""
        self.problems = run.problems


def _array(
    column: Column, values: list[Any], check: Callable[[ImageColumn], None]
) -> np.ndarray | LazyImages:
    if column.external:
        frames = [each if isinstance(each, Frames) else None for each in values]
        if any(frames) or all(each is None for each in values):
            return LazyImages(column.name, frames, check)
        # filled in: the images are in the documents
        column = dataclasses.replace(column, external=False, dtype="array")
    found = as_array(column, values)
    if found.missing is None or found.data.dtype.kind == "f":
        return found.data
    mask = np.zeros(found.data.shape, bool)
    mask[found.missing] = True
    return np.ma.MaskedArray(found.data, mask)
