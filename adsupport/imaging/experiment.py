"""An experiment: acquisitions one after the other, in one run, and everything put back."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp

from ..errors import ConfigurationError
from ..plans.in_thread import in_thread
from ..wording import counted
from .acquisition import Acquisition
from .acquisition_order import AcquisitionOrder
from .cleanup import Plan, Step, with_cleanup
from .events import trigger_event
from .frames.arrival import FrameSource
from .frames.bus import FrameBus
from .frames.frame import StreamAbout
from .run_files import with_files
from .storage.device_snapshot import read_devices
from .storage.experiment_files import write_experiment_finish, write_experiment_start
from .storage.experiment_log import experiment_log
from .storage.walker import DirectoryWalker

__all__ = ["Experiment"]


class Experiment(AcquisitionOrder):
    """Acquisitions that belong together: ``RE(experiment.run())``.

    Parameters
    ----------
    acquisitions : iterable of Acquisition
        In the order in which they run.
    name : str
        Becomes ``plan_name`` of the run.
    md : mapping, optional
        For the start document.
    devices : sequence of bluesky Readable
        Read before and after, into the stream ``baseline``.
    walker : DirectoryWalker, optional
        Each run claims its next scan directory, with ``experiment.log``,
        ``experiment_start.json`` and ``experiment_finish.json``, and the camera's files.
    files : sequence of str
        Formats of files to be written of each run, such as ``("dx", "nxtomo")``: in the walker's
        directory, otherwise in the current one.
    check : callable, optional
        Called before anything moves; raises what can't be done.
    prepare, finish : callable, optional
        Give plans that run before the first acquisition and, in every case, after the last.
    frames : FrameSource, optional
        Where addons get the frames from; see :mod:`adsupport.imaging.frames`.
    addons : iterable of Addon
        Who takes them; see :meth:`attach`.
    frames_timeout : float
        How long to wait for the frames of an acquisition to come to the addons, and for files,
        in seconds.
    cleanup : iterable of Step
        What is done at the end whatever has happened, each step tried: what it is in a few words,
        and a function that gives its plan.

    Attributes
    ----------
    log : logging.Logger
        The experiment's own.
    ready_to_prepare_next_sample : threading.Event
        Set when the beam isn't needed any more, and always at the end; cleared at the start.

    Raises
    ------
    ConfigurationError
        Two acquisitions have one name.
    """

    def __init__(
        self,
        acquisitions: Iterable[Acquisition],
        *,
        name: str = "experiment",
        md: Mapping[str, Any] | None = None,
        devices: Sequence[Any] = (),
        walker: DirectoryWalker | None = None,
        files: Sequence[str] = (),
        check: Callable[[], None] | None = None,
        prepare: Callable[[], Any] | None = None,
        finish: Callable[[], Any] | None = None,
        frames: FrameSource | None = None,
        addons: Iterable[Any] = (),
        frames_timeout: float = 30.0,
        cleanup: Iterable[Step] = (),
    ) -> None:
        super().__init__(name, acquisitions)
        self.md = dict(md or {})
        self.devices = list(devices)
        self.walker = walker
        self.files = (files,) if isinstance(files, str) else tuple(files)
        self.prepare, self.finish = prepare, finish
        self.log = logging.getLogger(f"{__name__}.{name}")
        self.ready_to_prepare_next_sample = threading.Event()
        self._check = check
        self._frames, self._frames_timeout = frames, frames_timeout
        self._addons: dict[Any, tuple[str, ...] | None] = {}
        self._bus: FrameBus | None = None
        self._start: dict[str, Any] = {}
        for addon in addons:
            self.attach(addon)
        self._cleanup = list(cleanup)

    def __repr__(self) -> str:
        return f"Experiment({self.name!r}, {list(self.order)})"

    @property
    def addons(self) -> list[Any]:
        """The addons that are attached."""
        return list(self._addons)

    def attach(self, addon: Any, acquisitions: Iterable[str] | None = None) -> None:
        """Hand frames to an addon, from now on: also while the experiment runs.

        Parameters
        ----------
        addon : Addon
            See :class:`adsupport.imaging.addons.Addon`.
        acquisitions : iterable of str, optional
            Names of those whose frames it gets; by default those that it wants itself.

        Raises
        ------
        ConfigurationError
            The experiment has no source of frames, or it can't take them.
        """
        if self._frames is None:
            raise ConfigurationError(
                f"{self.name} has no source of frames for {addon!r}",
                remedy="Make the experiment with frames=..., see adsupport.imaging.frames.",
            )
        names = None if acquisitions is None else tuple(acquisitions)
        if self._bus is not None:
            self._bus.attach(addon, names)
        self._addons[addon] = names

    def detach(self, addon: Any) -> None:
        """Hand no more frames to an addon; nothing happens when it isn't attached.

        Parameters
        ----------
        addon : Addon
            The addon.
        """
        self._addons.pop(addon, None)
        if self._bus is not None:
            self._bus.detach(addon)

    def run(self, **md: Any) -> Plan:
        """Run all acquisitions.

        Parameters
        ----------
        **md
            For the start document.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Returns
        -------
        str
            The run's uid.

        Raises
        ------
        ConfigurationError
            It can't be done; nothing has been moved.
        BaseException
            What went wrong, when all has been put back.
        """
        self.ready_to_prepare_next_sample.clear()
        try:
            if self._check is not None:
                self._check()
            start = {
                "plan_name": self.name,
                "acquisitions": list(self.order),
                "frames": self._frame_counts(),
                "least_duration": self.least_duration,
                **self.md,
                **md,
            }
            directory: Path | None = None
            with contextlib.ExitStack() as stack:
                if self.walker is not None:
                    directory = stack.enter_context(self.walker.scan())
                    stack.enter_context(experiment_log(directory, self.log))
                    start["scan_directory"] = str(directory)
                timeout = self._frames_timeout
                return (yield from with_files(self._run(start), self.files, directory, timeout))
        finally:
            self.ready_to_prepare_next_sample.set()

    @property
    def least_duration(self) -> float:
        """How long the frames alone take, in seconds; motions and files come on top."""
        return sum((each.frames_of(time) or 0) * each.frame_time for each, time in self.times())

    def _frame_counts(self) -> dict[str, int]:
        """Tell how many frames each stream will have, where that's known."""
        counts: Counter[str] = Counter()
        for acquisition, time in self.times():
            counts[acquisition.name] += acquisition.frames_of(time) or 0
        return {name: count for name, count in counts.items() if count}

    def _run(self, start: dict[str, Any]) -> Plan:
        uid = yield from bps.open_run(start)
        yield from bpp.contingency_wrapper(
            with_cleanup(self._whole(uid, start), self._last_steps),
            except_plan=_close_failed,
            else_plan=bps.close_run,
        )
        return uid

    def _steps(self) -> list[Step]:
        """List what is done at the end; the source's end comes first."""
        found = [*self._cleanup]
        if self.finish is not None:
            found.append(("finish", self.finish))
        return [
            *found,
            ("read the baseline", self._snapshot),
            (
                "write the state of the devices",
                lambda: self._tell_files(write_experiment_finish, self._start, optional=True),
            ),
        ]

    def _last_steps(self) -> list[Step]:
        return [("end the addons", self._close_bus)]

    def _whole(self, uid: str, start: dict[str, Any]) -> Plan:
        yield from with_cleanup(self._acquire(uid, start), self._steps)
        if self._bus is not None:  # they have all the time they need: the beam is off
            yield from in_thread(self._bus.drain)

    def _acquire(self, uid: str, start: dict[str, Any]) -> Plan:
        if self._frames is not None:
            self._bus = FrameBus(self._frames)
            for addon, names in self._addons.items():
                self._bus.attach(addon, names)
        yield from self._snapshot()
        yield from self._tell_files(write_experiment_start, start)
        if self.prepare is not None:
            yield from self.prepare()
        count = counted(sum(self._frame_counts().values()), "frame")
        self.log.info("%s: %s, at least %.3g s", self.name, count, self.least_duration)
        every = list(self.times())
        for place, (acquisition, time) in enumerate(every, 1):
            self.log.info("%s: %s", self.name, acquisition.name)
            if acquisition.acquire is not None:
                yield from acquisition.acquire()
            frames = acquisition.frames_of(time)
            if self._bus is not None:
                angles = acquisition.angles_of(time)
                self._bus.begin(StreamAbout(uid, acquisition.name, frames, start, angles))
            yield from acquisition.producer()
            if place == len(every):
                self.ready_to_prepare_next_sample.set()
            yield from self._end_stream(frames)

    def _end_stream(self, frames: int | None) -> Plan:
        """Wait until the addons have been handed the frames of an acquisition."""
        bus = self._bus
        if bus is not None:
            yield from in_thread(lambda: bus.end(frames, self._frames_timeout))

    def _close_bus(self) -> Plan:
        bus, self._bus = self._bus, None
        if bus is not None:
            yield from in_thread(bus.close)

    def _tell_files(
        self, write: Callable[..., Any], start: dict[str, Any], optional: bool = False
    ) -> Plan:
        """Write the experiment and its devices beside the data."""
        self._start = start
        if self.walker is None:
            return
        snapshot = yield from read_devices(self.devices, optional or ())
        directory = self.walker.current
        # Again is harmless: a clean-up that was interrupted is done once more.
        yield from in_thread(lambda: write(directory, start, snapshot, exists="replace"))

    def _snapshot(self) -> Plan:
        if self.devices:
            yield from trigger_event(self.devices, "baseline")


def _close_failed(error: Exception) -> Plan:
    """Close the run as what it is: bluesky's requests know their own exit status."""
    status = getattr(error, "exit_status", "fail")
    yield from bps.close_run(exit_status=status, reason=str(error))
