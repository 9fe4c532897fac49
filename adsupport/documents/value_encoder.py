"""The walk through a value, of which a notation such as JSON then has every part."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from ..errors import DocumentError
from .json_tags import TAG, is_plain, tag, text_value

__all__ = ["Notation", "Other", "ValueEncoder"]

#: What orjson can nest; it would end the process' stack otherwise.
_DEEPEST = 254
#: How far from the top a value is looked for that can be left out, when it's nested too deep.
_LEVELS = 2
#: Steps of a place that a message tells.
_LONGEST_PLACE = 12
#: dtypes of the scalars that numpy itself makes of Python's numbers.  These are written as such.
_PYTHONS_OWN = {np.dtype(kind) for kind in ("f8", "i8", "?", "c16")}

#: Called with the place and the value of what can't be written.
Other = Callable[[str, Any], None]


class Notation(NamedTuple):
    """How values look in a text, or in bytes that stand for one.

    Parameters
    ----------
    name : str
        For messages.
    writers : mapping of type to callable
        Makes of a value of exactly this type one that ``dumps`` takes.
    numpy_value : callable
        Does it for an array of numpy, of a plain type, or a scalar that isn't Python's own number.
    dumps : callable
        Writes what these made, in lists and in mappings with texts for keys; raises TypeError,
        ValueError or OverflowError for what it can't.
    """

    name: str
    writers: Mapping[type, Callable[[Any], Any]]
    numpy_value: Callable[[np.ndarray | np.generic], Any]
    dumps: Callable[[Any], bytes]


class _UnencodableError(Exception):
    """An object that can't be written."""


class _TooDeepError(_UnencodableError):
    """Lists or mappings are nested too deep."""


class ValueEncoder:
    """Makes of any value one that a notation has as it is.

    Parameters
    ----------
    notation : Notation
        Which.
    where : str
        What the value is, for messages.
    other : callable or None
        See :func:`adsupport.documents.json_text.encode`.
    """

    def __init__(self, notation: Notation, where: str, other: Other | None) -> None:
        self._notation = notation
        self._where = where
        self._other = other
        self._path: list[Any] = []

    def text(self, value: Any) -> bytes:
        """Write a value.

        Parameters
        ----------
        value : any
            See :func:`adsupport.documents.json_text.encode`.

        Returns
        -------
        bytes
            In the notation.

        Raises
        ------
        DocumentError
            See :func:`adsupport.documents.json_text.encode`.
        """
        try:
            return self._notation.dumps(self._member(value))
        except (
            _UnencodableError,
            TypeError,
            ValueError,
            OverflowError,
            RecursionError,
        ) as error:
            raise DocumentError(
                f"{self._place() or self._where} can't be written as {self._notation.name}: "
                f"{error}.",
                remedy="use numbers, texts, lists, dictionaries or numpy arrays.",
            ) from None

    def _place(self) -> str:
        keys = [f"[{key!r}]" for key in self._path]
        if len(keys) > _LONGEST_PLACE:
            keys[_LONGEST_PLACE:] = ["..."]
        return self._where + "".join(keys)

    def _plain(self, value: Any) -> Any:
        if value is None:
            return None
        write = self._notation.writers.get(type(value))
        if write is not None:
            return write(value)
        if len(self._path) >= _DEEPEST:
            raise _TooDeepError(f"it is nested more than {_DEEPEST} deep, or holds itself")
        if isinstance(value, Mapping):
            return self._mapping(value)
        match value:
            case enum.Enum():
                return self._plain(value.value)
            case str():
                return self._notation.writers[str](value)
            case bytes():
                return self._notation.writers[bytes](value)
            case np.ndarray() | np.generic():
                return self._numpy(value)
            case int():
                return self._notation.writers[int](value)
            case float():
                return self._notation.writers[float](value)
            case uuid.UUID():
                return str(value)
            case Set():
                items = sorted(self._items(value), key=self._notation.dumps)
                return tag("frozenset" if isinstance(value, frozenset) else "set", items=items)
            case Sequence() if not isinstance(value, (bytearray, memoryview)):
                return self._items(value)
        return self._unknown(value)

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        plain, path = [], self._path
        for key, each in value.items():
            path.append(key)
            plain.append([self._plain(key), self._member(each)])
            path.pop()  # not after an error: it tells where that was
        if TAG not in value and all(isinstance(key, str) for key in value):
            found = {key: each for key, each in plain if isinstance(key, str)}
            if len(found) == len(plain):  # no lone surrogates, no keys that only seem to differ
                return found
        return tag("dict", items=plain)

    def _items(self, values: Iterable[Any]) -> list[Any]:
        plain, path = [], self._path
        for index, each in enumerate(values):
            path.append(index)
            plain.append(self._member(each))
            path.pop()
        return plain

    def _member(self, value: Any) -> Any:
        """Write what is in a list or mapping; one that is too deep doesn't cost those beside it."""
        level = len(self._path)
        if self._other is None or level > _LEVELS:
            return self._plain(value)
        try:
            return self._plain(value)
        except (_TooDeepError, RecursionError):
            del self._path[level:]
            return self._unknown(value)

    def _numpy(self, value: np.ndarray | np.generic) -> Any:
        if isinstance(value, np.ndarray) and value.dtype == object:
            items = self._items(np.asarray(value).ravel().tolist())
            return tag("ndarray", dtype="|O", shape=list(value.shape), items=items)
        if isinstance(value, np.ma.MaskedArray) or not is_plain(value.dtype):
            return self._unknown(value)
        if isinstance(value, np.generic) and value.dtype in _PYTHONS_OWN:
            return self._plain(value.item())
        return self._notation.numpy_value(value)

    def _unknown(self, value: Any) -> Any:
        kind = type(value).__name__
        if self._other is None:
            raise _UnencodableError(f"it is {'an' if kind[:1] in 'AEIOUaeiou' else 'a'} {kind}")
        self._other(self._place(), value)
        return tag("other", type=text_value(kind), text=text_value(_shortened(value)))


def _shortened(value: Any) -> str:
    try:
        found = repr(value)
    except Exception as error:  # an object's own code may fail in any way
        found = f"<{type(value).__name__}, whose repr() raises {type(error).__name__}>"
    return found if len(found) <= 1000 else found[:1000] + "..."
