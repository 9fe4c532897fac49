"""The one encoder of values into HDF5 attributes and datasets, and back.

=============================== ==========================================================
value                           becomes
=============================== ==========================================================
text                            variable length, UTF-8
bool                            numpy's bool, an HDF5 enumeration
int                             int64, or uint64 where that is too short
float, complex                  float64, complex128; NaN and infinities as they are
numpy scalar or array           the same, with its dtype and byte order
list, tuple                     an array, where all in it are numbers, or texts, or bools, or
                                lists of these of one length; integers among floats are floats
bytes                           text of fixed length; opaque where it has a NUL; a null
                                dataspace when empty
datetime, date, time,           text, ISO 8601; a datetime without a zone has that of this
datetime64                      computer, a datetime64 is UTC
timedelta, timedelta64          seconds, float64; a dataset gets ``@units="s"``
path, UUID                      its text
member of an Enum               its value
array-likes (dask, pandas ...)  the array
anything else: None, mappings,  JSON text as :mod:`adsupport.documents.json_text` writes it, a
ragged and mixed lists, empty   dataset with ``@encoding="json"``, an attribute ``name`` with a
lists, integers beyond 64 bits, second one ``name@encoding`` that is ``"json"``
texts with NUL or lone
surrogates, masked arrays (null
where masked)
=============================== ==========================================================

Of what JSON text has no form for either a text is kept, and a note says so.

An object's header has room for 64 KiB.  An attribute of more than 16 KiB lies outside of it:
texts always do, an array of numbers in one dimension is stored with variable length (h5py reads
an equal array, in this computer's byte order), others become JSON text.
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from ...documents import json_text
from .hdf5_encoding import Encoded, encoded
from .hdf5_names import attribute_name, key_of, member_name

__all__ = [
    "MAX_ATTRIBUTE_BYTES",
    "key_of",
    "member_name",
    "read_attribute",
    "read_value",
    "write_attribute",
    "write_value",
]

#: Longest value of an attribute that lies in its object's header.
MAX_ATTRIBUTE_BYTES = 16 * 1024

_ENCODING = "encoding"
_JSON = "json"
#: A text of variable length takes that in a header.
_POINTER_BYTES = 16
#: Options of h5py that texts can't have, or don't gain by: a chunk has only where they lie.
_FOR_NUMBERS = ("compression", "compression_opts", "fletcher32", "scaleoffset", "shuffle")
#: Options of h5py that a dataset without dimensions can't have.
_FOR_ARRAYS = (*_FOR_NUMBERS, "chunks", "fillvalue", "maxshape")


def write_attribute(
    item: h5py.Group | h5py.Dataset, name: str, value: Any, *, notes: list[str] | None = None
) -> str | None:
    """Write an attribute, whatever its value is.

    Parameters
    ----------
    item : h5py.Group or h5py.Dataset
        Whose attribute.
    name : str
        Its name; what HDF5 can't have in one is escaped.
    value : any
        See the table above.
    notes : list of str, optional
        Gets what couldn't be kept as well.

    Returns
    -------
    str or None
        What couldn't be kept, in a sentence; None when everything was.

    Raises
    ------
    OSError
        The file can't be written.
    """
    what = encoded(name, value)
    if _size(what) > MAX_ATTRIBUTE_BYTES and not _has_variable_length(what):
        what = encoded(name, value, as_json=True)
    name = attribute_name(name)
    data, dtype = what.data, what.dtype
    if isinstance(data, np.ndarray) and _size(what) > MAX_ATTRIBUTE_BYTES:
        # in the computer's own byte order: h5py mistakes the other one here
        native = data.astype(data.dtype.newbyteorder("="), copy=False)
        data = np.empty((), object)
        data[()] = native
        dtype = h5py.vlen_dtype(native.dtype)
    item.attrs.create(name, data, dtype=dtype)
    marker = f"{name}@{_ENCODING}"
    if what.json:
        item.attrs[marker] = _JSON
    elif marker in item.attrs:
        del item.attrs[marker]
    return _noted(what, notes)


def write_value(
    group: h5py.Group,
    name: str,
    value: Any,
    *,
    notes: list[str] | None = None,
    **dataset_options: Any,
) -> h5py.Dataset:
    """Write a dataset, whatever its value is.

    Parameters
    ----------
    group : h5py.Group
        Where.
    name : str
        Its name, with ``/`` between groups; :func:`member_name` makes one of a key.
    value : any
        See the table above.
    notes : list of str, optional
        Gets what couldn't be kept, in a sentence each.
    **dataset_options
        For ``h5py.Group.create_dataset``; those that need an array are left out for a
        scalar, filters also for texts.

    Returns
    -------
    h5py.Dataset
        The dataset.

    Raises
    ------
    ValueError
        The name is taken.
    OSError
        The file can't be written.
    """
    what = encoded(name, value)
    scalar = isinstance(what.data, h5py.Empty) or not np.ndim(what.data)
    for option in _FOR_ARRAYS if scalar else _FOR_NUMBERS if what.dtype is not None else ():
        dataset_options.pop(option, None)
    name = "/".join(part and attribute_name(part) for part in name.split("/")) or "%"
    dataset = group.create_dataset(name, data=what.data, dtype=what.dtype, **dataset_options)
    if what.json:
        dataset.attrs[_ENCODING] = _JSON
    if what.units:
        dataset.attrs["units"] = what.units
    _noted(what, notes)
    return dataset


def read_attribute(item: h5py.Group | h5py.Dataset, name: str) -> Any:
    """Read an attribute that :func:`write_attribute` wrote, or any other one.

    Parameters
    ----------
    item : h5py.Group or h5py.Dataset
        Whose attribute.
    name : str
        As it was given when it was written.

    Returns
    -------
    any
        A text, a numpy scalar or array (of objects for texts), bytes, or what the JSON text has.

    Raises
    ------
    KeyError
        There is no such attribute.
    DocumentError
        It isn't the JSON text that it's marked as.
    """
    stored = attribute_name(name)
    found = _read(item.attrs[stored])
    if item.attrs.get(f"{stored}@{_ENCODING}") == _JSON:
        return json_text.decode(found, where=f"attribute {name!r} of {item.name}")
    return found


def read_value(dataset: h5py.Dataset) -> Any:
    """Read a dataset that :func:`write_value` wrote, or any other one, as a whole.

    Parameters
    ----------
    dataset : h5py.Dataset
        The dataset.

    Returns
    -------
    any
        See :func:`read_attribute`.

    Raises
    ------
    OSError
        It can't be read.
    DocumentError
        It isn't the JSON text that it's marked as.
    """
    text = h5py.check_string_dtype(dataset.dtype)
    if text is not None and text.length is None and dataset.shape is not None:
        found = dataset.asstr()[()]
    else:
        found = _read(dataset[()])
    if dataset.attrs.get(_ENCODING) == _JSON:
        return json_text.decode(str(found), where=f"dataset {dataset.name}")
    return found


def _read(found: Any) -> Any:
    if isinstance(found, h5py.Empty):
        return b""
    if isinstance(found, np.void) and found.dtype.names is None:
        return found.tobytes()
    return bytes(found) if isinstance(found, np.bytes_) else found


def _size(what: Encoded) -> int:
    """Return the bytes that a value takes in its object's header."""
    if isinstance(what.data, (str, h5py.Empty)):
        return _POINTER_BYTES
    return what.data.nbytes if what.dtype is None else _POINTER_BYTES * what.data.size


def _has_variable_length(what: Encoded) -> bool:
    """Tell whether a large value can be stored with variable length."""
    data = what.data
    return isinstance(data, np.ndarray) and data.ndim == 1 and data.dtype.kind in "iuf"


def _noted(what: Encoded, notes: list[str] | None) -> str | None:
    if notes is not None:
        notes += what.notes
    return " ".join(what.notes) or None
