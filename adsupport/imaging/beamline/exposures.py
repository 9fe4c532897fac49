"""How an experiment takes frames with a detector, whatever kind it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.utils import short_uid

from ...devices import AD_full_file_name_local
from ...devices.files.compression import choice_index
from ...devices.signals.putting import put_and_wait
from ...errors import ConfigurationError
from ...plans import prepare_count, prime_plugin
from ...plans.accounted import FileAccount
from ...plans.in_thread import in_thread
from ...plans.put import put
from ..asked.arguments import finite, positive
from ..asked.given import function, having
from ..frames.stack_file import StackFile
from ..storage.data_set import directory_of
from ..storage.walker import DirectoryWalker
from ..stubs.cleanup import Plan
from ..stubs.moves import set_and_wait
from .camera_settings import CameraSettings

__all__ = ["ADCamera", "FrameDetector", "PreparedCamera"]

#: For what a trigger may take longer than its frames, in seconds.
_GRACE = 30.0


class FrameDetector(Protocol):
    """What an experiment needs of a detector."""

    @property
    def device(self) -> Any:
        """What is staged, triggered and read."""
        ...

    @property
    def staged_first(self) -> bool:
        """Whether :meth:`prepare` is for a device that has been staged, or for one that will be."""
        ...

    def prepare(self, stream: str, frames: int, exposure: float, period: float) -> Plan:
        """Make the next triggers take so many frames each, in files of the stream's own."""
        ...

    def remember(self) -> Plan:
        """Take note of the settings that :meth:`prepare` changes."""
        ...

    def restore(self) -> Plan:
        """Put these settings back."""
        ...

    def frame_times(self, frames: int) -> Plan:
        """Tell the ends of the exposures of the last trigger, as seconds since 1970."""
        ...


class ADCamera:
    """An area detector of :func:`adsupport.devices.ad_creator`, with or without a file plugin.

    Parameters
    ----------
    detector : ophyd Device
        With a ``cam``.
    writer : ophyd Device, optional
        Its file plugin; by default the first one that can be prepared.
    file_name : str
        Name of the files, with ``{stream}`` in it.
    file_path : str, optional
        Directory as the IOC has it; by default the plugin's own template.
    trigger_mode : str or None
        The camera's mode in which ``Acquire`` begins its frames; None leaves the mode as it is.
    latency : float
        From the end of an exposure to the EPICS timestamp of its frame, in seconds; for fly scans.
        Most drivers stamp a frame when they hand it over, so it's the time of read-out; below 0 if
        one stamps it before.  Turned by a known speed, a sample tells it: the angle by which
        projections of a flight and of steps differ, divided by the speed.

    Attributes
    ----------
    walker : DirectoryWalker or None
        Where the files go instead, in the data sets ``darks``, ``flats`` and ``radios``: that of
        the experiment.

    Raises
    ------
    ConfigurationError
        It has no ``cam``, or the name no ``{stream}``.
    """

    staged_first = False  # its file plugin is armed when it's staged

    def __init__(
        self,
        detector: Any,
        writer: Any = None,
        *,
        file_name: str = "{stream}",
        file_path: str | None = None,
        trigger_mode: str | None = "Internal",
        latency: float = 0.0,
    ) -> None:
        if not hasattr(detector, "cam"):
            raise ConfigurationError(
                f"camera: {detector!r} has no cam",
                remedy="Give a detector of ad_creator(), or PreparedCamera(...) of another one.",
            )
        if trigger_mode is not None and not isinstance(trigger_mode, str):
            raise ConfigurationError(
                f"trigger_mode={trigger_mode!r}: expected the name of a mode, or None."
            )
        if file_path is not None and not isinstance(file_path, str):
            raise ConfigurationError(f"file_path={file_path!r}: expected a text, or None.")
        if writer is not None:
            having("writer", writer, ("plan_file",), "Give a file plugin of adsupport.devices.")
        if not isinstance(file_name, str) or "{stream}" not in file_name:
            raise ConfigurationError(
                f"file_name={file_name!r} has no '{{stream}}': the files of darks, flats and "
                "projections would have one name."
            )
        self.device = detector
        names = getattr(detector, "component_names", ())
        parts = [getattr(detector, name) for name in names]
        writers = [each for each in parts if callable(getattr(each, "plan_file", None))]
        self.writer = writer if writer is not None else next(iter(writers), None)
        self.file_name, self.file_path = file_name, file_path
        self.trigger_mode = trigger_mode
        self.latency = finite("latency", latency, "s")
        self.walker: DirectoryWalker | None = None
        self._settings = CameraSettings(detector.cam)

    def prepare(self, stream: str, frames: int, exposure: float, period: float) -> Plan:
        """Set exposure, frames a trigger, and the name of the file.

        Parameters
        ----------
        stream : str
            Of the frames that come.
        frames : int
            For each trigger.
        exposure, period : float
            Of a frame, and from frame to frame, in seconds.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        PutError
            The camera doesn't take a value.
        """
        cam = self.device.cam
        if self.writer is None:
            yield from put(cam.num_images, frames)
            yield from put(cam.acquire_time, float(exposure))
            if period:
                yield from put(cam.acquire_period, float(period))
            else:  # as fast as it goes: it may show how fast that is
                yield from in_thread(partial(put_and_wait, cam.acquire_period, 0.0))
            return
        name = self.file_name.replace("{stream}", stream)
        path = self.file_path
        if self.walker is not None:
            path = self.walker.data_set(directory_of(stream), exists="continue").ioc_path
        yield from prepare_count(self.writer, name, exposure, period, frames, file_path=path)

    def remember(self) -> Plan:
        """Read the camera's settings, set its trigger mode, and prime its file plugin.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        ConfigurationError
            The camera hasn't got the trigger mode.
        """
        yield from self._settings.remember()
        if self.trigger_mode is not None:
            yield from self._set_trigger_mode(self.trigger_mode)
        if self.writer is not None:
            yield from prime_plugin(self.writer)

    def _set_trigger_mode(self, mode: str) -> Plan:
        signal = getattr(self.device.cam, "trigger_mode", None)
        choices = [] if signal is None else list(getattr(signal, "enum_strs", None) or ())
        index = choice_index(choices, mode)
        if signal is None or index is None:
            raise ConfigurationError(
                f"{self.device.name} has no trigger mode {mode!r}, but "
                f"{', '.join(map(repr, choices)) or 'none'}",
                remedy="Give ADCamera(..., trigger_mode=) the one in which Acquire begins a frame, "
                "or None.",
            )
        yield from set_and_wait(signal, index, 10.0)

    def restore(self) -> Plan:
        """Put the camera's settings back.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from self._settings.restore()

    def frame_times(self, frames: int) -> Plan:
        """Tell when the exposures of the last trigger ended, by the file's own timestamps.

        These are ``NDArrayEpicsTS``, less the latency: ``NDArrayTimeStamp`` is the beginning of the
        exposure with many drivers, and something else with others.

        The file is ended for that.

        Parameters
        ----------
        frames : int
            Of that trigger.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Returns
        -------
        numpy.ndarray
            (frames,), float64, seconds since 1970; of frames that were lost, what lies between
            the others.

        Raises
        ------
        ConfigurationError
            There is no file, or it has no timestamps.
        """
        if self.writer is None:
            raise _no_times(self.device, "it has no file plugin")
        ended: Any = FileAccount(self.writer, len(self.writer.file_reports))
        yield from bps.trigger(ended, wait=True)
        path = AD_full_file_name_local(self.writer)
        if path is None:
            raise _no_times(self.device, "it has written no file")
        labels = StackFile(path).labels()
        if labels.times is None or labels.ids is None or not len(labels.ids):
            raise _no_times(self.device, "its file has no timestamps")
        first = self.device.frame_reports[-1].first_id
        wanted = (labels.ids[0] if first is None else first) + np.arange(frames)
        return np.interp(wanted, labels.ids, labels.times) - self.latency


class PreparedCamera:
    """A detector that bluesky's ``prepare`` sets up, such as those of ophyd-async.

    Parameters
    ----------
    detector : bluesky Stageable, Preparable, Triggerable and Readable
        The detector.  Settings of its ``driver``, if it has one, are put back after experiments.
    info : callable, optional
        Called as ``info(frames, exposure, period)`` with the frames for each trigger, and times
        in seconds; gives what the detector's ``prepare`` takes.  By default it's a ``TriggerInfo``
        of ophyd-async.
    times : callable, optional
        Called as ``times(frames)`` after a trigger; gives the ends of its exposures in seconds
        since 1970, (frames,).  Fly scans need it, unless the writer has them.
    writer : ophyd-async Device, optional
        Its HDF5 plugin, whose file has the frames' timestamps and is seen here under the name
        that the IOC has; ``detector.hdf`` by default, if there is one.
    latency : float
        Of the timestamps in this file, in seconds; see :class:`ADCamera`.
    timeout : float, optional
        How long a trigger may take, in seconds; by default twice the time of its frames, and 30 s.

    Attributes
    ----------
    trigger_timeout : float or None
        That of the next trigger.

    Raises
    ------
    ConfigurationError
        It can't be prepared.

    Examples
    --------
    >>> PreparedCamera(SimDetector("im:", ADWriterFactory.hdf(paths)))  # doctest: +SKIP
    """

    staged_first = True  # staging forgets what was prepared

    def __init__(
        self,
        detector: Any,
        info: Callable[[int, float, float], Any] | None = None,
        times: Callable[[int], Any] | None = None,
        *,
        writer: Any = None,
        latency: float = 0.0,
        timeout: float | None = None,
    ) -> None:
        if not callable(getattr(detector, "prepare", None)):
            raise ConfigurationError(f"camera: {detector!r} has no prepare().")
        function("info", info)
        function("times", times)
        self.device, self._info, self._times = detector, info or _trigger_info, times
        self.writer = writer if writer is not None else getattr(detector, "hdf", None)
        driver = getattr(detector, "driver", None)
        self._period = getattr(driver, "acquire_period", None)
        self._settings = CameraSettings(driver)
        self.latency = finite("latency", latency, "s")
        self._timeout = None if timeout is None else positive("timeout", timeout, "s")
        self.trigger_timeout = self._timeout

    def prepare(self, stream: str, frames: int, exposure: float, period: float) -> Plan:
        """Prepare the detector, which has to be staged; see :meth:`ADCamera.prepare`.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        needed = 2 * frames * max(exposure, period) + _GRACE
        self.trigger_timeout = needed if self._timeout is None else self._timeout
        yield from bps.prepare(self.device, self._info(frames, exposure, period), wait=True)

    def remember(self) -> Plan:
        """Read the settings of its driver, and take away the period that it has.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from self._settings.remember()
        if self._period is not None:  # ophyd-async leaves it as it is when there's no dead time
            yield from set_and_wait(self._period, 0.0, 10.0)

    def restore(self) -> Plan:
        """Put the settings of its driver back.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from self._settings.restore()

    def frame_times(self, frames: int) -> Plan:
        """Tell when the exposures of the last trigger ended; see :meth:`ADCamera.frame_times`.

        A writer's file is ended for that, by unstaging the detector: its timestamps come last.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        if self._times is not None:
            return self._times(frames)
        name = getattr(self.writer, "full_file_name", None)
        if name is None:
            raise _no_times(self.device, "PreparedCamera got neither times= nor an HDF5 writer")
        yield from bps.unstage(self.device, group=short_uid("unstage"), wait=True)
        path = Path(str((yield from bps.rd(name))))
        labels = yield from in_thread(StackFile(path).labels)
        if labels.times is None or len(labels.times) < frames:
            raise _no_times(self.device, f"{path} has no timestamps of {frames} frames")
        return labels.times[-frames:] - self.latency


def _trigger_info(frames: int, exposure: float, period: float) -> Any:
    """Tell ophyd-async's detectors what is wanted for each trigger."""
    try:
        from ophyd_async.core import TriggerInfo
    except ImportError as error:
        raise ConfigurationError(
            f"PreparedCamera got no info=, and ophyd-async's can't be had: {error}",
            remedy="pip install ophyd-async, or give PreparedCamera(..., info=) what the "
            "detector's prepare() takes.",
        ) from error
    dead = max(period - exposure, 0.0)
    return TriggerInfo(livetime=exposure, deadtime=dead, collections_per_event=frames)


def _no_times(detector: Any, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{detector.name} can't tell when its frames were taken: {why}",
        remedy="Take mode='step'; or give the detector an HDF5 plugin, or times=.",
    )
