"""Numbers as SPEC files have them, spelled so that silx, PyMca and spec2nexus read them.

None of the readers knows ``inf``: a number that overflows is read as infinity by all.  There is
no spelling of NaN that silx and PyMca read: their parser skips letters.  ``-nan``, which is what C
prints, at least keeps a row whole: they read 0 there, where ``nan`` in the first or last column
would lose them the row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["INFINITY", "NAN", "array_text", "number_text"]

NAN = "-nan"
INFINITY = "1.0e999"
# silx copies a number into 40 bytes.
_MAX_INTEGER_BITS = 96


def _float(value: float) -> str:
    # An infinity minus itself is NaN, too.
    if value - value == 0.0:
        return repr(value)
    return NAN if value != value else INFINITY if value > 0 else f"-{INFINITY}"


def _integer(value: int) -> str:
    if value.bit_length() <= _MAX_INTEGER_BITS:
        return repr(value)
    try:
        return repr(float(value))
    except OverflowError:
        return INFINITY if value > 0 else f"-{INFINITY}"


def _boolean(value: bool) -> str:
    return "1" if value else "0"


_BY_TYPE: dict[type, Callable[[Any], str]] = {
    float: _float,
    int: _integer,
    bool: _boolean,
    np.float64: lambda value: _float(float(value)),
}


def _other(value: Any) -> str | None:
    if isinstance(value, np.ndarray):
        return number_text(value.item()) if value.size == 1 else None
    if isinstance(value, list | tuple):
        try:
            return number_text(value[0]) if len(value) == 1 else None
        except RecursionError:  # a list that holds itself
            return None
    if isinstance(value, bool | np.bool_):
        return _boolean(bool(value))
    if isinstance(value, int | np.integer):
        return _integer(int(value))
    if isinstance(value, float | np.floating):
        return _float(float(value))
    return None


def number_text(value: Any) -> str | None:
    """Write a number.

    Parameters
    ----------
    value : any
        A number of Python or numpy, a boolean, or an array of one of them.

    Returns
    -------
    str or None
        The shortest text that is read back as the same double; booleans are 1 and 0.
        None when the value isn't a number.
    """
    return _BY_TYPE.get(type(value), _other)(value)


def array_text(value: Any) -> str | None:
    """Write the numbers of an array.

    Parameters
    ----------
    value : array_like
        Of any shape; the last axis runs fastest.

    Returns
    -------
    str or None
        Numbers separated by a space; empty for an empty array.  None when the array isn't one
        of numbers, or has only NaN, which spec2nexus can't read.
    """
    try:
        array = np.asarray(value)
    except ValueError:  # ragged lists
        return None
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    numbers = array.ravel().tolist()
    if array.dtype.kind in "iu":
        return " ".join(map(repr, numbers))
    if array.dtype.kind == "f":
        text = " ".join(map(repr if all(map(math.isfinite, numbers)) else _float, numbers))
    else:  # lists of Python's own: huge integers, or no numbers at all
        texts = [None if array.dtype.kind != "O" else number_text(each) for each in numbers]
        if None in texts:
            return None
        text = " ".join(filter(None, texts))
    if "." in text:
        return text
    # Without a point spec2nexus takes an array for one of integers.
    return None if "n" in text else text.replace("e", ".0e", 1)
