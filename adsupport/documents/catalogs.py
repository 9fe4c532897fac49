"""Catalogs of databroker and tiled, asked for as few runs as will do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Wanted", "catalog_of", "runs_of_catalog"]


@dataclass(frozen=True)
class Wanted:
    """What a text asks for.

    Parameters
    ----------
    uid : str
        A uid or its beginning; empty if the text can't be one.
    first, last : int or None
        Range of scan_id.
    latest : int
        How many of the latest runs; 0 if none.
    """

    uid: str = ""
    first: int | None = None
    last: int | None = None
    latest: int = 0


def catalog_of(source: Any) -> Any:
    """Recognize a catalog by its class, which asks no server.

    Parameters
    ----------
    source : any
        What a user gives.

    Returns
    -------
    any
        The catalog, of databroker by its v2 interface; None for anything else.
    """
    cls = type(source)
    if hasattr(cls, "documents"):  # a run
        return None
    if hasattr(cls, "get_documents") and hasattr(cls, "v2"):  # databroker's v1 interface
        return source.v2
    return source if hasattr(cls, "search") and hasattr(cls, "values") else None


def runs_of_catalog(
    catalog: Any,
    wanted: Sequence[Wanted],
    since: float | None,
    until: float | None,
    query: Mapping[str, Any],
) -> list[Any]:
    """List the runs that may be asked for.

    Parameters
    ----------
    catalog : any
        See :func:`catalog_of`.
    wanted : sequence of Wanted
        What is asked for; all runs without any.
    since, until : float or None
        Seconds since 1970 (UTC).
    query : mapping of str to any
        What start documents have, such as ``{"sample.name": "a"}``.

    Returns
    -------
    list
        Runs: those that fit, and maybe others.  All of the time and query when something fits
        none, so that it can be said what there is.
    """
    is_tiled = any(each.__module__.split(".")[0] == "tiled" for each in type(catalog).__mro__)
    ask: Callable[..., Any] = _ask_tiled if is_tiled else _ask_databroker
    if since is not None or until is not None:
        catalog = ask(catalog, "time", since, until)
    for key, value in query.items():
        if isinstance(value, str | int | float):  # others are compared by whoever asks
            catalog = _ask_equal(catalog, key, value, is_tiled)
    found: list[Any] = []
    for each in wanted:
        some: list[Any] = []
        if each.latest:
            some += _latest(catalog, each.latest, is_tiled)
        if each.first is not None:
            some += _runs(ask(catalog, "scan_id", each.first, each.last).values())
        if each.uid:
            some += _runs(ask(catalog, "uid", each.uid).values())
        if not some:
            break
        found += some
    else:
        if wanted:
            return list({run.metadata["start"]["uid"]: run for run in found}.values())
    return _runs(catalog.values())


def _runs(values: Iterable[Any]) -> list[Any]:
    """Leave out what isn't a run: a container of tiled may hold anything."""
    return [each for each in values if "start" in each.metadata]


def _latest(catalog: Any, count: int, is_tiled: bool) -> list[Any]:
    if is_tiled:
        return _runs(catalog.sort(("start.time", -1)).values()[:count])
    return [catalog[-place] for place in range(1, min(count, len(catalog)) + 1)]


def _ask_equal(catalog: Any, key: str, value: Any, is_tiled: bool) -> Any:
    if is_tiled:
        from tiled.queries import Eq

        return catalog.search(Eq(f"start.{key}", value))
    return catalog.search({key: value})


def _ask_databroker(catalog: Any, key: str, first: Any, last: Any = None) -> Any:
    if key == "uid":
        return catalog.search({"uid": {"$regex": f"^{re.escape(first)}"}})
    upper = "$lt" if key == "time" else "$lte"
    limits = {"$gte": first, upper: last}
    return catalog.search({key: {name: at for name, at in limits.items() if at is not None}})


def _ask_tiled(catalog: Any, key: str, first: Any, last: Any = None) -> Any:
    from tiled.queries import Comparison, Like

    if key == "uid":
        # of what stands for other characters, none is in a uid
        return catalog.search(Like("start.uid", re.sub(r"[%_\\]", "", first) + "%"))
    for operator, at in (("ge", first), ("lt" if key == "time" else "le", last)):
        if at is not None:
            catalog = catalog.search(Comparison(operator, f"start.{key}", at))
    return catalog
