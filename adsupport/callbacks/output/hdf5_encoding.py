"""From any value to one that HDF5 has: see :mod:`~adsupport.callbacks.output.hdf5_values`."""

from __future__ import annotations

import datetime
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import h5py
import numpy as np

from ...documents import json_text
from ...errors import DocumentError
from .hdf5_names import UNFIT

__all__ = ["Encoded", "encoded"]

_MOST_DIMENSIONS = 32
_LONGEST_PROBLEM = 200
#: Integers up to here have a float64 each.
_EXACT = 2**53
#: The scalars that numpy itself makes of Python's values are treated like these.
_PYTHONS_OWN = {np.float64: float, np.int64: int, np.bool_: bool, np.complex128: complex}
_NUMBERS: dict[frozenset[type], type] = {
    frozenset((bool,)): np.bool_,
    frozenset((float,)): np.float64,
    frozenset((complex,)): np.complex128,
    frozenset((float, complex)): np.complex128,
}


@dataclass
class Encoded:
    """A value as h5py takes it.

    Parameters
    ----------
    data : any
        A text, a numpy scalar or a numpy array.
    dtype : any
        Type to store it as; None for the data's own.
    json : bool
        Whether ``data`` is JSON text.
    units : str
        Where the conversion gives the numbers one.
    notes : list of str
        What couldn't be kept, each a sentence.
    """

    data: Any
    dtype: Any = None
    json: bool = False
    units: str = ""
    notes: list[str] = field(default_factory=list)


def encoded(name: str, value: Any, *, as_json: bool = False) -> Encoded:
    """Make a value one that HDF5 has.

    Parameters
    ----------
    name : str
        What the notes call it.
    value : any
        Any value.
    as_json : bool
        Whether it shall be the text of :func:`adsupport.documents.json_text.encode` even if HDF5
        has a type for it.

    Returns
    -------
    Encoded
        It and how to store it.
    """
    try:
        if _is_array_like(value):
            value = np.asarray(value)
        native = None if as_json else _native(value)
    except Exception as error:  # the object's own code may fail in any way
        return _unknown(name, value, f"{type(error).__name__}: {error}")
    return _json(name, value) if native is None else native


def _json(name: str, value: Any) -> Encoded:
    notes: list[str] = []
    if np.ma.isMaskedArray(value):
        value = value.tolist()  # None for what is masked

    def note(place: str, other: Any) -> None:
        notes.append(_only_text(place, other))

    try:
        text = json_text.encode(value, where=name, other=note).decode("utf-8")
    except DocumentError as error:
        return _unknown(name, value, error.problem)
    except Exception as error:  # the object's own code may fail in any way
        return _unknown(name, value, f"{type(error).__name__}: {error}")
    return Encoded(text, h5py.string_dtype(), json=True, notes=notes)


def _unknown(name: str, value: Any, problem: str) -> Encoded:
    try:
        text = str(value)[:1000]
    except Exception as error:  # the object's own code may fail in any way
        text = f"{type(value).__name__}, whose text raises {type(error).__name__}"
    text = UNFIT.sub("?", text)
    return Encoded(text, h5py.string_dtype(), notes=[_only_text(name, value, problem)])


def _only_text(place: str, value: Any, problem: str = "") -> str:
    if len(problem) > _LONGEST_PROBLEM:
        half = _LONGEST_PROBLEM // 2  # of what is nested deep, the reason stands at the end
        problem = f"{problem[:half]}...{problem[-half:]}"
    reason = f": {problem}" if problem else ""
    sentence = f"Of {place}, type {type(value).__name__}, only a text is kept{reason}"
    return sentence if sentence.endswith(".") else f"{sentence}."


def _native(value: Any) -> Encoded | None:
    """Encode what HDF5 has a type for; None for the rest."""
    if isinstance(value, Enum):
        return _native(value.value)
    value = _as_text(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic):
        return _numbers([value], ())
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes(bytes(value))
    if isinstance(value, datetime.timedelta):
        return Encoded(np.float64(value.total_seconds()), units="s")
    if isinstance(value, (np.generic, np.ndarray)):
        return _numpy(value)
    if value is None or isinstance(value, (Mapping, Set)):
        return None
    if isinstance(value, Sequence):
        return _list(value)
    return None


def _is_array_like(value: Any) -> bool:
    """Tell whether a value isn't numpy's, but makes an array of itself."""
    return hasattr(value, "__array__") and not isinstance(value, (np.generic, np.ndarray))


def _as_text(value: Any) -> Any:
    """Return the text that stands for a moment, a path or a UUID; anything else as it is."""
    if isinstance(value, datetime.datetime):
        return (value if value.tzinfo else value.astimezone()).isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        path = os.fspath(value)
        return path if isinstance(path, str) else os.fsdecode(path)
    if isinstance(value, uuid.UUID):
        return str(value)
    return value


def _text(value: str) -> Encoded | None:
    if UNFIT.search(value):
        return None
    return Encoded(str.__str__(value), h5py.string_dtype())


def _bytes(value: bytes) -> Encoded:
    # HDF5 pads texts of fixed length with NULs: what has one of its own is stored opaque
    if value and 0 not in value:
        return Encoded(np.bytes_(value))
    return Encoded(np.void(value)) if value else Encoded(h5py.Empty("S1"))


def _numpy(value: Any) -> Encoded | None:
    kind = value.dtype.kind
    if np.ma.isMaskedArray(value):
        return None if np.ma.getmaskarray(value).any() else _numpy(np.ma.getdata(value))
    if value.ndim > _MOST_DIMENSIONS:
        return None
    if kind in "UTO":
        plain = value.tolist()
        return _list(plain, value.shape) if value.shape else _native(plain)
    if kind == "M":
        hours = np.datetime_data(value.dtype)[0] not in ("Y", "M", "W", "D", "generic")
        texts = np.datetime_as_string(value, timezone="UTC" if hours else "naive")
        return _numpy(np.asarray(texts))
    if kind == "m":
        seconds = np.asarray(value / np.timedelta64(1, "s"), np.float64)
        return Encoded(seconds[()], units="s")
    try:
        h5py.h5t.py_create(value.dtype, logical=True)
    except TypeError:  # a field of a structured type, for instance
        return None
    return Encoded(value)


def _list(value: Sequence[Any], shape: tuple[int, ...] | None = None) -> Encoded | None:
    """Encode a list of equal things, or of equal lists of them."""
    if shape is None:
        if value and all(isinstance(each, np.ndarray) for each in value):
            kinds = {(each.dtype, each.shape) for each in value}
            plain = not any(np.ma.isMaskedArray(each) for each in value)
            return _numpy(np.stack(list(value))) if len(kinds) == 1 and plain else None
        try:
            shape = _shape(value)
        except _TooDeepError:
            return None
        if shape is None:
            return None
    if 0 in shape:  # of which type nobody knows
        return None
    return _numbers(list(_leaves(value, len(shape))), shape)


def _numbers(leaves: list[Any], shape: tuple[int, ...]) -> Encoded | None:
    """Encode values of one kind, in an array of a shape; None when they aren't of one kind."""
    found = set(map(type, leaves))
    if not found <= _SIMPLE:
        leaves = [_as_text(each.value if isinstance(each, Enum) else each) for each in leaves]
        found = set(map(type, leaves))
    kinds = frozenset(_PYTHONS_OWN.get(kind, kind) for kind in found)
    if all(issubclass(kind, str) for kind in kinds):
        if any(UNFIT.search(each) for each in leaves):
            return None
        return Encoded(np.array(leaves, object).reshape(shape), h5py.string_dtype())
    dtype = _NUMBERS.get(kinds) or _integers(kinds, leaves)
    if dtype is None and len(kinds) == 1 and issubclass(next(iter(kinds)), np.number):
        dtype = leaves[0].dtype
    if dtype is None or np.dtype(dtype).kind in "mM":
        return None
    return Encoded(np.array(leaves, dtype).reshape(shape)[()])


def _integers(kinds: frozenset[type], leaves: list[Any]) -> type | None:
    """Choose the type for numbers of which some or all are integers; None where none fits."""
    if int not in kinds or not kinds <= {int, float, complex}:
        return None
    whole = [each for each in leaves if isinstance(each, (int, np.integer))]
    least, most = min(whole), max(whole)
    if len(kinds) > 1:
        if max(-least, most) > _EXACT:
            return None
        return np.complex128 if complex in kinds else np.float64
    if least >= -(2**63) and most < 2**63:
        return np.int64
    return np.uint64 if least >= 0 and most < 2**64 else None


_SIMPLE = frozenset((str, bool, int, float, complex, *_PYTHONS_OWN))


class _TooDeepError(Exception):
    """Lists are nested deeper than an array of HDF5 can be, or hold themselves."""


def _shape(value: Any, depth: int = 0) -> tuple[int, ...] | None:
    """Return the shape of nested lists; None when they aren't all of one length."""
    if not _is_list(value):
        return ()
    if depth == _MOST_DIMENSIONS:
        # an error, and not a result: lists that hold themselves twice have 2**32 such places
        raise _TooDeepError
    shapes = {_shape(each, depth + 1) for each in value} if any(map(_is_list, value)) else {()}
    inner = shapes.pop()
    return None if shapes or inner is None else (len(value), *inner)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(
        value, (str, bytes, bytearray, memoryview)
    )


def _leaves(value: Sequence[Any], depth: int) -> Iterator[Any]:
    if depth == 1:
        yield from value
    else:
        for each in value:
            yield from _leaves(each, depth - 1)
