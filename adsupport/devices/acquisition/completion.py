"""How an acquisition ends: what proves that every frame has arrived, and what if nothing does.

The counters are monitored.  When the put of ``Acquire`` is answered, and they show all that was
expected, the acquisition is complete without a single question to the IOC.  When they don't
show it soon, they are read: a monitor can lag behind or be merged away, an answer can't.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from ...errors import AcquireTimeoutError, AdsupportError
from ..files.capture import CLOSE_TIMEOUT
from ..frames.account import FrameAccount, FrameReport
from ..signals.monitors import Monitors
from ..signals.reading import read_signals
from ..signals.requests import put_with_answer
from .settings import (
    Acquisition,
    acquire_settings,
    frames_per_trigger,
    is_endless,
    progress_of,
    unfinished,
)

__all__ = ["Completion"]

logger = logging.getLogger(__name__)

#: How long the monitors may lag behind the answer before the counters are read, in seconds.
_LAG = 0.02
#: How long the thread may take to end what it has begun, such as a file, in seconds.
_STOP_TIMEOUT = CLOSE_TIMEOUT + 30.0


class Completion:
    """Follows the acquisitions of one staged detector to their end.

    Parameters
    ----------
    detector : SingleTrigger_V34
        The detector.
    account : FrameAccount
        Its counters.
    lock : threading.RLock
        Held while the end of an acquisition is settled; never while the IOC is asked.
    stop_camera : callable
        Called without arguments when an acquisition takes too long.
    """

    def __init__(
        self,
        detector: Any,
        account: FrameAccount,
        lock: threading.RLock,
        stop_camera: Callable[[], None],
    ) -> None:
        self.account = account
        self._detector = detector
        self._lock = lock
        self._stop_camera = stop_camera
        self._signals = {**account.signals, **acquire_settings(detector.cam)}
        # Without a look at the file's name a writer's frames could be in another file.
        self._provable = all(hasattr(writer, "is_file") for writer in account.writers.values())
        names = {
            (name, "full_file_name"): writer.full_file_name
            for name, writer in account.writers.items()
            if hasattr(writer, "is_file")
        }
        self._monitors = Monitors({**self._signals, **names}, self._changed)
        self._up_to_date = True
        self._acquisition: Acquisition | None = None
        self._pending: queue.SimpleQueue[Acquisition | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Subscribe to the counters; connects what has never been used.

        Raises
        ------
        ConnectionTimeoutError
            A process variable isn't connected.
        """
        self._monitors.start()

    def stop(self) -> None:
        """End the monitors and the thread, and wait until it's at its end.

        It may be ending a file, which its writer must not do at the same time.  The caller must
        not hold the lock, which the thread may need to come to its end; on the thread itself
        nothing is waited for.
        """
        self._acquisition = None
        self._monitors.stop()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._pending.put(None)
        if thread is threading.current_thread():
            return
        thread.join(_STOP_TIMEOUT)
        if thread.is_alive():
            logger.error(
                "%s: the account of the last acquisition isn't done after %g s, and isn't waited "
                "for any longer. Does the IOC answer?",
                self._detector.name,
                _STOP_TIMEOUT,
            )

    def look(self) -> dict[Any, Any]:
        """Tell counters and settings as they are before an acquisition.

        Returns
        -------
        dict
            Values by (name of the plugin, ``cam`` or ``set``; attribute).

        Raises
        ------
        ConnectionTimeoutError
            The IOC doesn't answer.
        """
        if self._up_to_date:
            found = self._monitors.latest()
            if self._is_as_left(found):
                return found
        return read_signals(self._signals)

    def _is_as_left(self, found: dict[Any, Any]) -> bool:
        """Tell whether all is as the last acquisition left it; if not, it's worth a question."""
        if not self._provable or is_endless(found):
            return False
        frames = frames_per_trigger(self._detector.cam, found)
        return all(
            writer.is_ready_for(frames, int(found[name, "num_captured"]), found[name, "capture"])
            for name, writer in self.account.writers.items()
        )

    def begin(self, acquisition: Acquisition) -> None:
        """Start the camera.

        Parameters
        ----------
        acquisition : Acquisition
            What to follow to its end.

        Raises
        ------
        ConnectionTimeoutError
            The connection to the IOC is lost.
        """
        self._acquisition = acquisition
        try:
            put_with_answer(self._detector.cam.acquire, 1, lambda: self._answered(acquisition))
        except Exception:
            acquisition.put_done.set()  # the next one is not to wait for this answer
            raise
        if self._thread is None:
            # The checks may have to ask the IOC, which libca's and ophyd's threads must not.
            thread = self._detector.cam.acquire.cl.thread_class(
                target=self._follow, name=f"{self._detector.name}-trigger", daemon=True
            )
            thread.start()
            self._thread = thread
        self._pending.put(acquisition)

    # -- on libca's thread: no waiting, no questions

    def _answered(self, acquisition: Acquisition) -> None:
        acquisition.put_done.set()
        try:
            self._prove(acquisition)
        finally:
            acquisition.end_wait()

    def _changed(self, key: Any, value: Any) -> None:
        acquisition = self._acquisition
        if acquisition is None or acquisition.ended:
            return
        if acquisition.put_done.is_set():
            self._prove(acquisition)
        elif key == ("cam", "num_images_counter") and acquisition.status.watched:
            acquisition.news.put(value)

    def _prove(self, acquisition: Acquisition) -> None:
        """Account for the acquisition if the monitors prove it complete.

        Its status ends on the other thread: who waits for it may do what libca's must not.
        """
        seen = self._monitors.snapshot()
        if not (self._provable and seen):
            return
        with self._lock:
            if acquisition.proven.is_set() or acquisition.ended or acquisition.asking:
                return
            report = self.account.confirm(acquisition.before, seen, acquisition.status.frames)
            if report is None or not all(
                writer.is_file(seen[name, "full_file_name"])
                for name, writer in self.account.writers.items()
            ):
                return
            self._detector.frame_reports.append(report)
            self.account.note(report)
            for writer in self.account.writers.values():
                writer.count_point(acquisition.status.frames)
            self._up_to_date = True
            acquisition.proven.set()

    # -- on a thread of its own

    def _follow(self) -> None:
        while (acquisition := self._pending.get()) is not None:
            self._finish(acquisition)

    def _finish(self, acquisition: Acquisition) -> None:
        status = acquisition.status
        error: Exception | None
        try:
            error = self._wait(acquisition)
            if error is None and not acquisition.ended and not acquisition.proven.wait(_LAG):
                with self._lock:
                    acquisition.asking = not acquisition.proven.is_set()
                if acquisition.asking:
                    self._up_to_date = False
                    error = self._check(acquisition)
        except AdsupportError as failure:
            error = failure
        except Exception as failure:
            error = AcquireTimeoutError(
                f"{self._detector.name}: the IOC was lost during the acquisition ({failure}). "
                "Check that it runs and that the network is up, then count again."
            )
            error.__cause__ = failure
        if not acquisition.end(self._lock):
            return
        if acquisition.proven.is_set():  # at the last moment
            error = None
        # Without the lock: whoever waits may want it, and is called from here.
        if error is None:
            status.set_finished()
        else:
            status.set_exception(error)

    def _wait(self, acquisition: Acquisition) -> Exception | None:
        """Wait for the answer; give up when the time is over and nothing moves any more."""
        detector = self._detector
        frames = acquisition.status.frames
        limit = detector.acquire_timeout
        begun = time.monotonic()
        patience = acquisition.frame_time + detector.acquire_allowance
        pause = (
            limit
            if limit is not None
            else frames * acquisition.frame_time + detector.acquire_allowance
        )
        progress = 0, 0
        deadline = begun + pause
        while True:
            try:
                taken = acquisition.news.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                moved = progress_of(detector.cam)
                if limit is not None or moved == progress or moved[0] > frames:
                    break
                progress, deadline = moved, time.monotonic() + patience
                continue
            if taken is None:
                return None
            acquisition.status.report(taken)
        elapsed = time.monotonic() - begun
        late = self.account.tell_late(acquisition.before, frames)
        message = unfinished(detector.cam, frames, elapsed, detector.name, late)
        self._stop_camera()
        return AcquireTimeoutError(message)

    def _check(self, acquisition: Acquisition) -> Exception | None:
        """Account for the frames by reading the counters."""
        report = self.account.compare(
            acquisition.before, acquisition.status.frames, lambda: acquisition.ended
        )
        if acquisition.ended:  # meanwhile, and the writers may have begun with another
            return None
        self.account.note(report)
        try:
            for writer in self.account.writers.values():
                writer.finish_point(acquisition.status.frames)
            if report.problems and self._detector.frame_policy == "raise":
                report = self.account.name_missing(report)
        finally:
            self._detector.frame_reports.append(report)
        return self._judge(report)

    def _judge(self, report: FrameReport) -> Exception | None:
        error = report.error()
        policy = self._detector.frame_policy
        if error is None or policy == "record":
            return None
        if policy == "warn":
            logger.warning("%s: %s", self._detector.name, error)
            return None
        for writer in self.account.writers.values():
            writer.problem_reported = True
        return error
