"""The steps of priming: what is changed, what is waited for, what is put back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ophyd.areadetector.cam import CamBase
from ophyd.areadetector.plugins import FilePlugin, PluginBase
from ophyd.status import Status

from ...errors import AcquireTimeoutError, ConfigurationError, UnprimedError
from ..arrays.prediction import array_mismatch, delivered_array, is_ready, received_array, source_of
from ..signals.putting import stand_already
from ..signals.reading import explain_timeouts, pv_name, read_signals, wait_for

__all__ = ["ARRIVAL_TIMEOUT", "AcquireOnce", "Priming", "Setting"]

#: Longest exposure that priming leaves as it is, in seconds.
LONGEST_EXPOSURE = 1.0
#: Exposure that priming uses instead of a longer one, in seconds.
SHORT_EXPOSURE = 0.1
#: Time for a frame to come beyond its exposure, in seconds.
ARRIVAL_TIMEOUT = 5.0


@dataclass(frozen=True)
class Setting:
    """A signal and the value it's to have.

    Attributes
    ----------
    signal : ophyd.EpicsSignal
        What to write.
    value : object
        The value.
    """

    signal: Any
    value: Any


class AcquireOnce:
    """Something that a plan can ``set``: it takes one acquisition of a camera.

    Parameters
    ----------
    cam : ophyd.areadetector.cam.CamBase
        The camera.
    timeout : float
        Longest time for the acquisition, in seconds.
    """

    parent = None

    def __init__(self, cam: Any, timeout: float) -> None:
        self.cam = cam
        self.timeout = timeout
        self.name = f"{cam.name}_acquire_once"
        self._answered = threading.Event()
        self._answered.set()

    def set(self, value: int = 1) -> Status:
        """Acquire.

        Parameters
        ----------
        value : int
            1.

        Returns
        -------
        ophyd.status.Status
            Done when the put of ``Acquire`` is answered.
        """
        status = Status(self, timeout=self.timeout)
        self._answered.clear()

        def answered(**_: Any) -> None:
            self._answered.set()
            if not status.done:
                status.set_finished()

        self.cam.acquire.put(value, use_complete=True, callback=answered)
        return status

    def run(self) -> None:
        """Acquire and wait.

        Raises
        ------
        AcquireTimeoutError
            The camera didn't finish in time.
        """
        self.set(1)
        if not self._answered.wait(self.timeout):
            raise AcquireTimeoutError(self.timeout_message())

    def timeout_message(self) -> str:
        """Say that the camera didn't finish.

        Returns
        -------
        str
            What was waited for, what was seen, what to do.
        """
        cam = self.cam
        try:
            seen = (
                f"AcquireTime {cam.acquire_time.get():g} s, DetectorState "
                f"{cam.detector_state.get(as_string=True)}, NumImagesCounter "
                f"{cam.num_images_counter.get()}. It was stopped. Check the camera and its "
                "TriggerMode."
            )
        except TimeoutError as error:
            seen = f"and its IOC doesn't answer any more ({error}). Check that it runs."
        return (
            f"{pv_name(cam.acquire, True)}: the camera didn't finish one frame within "
            f"{self.timeout:g} s; {seen}"
        )

    def stop(self, *, success: bool = False) -> None:
        """Stop the camera, without a put-callback, and wait until it's idle.

        Parameters
        ----------
        success : bool
            Not used.
        """
        with explain_timeouts(self.cam):
            if not self._answered.is_set() or int(self.cam.acquire.get()):
                self.cam.acquire.put(0)
                wait_for(lambda: int(self.cam.acquire.get()) == 0, ARRIVAL_TIMEOUT)
                self._answered.wait(ARRIVAL_TIMEOUT)


class Priming:
    """What it takes to prime a plugin, and to leave no trace.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin, part of a detector with a ``cam``.
    acquire_time : float, optional
        Exposure to use, in seconds.  By default the exposure is left alone, for it may
        change the type of the frames, unless it's longer than a second.
    trigger_mode : str, optional
        Trigger mode in which the camera needs no signal from outside; None leaves the mode.
    timeout : float
        Time for the frame to come beyond its exposure, in seconds.

    Attributes
    ----------
    saved : list of Setting
        What to put back, in the order in which it was changed.
    """

    def __init__(
        self,
        plugin: Any,
        acquire_time: float | None = None,
        trigger_mode: str | None = "Internal",
        timeout: float = ARRIVAL_TIMEOUT,
    ) -> None:
        self.plugin = plugin
        self.cam: Any = getattr(plugin.parent, "cam", None)
        if self.cam is None:
            raise ConfigurationError(
                f"{plugin.name} isn't part of a detector with a 'cam', which would take the frame: "
                "make the detector with ad_creator(), and give its plugin."
            )
        self.acquire_time = acquire_time
        self.trigger_mode = trigger_mode
        self.timeout = timeout
        self.saved: list[Setting] = []
        self.acquire: AcquireOnce | None = None

    def settings(self) -> Iterator[Setting]:
        """List what to change, in order; what stands already isn't listed.

        Each one is noted in :attr:`saved` when it is handed out.

        Yields
        ------
        Setting
            The next change; the iterator goes on when it's made.

        Raises
        ------
        ConfigurationError
            The plugin is writing a file, which the frame would get into.
        """
        self._refuse_capturing()
        wanted = self._wanted()
        stands = stand_already(wanted)
        current = read_signals({i: signal for i, (signal, _) in enumerate(wanted)})
        for i, (signal, value) in enumerate(wanted):
            if not stands[i]:
                self.saved.append(Setting(signal, current[i]))
                yield Setting(signal, value)
        running = int(self.cam.acquire.get())
        # A camera in live view sends frames anyway: it's left alone.
        self.acquire = None if running else AcquireOnce(self.cam, self._exposure() + self.timeout)

    def restore(self) -> Iterator[Setting]:
        """List what to put back, from the last change to the first.

        Yields
        ------
        Setting
            The next one.
        """
        while self.saved:
            yield self.saved.pop()

    def _wanted(self) -> list[tuple[Any, Any]]:
        plugin, cam = self.plugin, self.cam
        wanted: list[tuple[Any, Any]] = []
        if isinstance(plugin, FilePlugin):
            # In Single mode a frame would be written, else it's only kept when capturing.
            wanted.append((plugin.auto_save, 0))
        running = int(cam.acquire.get())
        if not running:
            wanted.append((cam.image_mode, 0))
            if getattr(cam, "wait_for_plugins", None) is not None:
                wanted.append((cam.wait_for_plugins, "Yes"))
            if self.acquire_time is not None:
                wanted.append((cam.acquire_time, self.acquire_time))
            elif cam.acquire_time.get() > LONGEST_EXPOSURE:
                wanted.append((cam.acquire_time, SHORT_EXPOSURE))
            if self.trigger_mode in (cam.trigger_mode.enum_strs or ()):
                wanted.append((cam.trigger_mode, self.trigger_mode))
        wanted.append((cam.array_callbacks, 1))
        for each in self._chain():
            wanted.append((each.min_callback_time, 0.0))
            if each is not plugin:
                wanted.append((each.array_callbacks, 1))
            wanted.append((each.enable, 1))
        return wanted

    def _chain(self) -> list[Any]:
        """List the plugins from the camera to the plugin itself."""
        chain = [self.plugin]
        source = source_of(self.plugin)
        while isinstance(source, PluginBase) and source not in chain:
            chain.insert(0, source)
            source = source_of(source)
        if not isinstance(source, CamBase):
            raise ConfigurationError(
                f"{pv_name(self.plugin.nd_array_port)} is {self.plugin.nd_array_port.get()!r}: the "
                f"arrays of {self.plugin.name} can't be traced to the camera. Add the plugin with "
                "that port to the detector, or correct NDArrayPort."
            )
        return chain

    def _exposure(self) -> float:
        return max(0.0, float(self.cam.acquire_time.get()))

    def _refuse_capturing(self) -> None:
        plugin = self.plugin
        if isinstance(plugin, FilePlugin) and int(plugin.capture.get()):
            raise ConfigurationError(
                f"{pv_name(plugin.capture)} is on: the priming frame would be written to "
                f"{plugin.full_file_name.get()!r}. End the capture first: "
                f"{plugin.dotted_name or plugin.name}.capture.put(0)."
            )

    def arrived(self) -> bool:
        """Tell whether the plugin is primed by now.

        Returns
        -------
        bool
            True when an array of the right kind has come.
        """
        return is_ready(self.plugin)

    def wait_arrived(self) -> None:
        """Wait until the array has come.

        Raises
        ------
        UnprimedError
            It didn't come in time.
        """
        longest = self.timeout + (0.0 if self.acquire else self._exposure())
        if not wait_for(self.arrived, longest):
            raise UnprimedError(self.failure())

    def failure(self) -> str:
        """Say that the frame didn't prime the plugin.

        Returns
        -------
        str
            What was waited for, what was seen, what to do.
        """
        plugin = self.plugin
        found = read_signals({"n": plugin.array_counter, "dropped": plugin.dropped_arrays})
        received = received_array(plugin)
        seen = (
            array_mismatch(received, delivered_array(plugin)) if received else "no array has come"
        )
        return (
            f"{plugin.prefix}: {plugin.name} isn't primed after one frame of the camera: {seen}; "
            f"ArrayCounter {found['n']}, DroppedArrays {found['dropped']}. Check NDArrayPort and "
            "that every plugin between camera and plugin passes arrays on."
        )
