"""One data key of a stream in the file: its values, and when they were measured.

``value``, ``EPOCH`` and ``time`` have a row for each event.  Where rows have no value,
``missing_rows`` lists them; arrays of varying shape have that in ``row_shape``.  How awkward
values are kept is told in :mod:`adsupport.callbacks.hdf5.stored_column`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from ...documents.run import Column
from ..hdf5.growing import GrowingDataset
from ..hdf5.stored_column import StoredColumn
from ..hdf5.value_store import Place

__all__ = ["Clock", "ColumnGroup", "stored_column"]

_FLOAT64 = np.dtype(np.float64)


class ColumnGroup:
    """Writes a data key while its rows come.

    Parameters
    ----------
    group : h5py.Group
        The key's own.
    column : Column
        What the descriptor says; not an external one.
    rows_before : int
        Rows of the stream before this key was announced.
    """

    def __init__(self, group: h5py.Group, column: Column, rows_before: int) -> None:
        self.group, self.column = group, column
        #: The values.
        self.stored = stored_column(group, column, rows_before)
        self._clock = Clock(group, rows_before)

    @property
    def first_epoch(self) -> float | None:
        """Time of the first value, seconds since 1970; None without values."""
        return self._clock.first

    def append(self, values: Sequence[Any], epoch: np.ndarray) -> None:
        """Add rows.

        Parameters
        ----------
        values : sequence
            One for each row; None for a row without value.
        epoch : numpy.ndarray
            (rows,), float64, seconds since 1970; NaN where unknown.
        """
        self.stored.append(values)
        self._clock.append(epoch)

    def close(self) -> h5py.Dataset:
        """Write what waits, with what belongs to the way the values are kept.

        Returns
        -------
        h5py.Dataset
            The values.
        """
        self._clock.close()
        return self.stored.close()


class Clock:
    """The datasets ``EPOCH`` and ``time`` of a data key.

    Parameters
    ----------
    group : h5py.Group
        The key's own.
    rows_before : int
        Rows of the stream before this key was announced.
    """

    def __init__(self, group: h5py.Group, rows_before: int) -> None:
        #: The first time there is, seconds since 1970.
        self.first: float | None = None
        self._epoch = GrowingDataset(group, "EPOCH", _FLOAT64)
        self._time = GrowingDataset(group, "time", _FLOAT64)
        self.append(np.full(rows_before, np.nan))

    def append(self, epoch: np.ndarray) -> None:
        """Add rows.

        Parameters
        ----------
        epoch : numpy.ndarray
            (rows,), float64, seconds since 1970; NaN where unknown.
        """
        self._epoch.append(epoch)
        if self.first is None and (known := epoch[np.isfinite(epoch)]).size:
            self.first = float(known[0])
        self._time.append(epoch - (np.nan if self.first is None else self.first))

    def close(self) -> None:
        """Write what waits."""
        self._epoch.close()
        self._time.close()


def stored_column(group: h5py.Group, column: Column, rows_before: int) -> StoredColumn:
    """Make the dataset of the values, with those that may belong to it.

    Parameters
    ----------
    group : h5py.Group
        The key's own.
    column : Column
        What the descriptor says.
    rows_before : int
        Rows of the stream before this key was announced.

    Returns
    -------
    StoredColumn
        In ``value``, ``missing_rows`` and ``row_shape``.
    """
    places = (Place(group, name) for name in ("value", "missing_rows", "row_shape"))
    return StoredColumn(column, *places, rows_before=rows_before)
