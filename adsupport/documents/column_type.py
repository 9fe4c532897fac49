"""What the values of a column are, and the array that holds them.

See :mod:`adsupport.documents.columns` for how the type is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["ColumnArray", "ColumnType", "cast", "fill_of"]

_OBJECT = np.dtype(object)


@dataclass(frozen=True)
class ColumnType:
    """What the values of a column are.

    Parameters
    ----------
    kind : str
        ``"boolean"``, ``"integer"``, ``"number"``, ``"string"`` or ``"object"``.
    dtype : numpy.dtype
        Of the data; object for strings and objects.
    shape : tuple of int or None
        Of one row; None when the rows' shapes differ ("ragged").
    """

    kind: str
    dtype: np.dtype
    shape: tuple[int, ...] | None

    def __str__(self) -> str:
        if self.kind == "object":
            return "mixed objects"
        return "strings" if self.kind == "string" else self.dtype.name

    @property
    def ragged(self) -> bool:
        """Whether the rows' shapes differ."""
        return self.shape is None


@dataclass(frozen=True, eq=False)
class ColumnArray:
    """Rows of a column.

    Parameters
    ----------
    type : ColumnType
        What they are.
    data : numpy.ndarray
        (rows, ``*type.shape``) of ``type.dtype``.  When ragged, (rows,) of object, and each an
        array of ``type.dtype`` with a shape of its own.  For the kind ``object``, (rows,) of
        plain Python values.
    missing : numpy.ndarray or None
        (rows,), bool: which rows have no value; None when all have one.
    """

    type: ColumnType
    data: np.ndarray
    missing: np.ndarray | None

    def lengths(self) -> np.ndarray:
        """Return how many elements each row has.

        Returns
        -------
        numpy.ndarray
            (rows,), int64; 0 for a row without value.
        """
        if self.type.ragged:
            return np.fromiter((each.size for each in self.data), np.int64, len(self.data))
        shape = self.type.shape or ()
        sizes = np.full(len(self.data), int(np.prod(shape, dtype=np.int64)), np.int64)
        if self.missing is not None:
            sizes[self.missing] = 0
        return sizes


def fill_of(dtype: np.dtype, kind: str = "") -> Any:
    """Return what stands in a row without value.

    Parameters
    ----------
    dtype : numpy.dtype
        Of the data.
    kind : str
        Of :class:`ColumnType`; tells strings from objects.

    Returns
    -------
    any
        See the table of this module.
    """
    match dtype.kind:
        case "f" | "c":
            return np.nan
        case "i":
            return np.iinfo(dtype).min
        case "u":
            return np.iinfo(dtype).max
        case "b":
            return False
    return "" if kind == "string" else None


def cast(
    present: Sequence[Any], missing: np.ndarray | None, rows: int, type_: ColumnType
) -> np.ndarray:
    """Put the values that there are into an array of all rows.

    Parameters
    ----------
    present : sequence
        The values of the rows that have one; ``type_`` holds them all.
    missing : numpy.ndarray or None
        (rows,), bool: which rows have no value.
    rows : int
        How many rows.
    type_ : ColumnType
        Of the result.

    Returns
    -------
    numpy.ndarray
        See :class:`ColumnArray`.
    """
    single = type_.kind == "object" or type_.ragged
    shape = () if single or type_.shape is None else type_.shape
    if type_.kind == "object":
        values: Any = _row_objects([_plain_or_itself(each) for each in present])
    elif type_.ragged:
        values = _row_objects([_elements(each, type_) for each in present])
    elif type_.kind == "string" and shape == ():
        values = _row_objects([_text(each) for each in present])
    elif type_.kind == "string":
        values = np.array([_elements(each, type_) for each in present], _OBJECT)
    else:
        values = np.array(present, type_.dtype)
    values = values.reshape((len(present), *shape))
    if missing is None:
        return values
    dtype = _OBJECT if single else type_.dtype
    data = np.full((rows, *shape), fill_of(dtype, type_.kind), dtype)
    if type_.ragged and type_.kind != "object":
        for index in np.flatnonzero(missing):
            data[index] = np.empty(0, type_.dtype)
    data[~missing] = values
    return data


def _row_objects(values: list[Any]) -> np.ndarray:
    """Make an array of objects that numpy doesn't look into."""
    found = np.empty(len(values), _OBJECT)
    for index, each in enumerate(values):
        found[index] = each
    return found


def _elements(value: Any, type_: ColumnType) -> np.ndarray:
    found = np.asarray(value, type_.dtype)
    if type_.kind == "string":
        flat = _row_objects([_text(each) for each in found.ravel()])
        return flat.reshape(found.shape)
    return found


def _text(value: Any) -> str:
    return str.__str__(value) if isinstance(value, str) else str(value)


def _plain_or_itself(value: Any) -> Any:
    try:
        return _plain(value)
    except RecursionError:  # lists that hold themselves
        return value


def _plain(value: Any) -> Any:
    """Return Python's own value, so that a column is the same whatever it was before."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
