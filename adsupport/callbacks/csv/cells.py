"""Values as the cells of a CSV file: every number to the last bit, every text as it is."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...documents import json_text

__all__ = ["EMPTY", "cells", "json_cell"]


class _Empty:
    """A cell with nothing in it.

    csv writes None as a text, in quotes, where it quotes texts: this one passes for a number.
    """

    __slots__ = ()

    def __int__(self) -> int:
        raise TypeError("An empty cell has no number.")

    def __str__(self) -> str:
        return ""


#: The cell of a row without value: not even quotes, which an empty text has.
EMPTY = _Empty()

#: What csv writes right by itself: ``repr`` of a float gives the same float back.
_PLAIN = {float, int, bool, str}


def cells(values: Sequence[Any], other: json_text.Other | None = None) -> Sequence[Any]:
    """Make values of any kind cells of one column.

    Parameters
    ----------
    values : sequence
        None for a row without value.
    other : callable, optional
        See :func:`json_cell`.

    Returns
    -------
    sequence
        Numbers, booleans, texts and :data:`EMPTY`; the values themselves when they are such.
    """
    if set(map(type, values)) <= _PLAIN:
        return values
    return [_cell(each, other) for each in values]


def _cell(value: Any, other: json_text.Other | None) -> Any:
    if value is None:
        return EMPTY
    match value:
        case bool():
            return value
        case str():
            return str.__str__(value)
        case np.generic() if not isinstance(value, float):
            plain = value.item()
            return value if isinstance(plain, np.generic) else _cell(plain, other)
        case int():
            return int(value)
        case float():
            return float(value)
        case complex():
            return value
        case np.ndarray() if not value.shape:
            return _cell(value[()], other)
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
    return json_cell(value, other)


def json_cell(value: Any, other: json_text.Other | None = None) -> str:
    """Write an array or another structure as JSON text.

    Parameters
    ----------
    value : any
        Lists, arrays, dictionaries.
    other : callable, optional
        Called with place and value of what can't be written but by its ``repr``; otherwise that
        is an error.

    Returns
    -------
    str
        ASCII, as Python's ``json.loads`` reads it, with its ``NaN`` and ``Infinity``; where
        that has nothing for a value (bytes, dates), what
        :func:`adsupport.documents.json_text.decode` reads.

    Raises
    ------
    DocumentError
        The value can't be written at all.
    """
    try:
        return json.dumps(_lists(value), separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return json_text.encode(value, other=other).decode()


def _lists(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        if set(map(type, value)) <= _PLAIN:
            return value
        return [_lists(each) for each in value]
    return value
