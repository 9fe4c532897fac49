"""One acquisition per trigger: completion by put-completion, with a limit and a check.

The status ends when the put of ``Acquire`` completes, never on a monitor's edge: an edge
can be merged away on its way to the client, an answer can't.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from ophyd.device import Staged

from ...errors import (
    AcquireTimeoutError,
    ConfigurationError,
    FrameCountError,
    NotStagedError,
)
from ..cam import CamMixin_V3_1_1
from ..connection.connect import ConnectsAtOnce
from ..frames.account import FrameAccount, check_policy
from ..frames.history import FrameReports
from ..frames.plugins import is_enabled
from ..frames.readings import FrameReadings
from ..signals.putting import look_at
from ..signals.reading import explain_timeouts, pv_name, wait_for
from ..staging import BoundedStaging, FirstError, is_disabled_when_staged, is_staged
from .arguments import check_image_name, check_timeout
from .completion import Completion
from .settings import Acquisition, frame_time, frames_per_trigger
from .status import AcquireStatus

__all__ = ["SingleTrigger_V34"]

logger = logging.getLogger(__name__)

_MULTIPLE = 1  # of ImageMode


class SingleTrigger_V34(FrameReadings, ConnectsAtOnce, BoundedStaging):
    """Trigger mixin: one acquisition per trigger, for ADCore 3.4 and later.

    Put it first among the bases of a detector that has a ``cam``::

        class MyDetector(SingleTrigger_V34, DetectorBase): ...

    While staged the camera is in Multiple mode and waits for its plugins.  A trigger that
    isn't complete in the time computed from the camera's settings fails, and the camera is
    stopped.

    Parameters
    ----------
    image_name : str, optional
        Name of the image in the events; the detector's name and ``_image`` by default.
    acquire_timeout : float, optional
        Longest time for one acquisition, in seconds.  None: computed, and extended for as
        long as frames keep coming or the plugins' queues keep draining.
    frame_policy : {"raise", "warn", "record"}
        What to do when frames are missing.

    Raises
    ------
    ConfigurationError
        One of these can't be used.

    Attributes
    ----------
    acquire_allowance : float
        Time without any progress that ends an acquisition, in seconds, beyond the time of
        its frames.
    frame_reports : FrameReports
        The accounts of the last acquisitions since staging, at most a thousand.
    """

    # What the detector's other bases provide.
    cam: Any
    name: str
    _signals: dict[str, Any]

    acquire_allowance: float = 5.0
    stop_timeout: float = 5.0

    def __init__(
        self,
        *args: Any,
        image_name: str | None = None,
        acquire_timeout: float | None = None,
        frame_policy: str = "raise",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.stage_sigs.update([("cam.acquire", 0), ("cam.image_mode", _MULTIPLE)])
        if _cam_could_wait(self):
            self.stage_sigs["cam.wait_for_plugins"] = "Yes"
        self._image_name = check_image_name(image_name) or f"{self.name}_image"
        self.acquire_timeout = acquire_timeout
        self.frame_policy = frame_policy
        self.frame_reports = FrameReports()
        self._completion: Completion | None = None
        self._acquisition: Acquisition | None = None
        self._lock = threading.RLock()

    @property
    def frame_policy(self) -> str:
        """What happens when frames are missing: ``raise``, ``warn`` or ``record``."""
        return self._frame_policy

    @frame_policy.setter
    def frame_policy(self, policy: str) -> None:
        self._frame_policy = check_policy(policy)

    @property
    def acquire_timeout(self) -> float | None:
        """Longest time for one acquisition, in seconds; None when it's computed."""
        return self._acquire_timeout

    @acquire_timeout.setter
    def acquire_timeout(self, limit: float | None) -> None:
        self._acquire_timeout = check_timeout(limit)

    # -- staging

    def stage(self) -> list[object]:
        """Stop the camera, stage it and all plugins, and get ready to count frames.

        Returns
        -------
        list
            The devices staged.
        """
        if self._staged == Staged.no:
            with explain_timeouts(self):
                # Before the camera of somebody else's run is stopped.
                self._require_free_writers()
                # What was running isn't restarted at unstage: the camera is left idle.
                self._stop_camera()
        devices = super().stage()
        try:
            self.frame_reports.clear()
            self._completion = Completion(self, FrameAccount(self), self._lock, self._stop_camera)
            self._completion.start()
        except BaseException as error:
            cleanup = FirstError(logger)
            cleanup.error = error
            cleanup.run(self.unstage)
            raise
        return devices

    def _require_free_writers(self) -> None:
        for part in self._signals.values():
            if hasattr(part, "require_free") and not is_disabled_when_staged(part):
                part.require_free()

    def unstage(self) -> list[object]:
        """Stop what is still running, then unstage.

        Returns
        -------
        list
            The devices unstaged.
        """
        cleanup = FirstError(logger)
        if self._staged != Staged.no:
            cleanup.run(self._cancel, None)
            if self.cam.acquire in self._original_vals:
                # ophyd would start again what was running before.
                self._original_vals[self.cam.acquire] = 0
        if self._completion is not None:
            cleanup.run(self._completion.stop)
            self._completion = None
        devices = cleanup.run(super().unstage)
        if not self._in_stage:
            cleanup.raise_first()
        return devices

    def stop(self, *, success: bool = False) -> None:
        """Stop the camera; an acquisition on its way ends.

        Parameters
        ----------
        success : bool
            Whether the acquisition counts as done; otherwise its status fails.
        """
        error = None
        if not success:
            error = FrameCountError(f"{self.name}: the acquisition was stopped before it was done.")
        try:
            self._cancel(error)
        finally:
            super().stop(success=success)  # type: ignore[misc]

    def pause(self) -> None:
        """Stop the camera: the RunEngine repeats the point when it resumes."""
        if self._staged != Staged.no:
            self._cancel(None)
        super().pause()

    # -- trigger

    def trigger(self) -> AcquireStatus:
        """Take one acquisition.

        Returns
        -------
        AcquireStatus
            Done when the camera is, all plugins have had the frames, and the frames are
            counted.

        Raises
        ------
        NotStagedError
            The detector isn't staged.
        ConfigurationError
            The camera is in Continuous mode, so would never end; or an acquisition is
            still on its way.
        """
        completion = self._completion
        if not is_staged(self) or completion is None:
            raise NotStagedError(f"{self.name} isn't staged: call its stage() before trigger().")
        self._require_idle()
        account = completion.account
        before = completion.look()
        frames = frames_per_trigger(self.cam, before)
        reopened = [
            writer.prepare_point(frames, int(before[name, "num_captured"]), before[name, "capture"])
            for name, writer in account.writers.items()
        ]
        if any(reopened):
            before.update(account.read())

        status = AcquireStatus(self, frames)
        acquisition = Acquisition(status, before, frame_time(before))
        with self._lock:
            self._acquisition = acquisition
        self._make_datums()
        completion.begin(acquisition)
        return status

    def _require_idle(self) -> None:
        acquisition = self._acquisition
        if acquisition is None:
            return
        pv = pv_name(self.cam.acquire, setpoint=True)
        if not acquisition.status.done:
            raise ConfigurationError(
                f"{pv}: {self.name} was triggered while an acquisition is on its way; wait for its "
                "status first."
            )
        # A second put-callback before the first is answered blocks the circuit to the IOC.
        if not acquisition.put_done.wait(self.stop_timeout):
            raise AcquireTimeoutError(
                f"{pv}: the IOC hasn't answered the put of the acquisition before. Stop the camera "
                "and look at the plugins' queues; restart the IOC if that doesn't help."
            )

    def image_name_of(self, writer: Any) -> str:
        """Tell under which name the images of a file plugin stand in the events.

        Parameters
        ----------
        writer : ophyd.areadetector.plugins.FilePlugin
            A file plugin of this detector, staged.

        Returns
        -------
        str
            The detector's ``image_name`` for the first plugin that writes; for others, which
            can't share it, the plugin's own name and ``_image``.
        """
        first = next(iter(self._writers()), writer)
        return self._image_name if writer is first else f"{writer.name}_image"

    def _writers(self) -> list[Any]:
        return [
            part
            for part in self._signals.values()
            if hasattr(part, "generate_datum")
            and (part.is_writing if hasattr(part, "is_writing") else is_enabled(part.enable.get()))
        ]

    def _make_datums(self) -> None:
        timestamp = time.time()
        for writer in self._writers():
            writer.generate_datum(self.image_name_of(writer), timestamp, {})

    # -- stopping

    def _cancel(self, error: Exception | None) -> None:
        """Stop the camera and end the status.

        Without an error the status ends as done although the frames are missing: the
        RunEngine, which has paused or is cleaning up, would take a failure for a new one
        and interrupt itself.
        """
        acquisition = self._acquisition
        running = acquisition is not None and acquisition.end(self._lock)
        if acquisition is None:
            if "cam" in self._signals and "acquire" in self.cam._signals:  # noqa: SLF001
                self._stop_camera()
            return
        try:
            if running or not acquisition.put_done.is_set():
                self._stop_camera()
        finally:
            acquisition.end_wait()
            if running:
                acquisition.status.cancelled = True
                if error is None:
                    acquisition.status.set_finished()
                else:
                    acquisition.status.set_exception(error)

    def _stop_camera(self) -> None:
        """Put Acquire 0 without completion, and wait until the camera shows it."""
        acquire = self.cam.acquire
        answered = self._acquisition is None or self._acquisition.put_done.is_set()
        # Right after a put of 1 the read-back may still be 0.
        if answered and look_at([(acquire, 0)])[0][0]:
            return
        acquire.put(0)
        if not wait_for(lambda: int(acquire.get()) == 0, self.stop_timeout):
            logger.error(
                "%s: put 0, but the camera still acquires after %g s; stop it by hand.",
                pv_name(acquire, setpoint=True),
                self.stop_timeout,
            )


def _cam_could_wait(detector: Any) -> bool:
    """Tell whether the camera can wait for its plugins, and its class doesn't see to it."""
    cls: Any = getattr(getattr(type(detector), "cam", None), "cls", type(None))
    return getattr(cls, "wait_for_plugins", None) is not None and not issubclass(
        cls, CamMixin_V3_1_1
    )
