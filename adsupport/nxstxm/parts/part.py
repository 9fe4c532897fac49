"""The part of a file that one run makes: its documents as columns, until all runs have come."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any

import h5py

from ...callbacks.hdf5.writer import HDF5File
from ...callbacks.output import AtomicFile, safe_component
from ...callbacks.output.hdf5_values import write_attribute
from ...documents.json_text import encode
from ...documents.run import Run
from ..asked.reading import read_request
from .points import PartPoints
from .reader import PART, PartReader

__all__ = ["StxmPart", "part_name"]


def part_name(uid: str) -> str:
    """Name the part of a run.

    Parameters
    ----------
    uid : str
        Of the run.

    Returns
    -------
    str
        A file's name.
    """
    name = safe_component(uid)
    if name != uid:  # others may be made safe the same way
        name += f"~{hashlib.blake2b(uid.encode(errors='replace'), digest_size=4).hexdigest()}"
    return f"{name}.h5"


class StxmPart(HDF5File):
    """The part of a run, in the directory of the work.

    Parameters
    ----------
    directory : pathlib.Path
        That of the work.
    run : Run
        The run, with its start document.
    image_timeout : float
        How long to wait for the files of images, in seconds.

    Raises
    ------
    StxmMetadataError
        The start document doesn't say what was scanned.
    OutputError
        The part can't be written.
    """

    def __init__(self, directory: Path, run: Run, image_timeout: float) -> None:
        # What is wrong there is told before anything is written.
        self._request = read_request(run.start)
        # A run that comes again is the same run, perhaps with more of its documents.
        file = AtomicFile(directory / part_name(run.uid), exists="replace")
        super().__init__(file, image_timeout=image_timeout)

    def write_metadata(self, file: h5py.File) -> None:
        """Write the start and the stop document as they are; see the base class."""
        write_attribute(file, "format", PART)
        for name, document in (("start", self.run.start), ("stop", self.run.stop)):
            if document is not None:
                text: Any = encode(document, where=name, other=_as_text)
                file.create_dataset(name, data=text.decode(), dtype=h5py.string_dtype())
        file.create_dataset(
            "problems", data=[*self.run.problems, *self.skipped], dtype=h5py.string_dtype()
        )

    def finish(self) -> list[Path]:
        """Give the part its name, if its events are what its metadata say; see the base class.

        Raises
        ------
        StxmDataError
            They aren't.
        """
        self.complete()
        if not self.output.committed:
            with PartReader(self.output.temporary, self._request) as part:
                PartPoints(part)
        return [self.output.commit()]

    def abandon(self) -> None:
        """Remove the file, and the directory of the work if nothing else is there."""
        super().abandon()
        with contextlib.suppress(OSError):
            self.output.path.parent.rmdir()


def _as_text(where: str, value: Any) -> None:
    """Let what JSON can't say stand there as text: it's there to be read by people."""
