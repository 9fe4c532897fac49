"""How the values of a data key are kept in HDF5, and read back to be kept another way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import h5py
import numpy as np

from ...documents.columns import ColumnArray
from ...documents.json_text import decode, encode
from .growing import GrowingDataset

__all__ = ["Place", "Storage", "ValueStore", "object_array"]

_TEXT = h5py.string_dtype()
_SHAPES = h5py.vlen_dtype(np.dtype(np.int64))


@dataclass(frozen=True)
class Storage:
    """A way to keep values.

    Parameters
    ----------
    way : str
        ``"plain"``; ``"nan"``: integers or booleans as float64, NaN in rows without value;
        ``"text"``; ``"vlen"``: arrays of varying shape, flattened; ``"json"``: JSON text.
    dtype : numpy.dtype
        Of the numbers; object for texts.
    shape : tuple of int
        Of a row.
    """

    way: str
    dtype: np.dtype = np.dtype(object)
    shape: tuple[int, ...] = ()

    @property
    def stored_dtype(self) -> np.dtype:
        """The dataset's type."""
        match self.way:
            case "nan":
                return np.dtype(np.float64)
            case "text" | "json":
                return _TEXT
            case "vlen":
                return h5py.vlen_dtype(self.dtype)
        return self.dtype


class Place(NamedTuple):
    """Where a dataset is, or will be.

    Parameters
    ----------
    group : h5py.Group
        Its group.
    name : str
        Its name there.
    """

    group: h5py.Group
    name: str


class ValueStore:
    """The values of a data key, and the rows' shapes where these differ.

    Parameters
    ----------
    values, shapes : Place
        Where the datasets shall be.
    storage : Storage
        How to keep the values.
    provisional : bool
        Whether another store has the names still; see :meth:`take_names`.
    """

    def __init__(
        self, values: Place, shapes: Place, storage: Storage, provisional: bool = False
    ) -> None:
        self.storage = storage
        #: Types of which only a text is kept.
        self.texts_only: set[str] = set()
        self._names = values.name, shapes.name
        mark = "~" if provisional else ""
        self._value = GrowingDataset(
            values.group, values.name + mark, storage.stored_dtype, storage.shape
        )
        self._shapes = None
        if storage.way == "vlen":
            self._shapes = GrowingDataset(shapes.group, shapes.name + mark, _SHAPES)

    def append(self, piece: ColumnArray) -> None:
        """Add rows.

        Parameters
        ----------
        piece : ColumnArray
            Of a type that fits the storage.
        """
        block = piece.data
        match self.storage.way:
            case "json":
                block = object_array([self._json(each) for each in block])
            case "nan":
                block = block.astype(np.float64)
                if piece.missing is not None:
                    block[piece.missing] = np.nan
            case "vlen" if self._shapes is not None:
                shapes = [np.array(np.shape(each), np.int64) for each in block]
                self._shapes.append(object_array(shapes))
                block = object_array([np.ravel(each) for each in block])
        self._value.append(block)

    def _json(self, value: Any) -> str:
        # What JSON can't say is told by its repr(), tagged as such.
        plain = value.tolist() if isinstance(value, np.ndarray) else value
        return encode(plain, other=lambda _, odd: self.texts_only.add(type(odd).__name__)).decode()

    def blocks(self, rows: int) -> Iterator[np.ndarray]:
        """Read the values back.

        Parameters
        ----------
        rows : int
            Of a block, at most.

        Yields
        ------
        numpy.ndarray
            As they were in a :class:`ColumnArray`, except rows without value.
        """
        shapes = iter(()) if self._shapes is None else self._shapes.blocks(rows)
        for block in self._value.blocks(rows):
            match self.storage.way:
                case "json":
                    yield object_array([decode(each, where="column") for each in block])
                case "nan":
                    yield np.nan_to_num(block).astype(self.storage.dtype)
                case "vlen":
                    pairs = zip(block, next(shapes), strict=True)
                    yield object_array([flat.reshape(shape) for flat, shape in pairs])
                case _:
                    yield block

    def close(self) -> h5py.Dataset:
        """Write what waits.

        Returns
        -------
        h5py.Dataset
            The values.
        """
        if self._shapes is not None:
            self._shapes.close()
        return self._value.close()

    def discard(self) -> None:
        """Remove the datasets."""
        for each in (self._value, self._shapes):
            if each is not None:
                each.discard()

    def take_names(self) -> None:
        """Name the datasets as they shall be, when no other store has the names any more."""
        self._value.rename(self._names[0])
        if self._shapes is not None:
            self._shapes.rename(self._names[1])


def object_array(values: list[Any]) -> np.ndarray:
    """Make an array of objects that numpy doesn't look into.

    Parameters
    ----------
    values : list
        Of arrays, texts or anything.

    Returns
    -------
    numpy.ndarray
        (len(values),), object.
    """
    found = np.empty(len(values), object)
    for index, each in enumerate(values):
        found[index] = each
    return found
