"""Frames out of the detector's HDF5 file, while it grows or as soon as it is finished."""

from __future__ import annotations

import pathlib
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ...documents.asset_paths import AnyPathMap
from ...documents.assets import ADCORE_DATASET
from ...errors import FrameCountError, ImageFileError, WriterTimeoutError
from .arrival import Arrival
from .frame import StreamAbout
from .plugin_pvs import FilePluginWatch
from .stack_file import FrameLabels, StackFile

__all__ = ["HDF5FileSource"]

_LONGEST_PAUSE = 0.5  # s
#: Longest time until a dead IOC is noticed, in seconds.
_LOOK = 2.0


class HDF5FileSource:
    """Frames of the file that a detector's HDF5 plugin writes, one file an acquisition.

    No frame is lost on this way, however slow the addons are, and the detector doesn't notice
    any of it.  With ``SWMRMode`` on, frames come while the file grows; else when it is finished.

    Unique ids are in the file only when it's finished.  While it grows, frames are handed on as
    long as the plugin's and the camera's counters prove that none before was lost, so that their
    ids are certain; after a loss, the others come, with ids out of the file, when it's finished.
    Times come with finished files.

    Parameters
    ----------
    plugin : str or ophyd.Device
        The HDF5 plugin, or its prefix, such as ``"im:HDF1:"``.
    camera : str or ophyd.Device, optional
        The camera, or its prefix, such as ``"im:cam1:"``; by default the one beside the plugin
        in an ophyd detector.  Without it frames come when the file is finished.
    path_map : mapping, PathMap or function, optional
        From the IOC's directories to those here; by default as the plugin's templates say.
    dataset : str
        Address of the frames in the file.
    timeout : float
        Seconds to wait for the process variables.

    Raises
    ------
    ConnectionTimeoutError
        A process variable is missing.
    """

    def __init__(
        self,
        plugin: Any,
        camera: Any = None,
        *,
        path_map: AnyPathMap = None,
        dataset: str = ADCORE_DATASET,
        timeout: float = 10.0,
    ) -> None:
        self._watch = FilePluginWatch(plugin, camera, path_map, timeout)
        self._dataset = dataset
        self._following: _Following | None = None

    def begin(self, about: StreamAbout, take: Callable[[Arrival], None]) -> None:
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`."""
        self._stop()
        self._watch.start()
        self._following = _Following(self._watch, self._dataset, about, take)
        self._following.start()

    def end(self, expected: int | None, timeout: float) -> None:
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`."""
        following = self._following
        if following is None:
            return
        try:
            following.finish(expected, timeout)
        finally:
            self._stop()

    def close(self) -> None:
        """Let go of the file and of the process variables."""
        self._stop()

    def _stop(self) -> None:
        following, self._following = self._following, None
        if following is not None:
            following.stop()
        self._watch.stop()


class _Following:
    """Hands on the frames of one acquisition."""

    def __init__(
        self,
        watch: FilePluginWatch,
        dataset: str,
        about: StreamAbout,
        take: Callable[[Arrival], None],
    ) -> None:
        self._watch, self._dataset, self._about, self._take = watch, dataset, about, take
        self._changed = watch.changed
        self._file: StackFile | None = None
        self._before = watch.path(), _identity(watch.path())
        self._handed = 0
        self._wanted: int | None = None  # when nothing but these is waited for
        self._stopped = self._whole = False
        self._held = ""  # why the file can't be read yet
        self._error: Exception | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"frames of {about.stream}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    # called by the source

    def finish(self, expected: int | None, timeout: float) -> None:
        until = time.monotonic() + timeout
        with self._changed:
            self._wanted = expected
            self._changed.notify_all()
            while expected is not None and not self._over(expected):
                left = until - time.monotonic()
                if left <= 0:
                    raise self._late(expected, timeout)
                self._changed.wait(left)
        self.stop()
        if self._error is not None:
            raise self._error
        if expected is not None and self._handed < expected:
            raise FrameCountError(
                f"Stream {self._about.stream!r}: {self._where} holds {self._handed} frames, and "
                f"{expected} were taken.",
                plugin=self._watch.prefix,
                expected=expected,
                got=self._handed,
                remedy=f"Look at {self._watch.prefix}DroppedArrays_RBV.",
            )

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _over(self, expected: int) -> bool:
        return self._handed >= expected or self._whole or self._error is not None

    def _late(self, expected: int, timeout: float) -> WriterTimeoutError:
        found = self._watch.latest()
        prefix = self._watch.prefix
        state = (
            f"{prefix}NumCaptured_RBV is {found['captured']}, Capture_RBV is {found['capturing']}"
        )
        if not self._watch.began:
            state += " and hasn't become 1 since the acquisition began"
        held = f" {self._held}" if self._held else ""
        return WriterTimeoutError(
            f"Waited {timeout:g} s for frame {expected} of stream {self._about.stream!r} in "
            f"{self._where}: {self._handed} came; {state}.{held}",
            remedy="Without SWMR mode frames come when the capture ends: with the last frame, or "
            "when the detector is unstaged.",
        )

    @property
    def _where(self) -> str:
        return f"the file of {self._watch.prefix}" if self._file is None else str(self._file.path)

    # the thread

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()
        finally:
            if self._file is not None:
                self._file.release()

    def _follow(self) -> None:
        pause = 0.01
        while True:
            with self._changed:
                stopped = self._stopped
                ended = self._has_ended()
                certain = self._watch.certain
            progress = False
            if ended:
                progress = self._take_whole()
            elif certain > self._handed and self._watch.latest().get("swmr"):
                progress = self._take_grown(certain)
            if stopped or self._whole:
                return
            pause = 0.01 if progress else min(2 * pause, _LONGEST_PAUSE)
            with self._changed:
                # what monitors can't tell, that a file shows here, is looked at now and then
                late = ended or self._watch.certain > self._handed
                changed = self._changed.wait_for(
                    lambda seen=certain, over=ended: (
                        self._stopped
                        or self._watch.certain > seen
                        or (not over and self._has_ended())
                    ),
                    pause if late else _LOOK,
                )
            if not changed:
                self._watch.latest()  # raises when the IOC is gone

    def _has_ended(self) -> bool:
        """Tell whether the capture has ended; of a short one monitors may show the end alone."""
        if self._watch.began:
            return self._watch.ended
        if self._wanted is None:
            return False
        found = self._watch.latest()
        if found["capturing"] or not found["captured"]:
            return False
        path = self._watch.path()
        return (path, _identity(path)) != self._before

    def _open(self) -> StackFile | None:
        if self._file is None:
            path = self._watch.path()
            if path is not None:
                self._file = StackFile(path, self._dataset)
        return self._file

    def _take_grown(self, certain: int) -> bool:
        file = self._open()
        if file is None:
            return False
        try:
            ready = min(file.grown(), certain)
        except ImageFileError as error:
            self._held = str(error)
            return False
        first = self._watch.counter
        found = self._handed
        for index in range(found, ready):
            self._hand(file, index, None if first is None else first + 1 + index, index, None)
        return self._handed > found

    def _take_whole(self) -> bool:
        file = self._open()
        if file is None:
            return False
        try:
            labels = file.labels()
        except ImageFileError as error:
            self._held = str(error)
            return False
        self._held = ""
        self._confirm(labels)
        places = _places(labels, self._watch.counter, self._wanted or self._about.expected)
        for index in range(self._handed, labels.frames):
            id_ = None if labels.ids is None else int(labels.ids[index])
            moment = None if labels.times is None else float(labels.times[index])
            self._hand(file, index, id_, places[index], moment)
        with self._changed:
            self._whole = True
            self._changed.notify_all()
        return True

    def _hand(
        self, file: StackFile, index: int, id_: int | None, place: int | None, moment: float | None
    ) -> None:
        self._take(
            Arrival(
                partial(file.read, index),
                stored=True,
                unique_id=id_,
                timestamp=moment,
                place=place,
            )
        )
        with self._changed:
            self._handed = index + 1
            self._changed.notify_all()

    def _confirm(self, labels: FrameLabels) -> None:
        """Make sure that the ids told while the file grew are those in the file."""
        first = self._watch.counter
        if labels.ids is None or first is None or not self._handed:
            return
        told = range(first + 1, first + 1 + self._handed)
        found = [int(each) for each in labels.ids[: self._handed]]
        if found != list(told):
            raise ImageFileError(
                f"Stream {self._about.stream!r}: {self._where} has other unique ids than the "
                "counters told while it grew.",
                path=self._where,
                remedy="Switch SWMRMode off: frames then come with the ids in the file.",
            )


def _places(labels: FrameLabels, counter: int | None, expected: int | None) -> list[int | None]:
    """Tell which frames of the acquisition those of a file are; None where it isn't certain."""
    ids = labels.ids
    if expected == labels.frames:
        return list(range(labels.frames))
    if ids is None or counter is None or not labels.frames or ids[0] != counter + 1:
        return [None] * labels.frames
    return [int(each - ids[0]) for each in ids]


def _identity(path: pathlib.Path | None) -> tuple[int, ...]:
    """Tell a file from another one of its name, and from itself written again."""
    if path is None:
        return ()
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
