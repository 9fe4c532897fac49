"""One stream of a run in the file: a group for each data key, filled while the rows come."""

from __future__ import annotations

import h5py
import numpy as np

from ...documents.assets import Frames
from ...documents.run import Column, Rows, Stream
from ..hdf5.growing import GrowingDataset
from ..hdf5.row_pieces import RowPieces, by_column
from ..output.hdf5_values import member_name
from .column_group import Clock, ColumnGroup
from .nx_group import nx_group

__all__ = ["FrameColumn", "StreamGroup"]


class FrameColumn:
    """A data key whose values are images in files: these are looked at when the run is over.

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
        self.group, self.column = group, column
        #: Of each row; None where images never were announced.
        self.frames: list[Frames | None] = [None] * rows_before
        self._clock = Clock(group)
        self._clock.append(np.full(rows_before, np.nan))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.frames)

    @property
    def first_epoch(self) -> float | None:
        """Time of the first row, seconds since 1970; None without rows."""
        return self._clock.first

    def append(self, values: list[Frames | None], epoch: np.ndarray) -> None:
        """Add rows.

        Parameters
        ----------
        values : list of Frames or None
            One for each row.
        epoch : numpy.ndarray
            (rows,), float64, seconds since 1970.
        """
        self.frames += values
        self._clock.append(epoch)

    def close(self) -> None:
        """Write the times that wait; the images come later."""
        self._clock.close()


class StreamGroup:
    """Writes a stream while its rows come.

    Parameters
    ----------
    streams : h5py.Group
        Group of all streams.
    events : h5py.Group
        Group of what belongs to rows and to no data key.
    stream : Stream
        The stream.
    """

    def __init__(self, streams: h5py.Group, events: h5py.Group, stream: Stream) -> None:
        self.stream = stream
        name = member_name(stream.name)
        self.group = nx_group(streams, name, "NXnote")
        self.group.attrs["uid"] = stream.uid
        self.events = nx_group(events, name, "NXcollection")
        self.columns: dict[str, ColumnGroup | FrameColumn] = {}
        self.rows = 0
        self._seq_num = GrowingDataset(self.events, "seq_num", np.dtype(np.int64))
        self._epoch = GrowingDataset(self.events, "EPOCH", np.dtype(np.float64))
        self._pieces = RowPieces(stream, self._write)
        self.update()

    def update(self) -> None:
        """Take the data keys of a new descriptor."""
        self.flush()
        for key, column in self.stream.columns.items():
            if key not in self.columns:
                group = nx_group(self.group, member_name(key), "NXdata")
                kind = FrameColumn if column.external else ColumnGroup
                self.columns[key] = kind(group, column, self.rows)
        self._pieces.measure()

    def append(self, rows: Rows) -> None:
        """Add rows.

        Parameters
        ----------
        rows : Rows
            Of this stream.
        """
        self._pieces.add(rows)

    def flush(self) -> None:
        """Write the rows that wait."""
        self._pieces.flush()

    def close(self) -> None:
        """Write all that waits: no rows come any more."""
        self.flush()
        for column in self.columns.values():
            column.close()
        for growing, units, name in (
            (self._seq_num, None, "number of the event"),
            (self._epoch, "s", "epoch time of the event (s)"),
        ):
            dataset = growing.close()
            dataset.attrs["long_name"] = name
            if units is not None:
                dataset.attrs["units"] = units
            dataset.attrs["target"] = dataset.name

    def notes(self) -> list[str]:
        """Tell where values aren't what the descriptors say.

        Returns
        -------
        list of str
            Sentences.
        """
        return [
            f"Stream {self.stream.name!r}: {note}"
            for column in self.columns.values()
            if isinstance(column, ColumnGroup)
            for note in column.notes()
        ]

    def _write(self, rows: Rows) -> None:
        self._seq_num.append(rows.seq_nums())
        self._epoch.append(rows.times())
        keys = list(self.columns)
        values, epochs = by_column(rows, keys)
        for key, column_values, epoch in zip(keys, values, epochs, strict=True):
            self.columns[key].append(column_values, epoch)
        self.rows += len(rows)
