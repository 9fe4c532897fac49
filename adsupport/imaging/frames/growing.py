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
from .plugin_pvs import Capture, FilePluginWatch
from .stack_file import FrameLabels, StackFile

__all__ = ["HDF5FileSource"]

_LONGEST_PAUSE = 0.5  # s
#: Longest time until a dead IOC is noticed, in seconds.
_LOOK = 2.0


class HDF5FileSource:
    """Frames of the files that a detector's HDF5 plugin writes, one an acquisition or more.

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

    def end(self, expected: int | None, timeout: float) -> int | None:
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`."""
        following = self._following
        if following is None:
            return None
        try:
            return following.finish(expected, timeout)
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
        self._before = watch.path(), _identity(watch.path())
        self._file: StackFile | None = None  # of the capture that is followed
        self._at = 0  # which that is
        self._base = 0  # frames of those before
        self._handed = 0
        self._origin: int | None = None  # the counter before the acquisition's first frame
        self._expected: int | None = None
        self._asked = self._stopped = self._whole = False
        self._held = ""  # why the file can't be read yet
        self._error: Exception | None = None
        self._thread = threading.Thread(
            target=self._run, name=f"frames of {about.stream}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    # called by the source

    def finish(self, expected: int | None, timeout: float) -> int:
        until = time.monotonic() + timeout
        waits = expected is not None or timeout > 0
        if waits:
            self._watch.catch_up()  # all captures have begun
        with self._changed:
            self._expected, self._asked = expected, True
            self._watch.version += 1
            self._changed.notify_all()
            while waits and not self._over(expected):
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
        return self._handed

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _over(self, expected: int | None) -> bool:
        enough = expected is not None and self._handed >= expected
        return enough or self._whole or self._error is not None

    def _late(self, expected: int | None, timeout: float) -> WriterTimeoutError:
        found = self._watch.latest()
        prefix = self._watch.prefix
        state = (
            f"{prefix}NumCaptured_RBV is {found['captured']}, Capture_RBV is {found['capturing']}"
        )
        if not self._watch.captures:
            state += " and hasn't become 1 since the acquisition began"
        held = f" {self._held}" if self._held else ""
        awaited = "the last frame" if expected is None else f"frame {expected}"
        return WriterTimeoutError(
            f"Waited {timeout:g} s for {awaited} of stream {self._about.stream!r} in "
            f"{self._where}: {self._handed} came; {state}.{held}",
            remedy="Without SWMR mode frames come when the capture ends: with the last frame, or "
            "when the detector is unstaged.",
        )

    @property
    def _where(self) -> str:
        last = next((each.path for each in self._watch.captures[::-1] if each.path), None)
        return f"the file of {self._watch.prefix}" if last is None else str(last)

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
                stopped, version = self._stopped, self._watch.version
                if self._asked and not self._watch.captures:
                    self._find_capture()
                captures = self._watch.captures
                capture = captures[self._at] if self._at < len(captures) else None
                if capture is None and captures and self._asked:
                    self._whole = True
                    self._changed.notify_all()
            progress = late = False
            if capture is not None and capture.ended:
                progress = self._take_whole(capture)
                late = not progress
            elif capture is not None and capture.certain > self._handed - self._base:
                if self._watch.latest().get("swmr"):  # else the file's end is waited for
                    progress = self._take_grown(capture)
                    late = not progress
            if not progress and (stopped or self._whole):
                return
            pause = min(2 * pause, _LONGEST_PAUSE) if late else 0.01
            with self._changed:
                # what only a file shows here is looked at now and then
                if not progress and not self._changed.wait_for(
                    lambda seen=version: self._stopped or self._watch.version != seen,
                    pause if late else _LOOK,
                ):
                    self._watch.latest()  # raises when the IOC is gone

    def _find_capture(self) -> None:
        """Find the capture of which monitors showed the end alone, or that began long ago."""
        found = self._watch.latest()
        if found["capturing"] or not found["captured"]:
            return
        path = self._watch.path()
        if (path, _identity(path)) != self._before:
            self._watch.captures.append(Capture(None, path=path, ended=True))

    def _open(self, capture: Capture) -> StackFile | None:
        if self._file is None and capture.path is not None:
            self._file = StackFile(capture.path, self._dataset)
        return self._file

    def _take_grown(self, capture: Capture) -> bool:
        file, counter = self._open(capture), capture.counter
        if file is None or counter is None:
            return False
        try:
            ready = min(file.grown(), capture.certain)
        except ImageFileError as error:
            self._held = str(error)
            return False
        found = self._handed
        if self._at == 0:
            self._origin = counter
        for index in range(found - self._base, ready):
            id_ = counter + 1 + index
            self._hand(file, index, id_, self._place(id_), None)
        return self._handed > found

    def _take_whole(self, capture: Capture) -> bool:
        file = self._open(capture)
        if file is None:
            return False
        try:
            labels = file.labels()
        except ImageFileError as error:
            self._held = str(error)
            return False
        self._held = ""
        ids = labels.ids
        self._confirm(capture, labels)
        if self._at == 0 and ids is not None and len(ids) and capture.counter is not None:
            self._origin = capture.counter if ids[0] == capture.counter + 1 else None
        intended = self._expected or self._about.expected
        all_here = self._at == 0 and labels.frames == intended
        if intended is not None and labels.frames > intended:
            self._origin = None  # some were taken again, and nobody says which
        for index in range(self._handed - self._base, labels.frames):
            id_ = None if ids is None else int(ids[index])
            moment = None if labels.times is None else float(labels.times[index])
            self._hand(file, index, id_, index if all_here else self._place(id_), moment)
        with self._changed:
            self._file, self._base = None, self._handed
            self._at += 1
        return True

    def _place(self, id_: int | None) -> int | None:
        """Tell which frame of the acquisition it is; None when that isn't certain."""
        return None if id_ is None or self._origin is None else id_ - self._origin - 1

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
            self._handed += 1
            self._changed.notify_all()

    def _confirm(self, capture: Capture, labels: FrameLabels) -> None:
        """Make sure that the ids told while the file grew are those in the file."""
        told = self._handed - self._base
        if labels.ids is None or capture.counter is None or not told:
            return
        first = capture.counter + 1
        if labels.ids[:told].tolist() != list(range(first, first + told)):
            raise ImageFileError(
                f"Stream {self._about.stream!r}: {self._where} has other unique ids than the "
                "counters told while it grew.",
                path=self._where,
                remedy="Switch SWMRMode off: frames then come with the ids in the file.",
            )


def _identity(path: pathlib.Path | None) -> tuple[int, ...]:
    """Tell a file from another one of its name, and from itself written again."""
    if path is None:
        return ()
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
