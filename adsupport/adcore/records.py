"""The records of ADCore's templates by release.

``records.json`` holds, for each template, the records of the first known release that has it and
what each later one added and removed. The names are those of ADCore's database templates with all
that they include, without the instance's prefix, for the released tags of
https://github.com/areaDetector/ADCore.
"""

from __future__ import annotations

import difflib
from functools import cache

from adsupport.adcore.versions import KNOWN_RELEASES, Release, nearest

__all__ = ["history", "records", "templates"]


def templates() -> tuple[str, ...]:
    """Return the templates whose records are known.

    Returns
    -------
    tuple of str
        Names without ending, such as ``"ADBase"`` and ``"NDFileHDF5"``.

    Raises
    ------
    FileNotFoundError
        The package lacks its table.
    """
    return tuple(_table())


def records(template: str, release: Release | str) -> frozenset[str]:
    """Return the records that a template has in a release.

    Parameters
    ----------
    template : str
        One of :func:`templates`.
    release : Release or str
        Any release; the :func:`~adsupport.adcore.versions.nearest` known one counts.

    Returns
    -------
    frozenset of str
        Names without prefix, such as ``"AcquireTime_RBV"``; none when the release doesn't have
        the template yet.

    Raises
    ------
    ValueError
        No such template, or the text isn't a release.
    """
    return _releases(template)[nearest(release)]


def history(template: str, record: str) -> tuple[Release | None, Release | None]:
    """Return the release that brought a record and the one that took it away.

    Parameters
    ----------
    template : str
        One of :func:`templates`.
    record : str
        Name without prefix.

    Returns
    -------
    added : Release or None
        The first known release that has it; None when the oldest known one does, whatever
        release brought it.
    removed : Release or None
        The first known release that doesn't have it any more; None when the newest has it.

    Raises
    ------
    ValueError
        No such template, or no known release of the template has the record.
    """
    try:
        return _histories(template)[record]
    except KeyError:
        close = difflib.get_close_matches(record, _histories(template), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"no release of ADCore from {KNOWN_RELEASES[0]} to {KNOWN_RELEASES[-1]} has a record "
            f"{record!r} in its template {template}{hint}"
        ) from None


@cache
def _histories(template: str) -> dict[str, tuple[Release | None, Release | None]]:
    releases = _releases(template)
    added: dict[str, Release | None] = {}
    removed: dict[str, Release | None] = {}
    before: frozenset[str] = frozenset()
    for release, present in releases.items():
        for name in present - before:
            added[name] = None if release == KNOWN_RELEASES[0] else release
            removed[name] = None
        for name in before - present:
            removed[name] = release
        before = present
    return {name: (added[name], removed[name]) for name in added}


@cache
def _releases(template: str) -> dict[Release, frozenset[str]]:
    """Return the records of every known release, oldest first."""
    try:
        changes = _table()[template]
    except KeyError:
        raise ValueError(
            f"the records of template {template!r} are not known; expected one of "
            f"{', '.join(templates())}"
        ) from None
    present: frozenset[str] = frozenset()
    by_release = {}
    for release in KNOWN_RELEASES:
        change = changes.get(str(release), {})
        gone = present.difference(change.get("removed", ()))
        present = gone.union(change.get("all", ()), change.get("added", ()))
        by_release[release] = present
    return by_release


@cache
def _table() -> dict[str, dict[str, dict[str, list[str]]]]:
    # here: who asks for no records doesn't pay for reading them
    import json
    import pkgutil

    content = pkgutil.get_data("adsupport.adcore", "records.json")
    if not content:  # None from an importer that has no files
        raise FileNotFoundError(
            "records.json of adsupport.adcore is missing or empty, so the records of ADCore aren't "
            "known: install adsupport anew."
        )
    return json.loads(content)
