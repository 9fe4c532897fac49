"""One stream of a run in the file: a group for each data key, filled while the rows come."""

from __future__ import annotations

import h5py
import numpy as np

from ...documents.run import Rows, Stream
from ..hdf5.growing import GrowingDataset
from ..hdf5.row_pieces import RowPieces, by_column
from ..hdf5.stored_column import StoredColumn
from ..output.hdf5_values import member_name, write_attribute
from .column_group import ColumnGroup
from .frame_column import FrameColumn
from .nx_group import nx_group

__all__ = ["StreamGroup"]


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
        write_attribute(self.group, "uid", stream.uid)
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
                self.columns[key] = (
                    FrameColumn(group, column, self.rows, self.stream.name)
                    if column.external
                    else ColumnGroup(group, column, self.rows)
                )
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
            for stored in self._stored()
            for note in stored.notes()
        ]

    def lost(self) -> list[str]:
        """Tell which values couldn't be kept.

        Returns
        -------
        list of str
            Sentences.
        """
        return [
            f"Stream {self.stream.name!r}: {text}"
            for stored in self._stored()
            for text in stored.lost()
        ]

    def _stored(self) -> list[StoredColumn]:
        found = (column.stored for column in self.columns.values())
        return [each for each in found if each is not None]

    def _write(self, rows: Rows) -> None:
        self._seq_num.append(rows.seq_nums())
        self._epoch.append(rows.times())
        keys = list(self.columns)
        values, epochs = by_column(rows, keys)
        for key, column_values, epoch in zip(keys, values, epochs, strict=True):
            self.columns[key].append(column_values, epoch)
        self.rows += len(rows)
