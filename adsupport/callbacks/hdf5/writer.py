"""Runs as plain HDF5 files: datasets and groups, and no convention to know."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

import h5py

from ...documents.run import Rows, Run, Stream
from ..choice import Choice
from ..file_set import writing
from ..file_writer import FileWriter
from ..output import AtomicFile, Exists
from ..output.hdf5_closing import ROOM, close_anyway
from ..output.hdf5_values import member_name, write_attribute, write_value
from ..run_file import RunFile
from .stream_columns import StreamColumns

__all__ = ["FORMAT", "HDF5File", "HDF5Writer"]

#: Name and version of the files' format, as it stands in the attribute ``format``.
FORMAT = "adsupport-hdf5-1"

Images = Literal["link", "copy", "repack"]


class HDF5File(RunFile):
    """The HDF5 file of a run.

    Parameters
    ----------
    file : AtomicFile
        What to write.
    images, image_timeout, compression
        See :class:`HDF5Writer`.

    Attributes
    ----------
    output : AtomicFile
        As given.
    """

    def __init__(
        self,
        file: AtomicFile,
        images: Images = "link",
        image_timeout: float = 20.0,
        compression: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.output = file
        self._images: Images = images
        self._timeout = image_timeout
        self._compression = compression
        self._streams: dict[str, StreamColumns] = {}
        self._file: h5py.File | None = None
        try:
            with self._writing():
                self._file = h5py.File(file.temporary, "w")
                self._group = self._file.create_group("streams", track_order=True)
        except BaseException:
            self.abandon()
            raise

    def stream(self, run: Run, stream: Stream) -> None:
        """Make the group of a stream, or take its new keys; see the base class."""
        with self._writing():
            if stream.name not in self._streams:
                group = self._group.create_group(member_name(stream.name), track_order=True)
                self._streams[stream.name] = StreamColumns(group, stream)
            self._streams[stream.name].describe()

    def rows(self, run: Run, rows: Rows) -> None:
        """Write rows; see the base class."""
        with self._writing():
            self._streams[rows.stream.name].add(rows)

    def finish(self) -> list[Path]:
        """Write images and metadata, and name the file; see the base class."""
        self.complete()
        return [self.output.commit()]

    def complete(self) -> None:
        """Write images and metadata: the file lacks only its name then.  Again is harmless."""
        if self._file is None:
            return
        with self._writing():
            for name, stream in self._streams.items():
                stream.close()
                stream.store_images(
                    self.output.path, self._images, self._timeout, self._compression
                )
                stream.write_metadata()
                self.skipped += [f"Stream {name!r}: {text}" for text in stream.notes]
                self.remarks += [f"Stream {name!r}: {text}" for text in stream.remarks]
            self.write_metadata(self._file)
            self._file.close()
            self._file = None

    def abandon(self) -> None:
        """Remove the file; see the base class."""
        if self._file is not None:
            close_anyway(self._file)
            self._file = None
        self.output.abandon()

    def _writing(self) -> AbstractContextManager[None]:
        self.output.check_room(ROOM)
        return writing(self.output.path)

    def write_metadata(self, file: h5py.File) -> None:
        """Write what isn't of one stream.

        Parameters
        ----------
        file : h5py.File
            The file, open.
        """
        run = self.run
        notes: list[str] = []
        for name, document in (("start", run.start), ("stop", run.stop)):
            if document is None:
                continue
            group = file.create_group(name, track_order=True)
            for key, value in document.items():
                write_value(group, member_name(key), value, notes=notes)
        self.skipped += notes
        write_attribute(file, "format", FORMAT)
        write_attribute(file, "uid", run.uid)
        write_attribute(file, "exit_status", run.exit_status)
        if run.scan_id is not None:
            write_attribute(file, "scan_id", run.scan_id)
        problems = [*run.problems, *self.skipped]
        if problems:
            write_attribute(file, "problems", problems)


class HDF5Writer(FileWriter):
    """Write each run to an HDF5 file with one dataset for each data key.

    ::

        /                       @format @uid @scan_id @exit_status @problems
        /start/<key>            the start document; /stop the stop document
        /streams/<stream>       @uid
            seq_num, time       of each event; time in seconds since 1970 (UTC)
            data/<key>          (rows, ...), with what the descriptor says as attributes
            timestamps/<key>    when each value was measured, in seconds since 1970 (UTC)
            missing/<key>       rows (from 0) without value, if there are such
            shapes/<key>        of each row, if they differ
            configuration/<device>/<key>
            descriptors         JSON text

    How awkward values are kept is told in :mod:`~adsupport.callbacks.hdf5.stored_column` for
    columns and in :mod:`~adsupport.callbacks.output.hdf5_values` for all else.

    Parameters
    ----------
    file_path, file_name, exists, strict, path_map
        See :class:`~adsupport.callbacks.file_writer.FileWriter`.
    images : str
        What to do with images in files: ``"link"`` refers to the files, ``"copy"`` copies what
        they have, ``"repack"`` compresses anew.
    compression : mapping, optional
        For ``"repack"``; see :func:`adsupport.documents.images.repack`.
    image_timeout : float
        How long to wait for the files of images, in seconds.
    """

    file_extension = "h5"
    images: Any = Choice("link", "copy", "repack")

    def __init__(
        self,
        file_path: str | os.PathLike[str] | None = None,
        file_name: str | os.PathLike[str] | None = None,
        *,
        images: Images = "link",
        compression: Mapping[str, Any] | None = None,
        image_timeout: float = 20.0,
        exists: Exists = "refuse",
        strict: bool = True,
        path_map: Any = None,
    ) -> None:
        super().__init__(file_path, file_name, exists=exists, strict=strict, path_map=path_map)
        self.images = images
        self.compression = compression
        self.image_timeout = image_timeout

    def run_file(self, run: Run) -> HDF5File:
        """Make the file of a run; see the base class."""
        file = AtomicFile(self.target(run), exists=self.exists)
        return HDF5File(file, self.images, self.image_timeout, self.compression)
