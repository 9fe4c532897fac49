"""How an experiment takes frames with a detector, whatever kind it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import bluesky.plan_stubs as bps
import numpy as np

from ..devices import AD_full_file_name_local
from ..devices.files.compression import choice_index
from ..errors import ConfigurationError
from ..plans import prepare_count, prime_plugin
from ..plans.accounted import FileAccount
from .cleanup import Plan, Step, with_cleanup
from .events import trigger_event
from .frames.stack_file import StackFile
from .moves import set_and_wait
from .storage.data_set import directory_of
from .storage.walker import DirectoryWalker

__all__ = ["ADCamera", "FrameDetector", "PreparedCamera", "staged", "take_event"]

_SETTINGS = ("acquire_time", "acquire_period", "num_images", "image_mode", "trigger_mode")


class FrameDetector(Protocol):
    """What an experiment needs of a detector."""

    @property
    def device(self) -> Any:
        """What is staged, triggered and read."""
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

    def __init__(
        self,
        detector: Any,
        writer: Any = None,
        *,
        file_name: str = "{stream}",
        file_path: str | None = None,
        trigger_mode: str | None = "Internal",
    ) -> None:
        if not hasattr(detector, "cam"):
            raise ConfigurationError(
                f"camera: {detector!r} has no cam",
                remedy="Give a detector of ad_creator(), or PreparedCamera(...) of another one.",
            )
        if "{stream}" not in file_name:
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
        self.walker: DirectoryWalker | None = None
        self._settings: dict[Any, Any] = {}

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
        """
        cam = self.device.cam
        if self.writer is None:
            yield from bps.mv(
                cam.acquire_time, exposure, cam.acquire_period, period, cam.num_images, frames
            )
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
        for name in _SETTINGS:
            signal = getattr(self.device.cam, name, None)
            if signal is not None:
                self._settings[signal] = yield from bps.rd(signal)
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
        for signal, value in list(self._settings.items()):
            yield from set_and_wait(signal, value, 10.0)
            del self._settings[signal]

    def frame_times(self, frames: int) -> Plan:
        """Tell when the exposures of the last trigger ended, by the file's own timestamps.

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
        return np.interp(wanted, labels.ids, labels.times)


class PreparedCamera:
    """A detector that bluesky's ``prepare`` sets up, such as those of ophyd-async.

    Parameters
    ----------
    detector : bluesky Preparable, Triggerable and Readable
        The detector.
    info : callable
        Called as ``info(frames, exposure, period)`` with the frames for each trigger, and times
        in seconds; gives what the detector's ``prepare`` takes, such as a ``TriggerInfo``.
    times : callable, optional
        Called as ``times(frames)`` after a trigger; gives the ends of its exposures in seconds
        since 1970, (frames,).  Fly scans need it.

    Raises
    ------
    ConfigurationError
        It can't be prepared.
    """

    def __init__(
        self,
        detector: Any,
        info: Callable[[int, float, float], Any],
        times: Callable[[int], Any] | None = None,
    ) -> None:
        if not callable(getattr(detector, "prepare", None)):
            raise ConfigurationError(f"camera: {detector!r} has no prepare().")
        self.device, self._info, self._times = detector, info, times

    def prepare(self, stream: str, frames: int, exposure: float, period: float) -> Plan:
        """Prepare the detector, which has to be staged; see :meth:`ADCamera.prepare`.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from bps.prepare(self.device, self._info(frames, exposure, period), wait=True)

    def remember(self) -> Plan:
        """Do nothing: such a detector is set up anew each time.

        Yields
        ------
        Msg
            None.
        """
        yield from ()

    def restore(self) -> Plan:
        """Do nothing: see :meth:`remember`.

        Yields
        ------
        Msg
            None.
        """
        yield from ()

    def frame_times(self, frames: int) -> Plan:
        """Tell when the exposures of the last trigger ended; see :meth:`ADCamera.frame_times`.

        Yields
        ------
        Msg
            None.
        """
        if self._times is None:
            raise _no_times(self.device, "PreparedCamera got no times=")
        yield from ()
        return self._times(frames)


def _no_times(detector: Any, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{detector.name} can't tell when its frames were taken: {why}",
        remedy="Take mode='step'; or give the detector an HDF5 plugin.",
    )


def staged(detector: FrameDetector, plan: Callable[[], Any]) -> Plan:
    """Run a plan with the detector staged, and unstage it on every way out.

    Parameters
    ----------
    detector : FrameDetector
        The detector.
    plan : callable
        Gives the plan.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    any
        What the plan returns.
    """

    def body() -> Plan:
        yield from bps.stage(detector.device, wait=True)
        return (yield from plan())

    def end() -> Iterable[Step]:
        return [
            (f"unstage {detector.device.name}", lambda: bps.unstage(detector.device, wait=True))
        ]

    return (yield from with_cleanup(body(), end))


def take_event(detector: FrameDetector, stream: str, others: Sequence[Any]) -> Plan:
    """Trigger the detector, and read it with other devices into one event.

    Parameters
    ----------
    detector : FrameDetector
        Staged.
    stream : str
        Of the event.
    others : sequence of bluesky Readable
        What tells how the frames came about.

    Yields
    ------
    Msg
        Messages for the RunEngine.
    """
    yield from trigger_event([detector.device, *others], stream)
