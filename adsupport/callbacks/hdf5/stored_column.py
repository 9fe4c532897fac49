"""One data key of a stream as a dataset, written while the rows come.

How awkward values are kept:

=======================  ==============================================================
values                   the dataset
=======================  ==============================================================
none in some rows        NaN there, or no text; another dataset lists the rows.  Integers
                         and booleans become float64 for it, unless one is beyond 2**53:
                         then the lowest (unsigned: highest) number of the type stands
                         there, told by ``@missing_value``
arrays of varying        variable-length, flattened; another dataset has the shapes
shape
mixtures, dictionaries,  JSON text, ``@encoding="json"``
integers beyond 64 bits,
text with NUL
=======================  ==============================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from ...documents.columns import ColumnArray, TypedColumn, fill_of
from ...documents.run import Column
from .growing import GrowingDataset
from .value_store import Place, Storage, ValueStore

__all__ = ["StoredColumn"]

_INT64 = np.dtype(np.int64)
_EXACT = 2**53  # float64 has all integers up to it
_BLOCK_ROWS = 4096
_FLOATS = Storage("plain", np.dtype(np.float64))


class StoredColumn:
    """Writes a data key while its rows come.

    Parameters
    ----------
    column : Column
        What the descriptor says; not an external one.
    values : Place
        Where the dataset shall be.
    missing : Place
        Where the numbers of the rows without value shall be (from 0), if there are such.
    shapes : Place
        Where the rows' shapes shall be, if these differ.
    rows_before : int
        Rows of the stream before this key was announced.
    """

    def __init__(
        self, column: Column, values: Place, missing: Place, shapes: Place, rows_before: int = 0
    ) -> None:
        self.column = column
        self._places = values, shapes
        self._typed = TypedColumn(column)
        self._largest = 0
        self._unsafe = False  # whether a text can't be HDF5's
        self._store: ValueStore | None = None
        self._missing = GrowingDataset(*missing, _INT64)
        self.rows = 0
        while self.rows < rows_before:
            rows = min(_BLOCK_ROWS, rows_before - self.rows)
            self.append([None] * rows)

    def append(self, values: Sequence[Any]) -> None:
        """Add rows.

        Parameters
        ----------
        values : sequence
            One for each row; None for a row without value.
        """
        found = None if self._store is None else self._store.storage
        if found == _FLOATS and set(map(type, values)) == {float}:
            # Most columns: more floats don't change the type, which needn't be looked for.
            piece = ColumnArray(self._typed.type, np.array(values, np.float64), None)
        else:
            piece = self._typed.take(values)
            self._look(piece)
        self._fitting_store().append(piece)
        if piece.missing is not None:
            self._missing.append(np.flatnonzero(piece.missing) + self.rows)
        self.rows += len(piece.data)

    def close(self) -> h5py.Dataset:
        """Write what waits, with what belongs to the way the values are kept.

        Returns
        -------
        h5py.Dataset
            The values.
        """
        store = self._fitting_store()
        dataset = store.close()
        if self._missing.rows:
            self._missing.close()
        if store.storage.way == "json":
            dataset.attrs["encoding"] = "json"
        kept = store.storage
        if self._typed.absent and kept.way == "plain" and kept.dtype.kind in "biu":
            dataset.attrs["missing_value"] = np.array(fill_of(kept.dtype), kept.dtype)
        return dataset

    def notes(self) -> list[str]:
        """Tell where values aren't what the descriptor says.

        Returns
        -------
        list of str
            Sentences.
        """
        return self._typed.notes()

    def lost(self) -> list[str]:
        """Tell which values couldn't be kept.

        Returns
        -------
        list of str
            Sentences; empty when all are there.
        """
        found = set() if self._store is None else self._store.texts_only
        name = self.column.name
        return [f"{name}: only the text of a {kind} is in the file." for kind in sorted(found)]

    def _look(self, piece: ColumnArray) -> None:
        present = piece.data if piece.missing is None else piece.data[~piece.missing]
        if piece.type.ragged or not present.size:
            return
        if piece.type.kind == "integer":
            self._largest = max(self._largest, -int(present.min()), int(present.max()))
        elif piece.type.kind == "string" and not self._unsafe:
            self._unsafe = not all(map(_is_safe, present.ravel()))

    def _wanted(self) -> Storage:
        found = self._typed.type
        if found.kind == "object" or (found.kind == "string" and (found.ragged or self._unsafe)):
            return Storage("json")
        shape = found.shape or ()
        if found.kind == "string":
            return Storage("text", found.dtype, shape)
        if found.ragged:
            return Storage("vlen", found.dtype)
        rows_lack = self._typed.absent > 0 and found.dtype.kind in "biu"
        way = "nan" if rows_lack and self._largest <= _EXACT else "plain"
        return Storage(way, found.dtype, shape)

    def _fitting_store(self) -> ValueStore:
        """Return the store for the values so far; what is there is kept another way if need be."""
        wanted, old = self._wanted(), self._store
        if old is None:
            self._store = old = ValueStore(*self._places, wanted)
        elif old.storage != wanted:
            self._store = fresh = ValueStore(*self._places, wanted, provisional=True)
            start = 0
            for block in old.blocks(_BLOCK_ROWS):
                missing = self._missing_in(start, len(block))
                fresh.append(self._typed.retyped(block, missing))
                start += len(block)
            old.discard()
            fresh.texts_only |= old.texts_only
            fresh.take_names()
            old = fresh
        return old

    def _missing_in(self, start: int, rows: int) -> np.ndarray:
        mask = np.zeros(rows, np.bool_)
        for block in self._missing.blocks(1 << 20):
            mask[block[(block >= start) & (block < start + rows)] - start] = True
        return mask


def _is_safe(text: str) -> bool:
    """Whether HDF5 keeps a text as it is: no NUL, no half of a surrogate pair."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
    return "\0" not in text
