"""Stored runs, played again to a callback as the RunEngine once did."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from event_model import DocumentNames

from ..errors import DocumentError
from .json_lines import read_documents, read_starts

__all__ = ["StoredRun", "replay", "stored_runs"]

Document = tuple[str, dict[str, Any]]

_EXPECTED = (
    "expected runs of databroker or tiled, such as catalog[-1]; files of JSON lines; (name, doc) "
    "pairs; or a list of these."
)


@dataclass(frozen=True)
class StoredRun:
    """A run that was kept somewhere.

    Parameters
    ----------
    start : dict
        The start document; empty if it isn't known before the documents are read.
    documents : callable
        Without arguments; returns an iterator of (name, document).  Images stay in their files.
    """

    start: Mapping[str, Any]
    documents: Callable[[], Iterator[Document]] = field(repr=False, compare=False)

    @property
    def time(self) -> float:
        """When the run began, in seconds since 1970 (UTC); 0 if nothing tells."""
        found = self.start.get("time")
        return float(found) if isinstance(found, int | float) else 0.0

    @property
    def uid(self) -> str:
        """The run's uid."""
        return str(self.start.get("uid", ""))


def replay(runs: Any, callback: Callable[[str, dict[str, Any]], Any], sort: bool = True) -> None:
    """Play stored runs to a callback, document by document.

    Parameters
    ----------
    runs : any
        A run or several, in any of these forms: a ``Header`` of databroker's v1 interface, a run
        of its v2 interface, a run of tiled, the name of a JSON lines file, an iterable of
        (name, document) pairs; or an iterable of such.  A run that never was stopped is played
        as far as it goes.
    callback : callable
        Called as ``callback(name, document)``, such as ``NXWriter().receiver``.  Nothing else of
        it is called: a writer that works in the background still has to be waited for by its
        ``wait_writer()``.
    sort : bool
        Play the runs in the order of their start times; otherwise in the order given.

    Raises
    ------
    DocumentError
        Something isn't a stored run, or a file isn't one of documents.
    OSError
        A file can't be read.

    Examples
    --------
    >>> replay([("start", {"uid": "1", "time": 0.0})], lambda name, doc: print(name, doc["uid"]))
    start 1
    """
    if not callable(callback):
        raise DocumentError(
            f"The callback must be callable, got {type(callback).__name__}.",
            remedy="give the receiver of a writer, as in replay(runs, writer.receiver).",
        )
    found: Iterable[StoredRun] = stored_runs(runs)
    for run in sorted(found, key=lambda run: run.time) if sort else found:
        for name, doc in run.documents():
            callback(name, doc)


def stored_runs(source: Any) -> Iterator[StoredRun]:
    """Find the stored runs in what a user gives.

    Parameters
    ----------
    source : any
        See :func:`replay`.

    Yields
    ------
    StoredRun
        One for each; a file counts as one run, played in its order.

    Raises
    ------
    DocumentError
        Something isn't a stored run.
    """
    if isinstance(source, StoredRun):
        yield source
    elif isinstance(source, str | os.PathLike):
        yield _file(source)
    elif callable(getattr(type(source), "documents", None)):
        yield _catalogued(source)
    elif isinstance(source, Mapping) or not isinstance(source, Iterable):
        raise DocumentError(f"{_described(source)} isn't a stored run", remedy=_EXPECTED)
    else:
        yield from _from_iterable(iter(source))


def _from_iterable(items: Iterator[Any]) -> Iterator[StoredRun]:
    for first in items:
        if _is_document(first):
            start = first[1] if _name(first[0]) == "start" else {}
            yield StoredRun(start, partial(_checked, itertools.chain([first], items)))
            return
        yield from stored_runs(first)


def _is_document(item: Any) -> bool:
    return (
        isinstance(item, tuple | list)
        and len(item) == 2
        and isinstance(item[1], Mapping)
        and _name(item[0]) in _NAMES
    )


def _name(name: Any) -> Any:
    return name.value if isinstance(name, DocumentNames) else name


_NAMES = frozenset(each.value for each in DocumentNames)


def _checked(items: Iterator[Any]) -> Iterator[Document]:
    for item in items:
        if not _is_document(item):
            raise DocumentError(
                f"{_described(item)} among the documents isn't a (name, document) pair."
            )
        yield _name(item[0]), item[1]


def _file(path: str | os.PathLike[str]) -> StoredRun:
    if not Path(path).is_file():
        raise DocumentError(
            f"{os.fspath(path)!r} is no file of documents on this computer", remedy=_EXPECTED
        )
    first = next(read_starts(path), {})
    return StoredRun(first, lambda: read_documents(path))


def _catalogued(run: Any) -> StoredRun:
    """Take a run from a catalog; what it is shows in its class, which asks no server."""
    cls = type(run)
    if any(each.__module__.split(".")[0] == "bluesky_tiled_plugins" for each in cls.__mro__):
        from .tiled_runs import tiled_documents

        return StoredRun(run.metadata["start"], lambda: tiled_documents(run))
    if hasattr(cls, "canonical"):  # databroker's v2 interface
        return StoredRun(run.metadata["start"], lambda: run.documents(fill="no"))
    return StoredRun(_plain(run.start), lambda: _plain_documents(run.documents(fill=False)))


def _plain_documents(documents: Iterable[Document]) -> Iterator[Document]:
    for name, doc in documents:
        yield name, _plain(doc)


def _plain(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what databroker's v1 interface puts in: the kind of document, as it once was."""
    return {key: value for key, value in doc.items() if key != "_name"}


def _described(item: Any) -> str:
    text = repr(item)
    return f"{type(item).__name__} {text if len(text) <= 60 else text[:60] + '...'}"
