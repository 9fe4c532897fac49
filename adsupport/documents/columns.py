"""Columns: from the values of a data key, row by row, to one numpy array of the right type.

The type doesn't depend on how the rows were split into calls: it follows from all values that
have been seen and from what the descriptor says.  A writer that stores rows as they come takes
each piece from :meth:`TypedColumn.take`; when :attr:`TypedColumn.type` isn't what it was before
(an integer column got 0.5, say), what is stored already goes through :meth:`TypedColumn.retyped`::

    typed = TypedColumn(stream.columns["m1"])
    before = typed.type
    piece = typed.take(rows.values("m1"))  # piece.data, piece.missing
    if typed.type != before and stored:
        stored = typed.retyped(stored_data, stored_missing)

Values are never narrowed: one that doesn't fit the type of the descriptor makes the whole
column wider, and :meth:`TypedColumn.notes` says so.

============  =============================================  =======================
kind          dtype                                          where a row has no value
============  =============================================  =======================
``boolean``   bool                                           False
``integer``   ``dtype_numpy`` or that of the values when     the lowest number; the highest
              all fit, else int64, else uint64               of an unsigned type
``number``    ``dtype_numpy`` or that of the values when     NaN
              all fit exactly, else float64
``string``    object: str                                    empty
``object``    object: plain Python values, for mixtures,     None
              integers beyond 64 bits, and the like
============  =============================================  =======================

Such rows are told by the mask beside the data, whatever stands in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .column_type import ColumnArray, ColumnType, cast, fill_of
from .run import Column

__all__ = ["ColumnArray", "ColumnType", "TypedColumn", "as_array", "fill_of"]

#: Axes of a row's array; HDF5 has 32, and one is that of the rows.
MOST_AXES = 31

_INT64, _UINT64 = np.dtype(np.int64), np.dtype(np.uint64)
_FLOAT64, _BOOL, _OBJECT = np.dtype(np.float64), np.dtype(np.bool_), np.dtype(object)
_KINDS = {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "c": "number"}


def as_array(column: Column, values: Sequence[Any]) -> ColumnArray:
    """Make one array of all values of a column.

    Parameters
    ----------
    column : Column
        What the descriptor says; not an external one.
    values : sequence
        One for each row; None for a row without value.

    Returns
    -------
    ColumnArray
        See there.
    """
    return TypedColumn(column).take(values)


class TypedColumn:
    """Finds the type of a column while its rows come.

    Parameters
    ----------
    column : Column
        What the descriptor says; not an external one.
    """

    def __init__(self, column: Column) -> None:
        self.column = column
        #: Rows without value so far.
        self.absent = 0
        self._declared = _declared(column)
        self._fits = True  # whether all floats are exact in the declared type
        self._dtypes: set[np.dtype] = set()
        self._low = self._high = 0
        self._strings = self._objects = False
        self._shape: tuple[int, ...] | None = None
        self._ragged = False
        self._type: ColumnType | None = None

    @property
    def type(self) -> ColumnType:
        """The type that holds all values so far; of no values, what the descriptor says."""
        if self._type is None:
            self._type = self._find()
        return self._type

    def take(self, values: Sequence[Any]) -> ColumnArray:
        """Look at rows, and return them in the type of all rows so far.

        Parameters
        ----------
        values : sequence
            One for each row; None for a row without value.

        Returns
        -------
        ColumnArray
            The same number of rows.
        """
        present = [each for each in values if each is not None]
        missing = None
        if len(present) < len(values):
            missing = np.fromiter((each is None for each in values), np.bool_, len(values))
            self.absent += len(values) - len(present)
        self._look(present)
        self._type = None
        return ColumnArray(self.type, cast(present, missing, len(values), self.type), missing)

    def retyped(self, data: np.ndarray, missing: np.ndarray | None = None) -> ColumnArray:
        """Give rows that were returned earlier the present type.

        Parameters
        ----------
        data, missing : numpy.ndarray
            As they were in a :class:`ColumnArray`; rows from a file are good as well.

        Returns
        -------
        ColumnArray
            The same rows.
        """
        gone = np.zeros(len(data), np.bool_) if missing is None else np.asarray(missing, np.bool_)
        present = [each for each, no in zip(data, gone, strict=True) if not no]
        mask = gone if gone.any() else None
        return ColumnArray(self.type, cast(present, mask, len(data), self.type), mask)

    def notes(self) -> list[str]:
        """Tell where the values aren't what the descriptor says.

        Returns
        -------
        list of str
            Sentences; empty when all is as it says.
        """
        found: list[str] = []
        name, kind, dtype = self.column.name, self.type.kind, self.type.dtype
        given = self._declared
        if given is not None and given != dtype and self._seen():
            found.append(
                f"{name}: not every value fits {given.str!r}, which the descriptor gives; "
                f"the column is kept as {self.type}."
            )
        elif self.column.dtype in ("number", "integer", "boolean") and kind in (
            "string",
            "object",
        ):
            found.append(
                f"{name}: the descriptor says {self.column.dtype!r}, and the values are "
                f"{self.type}."
            )
        if self._ragged and _fixed(self.column.shape) is not None:
            found.append(
                f"{name}: the rows' shapes differ, and the descriptor says {self.column.shape}."
            )
        return found

    def _seen(self) -> bool:
        return bool(self._dtypes or self._strings or self._objects)

    def _look(self, values: list[Any]) -> None:
        """Gather what is needed to choose a type that holds these values as well."""
        if not values:
            return
        if not _has_lists(values):
            self._see_shape(())
            self._see_scalars(values)
            return
        for value in values:
            if isinstance(value, np.ndarray) and value.ndim <= MOST_AXES:
                self._see_shape(value.shape)
                self._see_array(value)
            else:
                shape, leaves = _unfolded(value)
                if shape is None:
                    self._objects = True
                else:
                    self._see_shape(shape)
                    self._see_scalars(leaves)

    def _see_shape(self, shape: tuple[int, ...]) -> None:
        if self._shape is None:
            self._shape = shape
        elif shape != self._shape:
            self._ragged = True

    def _see_scalars(self, values: list[Any]) -> None:
        types = set(map(type, values))
        for each in types:
            group = values if len(types) == 1 else [v for v in values if type(v) is each]
            if each in (float, bool, complex) or issubclass(each, np.generic):
                self._see_array(np.array(group))
            elif issubclass(each, int):
                self._dtypes.add(_INT64)
                self._see_range(int(min(group)), int(max(group)))
            elif issubclass(each, float):
                self._see_array(np.array(group, np.float64))
            elif issubclass(each, str):
                self._strings = True
            else:
                self._objects = True

    def _see_array(self, array: np.ndarray) -> None:
        kind = array.dtype.kind
        if kind == "U":
            self._strings = True
        elif kind == "O":
            self._see_scalars(array.ravel().tolist())
        elif kind not in _KINDS:
            self._objects = True
        else:
            self._dtypes.add(array.dtype.newbyteorder("="))
            if kind in "iu" and array.size:
                self._see_range(int(array.min()), int(array.max()))
            elif kind == "b":
                self._see_range(0, 1)
            elif kind in "fc" and self._fits and self._declared is not None:
                self._fits = _exact(array, self._declared)

    def _see_range(self, low: int, high: int) -> None:
        self._low, self._high = min(self._low, low), max(self._high, high)

    def _find(self) -> ColumnType:
        shape = None if self._ragged else self._shape
        if self._shape is None:
            shape = _fixed(self.column.shape)
        numbers = bool(self._dtypes)
        if self._objects or (self._strings and numbers):
            return ColumnType("object", _OBJECT, ())
        if self._strings or (not numbers and self.column.dtype == "string"):
            return ColumnType("string", _OBJECT, shape)
        dtype = self._number_type() if numbers else self._declared or _default(self.column)
        if dtype is None:
            return ColumnType("object", _OBJECT, ())
        return ColumnType(_KINDS[dtype.kind], dtype, shape)

    def _number_type(self) -> np.dtype | None:
        natural = np.result_type(*self._dtypes)
        floats = [each for each in self._dtypes if each.kind in "fc"]
        if not floats:
            candidates = [self._declared]
            if self.column.dtype == "boolean":
                candidates.append(_BOOL)
            if self.column.dtype == "number" and natural.kind != "b":
                candidates.append(_FLOAT64)
            candidates += [natural if natural.kind in "biu" else None, _INT64, _UINT64]
        else:
            declared = self._declared
            if declared is not None and not (self._fits and declared.kind in "fc"):
                declared = None
            # A float type that numpy finds for some integers and floats may be too short.
            candidates = [declared, np.result_type(*floats), natural, _FLOAT64]
            if natural.kind == "c":
                candidates = [each for each in candidates if each is not None and each.kind == "c"]
        for each in candidates:
            if each is not None and self._holds(each):
                return each
        return None

    def _holds(self, dtype: np.dtype) -> bool:
        """Whether a type has all integers so far."""
        if dtype.kind == "b":
            return self._low >= 0 and self._high <= 1
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            return int(limits.min) <= self._low and self._high <= int(limits.max)
        largest = 2 ** (np.finfo(dtype).nmant + 1)
        return max(-self._low, self._high) <= min(largest, int(np.finfo(dtype).max))


def _declared(column: Column) -> np.dtype | None:
    """Return the type that the device gave, if it's one of numbers."""
    if not column.dtype_numpy or column.dtype == "string":
        return None
    try:
        found = np.dtype(column.dtype_numpy)
    except (TypeError, ValueError):  # the device's own words: the values tell as well
        return None
    return found if found.kind in _KINDS else None


def _default(column: Column) -> np.dtype:
    return {"integer": _INT64, "boolean": _BOOL}.get(column.dtype, _FLOAT64)


def _fixed(shape: tuple[int | None, ...] | None) -> tuple[int, ...] | None:
    if shape is None:
        return None
    sizes = tuple(each for each in shape if each is not None)
    return sizes if len(sizes) == len(shape) else None


def _exact(array: np.ndarray, dtype: np.dtype) -> bool:
    """Whether floats come back the same from a type."""
    if dtype.kind not in "fc" or array.dtype.newbyteorder("=") == dtype.newbyteorder("="):
        return dtype.kind in "fc"
    if array.dtype.kind == "c" and dtype.kind == "f":
        return False
    with np.errstate(all="ignore"):
        short = array.astype(dtype)
    return bool(np.all((short == array) | (array != array)))


def _has_lists(values: Sequence[Any]) -> bool:
    return any(issubclass(each, (list, tuple, np.ndarray)) for each in set(map(type, values)))


def _unfolded(value: Any, depth: int = 0) -> tuple[tuple[int, ...] | None, list[Any]]:
    """Return shape and elements of a nested list; no shape when the rows in it differ.

    Nor is there one for lists that are nested too deep, as those that hold themselves.
    """
    if not isinstance(value, (list, tuple, np.ndarray)):
        return (), [value]
    axes = value.ndim if isinstance(value, np.ndarray) else 1
    if depth + axes > MOST_AXES:
        return None, []
    if isinstance(value, np.ndarray):
        return value.shape, value.ravel().tolist() if value.dtype.kind == "O" else list(value.flat)
    if not _has_lists(value):
        return (len(value),), list(value)
    shapes: set[tuple[int, ...]] = set()
    leaves: list[Any] = []
    for each in value:
        shape, inner = _unfolded(each, depth + 1)
        if shape is None:
            return None, []
        shapes.add(shape)
        leaves += inner
    first = shapes.pop()
    return (None if shapes else (len(value), *first)), leaves
