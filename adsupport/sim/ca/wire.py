"""Values on their way to and from Channel Access: conversion between DBR types.

caproto converts arrays through lists, element by element; a million-element image must not go
that way. Here arrays stay numpy arrays or bytes from end to end.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from caproto import ChannelType
from caproto._dbr import DbrStringArray

STRING_SIZE = 40
"""Bytes of a DBR_STRING."""

DTYPES: dict[ChannelType, np.dtype] = {
    ChannelType.INT: np.dtype(">i2"),
    ChannelType.FLOAT: np.dtype(">f4"),
    ChannelType.ENUM: np.dtype(">u2"),
    ChannelType.CHAR: np.dtype("u1"),
    ChannelType.LONG: np.dtype(">i4"),
    ChannelType.DOUBLE: np.dtype(">f8"),
}
"""Network byte order type of each numeric DBR type."""

NATIVE_TYPES = {
    "STRING": ChannelType.STRING,
    "SHORT": ChannelType.INT,
    "FLOAT": ChannelType.FLOAT,
    "ENUM": ChannelType.ENUM,
    "CHAR": ChannelType.CHAR,
    "LONG": ChannelType.LONG,
    "DOUBLE": ChannelType.DOUBLE,
}
"""Channel Access type of each type name used in the record tables."""


class ConversionError(ValueError):
    """A client wrote a value that the channel's type cannot hold."""


def _text(value: Any, native: ChannelType, enums: tuple[str, ...], precision: int) -> str:
    if native is ChannelType.STRING:
        return str(value)
    if native is ChannelType.ENUM:
        return enums[value] if 0 <= value < len(enums) else str(value)
    if native in (ChannelType.DOUBLE, ChannelType.FLOAT):
        return _real_text(value, precision)
    return str(int(value))


def _real_text(value: float, precision: int) -> str:
    """Return a number as EPICS base shows it (libCom's ``cvtDoubleToString``)."""
    digits = precision & 0xFFFF  # PREC may be any short, base takes it without its sign
    if digits > 8 or abs(value) > 1e16:
        return f"{value:.{min(digits, 17)}e}"
    return f"{value:.{min(digits, 3) if abs(value) > 1e7 else digits}f}"


def _number(text: str) -> float:
    try:
        return float(text.strip() or "0")
    except ValueError:
        raise ConversionError(f"{text!r} is not a number") from None


def to_wire(
    value: Any,
    native: ChannelType,
    wanted: ChannelType,
    enums: tuple[str, ...] = (),
    precision: int = 0,
) -> Any:
    """Convert a channel's value for a client.

    Parameters
    ----------
    value : int, float, str, bytes or numpy.ndarray
        The channel's value; bytes for CHAR arrays.
    native, wanted : ChannelType
        The channel's native type and the plain DBR type the client asked for.
    enums : tuple of str
        State strings of an ENUM channel.
    precision : int
        Decimals when a floating-point number is asked for as a string.

    Returns
    -------
    bytes, numpy.ndarray or DbrStringArray
        Elements in network byte order; ``len()`` is the element count.
    """
    if isinstance(value, bytes) and wanted is ChannelType.CHAR:
        return value
    if isinstance(value, bytes):
        value = np.frombuffer(value, np.uint8)
    if wanted is ChannelType.STRING:
        items = value.tolist() if isinstance(value, np.ndarray) else [value]
        texts = [_text(item, native, enums, precision) for item in items]
        return DbrStringArray(t.encode("latin-1", "replace")[: STRING_SIZE - 1] for t in texts)
    if native is ChannelType.STRING:
        value = _number(value)
    if native is wanted and type(value) in (int, float) and wanted is not ChannelType.CHAR:
        # almost every event: no numpy array has to be looked at
        try:
            return np.array([value], DTYPES[wanted])
        except (OverflowError, ValueError):
            pass  # too large, or NaN as an integer: the slower way has rules for these
    array = np.atleast_1d(np.asarray(value))
    dtype = DTYPES[wanted]
    if array.dtype.kind == "f" and dtype.kind in "iu":
        array = np.nan_to_num(array).astype(np.int64)
    with np.errstate(over="ignore"):
        array = array.astype(dtype, copy=False)
    # caproto copies arrays once more, but hands bytes on as they are
    return array.tobytes() if wanted is ChannelType.CHAR else array


def _decode(data: Any) -> str:
    first = data[0] if len(data) else b""
    raw = bytes(first).split(b"\0", 1)[0]
    return raw.decode("latin-1")


def from_wire(
    data: Any,
    sent: ChannelType,
    native: ChannelType,
    count: int,
    enums: tuple[str, ...] = (),
) -> Any:
    """Convert a client's data to a channel's value.

    Parameters
    ----------
    data : numpy.ndarray or DbrStringArray
        What the client sent, in network byte order.
    sent, native : ChannelType
        Plain DBR type of ``data`` and native type of the channel.
    count : int
        Element count of the channel; 1 for a scalar.
    enums : tuple of str
        State strings of an ENUM channel.

    Returns
    -------
    int, float, str, bytes or numpy.ndarray

    Raises
    ------
    ConversionError
        When the channel cannot hold it; says what was expected.
    """
    if len(data) > count:
        raise ConversionError(f"{len(data)} elements written, at most {count} fit")
    if count > 1:
        if sent is ChannelType.STRING:
            raise ConversionError("a string was written; the channel is an array of numbers")
        if native is ChannelType.CHAR:
            return np.asarray(data).astype(np.uint8).tobytes()
        return np.asarray(data).astype(DTYPES[native].newbyteorder("="))
    if sent is ChannelType.STRING:
        text = _decode(data)
        if native is ChannelType.STRING:
            return text
        if native is ChannelType.ENUM:
            if text in enums:
                return enums.index(text)
            if not text.strip().isdigit():
                raise ConversionError(f"{text!r} is not one of {', '.join(enums)}")
        number: float = _number(text)
    elif not len(data):
        raise ConversionError("no element written to a scalar")
    elif native is ChannelType.STRING:
        if sent is ChannelType.CHAR:
            return bytes(np.asarray(data, np.uint8)).split(b"\0", 1)[0].decode("latin-1")
        return str(np.asarray(data)[0])
    else:
        number = np.asarray(data)[0].item()
    if native in (ChannelType.DOUBLE, ChannelType.FLOAT):
        return float(number)
    if native is ChannelType.ENUM:
        if not 0 <= number < 16:
            raise ConversionError(f"state {number:g} is not one of 0 to {max(len(enums), 1) - 1}")
        return int(number)
    if math.isnan(number):
        raise ConversionError("not a number (NaN) was written to an integer")
    info = np.iinfo(DTYPES[native])
    return int(min(max(number, info.min), info.max))
