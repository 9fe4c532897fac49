"""Streams: what is added to the values when the run is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from ...documents.run import Column, Stream
from ...errors import ImageFileError
from ..hdf5.image_rows import frame_of
from ..output.hdf5_values import member_name, write_attribute
from .frame_column import FrameColumn
from .nx_group import link, targeted
from .run_view import CONFIGURATION, STREAMS, RunView
from .signals import data_map, signal_type
from .stream_group import StreamGroup

__all__ = ["StreamHooks"]


class StreamHooks(RunView):
    """Hooks of the streams."""

    images: Any = "link"
    compression: Mapping[str, Any] | None = None
    image_timeout: float = 20.0
    on_missing_images: str = "error"

    def write_streams(self, parent: h5py.Group) -> h5py.Group:
        """Complete ``streams:NXnote``, which has the values of all events already.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument/bluesky``.

        Returns
        -------
        h5py.Group
            The group.
        """
        group = self.create_NX_group(parent, "streams:NXnote")
        for stream in self._groups.values():
            self.write_stream(stream)
        return group

    def write_stream(self, stream: StreamGroup) -> h5py.Group:
        """Complete the group of one stream.

        Parameters
        ----------
        stream : StreamGroup
            The stream in the file.

        Returns
        -------
        h5py.Group
            Its group.
        """
        for key, column in stream.columns.items():
            group = column.group
            value: Any
            if isinstance(column, FrameColumn):
                value = self.write_images(column)
            else:
                value = group["value"]
            if value is not None:
                self._describe(value, column.column, key)
                group.attrs["signal"] = "value"
                group.attrs["axes"] = ["time"] + ["."] * (value.ndim - 1)
                if stream.stream.name == "baseline" and value.shape[0]:
                    self._ends(group, value, column.column, key)
            self._times(group, column.first_epoch)
        for key in stream.columns:
            short = member_name(key.removesuffix("_image"))
            if key.endswith("_image") and short not in stream.group:
                item: Any = stream.group[member_name(key)]
                link(stream.group, short, item)
        self.remarks += stream.notes()
        self.skipped += stream.lost()
        return stream.group

    def write_images(self, column: FrameColumn) -> h5py.Dataset | None:
        """Write the images of a data key, or a link to them, when their files are ready.

        Parameters
        ----------
        column : FrameColumn
            The data key; its group gets the dataset ``value``.

        Returns
        -------
        h5py.Dataset or None
            (rows, frames of a row, Y, X).  None when no file tells their shape.
        """
        from ...documents.images import StoredImages, contradiction, store_images

        where = f"Stream {column.stream!r}: images of {column.column.name!r}"

        if column.left_out:
            self.skipped.append(
                f"{where}: some came in the documents; those of "
                f"{column.left_out} rows that are in files are left out."
            )
        if column.pixels is not None:
            value: Any = column.group["value"]
            return value
        if not column.frames:
            return None
        shape, dtype = frame_of(column.column)
        try:
            found = store_images(
                column.group,
                "value",
                column.frames,
                self.file_target,
                images=self.images,
                compression=self.compression,
                timeout=self.image_timeout,
                # The run's numbers are good without its images: these are told as missing.
                missing="placeholder",
                frame_shape=shape,
                dtype=dtype,
            )
        except ImageFileError as error:
            found = StoredImages(None, [str(error)])
        value = found.dataset
        whole = value is not None and "missing_frames" not in value.attrs
        strict = self.on_missing_images == "error" and not whole
        notes = self.skipped if strict else self.remarks
        notes += [f"{where}: {note}" for note in found.notes]
        wrong = contradiction(column.column, found.column)
        if wrong:
            self.skipped.append(f"{where}: {wrong}")
        if value is None:
            if "value" in column.group:
                del column.group["value"]
            return None
        self._sources(value, column)
        return value

    def write_configuration(self, parent: h5py.Group) -> h5py.Group | None:
        """Write ``configuration:NXcollection``: what each device was set to, by stream.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument/bluesky``.

        Returns
        -------
        h5py.Group or None
            None when no device has any.
        """
        if not any(each.stream.configuration for each in self._groups.values()):
            return None
        group = self.create_NX_group(parent, "configuration:NXcollection")
        for stream in (each.stream for each in self._groups.values()):
            collection = self.create_NX_group(group, f"{member_name(stream.name)}:NXcollection")
            for device, content in stream.configuration.items():
                if content.get("data"):
                    own = self.create_NX_group(collection, f"{member_name(device)}:NXcollection")
                    self._configuration(own, content)
        return group

    def assign_signal_type(self) -> None:
        """Say of each data key of the primary stream what it is, in ``@signal_type``.

        Raises
        ------
        KeyError
            The run has no primary stream.
        """
        primary = self._groups.get("primary")
        if primary is None:
            raise KeyError("The run has no primary stream.")
        for key, column in primary.columns.items():
            kind = signal_type(key, primary.stream, self.data_map)
            column.group.attrs["signal_type"] = kind
            if "value" in column.group:
                column.group["value"].attrs["signal_type"] = kind

    # parts

    @property
    def file_target(self) -> str:
        """Final name of the file: that which links to images are relative to."""
        return str(getattr(self, "output_nexus_file", None) or self.root.filename)

    def _know_streams(self, groups: dict[str, StreamGroup]) -> None:
        """Take the streams of the run, when all their rows have come."""
        self._groups = groups
        self.streams = {
            name: [str(each["uid"]) for each in group.stream.descriptors]
            for name, group in groups.items()
        }
        if "primary" in groups:
            self.data_map = data_map(self.run, groups["primary"].stream)

    def _describe(self, dataset: h5py.Dataset, column: Column, key: str) -> None:
        low, high = column.limits
        described = {
            "units": column.units,
            "source": column.source,
            "dtype": column.dtype,
            "precision": column.precision,
            "lower_ctrl_limit": low,
            "upper_ctrl_limit": high,
        }
        self.add_dataset_attributes(dataset, described, key)
        targeted(dataset)

    def _ends(self, group: h5py.Group, value: h5py.Dataset, column: Column, key: str) -> None:
        """Write the first and the last value by names of their own."""
        text = h5py.check_string_dtype(value.dtype) is not None
        for name, row in (("value_start", 0), ("value_end", -1)):
            found: Any = (value.asstr() if text else value)[row]
            # An array of varying length is one of its own length here.
            dtype = value.dtype if text or value.dtype.kind != "O" else None
            ds = group.create_dataset(name, data=found, dtype=dtype)
            self._describe(ds, column, key)
            if "encoding" in value.attrs:
                ds.attrs["encoding"] = value.attrs["encoding"]

    def _times(self, group: h5py.Group, first: float | None) -> None:
        epoch: Any = group["EPOCH"]
        time: Any = group["time"]
        epoch.attrs["long_name"] = "epoch time (s)"
        time.attrs["long_name"] = "time since first data (s)"
        for dataset in (epoch, time):
            dataset.attrs["units"] = "s"
            targeted(dataset)
        if first is not None:
            time.attrs["start_time"] = first
            if self.iso(first):
                time.attrs["start_time_iso"] = self.iso(first)
        for name in ("missing_rows", "row_shape"):
            item: Any = group.get(name)
            if item is not None:
                targeted(item)

    def _sources(self, value: h5py.Dataset, column: FrameColumn) -> None:
        assets = {row.asset.uid: row.asset for row in column.frames if row is not None}
        for name, found in (
            ("source_file", [str(each.path) for each in assets.values()]),
            ("source_address", [each.dataset for each in assets.values()]),
            ("resource_id", list(assets)),
        ):
            values = list(dict.fromkeys(found)) if name == "source_address" else found
            shown = values[0] if len(values) == 1 else values
            write_attribute(value, name, shown, notes=self.remarks)

    def _configuration(self, group: h5py.Group, content: dict[str, Any]) -> None:
        keys, stamps = content.get("data_keys") or {}, content.get("timestamps") or {}
        for key, value in content["data"].items():
            described = keys.get(key) or {}
            dataset = self.create_dataset(
                group,
                member_name(key),
                value,
                long_name=key,
                units=described.get("units"),
                source=described.get("source"),
                precision=described.get("precision"),
            )
            stamp = stamps.get(key)
            if isinstance(stamp, (int, float)) and np.isfinite(stamp):
                dataset.attrs["EPOCH"] = stamp

    def configuration_of(self, device: str, stream: str = "primary") -> dict[str, h5py.Dataset]:
        """Find what a device was set to.

        Parameters
        ----------
        device : str
            Its name.
        stream : str
            Whose descriptor.

        Returns
        -------
        dict of str to h5py.Dataset
            By key without the device's name in front; empty when nothing is known.
        """
        found = self.root.get(f"{CONFIGURATION}/{member_name(stream)}/{member_name(device)}")
        if found is None:
            return {}
        content = self._groups[stream].stream.configuration[device]["data"]
        return {key.removeprefix(f"{device}_"): found[member_name(key)] for key in content}

    def stream_of(self, name: str) -> Stream | None:
        """Return a stream of the run.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        Stream or None
            None when the run has none of that name.
        """
        group = self._groups.get(name)
        return None if group is None else group.stream

    def streams_address(self, stream: str, key: str) -> str:
        """Return where a data key is in the file.

        Parameters
        ----------
        stream, key : str
            Names.

        Returns
        -------
        str
            Address of its group.
        """
        return f"{STREAMS}/{member_name(stream)}/{member_name(key)}"
