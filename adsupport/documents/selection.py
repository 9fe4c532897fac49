"""Choosing stored runs as people name them: by uid, its beginning, scan number or age."""

from __future__ import annotations

import contextlib
import datetime
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import DocumentError, RunNotFoundError
from ..wording import counted
from .catalogs import Wanted, catalog_of, runs_of_catalog
from .json_lines import Line, documents_of_run, find_starts, read_documents
from .stored_runs import StoredRun, stored_runs

__all__ = ["SHORTEST_UID", "UnclearRunError", "epoch_of", "find_runs"]

#: Characters that the beginning of a uid must have.
SHORTEST_UID = 5

#: File name endings of JSON lines, for directories.
_ENDINGS = (".jsonl", ".json-seq", ".ndjson")

_NUMBER = re.compile(r"-?\d{1,18}")
_RANGE = re.compile(r"(-?\d{1,18})(?:-|\.\.|:)(-?\d{1,18})")

_EXPECTED = (
    f"expected a uid, its beginning of at least {SHORTEST_UID} characters, a scan_id such as 42, "
    "a negative index such as -1 for the latest run, or a range that goes up, such as 42-45 or "
    "-3..-1."
)


class UnclearRunError(RunNotFoundError):
    """What a text asks for can't be told, whatever runs there are."""


def find_runs(
    source: Any,
    texts: Sequence[str | int] = (),
    since: float | str | datetime.datetime | None = None,
    until: float | str | datetime.datetime | None = None,
    query: Mapping[str, Any] | None = None,
) -> list[StoredRun]:
    """Choose runs from a catalog or from files.

    Parameters
    ----------
    source : any
        A catalog of databroker (either interface) or tiled; a JSON lines file, or a directory of
        such; or a list of runs as :func:`~adsupport.documents.replay` takes them.
    texts : sequence of str or int
        Which runs.  ``"8a2f0"``: the uid, or its beginning of at least 5 characters; ``42``:
        the scan_id, of several the latest run; ``-1``: the latest run, ``-2`` the one before;
        ``"42-45"``: each scan_id, of which at least one must exist; ``"-3..-1"``: the last
        three.  Without any, all runs are meant.  A text of digits is a uid if it isn't a
        scan_id.
    since, until : float, str or datetime, optional
        Only runs that began at ``since`` or later, and before ``until``: seconds since 1970
        (UTC), or a date as ``"2026-11-21"`` or ``"2026-11-21 22:15"``, in local time unless it
        says otherwise.  Indices count within this time.
    query : mapping of str to any, optional
        Only runs whose start document has each of these keys with this value: a key as
        ``"sample.name"`` leads into a dictionary.  Indices count within these runs, too.

    Returns
    -------
    list of StoredRun
        In the order asked for, each once; all runs in the order of their start.

    Raises
    ------
    RunNotFoundError
        No run, or more than one, is what a text asks for; or there is none at all.
    UnclearRunError
        A text is none of what is told above, such as ``"4-2"``.
    DocumentError
        The source isn't one, or a time can't be read.
    """
    first, last = epoch_of(since, "since"), epoch_of(until, "until")
    asked = [str(text).strip() for text in texts]
    query = dict(query or {})
    catalog = catalog_of(source)
    if catalog is None:
        runs = _listed_runs(source)
    else:
        wanted = [] if query else [_wanted(text) for text in asked]
        runs = list(stored_runs(runs_of_catalog(catalog, wanted, first, last, query)))
    runs.sort(key=lambda run: run.time)
    within = [
        run
        for run in runs
        if (first is None or run.time >= first)
        and (last is None or run.time < last)
        and all(_has(run.start, key, value) for key, value in query.items())
    ]
    where = _where(source, runs, within, since, until, query)
    if not within:
        raise RunNotFoundError(f"{where} has no run", remedy=_time_remedy(runs))
    if not asked:
        return within
    chosen = [run for text in asked for run in _chosen(within, text, where)]
    return list({id(run): run for run in chosen}.values())


def epoch_of(time: float | str | datetime.datetime | None, name: str = "time") -> float | None:
    """Read a time.

    Parameters
    ----------
    time : float, str, datetime or None
        Seconds since 1970 (UTC), or a date with or without a time of day; in local time unless
        it says otherwise.
    name : str
        What it is, for messages.

    Returns
    -------
    float or None
        Seconds since 1970 (UTC); None for None.

    Raises
    ------
    DocumentError
        It isn't a time.
    """
    if time is None:
        return None
    if isinstance(time, datetime.datetime):
        return time.timestamp()
    with contextlib.suppress(ValueError):
        seconds = float(time)
        if not math.isnan(seconds):
            return seconds
    text = str(time).strip()
    if re.fullmatch(r"\d{4}-\d\d", text):
        text += "-01"
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise DocumentError(
            f"{name}: {time!r} isn't a time ({error}); expected a date such as 2026-11-21, "
            "'2026-11-21 22:15' or seconds since 1970."
        ) from None


# what was asked for


def _wanted(text: str) -> Wanted:
    """Tell a catalog what a text may mean: see :func:`_chosen`."""
    numbers = _RANGE.fullmatch(text)
    if numbers:
        first, last = int(numbers[1]), int(numbers[2])
        if first < 0 and last < 0:
            return Wanted(latest=-min(first, last))
        return Wanted(text, first, last)
    if _NUMBER.fullmatch(text):
        return Wanted(latest=-int(text)) if int(text) < 0 else Wanted(text, int(text), int(text))
    return Wanted(text)


def _chosen(runs: list[StoredRun], text: str, where: str) -> list[StoredRun]:
    whole = [run for run in runs if run.uid == text]
    if whole:
        return whole[:1]
    numbers = _RANGE.fullmatch(text)
    if numbers:
        found = _range(runs, int(numbers[1]), int(numbers[2]))
        if found:
            return found
    elif _NUMBER.fullmatch(text):
        number = int(text)
        if number < 0:
            if -number <= len(runs):
                return [runs[number]]
            raise RunNotFoundError(
                f"{where} has no run {number}: it has {counted(len(runs), 'run')}."
            )
        found = [run for run in runs if _scan_id(run) == number]
        if found:
            return found[-1:]
    return [_by_uid(runs, text, where)]


def _range(runs: list[StoredRun], first: int, last: int) -> list[StoredRun]:
    if first < 0 and last < 0:
        places = range(len(runs) + first, len(runs) + last + 1)
        return [runs[place] for place in places if place >= 0]
    latest = {_scan_id(run): run for run in runs}
    return [
        latest[number]
        for number in sorted(each for each in latest if each is not None)
        if first <= number <= last
    ]


def _by_uid(runs: list[StoredRun], text: str, where: str) -> StoredRun:
    fitting = [run for run in runs if text and run.uid.startswith(text)]
    if len(text) >= SHORTEST_UID and len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        raise RunNotFoundError(
            f"{text!r} is the beginning of {len(fitting)} uids in {where}: "
            f"{_listed(run.uid for run in fitting)}.",
            remedy="Give more of the uid.",
        )
    if fitting:
        raise UnclearRunError(
            f"{text!r} is too short for the beginning of a uid; {_EXPECTED}",
            remedy=f"One run would fit: {fitting[0].uid}.",
        )
    known = sorted({number for each in runs if (number := _scan_id(each)) is not None})
    numbers = f", with scan_id {known[0]} to {known[-1]}" if known else ""
    error = RunNotFoundError if _is_clear(text) else UnclearRunError
    raise error(
        f"{where} has no run {text!r} among its {counted(len(runs), 'run')}{numbers}; {_EXPECTED}"
    )


def _is_clear(text: str) -> bool:
    numbers = _RANGE.fullmatch(text)
    if numbers:
        return int(numbers[1]) <= int(numbers[2])
    return len(text) >= SHORTEST_UID or _NUMBER.fullmatch(text) is not None


def _has(doc: Any, key: str, value: Any) -> bool:
    for part in key.split("."):  # no key of a document has a dot
        if not isinstance(doc, Mapping) or part not in doc:
            return False
        doc = doc[part]
    # for Python True is 1; and with arrays nothing is plainly equal
    return isinstance(doc, bool) == isinstance(value, bool) and (doc == value) is True


def _scan_id(run: StoredRun) -> int | None:
    found = run.start.get("scan_id")
    return int(found) if isinstance(found, int | float) and found == found // 1 else None


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")


def _where(
    source: Any,
    runs: list[Any],
    within: list[Any],
    since: Any,
    until: Any,
    query: Mapping[str, Any],
) -> str:
    name = os.fspath(source) if isinstance(source, str | os.PathLike) else ""
    name = name or str(getattr(source, "name", "") or f"The {type(source).__name__}")
    limits = [f"since {since}"] if since is not None else []
    limits += [f"until {until}"] if until is not None else []
    limits += [f"{key}={value!r}" for key, value in query.items()]
    return f"{name} ({' '.join(limits)})" if limits else name


def _time_remedy(runs: list[StoredRun]) -> str:
    if not runs:
        return "Is it the right one?"
    first, last = (datetime.datetime.fromtimestamp(runs[place].time) for place in (0, -1))
    return f"Its runs began from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}."


# what there is


def _listed_runs(source: Any) -> list[StoredRun]:
    if not isinstance(source, str | os.PathLike):
        return list(stored_runs(source))
    path = Path(source)
    if path.is_dir():
        paths = sorted(each for each in path.iterdir() if each.name.endswith(_ENDINGS))
        return [run for each in paths for run in _runs_of_file(each)]
    if path.is_file():
        return _runs_of_file(path)
    raise DocumentError(
        f"{os.fspath(source)!r} is neither a file nor a directory of this computer",
        remedy="expected a JSON lines file, or a directory of such.",
    )


def _runs_of_file(path: Path) -> list[StoredRun]:
    def documents(first: Line, uid: str) -> Any:
        return documents_of_run(read_documents(path, first), uid)

    found: list[StoredRun] = []
    for first, start in find_starts(path):
        uid = start.get("uid")
        if not isinstance(uid, str) or not uid:
            raise DocumentError(
                f"line {first.number} of {path}: a start document has the uid {uid!r:.60}; "
                "expected a text."
            )
        found.append(StoredRun(start, partial(documents, first, uid)))
    if not found:
        next(read_documents(path), None)  # says what is wrong with its first line
    return found
