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

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson

from ..errors import DocumentError
from .json_tags import TAG, WRITERS, numpy_value, restored
from .value_encoder import Notation, Other, ValueEncoder

__all__ = ["TAG", "decode", "decode_document", "encode", "encode_document"]

_TAG_BYTES = TAG.encode()
_find_null = re.compile(b"null").search
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_LINE_OPTIONS = _OPTIONS | orjson.OPT_APPEND_NEWLINE
_JSON = Notation("JSON", WRITERS, numpy_value, partial(orjson.dumps, option=_OPTIONS))


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
        nested too deep; its ``repr``, shortened, is written then.  Otherwise such an object is an
        error.

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
    return ValueEncoder(_JSON, where, other).text(value)


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
    text = ValueEncoder(_JSON, name, other).text(doc)
    return b"[%b,%b]\n" % (encode(name, where="name"), text)


def decode(text: bytes | str, *, where: str = "text", unique: bool = False) -> Any:
    """Read a value from JSON text.

    Parameters
    ----------
    text : bytes or str
        What :func:`encode` wrote, or any JSON; also with the ``NaN`` and ``Infinity`` of
        Python's own ``json``.
    where : str
        What the text is, for messages.
    unique : bool
        Whether an object that has a key twice is refused; otherwise the last one counts, and other
        programs may take the first.

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
        if unique:
            return json.loads(text, object_pairs_hook=_restored_once)
        return json.loads(text, object_hook=restored if TAG in text else None)
    except (ValueError, RecursionError) as error:
        if isinstance(error, DocumentError):
            raise
        problem = "it is nested too deep" if isinstance(error, RecursionError) else error
        raise DocumentError(
            f"The {where} can't be read as JSON: {problem}. It begins with {text[:40]!r}."
        ) from error


def decode_document(
    line: bytes | str, *, where: str = "line", unique: bool = False
) -> tuple[str, dict[str, Any]]:
    """Read a document from a line of a JSON lines file.

    Parameters
    ----------
    line : bytes or str
        ``["start", {...}]``, or as tiled writes it ``{"name": "start", "doc": {...}}``.
    where : str
        What the line is, for messages.
    unique : bool
        See :func:`decode`.

    Returns
    -------
    str, dict
        Name and document.

    Raises
    ------
    DocumentError
        It isn't such a line.
    """
    found = decode(line, where=where, unique=unique)
    if isinstance(found, dict):
        found = [found.get("name"), found.get("doc")]
    match found:
        case [str(name), dict(doc)]:
            return name, doc
    raise DocumentError(
        f'The {where} isn\'t a document; expected ["start", {{...}}], found {line[:40]!r}.'
    )


def _restored_once(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise ValueError(f"an object has the key {twice!r:.60} twice")
    return restored(found)


def _is_whole(text: bytes) -> bool:
    """Tell whether nothing was lost (NaN becomes null) and nothing looks like a tag."""
    # in lines of some hundred bytes both are found faster so than by `in`
    return _find_null(text) is None and (text.find(b"$") < 0 or _TAG_BYTES not in text)
