"""What becomes of a data key in a CSV file: one column, one for each element, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ...documents.assets import Frames
from ...documents.run import Column
from ...errors import ImageFileError
from ..frames_text import frames_text
from .cells import EMPTY, cells, json_cell

__all__ = ["MOST_ELEMENTS", "Arrays", "KeyCells"]

#: What to do with arrays, see :class:`KeyCells`.
Arrays = Literal["columns", "json", "skip"]

#: Longest array whose elements get a column each.
MOST_ELEMENTS = 64


class KeyCells:
    """Makes the values of a data key cells.

    Parameters
    ----------
    column : Column
        What the descriptor says.
    arrays : str
        ``"columns"``: a one-dimensional array that the descriptor gives a fixed length of at
        most 64 has a column for each element, ``key[0]``, ``key[1]`` ..., others are JSON text
        in one cell.  ``"json"``: JSON text for all.  ``"skip"``: arrays are left out.

    Attributes
    ----------
    names : list of str
        Of the columns.  A longer array adds some.
    notes : list of str
        What isn't in the cells: sentences.
    """

    def __init__(self, column: Column, arrays: Arrays = "columns") -> None:
        self.column = column
        self.notes: list[str] = []
        self.names = [column.name]
        shape = column.shape
        if column.external:
            self._columns = self._images
        elif column.is_scalar:
            self._columns = self._scalars
        elif arrays == "skip":
            self._columns, self.names = self._nothing, []
        elif (
            arrays == "columns"
            and shape is not None
            and len(shape) == 1
            and shape[0] is not None
            and 0 < shape[0] <= MOST_ELEMENTS
        ):
            self._columns, self.names = self._elements, []
            self._grow(shape[0])
        else:
            self._columns = self._texts

    def columns(self, values: Sequence[Any]) -> list[Sequence[Any]]:
        """Make rows cells.

        Parameters
        ----------
        values : sequence
            One for each row; None for a row without value.

        Returns
        -------
        list of sequence
            One for each of :attr:`names`, which may be more than before.
        """
        return self._columns(values)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _odd(self, place: str, value: Any) -> None:
        self._note(f"{self.column.name}: only the text of a {type(value).__name__} is in the file.")

    def _grow(self, length: int) -> None:
        self.names += [f"{self.column.name}[{i}]" for i in range(len(self.names), length)]

    def _nothing(self, values: Sequence[Any]) -> list[Sequence[Any]]:
        return []

    def _scalars(self, values: Sequence[Any]) -> list[Sequence[Any]]:
        found = cells(values, self._odd)
        if self.column.dtype == "string" and not all(map(_has_utf8, found)):
            self._note(
                f"{self.column.name}: halves of surrogate pairs, which UTF-8 doesn't have, are "
                "written as \\udc80 and the like."
            )
        return [found]

    def _texts(self, values: Sequence[Any]) -> list[Sequence[Any]]:
        return [[EMPTY if each is None else json_cell(each, self._odd) for each in values]]

    def _elements(self, values: Sequence[Any]) -> list[Sequence[Any]]:
        rows = [_row(each) for each in values]
        longest = max(map(len, rows))
        if longest > MOST_ELEMENTS:  # not what the descriptor said: no thousand columns for it
            rows = [
                [json_cell(each, self._odd)] if len(row) > MOST_ELEMENTS else row
                for each, row in zip(values, rows, strict=True)
            ]
            longest = max(map(len, rows))
            self._note(
                f"{self.column.name}: the descriptor says {self.column.shape}; rows of more than "
                f"{MOST_ELEMENTS} elements are JSON text in {self.column.name}[0]."
            )
        self._grow(longest)
        width = len(self.names)
        padded = [
            row if len(row) == width else [*row, *[None] * (width - len(row))] for row in rows
        ]
        return [cells(each, self._odd) for each in zip(*padded, strict=True)]

    def _images(self, values: Sequence[Any]) -> list[Sequence[Any]]:
        return [[self._image(each) for each in values]]

    def _image(self, value: Any) -> Any:
        if value is None:
            return EMPTY  # the run's problems tell of it
        if not isinstance(value, Frames):
            self._note(f"{self.column.name}: images that came in the documents are left out.")
            return EMPTY
        try:
            return frames_text(value)
        except ImageFileError as error:
            self._note(f"{self.column.name}: {error}")
            return EMPTY


def _has_utf8(value: Any) -> bool:
    if not isinstance(value, str) or value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _row(value: Any) -> list[Any]:
    """Return the elements of a row; something else than an array is one element."""
    if value is None:
        return []
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return list(value) if isinstance(value, (list, tuple)) else [value]
