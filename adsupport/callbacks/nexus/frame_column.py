"""One data key of a stream whose values are images."""

from __future__ import annotations

from functools import partial
from typing import Any

import h5py
import numpy as np

from ...documents.run import Column
from ..hdf5.image_rows import ImageRows
from ..hdf5.stored_column import StoredColumn
from .column_group import Clock, stored_column

__all__ = ["FrameColumn"]


class FrameColumn(ImageRows):
    """Gathers references to images in files, and when they were taken.

    Parameters
    ----------
    group : h5py.Group
        The key's own.
    column : Column
        What the descriptor says.
    rows_before : int
        Rows of the stream before this key was announced.
    stream : str
        Name of the stream, for messages.
    """

    def __init__(self, group: h5py.Group, column: Column, rows_before: int, stream: str) -> None:
        # Imported while the run goes on, not while its file is waited for.
        from ...documents import images  # noqa: F401

        super().__init__(partial(stored_column, group, column), rows_before)
        self.group, self.column, self.stream = group, column, stream
        self._clock = Clock(group, rows_before)

    @property
    def stored(self) -> StoredColumn | None:
        """The values that are in the file already: images of the documents."""
        return self.pixels

    @property
    def first_epoch(self) -> float | None:
        """Time of the first row, seconds since 1970; None without rows."""
        return self._clock.first

    def append(self, values: list[Any], epoch: np.ndarray) -> None:
        """Add rows.

        Parameters
        ----------
        values : list of Frames, numpy.ndarray or None
            One for each row.
        epoch : numpy.ndarray
            (rows,), float64, seconds since 1970.
        """
        self._clock.append(epoch)
        self.take(values)

    def close(self) -> None:
        """Write what waits; images of files come later."""
        self._clock.close()
        if self.pixels is not None:
            self.pixels.close()
