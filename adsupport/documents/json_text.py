"""Documents as strict JSON text, and back, without loss: the format ``adsupport-json-1``.

What JSON has is written as it is: objects, arrays, texts, integers of 64 bits, finite floats,
booleans, null.  A tuple is an array, as everywhere in bluesky.  What JSON doesn't have becomes an
object with the key ``"$adsupport"``, which names the kind:

=================================== ==================================================
kind                                other keys
=================================== ==================================================
``float``                           ``value``: ``"nan"``, ``"inf"``, ``"-inf"``, or the 64 bits of
                                    any other NaN in hexadecimal
``int``                             ``value``: hexadecimal text, of an integer beyond 64 bits
``str``                             ``base64``: UTF-8, of a text with lone surrogates, with these
``bytes``                           ``base64``
``complex``                         ``real``, ``imag``
``datetime``, ``date``, ``time``    ``value``: ISO 8601 with the offset; ``fold`` when it's 1
``timedelta``                       ``value``: [days, seconds, microseconds]
``set``, ``frozenset``              ``items``
``dict``                            ``items``: [key, value] pairs, of a mapping with keys that
                                    aren't texts, or with the key ``"$adsupport"`` itself
``scalar``                          ``dtype``, ``base64``: a numpy scalar
``ndarray``                         ``dtype``, ``shape``, and ``base64`` (in C order) or, for arrays
                                    of objects, ``items``
``other``                           ``type``, ``text``: of an object that couldn't be written
=================================== ==================================================

``dtype`` is what a ``.npy`` file has in its header.  The numpy scalars that numpy itself makes of
Python's numbers (float64, int64, bool, complex128) are written as these.  Of subclasses of
Python's types, Enums and UUIDs only the plain value is kept.
"""

from __future__ import annotations

import enum
import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import orjson

from ..errors import DocumentError
from .json_tags import TAG, WRITERS, is_plain, numpy_value, restored, tag, text_value

__all__ = ["TAG", "decode", "decode_document", "encode", "encode_document"]

_TAG_BYTES = TAG.encode()
_find_null = re.compile(b"null").search
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_LINE_OPTIONS = _OPTIONS | orjson.OPT_APPEND_NEWLINE
#: What orjson can nest; it would end the process' stack otherwise.
_DEEPEST = 254

#: How far from the top a value is looked for that can be left out, when it's nested too deep.
_LEVELS = 2
#: Steps of a place that a message tells.
_LONGEST_PLACE = 12

#: Called with the place and the value of what can't be written.
Other = Callable[[str, Any], None]


def encode(value: Any, *, where: str = "value", other: Other | None = None) -> bytes:
    """Write a value as JSON text.

    Parameters
    ----------
    value : any
        What the module's text lists, nested in any way.
    where : str
        What the value is, for messages.
    other : callable, optional
        Called as ``other(place, value)`` for an object that can't be written, also for one that is
        nested too deep; its ``repr``,
        shortened, is written then.  Otherwise such an object is an error.

    Returns
    -------
    bytes
        UTF-8, one line without its end.

    Raises
    ------
    DocumentError
        An object can't be written, such as ``start['sample'][2]``, or is nested more than 254
        deep, as one that holds itself.
    """
    try:
        text = orjson.dumps(value, option=_OPTIONS)
    except TypeError:
        pass
    else:
        # orjson writes null for NaN and infinities: where it did, each value must be looked at.
        if _is_whole(text):
            return text
    return _Encoder(where, other).text(value)


def encode_document(name: str, doc: Mapping[str, Any], *, other: Other | None = None) -> bytes:
    """Write a document as a line of a JSON lines file: ``["start", {...}]``.

    Parameters
    ----------
    name : str
        Such as ``"event"``.
    doc : mapping
        The document.
    other : callable, optional
        See :func:`encode`.

    Returns
    -------
    bytes
        One line with its end.

    Raises
    ------
    DocumentError
        See :func:`encode`.
    """
    try:
        line = orjson.dumps((name, doc), option=_LINE_OPTIONS)
    except TypeError:
        pass
    else:
        if _is_whole(line):
            return line
    return b"[%b,%b]\n" % (encode(name, where="name"), _Encoder(name, other).text(doc))


def decode(text: bytes | str, *, where: str = "text") -> Any:
    """Read a value from JSON text.

    Parameters
    ----------
    text : bytes or str
        What :func:`encode` wrote, or any JSON; also with the ``NaN`` and ``Infinity`` of
        Python's own ``json``.
    where : str
        What the text is, for messages.

    Returns
    -------
    any
        The value.

    Raises
    ------
    DocumentError
        It isn't JSON, or has a tag that this version doesn't know.
    """
    try:
        text = text.decode() if isinstance(text, bytes) else text
        return json.loads(text, object_hook=restored if TAG in text else None)
    except (ValueError, RecursionError) as error:
        if isinstance(error, DocumentError):
            raise
        problem = "it is nested too deep" if isinstance(error, RecursionError) else error
        raise DocumentError(
            f"The {where} can't be read as JSON: {problem}. It begins with {text[:40]!r}."
        ) from error


def decode_document(line: bytes | str, *, where: str = "line") -> tuple[str, dict[str, Any]]:
    """Read a document from a line of a JSON lines file.

    Parameters
    ----------
    line : bytes or str
        ``["start", {...}]``, or as tiled writes it ``{"name": "start", "doc": {...}}``.
    where : str
        What the line is, for messages.

    Returns
    -------
    str, dict
        Name and document.

    Raises
    ------
    DocumentError
        It isn't such a line.
    """
    found = decode(line, where=where)
    if isinstance(found, dict):
        found = [found.get("name"), found.get("doc")]
    match found:
        case [str(name), dict(doc)]:
            return name, doc
    raise DocumentError(
        f'The {where} isn\'t a document; expected ["start", {{...}}], found {line[:40]!r}.'
    )


def _is_whole(text: bytes) -> bool:
    """Tell whether nothing was lost (NaN becomes null) and nothing looks like a tag."""
    # in lines of some hundred bytes both are found faster so than by `in`
    return _find_null(text) is None and (text.find(b"$") < 0 or _TAG_BYTES not in text)


class _UnencodableError(Exception):
    """An object that can't be written."""


class _TooDeepError(_UnencodableError):
    """Lists or mappings are nested too deep."""


class _Encoder:
    """Makes of any value one that orjson writes as it is."""

    def __init__(self, where: str, other: Other | None) -> None:
        self._where = where
        self._other = other
        self._path: list[Any] = []

    def text(self, value: Any) -> bytes:
        try:
            return orjson.dumps(self._member(value), option=_OPTIONS)
        except (_UnencodableError, TypeError, RecursionError) as error:
            raise DocumentError(
                f"{self._place() or self._where} can't be written as JSON: {error}.",
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
        write = WRITERS.get(type(value))
        if write is not None:
            return write(value)
        if len(self._path) >= _DEEPEST:
            raise _TooDeepError(f"it is nested more than {_DEEPEST} deep, or holds itself")
        if isinstance(value, Mapping):
            return self._mapping(value)
        match value:
            case enum.Enum():
                return self._plain(value.value)
            case str() | bytes():
                return WRITERS[str if isinstance(value, str) else bytes](value)
            case np.ndarray() | np.generic():
                return self._numpy(value)
            case int() | float():
                return WRITERS[int if isinstance(value, int) else float](value)
            case uuid.UUID():
                return str(value)
            case Set():
                items = sorted(self._items(value), key=orjson.dumps)
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
        return numpy_value(value)

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
