"""Constants and NDAttributes as HDF5 attributes and small datasets.

Types matter to readers of old files, so everything is made with HDF5's own calls: strings are
null-terminated ASCII of fixed size with room for the NUL, numbers have the native types.
"""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re

import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5s, h5t

from adsupport.sim.hdf5.layout import Kind

_NUMBERS = {
    Kind.INT: (re.compile(r"\s*([+-]?\d+),?"), np.int32),
    Kind.FLOAT: (re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?),?"), np.float64),
}


def string_type(size: int) -> h5t.TypeStringID:
    """Return the type of a null-terminated ASCII string of ``size`` bytes, NUL included."""
    kind = h5t.C_S1.copy()
    kind.set_size(size)
    return kind


def write_string(place: h5g.GroupID | h5d.DatasetID, name: str, text: str) -> None:
    """Write a string attribute; an empty text writes none."""
    raw = text.encode("ascii", "replace")
    if not raw:
        return
    kind = string_type(len(raw) + 1)
    attribute = h5a.create(place, name.encode(), kind, h5s.create(h5s.SCALAR))
    attribute.write(np.array(raw, dtype=f"S{len(raw) + 1}"), mtype=kind)


def write_numbers(place: h5g.GroupID | h5d.DatasetID, name: str, numbers: np.ndarray) -> None:
    """Write an attribute of numbers.

    Parameters
    ----------
    place : h5py.h5g.GroupID or h5py.h5d.DatasetID
        What it belongs to.
    name : str
        Its name.
    numbers : numpy.ndarray
        Shape () or (n,); its type is the attribute's.
    """
    attribute = h5a.create(place, name.encode(), h5t.py_create(numbers.dtype), _space(numbers))
    if numbers.size:
        attribute.write(numbers)


def write_value(place: h5g.GroupID | h5d.DatasetID, name: str, value: object) -> None:
    """Write the value of an NDAttribute, a string or a number, as an attribute."""
    if isinstance(value, str):
        write_string(place, name, value)
    else:
        write_numbers(place, name, np.asarray(value))


def write_constant(place: h5g.GroupID | h5d.DatasetID, name: str, text: str, kind: Kind) -> None:
    """Write a constant of a layout as an attribute; see :func:`numbers_in`."""
    if kind is Kind.STRING:
        write_string(place, name, text)
    else:
        write_numbers(place, name, numbers_in(text, kind))


def create_constant(file: h5f.FileID, path: str, text: str, kind: Kind) -> h5d.DatasetID:
    """Create a dataset that holds a constant of a layout.

    Parameters
    ----------
    file : h5py.h5f.FileID
        The file.
    path : str
        Path of the dataset, whose group exists.
    text : str
        The constant.
    kind : Kind
        Its type. A string is an array of one element; for numbers see :func:`numbers_in`.
    """
    if kind is Kind.STRING:
        raw = text.encode("ascii", "replace")
        values = np.array([raw], dtype=f"S{len(raw) + 1}")
        stored = string_type(len(raw) + 1)
    else:
        values, stored = numbers_in(text, kind), None
    made = h5d.create(file, path.encode(), stored or h5t.py_create(values.dtype), _space(values))
    if values.size:
        made.write(h5s.ALL, h5s.ALL, values, mtype=stored)
    return made


def numbers_in(text: str, kind: Kind) -> np.ndarray:
    """Return the numbers that a text lists.

    Parameters
    ----------
    text : str
        Numbers with commas or blanks between them; what follows something else is not read.
    kind : Kind
        INT or FLOAT.

    Returns
    -------
    numpy.ndarray
        int32 or float64; shape () for one number, (n,) for another count.
    """
    pattern, dtype = _NUMBERS[kind]
    numbers: list[float] = []
    at = 0
    while (found := pattern.match(text, at)) is not None:
        number = float(found[1]) if kind is Kind.FLOAT else int(found[1])
        if kind is Kind.INT and not -(2**31) <= number < 2**31:
            break
        numbers.append(number)
        at = found.end()
    values = np.array(numbers, dtype=dtype)
    return values.reshape(()) if len(values) == 1 else values


def _space(values: np.ndarray) -> h5s.SpaceID:
    return h5s.create_simple(values.shape) if values.ndim else h5s.create(h5s.SCALAR)
