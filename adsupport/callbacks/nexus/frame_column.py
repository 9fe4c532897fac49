"""One data key of a stream whose values are images."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from ...documents.assets import Frames
from ...documents.run import Column
from ..hdf5.frame_rows import FrameRows
from ..hdf5.stored_column import StoredColumn
from .column_group import Clock, stored_column

__all__ = ["FrameColumn"]


class FrameColumn:
    """Gathers references to images in files, which are looked at when the run is over.

    Images that come in the documents themselves are written as they come.

    Parameters
    ----------
    group : h5py.Group
        The key's own.
    column : Column
        What the descriptor says.
    rows_before : int
        Rows of the stream before this key was announced.
    """

    def __init__(self, group: h5py.Group, column: Column, rows_before: int = 0) -> None:
        # Imported while the run goes on, not while its file is waited for.
        from ...documents import images  # noqa: F401

        self.group, self.column = group, column
        #: Of each row; None where images never were announced.
        self.frames = FrameRows(rows_before)
        #: Images of the documents, if there are such.
        self.pixels: StoredColumn | None = None
        #: How many rows of files are left out, since others came in the documents.
        self.left_out = 0
        self._clock = Clock(group)
        self._clock.append(np.full(rows_before, np.nan))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.frames) if self.pixels is None else self.pixels.rows

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
        in_files = sum(isinstance(each, Frames) for each in values)
        if self.pixels is None and in_files + sum(each is None for each in values) == len(values):
            self.frames.extend(values)
            return
        if self.pixels is None:
            self.left_out = sum(each is not None for each in self.frames)
            self.pixels = stored_column(self.group, self.column, len(self.frames))
        self.left_out += in_files
        self.pixels.append([None if isinstance(each, Frames) else each for each in values])

    def close(self) -> None:
        """Write what waits; images of files come later."""
        self._clock.close()
        if self.pixels is not None:
            self.pixels.close()

    def notes(self) -> list[str]:
        """Tell where values aren't what the descriptor says.

        Returns
        -------
        list of str
            Sentences.
        """
        return [] if self.pixels is None else self.pixels.notes()

    def lost(self) -> list[str]:
        """Tell which values couldn't be kept.

        Returns
        -------
        list of str
            Sentences.
        """
        return [] if self.pixels is None else self.pixels.lost()
