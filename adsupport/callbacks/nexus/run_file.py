"""The NeXus file of one run, from the start document to its final name."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from ...documents.run import Rows, Run, Stream
from ...errors import OutputError
from ..file_set import writing
from ..output.atomic_file import AtomicFile
from ..output.hdf5_closing import ROOM, close_anyway
from ..run_file import RunFile
from .nx_group import nx_group
from .stream_group import StreamGroup

if TYPE_CHECKING:
    from .writer import NXWriter

__all__ = ["NexusRunFile"]

#: Of each dataset; the libraries' own default of 8 MiB adds up in runs with many data keys.
_CACHE_BYTES = 1 << 18


class NexusRunFile(RunFile):
    """Writes values while the run goes on, and all else when it's over.

    Parameters
    ----------
    view : NXWriter
        A copy of the writer for this run alone, whose hooks write the tree.
    """

    def __init__(self, view: NXWriter) -> None:
        super().__init__()
        self._view = view
        self._output: AtomicFile | None = None
        self._file: h5py.File | None = None
        self._streams: dict[str, StreamGroup] = {}

    def begin(self, run: Run) -> None:
        """Open the temporary file.

        Parameters
        ----------
        run : Run
            The run.
        """
        super().begin(run)
        view = self._view
        view.view(run, self.skipped, self.remarks)
        self._output = output = AtomicFile(view.path_of_file(), exists=view.exists)
        view.output_nexus_file = output.path
        if output.problem:
            self.remarks.append(output.problem)
        with self._writing():
            file = h5py.File(output.temporary, "w", rdcc_nbytes=_CACHE_BYTES)
            view.root = self._file = file
            entry = nx_group(file, "entry", "NXentry")
            bluesky = nx_group(nx_group(entry, "instrument", "NXinstrument"), "bluesky", "NXnote")
            nx_group(bluesky, "streams", "NXnote")
            nx_group(bluesky, "events", "NXcollection")

    def stream(self, run: Run, stream: Stream) -> None:
        """Make the groups of a stream's data keys, those of a later descriptor as well.

        Parameters
        ----------
        run : Run
            The run.
        stream : Stream
            The stream.
        """
        known = self._streams.get(stream.name)
        with self._writing():
            if known is not None:
                known.update()
                return
            bluesky: Any = self._open_file["entry/instrument/bluesky"]
            self._streams[stream.name] = StreamGroup(bluesky["streams"], bluesky["events"], stream)

    def rows(self, run: Run, rows: Rows) -> None:
        """Write rows, thousands at a time.

        Parameters
        ----------
        run : Run
            The run.
        rows : Rows
            The rows.
        """
        with self._writing():
            self._streams[rows.stream.name].append(rows)

    def end(self, run: Run) -> None:
        """Write the rows that wait.

        Parameters
        ----------
        run : Run
            The run.
        """
        with self._writing():
            for stream in self._streams.values():
                stream.close()

    def finish(self) -> list[Path]:
        """Write the rest of the tree, and give the file its name.

        Returns
        -------
        list of pathlib.Path
            The file.

        Raises
        ------
        OutputError
            The file couldn't be written; where its work was kept, a second call gives it its
            name.
        """
        output = self._output
        if output is None:
            raise OutputError("The file of a run was finished before it was begun.")
        if self._file is not None:
            with self._writing():
                self._view.write_file(self._streams)
                self._file.close()
                self._file = self._view.root = None
        found = output.commit()
        self._view.done(found)
        return [found]

    def abandon(self) -> None:
        """Remove the temporary file."""
        if self._file is not None:
            close_anyway(self._file)
            self._file = self._view.root = None
        if self._output is not None:
            self._output.abandon()

    def _writing(self) -> contextlib.AbstractContextManager[None]:
        if self._output is None:
            raise OutputError("The file of a run isn't begun.")
        self._output.check_room(ROOM)
        return writing(self._output.path)

    @property
    def _open_file(self) -> h5py.File:
        if self._file is None:
            raise OutputError("The file of a run isn't open.")
        return self._file
