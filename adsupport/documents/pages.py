"""Events and datums out of documents that hold many of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import DocumentError

__all__ = ["datums_of_page", "events_of_page"]


def events_of_page(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Take an event page apart.

    Parameters
    ----------
    page : dict
        An ``event_page`` document.

    Yields
    ------
    dict
        An event document.

    Raises
    ------
    DocumentError
        Its columns aren't equally long.
    """
    uids = page["uid"]
    rows = len(uids)
    _check(page, rows, {name: page[name] for name in ("seq_num", "time")})
    for name in ("data", "timestamps"):
        _check(page, rows, page[name])
    filled = page.get("filled") or {}
    _check(page, rows, filled)
    numbers, times = _plain(page["seq_num"]), _plain(page["time"])
    data, timestamps = _dicts(page["data"], rows), _dicts(page["timestamps"], rows)
    marks = _dicts(filled, rows)
    for each in zip(uids, numbers, times, data, timestamps, marks, strict=True):
        uid, number, time, values, stamps, mark = each
        yield {
            "descriptor": page["descriptor"],
            "uid": uid,
            "seq_num": number,
            "time": time,
            "data": values,
            "timestamps": stamps,
            "filled": mark,
        }


def datums_of_page(page: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Take a datum page apart.

    Parameters
    ----------
    page : dict
        A ``datum_page`` document.

    Yields
    ------
    str
        The datum's id.
    dict
        Its ``datum_kwargs``.

    Raises
    ------
    DocumentError
        Its columns aren't equally long.
    """
    ids = page["datum_id"]
    columns = page["datum_kwargs"]
    _check(page, len(ids), columns)
    yield from zip(ids, _dicts(columns, len(ids)), strict=True)


def _check(page: dict[str, Any], rows: int, columns: dict[str, Any]) -> None:
    for name, column in columns.items():
        if len(column) != rows:
            of = page.get("descriptor") or page.get("resource")
            raise DocumentError(
                f"A page of {of!r} has {rows} rows, and {len(column)} in its column {name!r}."
            )


def _dicts(columns: dict[str, Any], rows: int) -> Iterator[dict[str, Any]]:
    if not columns:
        return ({} for _ in range(rows))
    names = list(columns)
    cells = zip(*(_plain(column) for column in columns.values()), strict=True)
    return (dict(zip(names, row, strict=True)) for row in cells)


def _plain(column: Any) -> Any:
    """Make Python's own numbers of numpy's, as events have them."""
    return column.tolist() if isinstance(column, np.ndarray) and column.ndim == 1 else column
