"""Frames of an HDF5 file, while it grows or when it's finished, for a live view of them."""

from __future__ import annotations

import pathlib
import threading
from collections.abc import Callable
from functools import partial

import h5py

from ...documents.assets import ADCORE_DATASET
from ...documents.images.opening import check_given_file, opened
from ...errors import ImageFileError
from ...wording import counted
from ..frames.arrival import Arrival
from ..frames.bus import FrameBus
from ..frames.frame import StreamAbout
from ..frames.stack_file import StackFile
from .live_view import LiveView

__all__ = ["FileFeed"]

#: Where frames are in files of ADCore, and in Data Exchange files.
_ADDRESSES = (ADCORE_DATASET, "/exchange/data")
#: Seconds from look to look at a file that grows: it can't tell of itself.
_PAUSE = 0.2
#: Looks without a new frame after which it's seen whether the writer has the file still.
_QUIET = 5


class FileFeed:
    """Shows the latest frame of a file, until the file is finished, and longer.

    Parameters
    ----------
    path : str or path
        The file, of the HDF5 plugin or a Data Exchange file.  While the plugin writes it without
        SWMR mode nothing can be read.

    Attributes
    ----------
    what : str
        What is shown, for people.

    Raises
    ------
    ImageFileError
        There is no such file, or it's no HDF5 file.
    """

    def __init__(self, path: str | pathlib.Path) -> None:
        self._path = pathlib.Path(path)
        check_given_file(self._path, "HDF5 file")
        self.what = str(self._path)
        self._view: LiveView | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def run(self, view: LiveView, stop: threading.Event) -> None:
        """Show frames.

        Parameters
        ----------
        view : LiveView
            Where.
        stop : threading.Event
            Ends it.
        """
        self._view = view
        view.model.link(True, self.what)
        with FrameBus(self, [view], missing="log") as bus:
            bus.begin(StreamAbout(stream=self._path.name))
            stop.wait()
            bus.end()

    # as a source of frames

    def begin(self, about: StreamAbout, take: Callable[[Arrival], None]) -> None:
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`."""
        self._stopped.clear()
        self._thread = threading.Thread(
            target=self._follow, args=(take,), name=f"frames of {about.stream}", daemon=True
        )
        self._thread.start()

    def end(self, expected: int | None, timeout: float) -> None:  # noqa: ARG002
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`."""
        self.close()

    def close(self) -> None:
        """Follow the file no more."""
        self._stopped.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    # inside

    def _follow(self, take: Callable[[Arrival], None]) -> None:
        file = StackFile(self._path, _address_in(self._path))
        handed = quiet = 0
        while not self._stopped.is_set():
            try:
                frames = file.grown()
            except ImageFileError:
                break  # it isn't in SWMR mode: finished, or to be finished
            quiet = quiet + 1 if frames == handed else 0
            if quiet == _QUIET:
                quiet = 0
                file.release()  # else it looks as if somebody else had it still
                if not _is_held(self._path):
                    break
            for index in range(handed, frames):
                take(Arrival(partial(file.read, index), stored=True))
            handed = max(handed, frames)
            self._stopped.wait(_PAUSE)
        self._show_finished(take, handed)
        file.release()

    def _show_finished(self, take: Callable[[Arrival], None], handed: int) -> None:
        while not self._stopped.is_set():
            file = StackFile(self._path, _address_in(self._path))
            try:
                labels = file.labels()
            except ImageFileError as error:
                self._tell(False, str(error))
                self._stopped.wait(5 * _PAUSE)
                continue
            self._tell(True, f"{self.what}: finished, {counted(labels.frames)}")
            # the last one again, which has its id and time now
            for index in range(min(handed, labels.frames - 1), labels.frames):
                if index >= 0:
                    take(
                        Arrival(
                            partial(file.read, index),
                            stored=True,
                            unique_id=None if labels.ids is None else int(labels.ids[index]),
                            timestamp=None if labels.times is None else float(labels.times[index]),
                        )
                    )
            return

    def _tell(self, connected: bool, text: str) -> None:
        if self._view is not None:
            self._view.model.link(connected, text)


def _address_in(path: pathlib.Path) -> str:
    """Tell where the frames are, as far as that can be seen."""
    try:
        with opened(path) as file:
            found = [each for each in _ADDRESSES if isinstance(file.get(each), h5py.Dataset)]
    except (ImageFileError, OSError):
        found = []
    return (found or _ADDRESSES)[0]


def _is_held(path: pathlib.Path) -> bool:
    """Tell whether a writer in SWMR mode has the file still."""
    try:
        with opened(path) as file:
            return bool(file.swmr_mode)
    except (ImageFileError, OSError):
        return True
