"""Documents as msgpack, and back, without loss.

What msgpack has is written as it is, floats of any bits and bytes among it.  Arrays and scalars of
numpy are maps in the layout of the package ``msgpack_numpy``, so that databroker's catalogs of
msgpack files read them as such: ``nd`` (whether it is an array), ``type`` (as in the header of a
``.npy`` file), ``kind``, ``shape``, ``data``, all of these keys bytes.  What neither has becomes a
map with the key ``"$adsupport"``, as in :mod:`~adsupport.documents.json_text`.

A file is one document after the other, each an array of its name and itself: what
suitcase.msgpack and databroker-pack write, too.
"""

from __future__ import annotations

import logging
import os
import reprlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgpack
import numpy as np
import orjson

from ..documents.json_tags import TAG, WRITERS, array_of, numpy_value, restored, type_of
from ..documents.value_encoder import Notation, Other, ValueEncoder
from ..errors import DocumentError

__all__ = ["decode_document", "encode_document", "read_documents"]

logger = logging.getLogger(__name__)

Document = tuple[str, dict[str, Any]]

_TAG_BYTES = TAG.encode()
#: Members of an array that are believed before they're there, in bytes or files that are shorter.
_BELIEVED = 1 << 16
#: What a wrong value behind the keys of msgpack_numpy leads to.
_BROKEN = (LookupError, MemoryError, OverflowError, TypeError, ValueError)


def encode_document(name: str, doc: Mapping[str, Any], *, other: Other | None = None) -> bytes:
    """Write a document as msgpack.

    Parameters
    ----------
    name : str
        Such as ``"event"``.
    doc : mapping
        The document.
    other : callable, optional
        See :func:`adsupport.documents.json_text.encode`.

    Returns
    -------
    bytes
        An array of both.

    Raises
    ------
    DocumentError
        An object can't be written, such as ``start['sample'][2]``.
    """
    try:
        # orjson takes only what msgpack has, too, and would say so of keys that aren't texts
        if _TAG_BYTES not in orjson.dumps(doc, option=orjson.OPT_PASSTHROUGH_SUBCLASS):
            return _dumps((name, doc))
    except TypeError:
        pass
    # an array of two, of which the encoder gets but one: places in messages begin with its name
    return b"\x92" + _dumps(name) + ValueEncoder(_MSGPACK, name, other).text(doc)


def decode_document(raw: bytes, *, where: str = "record") -> Document:
    """Read a document from msgpack.

    Parameters
    ----------
    raw : bytes
        What :func:`encode_document` wrote, or suitcase.msgpack.
    where : str
        What it is, for messages.

    Returns
    -------
    str, dict
        Name and document.

    Raises
    ------
    DocumentError
        It isn't that; or it has an array of objects, which only pickle could make.
    """
    try:
        found = msgpack.unpackb(raw, object_hook=_restored, ext_hook=_refused)
    except _UNREADABLE as error:
        raise _unreadable(where, error) from error
    return _document(found, where)


def read_documents(path: str | os.PathLike[str]) -> Iterator[Document]:
    """Read the documents of a msgpack file, one by one.

    Parameters
    ----------
    path : str or path
        A file of documents, of one or several runs.

    Yields
    ------
    str, dict
        Name and document.

    Raises
    ------
    DocumentError
        Something in it isn't a document.  But a last one that isn't whole is what a program
        leaves that was killed: then a warning is logged, and what's before it counts.
    OSError
        The file can't be read.
    """
    with Path(path).open("rb") as file:
        unpacker, number = _unpacker(file), 0
        while True:
            number, begin = number + 1, unpacker.tell()
            where = f"document {number} of {os.fspath(path)} (from byte {begin})"
            try:
                found = next(unpacker)
            except StopIteration:
                break
            except _UNREADABLE as error:
                raise _unreadable(where, error) from error
            yield _document(found, where)
        if begin < file.tell():
            logger.warning(
                "%s ends within document %d, as after a crash of its writer: that one is left out.",
                path,
                number,
            )


def _unpacker(file: BinaryIO) -> Any:
    # Lists are made as long as they say they are, before their members are there: none can be
    # longer than the file.
    size = max(os.fstat(file.fileno()).st_size, _BELIEVED)
    return msgpack.Unpacker(
        file,
        object_hook=_restored,
        ext_hook=_refused,
        max_buffer_size=size,
        max_array_len=size,
        max_map_len=size,
        max_str_len=2**32,
        max_bin_len=2**32,
    )


def _document(found: Any, where: str) -> Document:
    match found:
        case [str(name), dict(doc)]:
            return name, doc
    try:
        text = reprlib.repr(found)  # of what is nested, the first levels
    except ValueError:  # of an integer of more than 4300 digits
        text = f"a {type(found).__name__}"
    raise DocumentError(
        f'The {where} isn\'t a document; expected ["start", {{...}}], found '
        f"{text if len(text) <= 60 else text[:60] + '...'}."
    )


#: What msgpack and the hooks raise for bytes that aren't what they should be.
_UNREADABLE = (msgpack.UnpackException, *_BROKEN)


def _unreadable(where: str, error: Exception) -> DocumentError:
    reason = error.problem if isinstance(error, DocumentError) else str(error)
    return DocumentError(f"The {where} can't be read as msgpack: {reason or type(error).__name__}.")


def _refused(code: int, data: bytes) -> Any:
    raise DocumentError(f"it has an extension type, {code}, which no document has")


# numpy


def _numpy_value(value: np.ndarray | np.generic) -> Any:
    if isinstance(value, np.generic):
        if value.dtype.kind in "SUV":  # msgpack_numpy has none
            return numpy_value(value)
        return {b"nd": False, b"type": value.dtype.str, b"data": value.tobytes()}
    return {
        b"nd": True,
        b"type": type_of(value.dtype),
        b"kind": b"" if value.dtype.names is None else b"V",
        b"shape": list(value.shape),
        b"data": value.tobytes(),
    }


def _restored(found: dict[Any, Any]) -> Any:
    if TAG in found:
        return restored(found)
    if b"nd" in found:
        return _array(found)
    if b"complex" in found:  # of msgpack_numpy; ours would lose the sign of a zero so
        return complex(found[b"data"])
    return found


def _array(found: dict[Any, Any]) -> Any:
    kind = found.get(b"kind")
    if kind == b"O":
        raise DocumentError("it has an array of objects, pickled, which isn't safe to read")
    try:
        if found[b"nd"]:
            return array_of(found[b"type"], found[b"shape"], found[b"data"])
        return array_of(found[b"type"], (), found[b"data"])[()]
    except _BROKEN as error:
        raise DocumentError(
            f"it has an array of numpy that isn't one ({type(error).__name__}: {error})"
        ) from error


def _dumps(value: Any) -> bytes:
    found: Any = msgpack.packb(value)
    return found


#: What json_tags writes as JSON, but for what msgpack has.
_WRITERS = {**WRITERS, float: float.__float__, bytes: bytes}
_MSGPACK = Notation("msgpack", _WRITERS, _numpy_value, _dumps)
