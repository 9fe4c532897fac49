"""The simulated area detector: exposures, read-out, counters and states (ADSimDetector)."""

from __future__ import annotations

import logging
import threading
import time
from enum import IntEnum
from functools import partial
from typing import Any

from adsupport.sim.arrays.window import Window
from adsupport.sim.camera.image_maker import Exposure, ImageMaker
from adsupport.sim.camera.images import ImageGenerator, ImageSettings
from adsupport.sim.camera.region import read_out
from adsupport.sim.camera.settings import (
    CHOICES,
    RESET_PARAMETERS,
    ImageMode,
    fit_window,
    image_settings,
)
from adsupport.sim.hook import Hook
from adsupport.sim.ndarray import EPICS_EPOCH, NDArray, color_mode_attribute
from adsupport.sim.port import PortError, on_write
from adsupport.sim.source import ArraySource

_log = logging.getLogger(__name__)


class State(IntEnum):
    """The values of parameter ``STATUS`` (DetectorState) that this detector takes."""

    IDLE = 0
    ACQUIRE = 1
    READOUT = 2
    ERROR = 6
    WAITING = 7
    ABORTED = 10


class ShutterMode(IntEnum):
    """Values of parameter ``SHUTTER_MODE``."""

    NONE = 0
    EPICS = 1
    DETECTOR = 2


class _Run:
    """One acquisition, from Acquire=1 to its last frame or to Acquire=0."""

    __slots__ = ("mode", "stopped")

    def __init__(self, mode: ImageMode) -> None:
        self.mode = mode
        self.stopped = False


def _stamp(array: NDArray, moment: int) -> None:
    """Say when an array was made: nanoseconds since 1970."""
    seconds, nanoseconds = divmod(moment, 1_000_000_000)
    array.ts_sec, array.ts_nsec = seconds - EPICS_EPOCH, nanoseconds


class SimDetector(ArraySource):
    """A camera whose images are computed.

    Its parameters come from the tables ``NDArrayBase``, ``ADBase`` and ``simDetector``.

    Parameters
    ----------
    name : str
        asyn port name, such as ``SIM1``.
    seed : int, optional
        Makes noise repeatable.
    images : ImageMaker, optional
        Computes what the camera sees; else the pictures of ADSimDetector are drawn.

    Attributes
    ----------
    before_exposure : Hook
        Called as an exposure begins, in the camera's thread.
    hangs : Hook
        Called when an exposure should end; it goes on while any function returns true, until
        :meth:`look_again` or a stop.
    ends_early : Hook
        Called with the frames taken; if any function returns true, the last one was taken.
    """

    def __init__(
        self, name: str, *, seed: int | None = None, images: ImageMaker | None = None
    ) -> None:
        super().__init__(name)
        self.before_exposure = Hook()
        self.hangs = Hook()
        self.ends_early = Hook()
        self._seed = seed
        self._given_images = images
        self._changed_run = threading.Condition(self.lock)
        self._plan: tuple[ImageSettings, Window, Window] | None = None
        self._run: _Run | None = None
        self._delivering = False
        self._closing = False
        self._thread: threading.Thread | None = None
        self._images: ImageMaker | None = None

    # ---- life

    def start(self) -> None:
        """Start the camera's thread."""
        super().start()
        self._closing = False
        self._images = self._given_images or ImageGenerator(
            self.get("MAX_SIZE_X"), self.get("MAX_SIZE_Y"), self._seed
        )
        self._thread = threading.Thread(target=self._loop, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Abort what is being acquired and end the thread."""
        with self.lock:
            self._closing = True
            self._abort()
            self.call_callbacks()
            self._changed_run.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None
        super().stop()

    # ---- what clients write

    def write(self, param: str, value: Any) -> None:
        """Carry out a client's write; see :meth:`adsupport.sim.port.Port.write`."""
        if param in CHOICES and value not in CHOICES[param]:
            raise PortError(f"{self.name}: {param} has no state {value}")
        with self.lock:
            self._plan = None
            if param == "ACQUIRE" and bool(value) != (self._run is not None):
                # clients see why before they see that
                message = "Acquiring data" if value else "Acquisition stopped"
                self.set("STATUS_MESSAGE", message)
                if not value:
                    self.set("STATUS", State.ACQUIRE)
                self.call_callbacks()
            super().write(param, value)

    def set(self, param: str, value: Any, *, severity: int = 0, status: int = 0) -> None:
        """Change a parameter; see :meth:`adsupport.sim.port.Port.set`."""
        super().set(param, value, severity=severity, status=status)
        if param == "ACQUIRE":
            self._follow_acquire(value)

    @on_write("ACQUIRE")
    def _start_or_abort(self, value: int) -> None:
        if value and self._run is None:
            self._run = _Run(ImageMode(self.get("IMAGE_MODE")))
        elif not value:
            self._abort()
        self._changed_run.notify_all()

    def _abort(self) -> None:
        run = self._run
        if run is not None:
            run.stopped = True
            self.set("ACQUIRE", 0)
            self._run = None
            if not self._delivering:
                self._come_to_rest(run)

    def _come_to_rest(self, run: _Run) -> None:
        """Show that a stopped acquisition has ended."""
        idle = run.mode is ImageMode.CONTINUOUS
        self.set("STATUS", State.IDLE if idle else State.ABORTED)
        self._settle_busy()

    @on_write(*RESET_PARAMETERS)
    def _start_image_anew(self, _: object) -> None:
        self.set("RESET_IMAGE", 1)

    @on_write("SHUTTER_CONTROL")
    def _move_shutter(self, value: int) -> None:
        mode = self.get("SHUTTER_MODE")
        if mode == ShutterMode.EPICS:
            self.set("SHUTTER_CONTROL_EPICS", value)
        elif mode == ShutterMode.DETECTOR:
            self.set("SHUTTER_STATUS", value)

    # ---- acquisition

    def _settle_busy(self) -> None:
        # a stopped camera stays busy until the frame it is handing out has been delivered
        if self._run is None and not self._delivering:
            super()._settle_busy()

    def _loop(self) -> None:
        while True:
            with self.lock:
                while self._run is None and not self._closing:
                    self._changed_run.wait()
                if self._closing or self._run is None:
                    return
                run = self._run
            try:
                self._acquire(run)
            except Exception as error:
                _log.exception("%s: acquisition failed", self.name)
                self._fail(run, error)

    def _fail(self, run: _Run, error: Exception) -> None:
        with self.lock:
            self._delivering = False
            if self._run not in (None, run):
                return  # stopped and started again meanwhile
            self._run = None
            self.set("STATUS_MESSAGE", f"{type(error).__name__}: {error}")
            self.set("STATUS", State.ERROR)
            self.set("ACQUIRE", 0)
            self._settle_busy()
            self.call_callbacks()

    def _acquire(self, run: _Run) -> None:
        with self.lock:
            if run.stopped:
                return
            self.set("STATUS_MESSAGE", "Acquiring data")
            self.set("NIMAGES_COUNTER", 0)
        due = time.monotonic()
        while True:
            array = self._expose(run)
            if array is None or not self._deliver(run, array):
                return
            with self.lock:
                due += self.get("ACQ_PERIOD")
                now = time.monotonic()
                if due < now:
                    # too slow for the period: go on at once, and do not try to catch up
                    due = now
                    continue
                self.set("STATUS", State.WAITING)
                self.call_callbacks()
                if not self._wait(run, due):
                    return

    def _wait(self, run: _Run, until: float) -> bool:
        """Wait without the lock; return whether the acquisition goes on."""
        remaining = until - time.monotonic()
        if remaining <= 0:
            # others get their turn; to sleep, however shortly, would take longer than that
            self._changed_run.wait(0)
        while not run.stopped and remaining > 0:
            self._changed_run.wait(min(remaining, threading.TIMEOUT_MAX))
            remaining = until - time.monotonic()
        return not run.stopped

    def _wait_unlocked(self, run: _Run, until: float) -> bool:
        with self.lock:
            return self._wait(run, until)

    def _wait_while_hanging(self, run: _Run) -> bool:
        while not run.stopped and self.hangs():
            self._changed_run.wait()
        return not run.stopped

    def look_again(self) -> None:
        """Let an exposure that hangs see whether it still has to."""
        with self.lock:
            self._changed_run.notify_all()

    def _expose(self, run: _Run) -> NDArray | None:
        """Take one frame; return None when the acquisition was stopped meanwhile."""
        self.before_exposure()
        began, stamp = time.monotonic(), time.time()
        with self.lock:
            if run.stopped:
                return None
            run.mode = ImageMode(self.get("IMAGE_MODE"))
            until = began + self.get("ACQ_TIME")
            self.set("STATUS", State.ACQUIRE)
            self._move_shutter(1)
            self.call_callbacks()
            if self._plan is None:
                # looked up anew after a write, not for each frame
                self._plan = image_settings(self), fit_window(self, "X"), fit_window(self, "Y")
            settings, x, y = self._plan
            reset = bool(self.get("RESET_IMAGE"))
            # cleared before the image is computed: a write meanwhile asks for the next one
            self.set("RESET_IMAGE", 0)
        # without the lock: it may take milliseconds
        assert self._images is not None  # noqa: S101  narrowing: start() made it
        exposure = Exposure(began, max(0.0, until - began), partial(self._wait_unlocked, run))
        image = self._images.expose(settings, reset=reset, exposure=exposure)
        array = None
        if image is not None:
            part, dims = read_out(image, settings.color_mode, x, y)
            data = self._images.digitise(part, settings)
            array = NDArray(data, dims, settings.color_mode, time_stamp=stamp - EPICS_EPOCH)
            if self._images.reads_out:
                _stamp(array, round((stamp + exposure.seconds) * 1e9))
        with self.lock:
            going_on = self._wait(run, until) and self._wait_while_hanging(run)
            if array is None or not going_on:
                self._move_shutter(0)
                self.call_callbacks()
                return None
            self.set("ARRAY_SIZE", array.data.nbytes)
            self.set("ARRAY_SIZE_X", x.size // x.binning)
            self.set("ARRAY_SIZE_Y", y.size // y.binning)
            self._move_shutter(0)
            self.set("STATUS", State.READOUT)
            self.call_callbacks()
            self._delivering = True
        return array

    def _deliver(self, run: _Run, array: NDArray) -> bool:
        """Count a frame and hand it to the plugins; return whether another one follows."""
        with self.lock:
            array.unique_id = self.get("ARRAY_COUNTER") + 1
            self.set("ARRAY_COUNTER", array.unique_id)
            self.set("NIMAGES_COUNTER", self.get("NIMAGES_COUNTER") + 1)
            if not array.ts_sec:
                _stamp(array, time.time_ns())
            color = color_mode_attribute(array.color_mode)
            array.attributes = self.own_attributes.after((color,))
        # without the lock: a blocking plugin may take long
        self.emit(array)
        with self.lock:
            self._delivering = False
            goes_on = not run.stopped and not self._was_last(run)
            if run.stopped:
                if self._run is None:
                    self._come_to_rest(run)
            elif not goes_on:
                self._finish()
            self.call_callbacks()
        return goes_on

    def _was_last(self, run: _Run) -> bool:
        if self.ends_early(self.get("NIMAGES_COUNTER")):
            return True
        if run.mode is ImageMode.MULTIPLE:
            return self.get("NIMAGES_COUNTER") >= self.get("NIMAGES")
        return run.mode is ImageMode.SINGLE

    def _finish(self) -> None:
        self._run = None
        self.set("STATUS_MESSAGE", "Waiting for acquisition")
        self.set("STATUS", State.IDLE)
        self.call_callbacks()
        self.set("ACQUIRE", 0)
