"""Writes frames that no file plugin writes."""

from __future__ import annotations

from typing import Any

from ..frames.frame import Frame, StreamAbout, StreamEnd
from ..storage.data_set import directory_of
from ..storage.image_set import ImageSetWriter
from ..storage.walker import DirectoryWalker
from .base import Addon

__all__ = ["ImageWriter"]


class ImageWriter(Addon):
    """Writes frames as TIFF or HDF5 files where a walker stands, a directory for each stream.

    A detector's own file plugin writes its images faster, checks them, and its files are those
    that the documents of the run tell of: this is for producers without one, or for a copy.

    Parameters
    ----------
    walker : DirectoryWalker
        Its ``dsetname`` tells names and format; projections go to ``radios``, other streams to
        directories of their own names.  Numbers of frames that were lost are left out, as far as
        the source can tell which ones.
    **options
        See :class:`~adsupport.imaging.addons.Addon`.

    Raises
    ------
    ConfigurationError
        An option can't be.
    OutputError
        While frames come: a file couldn't be written.
    """

    def __init__(self, walker: DirectoryWalker, **options: Any) -> None:
        super().__init__(**options)
        self.walker = walker
        self._writer: ImageSetWriter | None = None
        self._next = 0

    def begin(self, about: StreamAbout) -> None:
        """Begin a data set, or go on with it when the stream comes again."""
        self.close()
        self._next = 0
        self._writer = self.walker.create_writer(directory_of(about.stream), exists="continue")

    def frame(self, frame: Frame) -> None:
        """Write a frame."""
        if self._writer is not None:
            known = {
                "stream": frame.stream,
                "unique_id": frame.unique_id,
                "angle": frame.angle,
                "timestamp": frame.timestamp,
                "run_uid": frame.run_uid or None,
            }
            about = {key: value for key, value in known.items() if value is not None}
            number = self._next if frame.place is None else max(frame.place, self._next)
            self._writer.write(frame.data, about, number)
            self._next = number + 1

    def end(self, ended: StreamEnd) -> None:
        """Finish the files."""
        self.close()

    def close(self) -> None:
        """Finish the files, whatever has come."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
