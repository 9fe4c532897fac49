"""One stream of a run in a plain HDF5 file: a dataset for each data key."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import h5py
import numpy as np

from ...documents.run import Column, Rows, Stream
from ...errors import ImageFileError
from ..output.hdf5_values import member_name, write_attribute, write_value
from .growing import GrowingDataset
from .image_rows import ImageRows, frame_of
from .row_pieces import RowPieces, by_column
from .stored_column import StoredColumn
from .value_store import Place

__all__ = ["StreamColumns"]


class StreamColumns:
    """Writes a stream while its rows come.

    Parameters
    ----------
    group : h5py.Group
        The stream's own, empty.
    stream : Stream
        The stream.

    Attributes
    ----------
    notes : list of str
        What the file lacks: sentences.
    remarks : list of str
        What is in the file in another way than the descriptors say: sentences.
    """

    def __init__(self, group: h5py.Group, stream: Stream) -> None:
        self.group, self.stream = group, stream
        self.notes: list[str] = []
        self.remarks: list[str] = []
        self._seq_num = GrowingDataset(group, "seq_num", np.dtype(np.int64))
        self._time = GrowingDataset(group, "time", np.dtype(np.float64))
        self._groups = {
            name: group.create_group(name, track_order=True)
            for name in ("data", "timestamps", "missing", "shapes")
        }
        self._columns: dict[str, StoredColumn] = {}
        self._images: dict[str, ImageRows] = {}
        self._stamps: dict[str, GrowingDataset] = {}
        self._rows = 0
        self._pieces = RowPieces(stream, self._write)

    def describe(self) -> None:
        """Take what the descriptors say of the columns so far."""
        self._pieces.flush()
        for key, column in self.stream.columns.items():
            if key in self._stamps:
                continue
            self._stamps[key] = stamps = GrowingDataset(
                self._groups["timestamps"], member_name(key), np.dtype(np.float64)
            )
            stamps.append(np.full(self._rows, np.nan))
            if column.external:
                self._images[key] = ImageRows(partial(self._stored, column), self._rows)
            else:
                self._columns[key] = self._stored(column, self._rows)
        self._pieces.measure()

    def add(self, rows: Rows) -> None:
        """Take rows.

        Parameters
        ----------
        rows : Rows
            All of their keys have been described.
        """
        self._pieces.add(rows)

    def close(self) -> None:
        """Write all that waits, except images in files."""
        self._pieces.flush()
        seq_num, time = self._seq_num.close(), self._time.close()
        seq_num.attrs["description"] = "number of the event, from 1"
        time.attrs["description"] = "time of the event, seconds since 1970 (UTC)"
        time.attrs["units"] = "s"
        for key, column in self._columns.items():
            self._describe(column.close(), self.stream.columns[key])
            self.remarks += column.notes()
            self.notes += column.lost()
        for growing in self._stamps.values():
            growing.close().attrs["units"] = "s"

    def store_images(self, target: Any, images: Literal["link", "copy", "repack"], timeout: float,
                     compression: Mapping[str, Any] | None) -> None:  # fmt: skip
        """Bring the images in files to this one; they are waited for.

        Parameters
        ----------
        target : path
            Final name of the file.
        images, compression, timeout
            See :func:`adsupport.documents.images.store_images`.
        """
        from ...documents.images import contradiction, store_images

        data = self._groups["data"]
        for key, gathered in self._images.items():
            column, name = self.stream.columns[key], member_name(key)
            if gathered.pixels is not None or not gathered.frames:
                continue
            shape, dtype = frame_of(column)
            try:
                found = store_images(
                    data, name, gathered.frames, target, images=images, compression=compression,
                    timeout=timeout, missing="placeholder", frame_shape=shape, dtype=dtype,
                )  # fmt: skip
            except ImageFileError as error:
                self._note([f"{key}: {error}"])
                if name in data:
                    del data[name]
                continue
            texts = [f"{key}: {text}" for text in found.notes]
            whole = found.dataset is not None and "missing_frames" not in found.dataset.attrs
            if whole:
                self.remarks += texts
            else:
                self._note(texts)
            wrong = contradiction(column, found.column)
            if wrong:
                self._note([f"{key}: {wrong}"])
            if found.dataset is not None:
                self._describe(found.dataset, column)

    def write_metadata(self) -> None:
        """Write what describes the stream: descriptors, configuration, hints."""
        for name in ("missing", "shapes"):
            if not len(self._groups[name]):
                del self.group[name]
        write_attribute(self.group, "uid", self.stream.uid)
        write_value(self.group, "descriptors", self.stream.descriptors, notes=self.notes)
        for device, content in self.stream.configuration.items():
            described = content.get("data_keys") or {}
            stamps = content.get("timestamps") or {}
            for key, value in (content.get("data") or {}).items():
                place = f"configuration/{member_name(device)}/{member_name(key)}"
                dataset = write_value(self.group, place, value, notes=self.notes)
                for name, about in (described.get(key) or {}).items():
                    if about is not None:
                        write_attribute(dataset, name, about, notes=self.notes)
                if stamps.get(key) is not None:
                    write_attribute(dataset, "timestamp", stamps[key], notes=self.notes)

    def _write(self, rows: Rows) -> None:
        self._seq_num.append(rows.seq_nums())
        self._time.append(rows.times())
        keys = list(self._stamps)
        values, stamps = by_column(rows, keys)
        for key, found, stamp in zip(keys, values, stamps, strict=True):
            if key in self._images:
                self._gather(key, found)
            else:
                self._columns[key].append(found)
            self._stamps[key].append(stamp)
        self._rows += len(rows)

    def _gather(self, key: str, values: list[Any]) -> None:
        """Take images: references to files for the end, pixels in documents at once."""
        images = self._images[key]
        images.take(values)
        if images.pixels is not None:
            self._columns[key] = images.pixels
        if images.left_out:
            text = "some images came in the documents; those in files are left out."
            self._note([f"{key}: {text}"])

    def _stored(self, column: Column, rows_before: int) -> StoredColumn:
        name = member_name(column.name)
        places = (Place(self._groups[each], name) for each in ("data", "missing", "shapes"))
        return StoredColumn(column, *places, rows_before=rows_before)

    def _describe(self, dataset: h5py.Dataset, column: Column) -> None:
        for name, value in column.data_key.items():
            if value is not None:
                write_attribute(dataset, name, value, notes=self.notes)

    def _note(self, texts: list[str]) -> None:
        self.notes += [text for text in texts if text not in self.notes]
