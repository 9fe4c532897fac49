"""What may be in the fields of a message: each check returns the value, or says what it must be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, get_args

import numpy as np

from ...documents import json_text
from ..addons.base import Policy

__all__ = [
    "KINDS",
    "MOST_AXES",
    "MOST_NAME",
    "dtype",
    "many",
    "mapping",
    "maybe",
    "name",
    "one_of",
    "policy",
    "real",
    "shape",
    "text",
    "whole",
]

#: Kinds of numpy that may travel: booleans, integers, floats.
KINDS = "buif"
MOST_AXES = 4
MOST_NAME = 100  # characters
#: As numpy writes it.  Of other text its parser makes records, raises SyntaxError, or warns.
_DTYPE = re.compile(rf"[<>|=]?[{KINDS}][0-9]{{1,2}}", re.ASCII)

_Check = Callable[[Any], Any]


def text(value: Any) -> str:
    """Take text of any length."""
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {value!r:.80}")
    return value


def name(value: Any) -> str:
    """Take a name, for the eyes of people."""
    found = text(value)
    if not 0 < len(found) <= MOST_NAME or not found.isprintable():
        raise ValueError(f"expected 1 to {MOST_NAME} characters that can be printed")
    return found


def whole(least: int, most: float = math.inf) -> Callable[[Any], int]:
    """Check for an integer within limits."""

    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            upper = "or more" if most == math.inf else f"to {most}"
            raise TypeError(f"expected an integer of {least} {upper}, got {value!r:.80}")
        return value

    return check


def real(value: Any) -> float:
    """Take a number; NaN is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"expected a number, got {value!r:.80}")
    return float(value)


def maybe(check: _Check) -> _Check:
    """Check for None, or what another check takes."""
    return lambda value: None if value is None else check(value)


def many(check: _Check) -> Callable[[Any], tuple[Any, ...]]:
    """Check for a list, each item by another check."""

    def check_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise TypeError(f"expected a list, got {value!r:.80}")
        return tuple(map(check, value))

    return check_all


def one_of(*known: str) -> Callable[[Any], str]:
    """Check for one of some words."""

    def check(value: Any) -> str:
        if value not in known:
            raise ValueError(f"expected one of {', '.join(known)}, got {value!r:.80}")
        return value

    return check


#: What a consumer asks for.
policy = one_of(*get_args(Policy))


def mapping(value: Any) -> dict[str, Any]:
    """Read the JSON text of a map."""
    if not isinstance(value, bytes):
        raise TypeError(f"expected the bytes of a JSON text, got {value!r:.80}")
    found = json_text.decode(value, where="metadata")
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise TypeError("expected a map with text as keys")
    return found


def dtype(value: Any) -> str:
    """Take the text of a dtype that may travel."""
    found = text(value)
    if not _DTYPE.fullmatch(found) or np.dtype(found).kind not in KINDS:
        raise ValueError(f"expected the dtype of integers or floats, got {found!r:.80}")
    return found


def shape(value: Any) -> tuple[int, ...]:
    """Take the shape of a frame."""
    found = many(whole(0))(value)
    if not 1 <= len(found) <= MOST_AXES:
        raise ValueError(f"expected 1 to {MOST_AXES} axes, got {len(found)}")
    return found
