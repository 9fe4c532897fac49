"""The JSON objects that stand for what JSON doesn't have, one kind after the other.

:mod:`~adsupport.documents.json_text` lists the kinds and walks through whole values; here are the
two directions of each kind side by side.
"""

from __future__ import annotations

import base64
import datetime
import math
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib import format as npy

from ..errors import DocumentError

__all__ = [
    "TAG",
    "WRITERS",
    "array_of",
    "is_plain",
    "numpy_value",
    "restored",
    "tag",
    "text_value",
    "type_of",
]

#: The key that makes a JSON object stand for something else.
TAG = "$adsupport"

#: Types as ``numpy.dtype.str`` gives them; numpy itself would read far more.
_SIMPLE = re.compile(r"[<>|][biufcSUVmM]\d*(\[\w+\])?")
_NAN_BITS = struct.pack(">d", math.nan).hex()

#: What a wrong value behind a tag leads to.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
    struct.error,
)


def tag(kind: str, **content: Any) -> dict[str, Any]:
    """Make the object of a kind.

    Parameters
    ----------
    kind : str
        Such as ``"float"``.
    **content : any
        Its other keys.

    Returns
    -------
    dict
        Of values that JSON has.
    """
    return {TAG: kind, **content}


def restored(found: dict[str, Any]) -> Any:
    """Return what an object of the text stands for: the ``object_hook`` of the JSON parser.

    Parameters
    ----------
    found : dict
        An object, with those inside it restored already.

    Returns
    -------
    any
        The value; the object itself when it has no tag.

    Raises
    ------
    DocumentError
        The tag is of an unknown kind, or what belongs to it is missing or wrong.
    """
    if TAG not in found:
        return found
    read = _READERS.get(found[TAG]) if isinstance(found[TAG], str) else None
    if read is None:
        raise DocumentError(
            f"There is an object {TAG!r} of the unknown kind {found[TAG]!r}; expected "
            f"one of {', '.join(_READERS)}.",
            remedy="a newer release of adsupport may know it.",
        )
    try:
        return read(found)
    except _BROKEN as error:
        raise DocumentError(
            f"There is an object {TAG!r} of the kind {found[TAG]!r} that can't be "
            f"restored ({type(error).__name__}: {error}): {str(found)[:200]}."
        ) from error


def text_value(value: str) -> Any:
    """Write a text: as it is, or tagged when it has lone surrogates.

    Parameters
    ----------
    value : str
        The text.

    Returns
    -------
    str or dict
        What JSON can have.
    """
    if not value.isascii():
        raw = value.encode("utf-8", "surrogatepass")
        try:
            raw.decode()
        except UnicodeDecodeError:
            return tag("str", base64=_base64(raw))
    return str.__str__(value)


def is_plain(dtype: np.dtype) -> bool:
    """Tell whether the bytes of an array are all that there is to it.

    Parameters
    ----------
    dtype : numpy.dtype
        Its type.

    Returns
    -------
    bool
        False for references to objects and for types that numpy doesn't define.
    """
    return not dtype.hasobject and dtype.kind in "biufcSUVmM"


def numpy_value(value: np.ndarray | np.generic) -> dict[str, Any]:
    """Write a numpy array or scalar of a plain type.

    Parameters
    ----------
    value : numpy.ndarray or numpy.generic
        Of any shape.

    Returns
    -------
    dict
        Of values that JSON has.
    """
    content = {"dtype": type_of(value.dtype), "base64": _base64(value.tobytes())}
    if isinstance(value, np.generic):
        return tag("scalar", **content)
    return tag("ndarray", shape=list(value.shape), **content)


def type_of(dtype: np.dtype) -> Any:
    """Write a plain type, as the header of a ``.npy`` file has it.

    Parameters
    ----------
    dtype : numpy.dtype
        See :func:`is_plain`.

    Returns
    -------
    str or list
        Such as ``"<f8"``; the fields of a structure.

    Raises
    ------
    ValueError
        Fields overlap, or aren't in their order.
    """
    return dtype.str if dtype.names is None else npy.dtype_to_descr(dtype)


def array_of(descr: Any, shape: Sequence[int], raw: bytes) -> np.ndarray:
    """Make an array of its bytes: the other direction of :func:`type_of`.

    Parameters
    ----------
    descr : str or list
        Its type; what are tuples in it may have become lists.
    shape : sequence of int
        Its shape.
    raw : bytes
        In C order; they're copied.

    Returns
    -------
    numpy.ndarray
        One that can be changed.

    Raises
    ------
    ValueError, TypeError
        It isn't a type of numbers or texts, or the number of bytes is another one.
    """
    dtype, shape = _dtype(descr), tuple(shape)
    expected = math.prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise ValueError(f"{len(raw)} bytes, expected {expected}")
    # as the array's own memory: a copy by numpy would lose a structure's padding
    return np.ndarray(shape, dtype, bytearray(raw))


def _float(value: float) -> Any:
    if math.isfinite(value):
        return float.__float__(value)
    if math.isinf(value):
        return tag("float", value="inf" if value > 0 else "-inf")
    bits = struct.pack(">d", value).hex()
    return tag("float", value="nan" if bits == _NAN_BITS else bits)


def _read_float(found: dict[str, Any]) -> float:
    text = found["value"]
    if text in ("nan", "inf", "-inf"):
        return float(text)
    return struct.unpack(">d", bytes.fromhex(text))[0]


def _int(value: int) -> Any:
    value = int.__int__(value)
    return value if -(2**63) <= value < 2**64 else tag("int", value=hex(value))


def _bytes(value: bytes) -> Any:
    return tag("bytes", base64=_base64(value))


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _raw(found: dict[str, Any]) -> bytes:
    return base64.b64decode(found["base64"], validate=True)


def _moment(value: datetime.datetime | datetime.time) -> Any:
    fold = {"fold": 1} if value.fold else {}
    return tag(type(value).__name__, value=value.isoformat(), **fold)


#: How values of Python's own types are written.  By exact type: a subclass, such as pandas'
#: Timestamp, may hold more.
WRITERS: dict[type, Callable[[Any], Any]] = {
    str: text_value,
    float: _float,
    int: _int,
    bool: bool,
    bytes: _bytes,
    complex: lambda value: tag("complex", real=_float(value.real), imag=_float(value.imag)),
    datetime.datetime: _moment,
    datetime.time: _moment,
    datetime.date: lambda value: tag("date", value=value.isoformat()),
    datetime.timedelta: lambda value: tag(
        "timedelta", value=[value.days, value.seconds, value.microseconds]
    ),
}


def _dtype(descr: Any) -> np.dtype:
    dtype = npy.descr_to_dtype(_with_tuples(descr))
    if not is_plain(dtype):
        raise ValueError(f"{descr!r} isn't a type of numbers or texts")
    return dtype


def _with_tuples(descr: Any) -> Any:
    """Make tuples of a type's fields again: JSON knows lists only."""
    if isinstance(descr, str):
        if not _SIMPLE.fullmatch(descr):
            raise ValueError(f"{descr!r} isn't a type of numbers or texts")
        return descr
    if isinstance(descr, int):
        return descr
    if all(isinstance(field, list) for field in descr):
        return [
            (
                tuple(name) if isinstance(name, list) else name,
                _with_tuples(kind),
                *map(tuple, shape),
            )
            for name, kind, *shape in descr
        ]
    return tuple(_with_tuples(each) for each in descr)


def _ndarray(found: dict[str, Any]) -> np.ndarray:
    shape = tuple(found["shape"])
    if "items" in found:
        array = np.empty(len(found["items"]), object)
        for index, each in enumerate(found["items"]):  # at once numpy would unpack lists
            array[index] = each
        return array.reshape(shape)
    return array_of(found["dtype"], shape, _raw(found))


def _as_member(found: Any) -> Any:
    """Make a tuple again of what is an array in JSON: lists can't be keys, or members of sets."""
    return tuple(map(_as_member, found)) if isinstance(found, list) else found


def _scalar(found: dict[str, Any]) -> Any:
    return array_of(found["dtype"], (), _raw(found))[()]


_READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "float": _read_float,
    "int": lambda found: int(found["value"], 16),
    "str": lambda found: _raw(found).decode("utf-8", "surrogatepass"),
    "bytes": _raw,
    "complex": lambda found: complex(found["real"], found["imag"]),
    "datetime": lambda found: datetime.datetime.fromisoformat(found["value"]).replace(
        fold=found.get("fold", 0)
    ),
    "date": lambda found: datetime.date.fromisoformat(found["value"]),
    "time": lambda found: datetime.time.fromisoformat(found["value"]).replace(
        fold=found.get("fold", 0)
    ),
    "timedelta": lambda found: datetime.timedelta(*found["value"]),
    "set": lambda found: set(map(_as_member, found["items"])),
    "frozenset": lambda found: frozenset(map(_as_member, found["items"])),
    "dict": lambda found: {_as_member(key): each for key, each in found["items"]},
    "scalar": _scalar,
    "ndarray": _ndarray,
    "other": lambda found: found["text"],
}
