"""An experiment: acquisitions one after the other, in one run, and everything put back."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import ensure_generator

from ..callbacks.choice import check_choice
from ..callbacks.formats import FORMATS, format_names
from ..errors import ConfigurationError
from ..plans.in_thread import in_thread
from ..wording import counted
from .acquisition import Acquisition
from .acquisition_order import AcquisitionOrder
from .asked.arguments import positive
from .asked.given import function, having, listed, mapping, readables
from .frames.arrival import FrameSource
from .frames.bus import FrameBus
from .frames.frame import StreamAbout
from .frames.saved_events import EventWatch
from .run_files import sample_name, with_files
from .run_record import RunRecord, exit_of
from .storage.experiment_log import experiment_log
from .storage.walker import DirectoryWalker
from .stubs.cleanup import Plan, Step, with_cleanup
from .stubs.events import trigger_event
from .stubs.under_way import noting
from .stubs.watched import watched

__all__ = ["Experiment"]

#: Addons, clean-ups and devices tell here what they don't raise.
_ALL = logging.getLogger(__name__.partition(".")[0])


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
        Called before the run and before anything moves; raises what can't be done, or gives a
        plan that looks for it.
    prepare, finish : callable, optional
        Give plans that run before the first acquisition and, in every case, after the last.
    frames : FrameSource, optional
        Where addons get the frames from; see :mod:`adsupport.imaging.frames`.
    addons : iterable of Addon
        Who takes them; see :meth:`attach`.
    missing : {"raise", "drop", "fill"}
        What becomes of an acquisition that lost frames: addons and files tell which in any case.
        ``"raise"`` lets it fail; else the run goes on, and files leave them out, or have blank
        projections in their places.  Builders take that of the camera's ``frame_policy`` by
        default: ``"drop"`` unless it's ``"raise"``.
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
    moves : tuple
        Devices that it moves itself, as far as that's known; builders know.
    settings : tuple
        Devices that are written beside the data before and after, besides ``devices``.
    ready_to_prepare_next_sample : threading.Event
        Set when the last frame has been taken and the source is closed, before the camera is
        unstaged and addons have had their frames; and always at the end.  Cleared at the start.

    Raises
    ------
    ConfigurationError
        Two acquisitions have one name, or an argument can't be.
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
        check: Callable[[], Any] | None = None,
        prepare: Callable[[], Any] | None = None,
        finish: Callable[[], Any] | None = None,
        frames: FrameSource | None = None,
        addons: Iterable[Any] = (),
        missing: Literal["raise", "drop", "fill"] = "raise",
        frames_timeout: float = 30.0,
        cleanup: Iterable[Step] = (),
    ) -> None:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"name must be a text that isn't empty, got {name!r}.")
        super().__init__(name, listed("acquisitions", acquisitions, "acquisitions"))
        self.md = mapping("md", md)
        self.devices = readables("devices", devices)
        if walker is not None:
            having("walker", walker, ("scan", "current"), "Give DirectoryWalker(path).")
        self.walker = walker
        self.files = tuple(_formats(files))
        self.prepare, self.finish = function("prepare", prepare), function("finish", finish)
        self.log = logging.getLogger(f"{__name__}.{name}")
        self.ready_to_prepare_next_sample = threading.Event()
        self._check = function("check", check)
        if frames is not None:
            having("frames", frames, ("begin", "end"), "Give a source of adsupport.imaging.frames.")
        self._frames = frames
        check_choice("missing", missing, ("raise", "drop", "fill"))
        self.missing = missing
        self._frames_timeout = positive("frames_timeout", frames_timeout, "s")
        self._addons: dict[Any, tuple[str, ...] | None] = {}
        self._bus: FrameBus | None = None
        self._events: EventWatch | None = None
        self.moves: tuple[Any, ...] = ()
        self.settings: tuple[Any, ...] = ()
        self._last = False  # the acquisition that goes on
        for addon in listed("addons", addons, "addons"):
            self.attach(addon)
        self._cleanup = [_step(each) for each in listed("cleanup", cleanup, "steps")]

    def __repr__(self) -> str:
        return f"Experiment({self.name!r}, {list(self.order)})"

    def __iter__(self) -> Plan:
        """Run it: ``RE(experiment)`` is ``RE(experiment.run())``."""
        return self.run()

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
            The experiment has no source of frames, or no acquisition of such a name; or the addon
            can't take them.
        """
        if self._frames is None:
            raise ConfigurationError(
                f"{self.name} has no source of frames for {addon!r}",
                remedy="Make the experiment with frames=..., see adsupport.imaging.frames.",
            )
        having("addon", addon, ("begin", "frame", "end"), "Derive it from Addon.")
        if isinstance(acquisitions, str):
            acquisitions = (acquisitions,)
        names = None if acquisitions is None else tuple(acquisitions)
        for each in names or ():
            self.get_acquisition(each)
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
                looking = self._check()
                if isinstance(looking, Generator):
                    yield from looking
            yield from self._get_addons_ready()
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
                    stack.enter_context(experiment_log(directory, self.log, above=_ALL))
                    start["scan_directory"] = str(directory)
                record = RunRecord(directory, start, self.devices, self.settings)
                run, timeout = self._run(start, record), self._frames_timeout
                missing = "error" if self.missing == "raise" else self.missing
                name = sample_name(start)
                return (yield from with_files(run, self.files, directory, timeout, missing, name))
        finally:
            self.ready_to_prepare_next_sample.set()

    def frames_taken(self) -> None:
        """Tell that an acquisition has all its frames, and that it needs no beam any more.

        A producer that knows calls this before it unstages the camera, which may take long; of
        the others it is known when they have ended.
        """
        if self._last:
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

    def _run(self, start: dict[str, Any], record: RunRecord) -> Plan:
        def last() -> list[Step]:
            return [("end the addons", self._close_bus), ("write how it ended", record.finish)]

        uid = yield from bps.open_run(start)
        whole = noting(self._whole(uid, start, record))
        yield from bpp.contingency_wrapper(
            with_cleanup(record.watched(whole), last),
            except_plan=_close_failed,
            else_plan=bps.close_run,
        )
        return uid

    def _steps(self) -> list[Step]:
        """List what is done at the end; the source's end comes first."""
        found = [*self._cleanup]
        if self.finish is not None:
            found.append(("finish", self.finish))
        return [*found, ("read the baseline", self._snapshot)]

    def _whole(self, uid: str, start: dict[str, Any], record: RunRecord) -> Plan:
        acquire = self._acquire(uid, start, record)
        yield from with_cleanup(self._followed(acquire, start), self._steps)
        if self._bus is not None:  # they have all the time they need: the beam is off
            yield from in_thread(self._bus.drain)

    def _acquire(self, uid: str, start: dict[str, Any], record: RunRecord) -> Plan:
        if self._frames is not None:
            missing = "raise" if self.missing == "raise" else "log"
            self._bus = FrameBus(self._frames, missing=missing)
            for addon, names in self._addons.items():
                self._bus.attach(addon, names)
        yield from self._snapshot()
        yield from record.begin()
        if self.prepare is not None:
            yield from ensure_generator(self.prepare() or ())
        count = counted(sum(self._frame_counts().values()), "frame")
        alone = "%s: %s, %.3g s for these alone; moves, files and the source come on top"
        self.log.info(alone, self.name, count, self.least_duration)
        every = list(self.times())
        for place, (acquisition, time) in enumerate(every, 1):
            self.log.info("%s: %s", self.name, acquisition.name)
            if acquisition.acquire is not None:
                yield from acquisition.acquire()
            frames = acquisition.frames_of(time)
            if self._bus is not None:
                angles = acquisition.angles_of(time)
                about = StreamAbout(
                    uid, acquisition.name, frames, start, angles, acquisition.per_event
                )
                yield from in_thread(partial(self._bus.begin, about))
            self._last = place == len(every)
            yield from self._produce(acquisition)
            self.frames_taken()
            yield from self._end_stream(acquisition.name, frames)

    def _get_addons_ready(self) -> Plan:
        for addon in self._addons:
            if (ready := getattr(addon, "ready", None)) is not None:
                yield from in_thread(ready)

    def _produce(self, acquisition: Acquisition) -> Plan:
        """Take the frames, unless an addon fails without which they are for nothing."""
        plan = acquisition.producer()
        if self._bus is not None:
            plan = watched(plan, self._bus.check)
        yield from plan

    def _end_stream(self, stream: str, frames: int | None) -> Plan:
        """Wait until the addons have been handed the frames of an acquisition."""
        bus, events = self._bus, self._events
        if bus is not None and events is not None:
            told, angles = events.take(stream, frames)
            yield from in_thread(lambda: bus.end(told, self._frames_timeout, angles))

    def _followed(self, plan: Plan, start: dict[str, Any]) -> Plan:
        """Let the addons' bus know of events when they're saved."""
        self._events = EventWatch(lambda *event: self._bus and self._bus.saved(*event), start)
        return plan if self._frames is None else bpp.subs_wrapper(plan, {"all": [self._events]})

    def _close_bus(self) -> Plan:
        bus, self._bus = self._bus, None
        if bus is not None:
            yield from in_thread(bus.close)
            for addon in bus.addons:
                if bus.dropped(addon):
                    dropped = counted(bus.dropped(addon), "frame")
                    self.log.info("%s: %r didn't get %s", self.name, addon, dropped)
            bus.check()  # an addon may have failed at its very end

    def _snapshot(self) -> Plan:
        if self.devices:
            yield from trigger_event(self.devices, "baseline")


def _step(given: Any) -> Step:
    """Take a step of the end."""
    pair = isinstance(given, (tuple, list)) and len(given) == 2
    if not pair or not isinstance(given[0], str) or not callable(given[1]):
        raise ConfigurationError(
            f"cleanup: a step is a text and a function that gives a plan, got {given!r}."
        )
    return given[0], given[1]


def _formats(files: Any) -> list[str]:
    """Take the formats of files."""
    names = listed("files", (files,) if isinstance(files, str) else files, "formats")
    wrong = [each for each in names if not isinstance(each, str)]
    if wrong:
        raise ConfigurationError(
            f"files: {wrong[0]!r} is no name of a format",
            remedy=f"expected some of {', '.join(FORMATS)}.",
        )
    return format_names(names) if names else []


def _close_failed(error: Exception) -> Plan:
    """Close the run as what it is: bluesky's requests know their own exit status."""
    yield from bps.close_run(**exit_of(error))
