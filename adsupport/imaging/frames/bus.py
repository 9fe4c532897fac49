"""Frames of one source, handed on to many addons, each in a thread of its own."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterable
from functools import partial
from types import TracebackType
from typing import Any, Literal

from ...errors import ConfigurationError, WriterTimeoutError
from .arrival import Arrival, FrameSource
from .frame import StreamAbout, StreamEnd
from .saved_events import SavedEvents
from .worker import Worker

__all__ = ["FrameBus"]

_log = logging.getLogger(__name__)


class FrameBus:
    """Hands the frames of a source on to addons.

    Each addon has a thread and a queue of its own.  The detector is never held up: its frames
    are in its file, or in the queue of its pvAccess or Channel Access server, which drops what
    nobody fetches.  Nor does an addon hold up another one, but for a live source and
    ``policy="block"``: when its queue is full, frames wait at the source for all.

    Parameters
    ----------
    source : FrameSource
        Where the frames come from.
    addons : iterable of Addon
        Who takes them; more can be attached at any time.
    missing : {"raise", "log"}
        What :meth:`end` does when a source that loses no frame has fewer than it should.

    Raises
    ------
    ConfigurationError
        An addon can't take frames, or ``missing`` is none of the two.

    Examples
    --------
    >>> with FrameBus(source, [Accumulator()]) as bus:      # doctest: +SKIP
    ...     bus.begin(StreamAbout(stream="darks", expected=20))
    ...     take_darks()
    ...     bus.end(20)
    """

    def __init__(
        self,
        source: FrameSource,
        addons: Iterable[Any] = (),
        *,
        missing: Literal["raise", "log"] = "raise",
    ) -> None:
        if missing not in ("raise", "log"):
            raise ConfigurationError(f"missing={missing!r}: expected 'raise' or 'log'.")
        self.source = source
        self._raises = missing == "raise"
        self._lock = threading.Lock()
        self._workers: tuple[Worker, ...] = ()
        self._gone: list[Worker] = []  # detached, after they failed
        self._about: StreamAbout | None = None
        self._events: SavedEvents | None = None  # of this acquisition
        self._frames = 0  # and its frames
        self._sequences: dict[tuple[str, str], int] = {}
        self._told: set[int] = set()
        self._closed = False
        for addon in addons:
            self.attach(addon)

    @property
    def addons(self) -> tuple[Any, ...]:
        """The addons that are attached, those that failed included."""
        return tuple(worker.addon for worker in self._workers)

    def attach(self, addon: Any, streams: Iterable[str] | None = None) -> None:
        """Hand frames on to an addon from now on.

        Parameters
        ----------
        addon : Addon
            The addon; nothing happens when it is attached already.
        streams : iterable of str, optional
            Names of the streams whose frames it takes; by default those that it names itself.

        Raises
        ------
        ConfigurationError
            It can't take frames, or the bus is closed.
        """
        self._check_open()
        lacking = [n for n in ("begin", "frame", "end") if not callable(getattr(addon, n, None))]
        if lacking:
            raise ConfigurationError(
                f"{addon!r} is no addon: it has no {', '.join(lacking)}.",
                remedy="Derive it from adsupport.imaging.addons.Addon.",
            )
        if any(each is addon for each in self.addons):
            return
        if isinstance(streams, str):
            streams = (streams,)
        own = getattr(addon, "streams", None)
        chosen = own if streams is None else streams
        worker = Worker(addon, None if chosen is None else frozenset(chosen))
        with self._lock:
            about = self._about
            if about is not None and worker.wants(about.stream):
                worker.begin(about)
                worker.missed(about, self._frames)
            self._workers += (worker,)

    def detach(self, addon: Any, timeout: float = 0.0) -> None:
        """Hand no more frames on to an addon.

        Its acquisition ends for it with the reason ``"detached"``.

        Parameters
        ----------
        addon : Addon
            The addon; nothing happens when it isn't attached.
        timeout : float
            Seconds that it gets for frames that wait in its queue; the others are dropped.
        """
        for worker in self._workers:
            if worker.addon is addon:
                with self._lock:
                    self._workers = tuple(w for w in self._workers if w is not worker)
                worker.stop(timeout, "detached")
                if worker.error is not None:
                    self._gone.append(worker)

    @property
    def failures(self) -> dict[str, BaseException]:
        """What addons failed with, by their names."""
        workers = (*self._gone, *self._workers)
        return {worker.name: worker.error for worker in workers if worker.error is not None}

    def dropped(self, addon: Any) -> int:
        """Tell how many frames an addon didn't get.

        Parameters
        ----------
        addon : Addon
            One that is attached.

        Returns
        -------
        int
            Frames of all acquisitions.
        """
        return sum(worker.dropped for worker in self._workers if worker.addon is addon)

    def check(self) -> None:
        """Raise what an addon has failed with, once, unless its errors are isolated.

        Raises
        ------
        Exception
            The addon's own.
        """
        for worker in (*self._gone, *self._workers):
            if worker.error is not None and worker.fatal and id(worker) not in self._told:
                self._told.add(id(worker))
                raise worker.error

    def begin(self, about: StreamAbout) -> None:
        """Hand on the frames of an acquisition from now on.

        Parameters
        ----------
        about : StreamAbout
            What is known of it.  One that is still open ends first, as cut short.

        Raises
        ------
        ConfigurationError
            The bus is closed.
        """
        self._check_open()
        if self._about is not None:
            self._cut_short(self._about, "another one began")
        with self._lock:
            self._about, self._frames = about, 0
            told = about.per_event is not None and not getattr(self.source, "replayed", False)
            self._events = SavedEvents(about.per_event or 1) if told else None
            for worker in self._workers:
                if worker.wants(about.stream):
                    worker.begin(about)
        self.source.begin(about, partial(self._take, about, self._events))

    def saved(self, stream: str, first: int | None) -> None:
        """Know that an event has been saved; never waits.

        Parameters
        ----------
        stream : str
            Its stream.
        first : int or None
            Unique id of its first frame; None when nobody knows.
        """
        about, events = self._about, self._events
        if about is not None and events is not None and about.stream == stream:
            events.saved(first)

    def missed(self, frames: int) -> None:
        """Count frames of the acquisition that were dropped before they came here.

        Parameters
        ----------
        frames : int
            How many.
        """
        with self._lock:
            about, workers = self._about, self._workers
            if about is not None:
                self._frames += frames
                for worker in workers:
                    if worker.wants(about.stream):
                        worker.missed(about, frames)

    def end(
        self,
        expected: int | None = None,
        timeout: float = 30.0,
        angles: Iterable[float] = (),
        *,
        cut_short: str = "",
    ) -> StreamEnd:
        """Wait until the source has handed on the frames of the acquisition.

        Addons may still be working at them: see :meth:`drain`.

        Parameters
        ----------
        expected : int or None
            How many frames were taken; None when nobody knows: until the source has no more.
        timeout : float
            Seconds.
        angles : iterable of float
            See :class:`~adsupport.imaging.frames.StreamEnd`.
        cut_short : str
            Why it ended before all were taken, for the addons: there is no waiting then.

        Returns
        -------
        StreamEnd
            How it ended.

        Raises
        ------
        FrameCountError, WriterTimeoutError, ImageFileError
            The source can't give all frames, and ``missing="raise"``.
        Exception
            What an addon failed with, see :meth:`check`.
        """
        about = self._about
        if about is None:
            raise ConfigurationError("No acquisition is open.", remedy="Call begin() before end().")
        problem: Exception | None = None
        if cut_short:
            ended = self._cut_short(about, cut_short)
        else:
            wanted = expected
            if self._events is not None:
                self._events.over()
                wanted = self._events.taken(expected)
                expected = self._events.in_events if expected is None else expected
            try:
                found = self.source.end(wanted, timeout)
                expected = found if expected is None else expected
            except Exception as error:  # the addons must know first
                problem = error
            reason = "" if problem is None else str(problem)
            ended = self._ended(about, expected, reason, tuple(angles))
        self.check()
        if problem is not None:
            if self._raises:
                raise problem
            _log.error("%s", problem)
        return ended

    def drain(self, timeout: float | None = None) -> None:
        """Wait until all addons have had all frames that were handed on.

        Parameters
        ----------
        timeout : float or None
            Seconds; None: as long as it takes.

        Raises
        ------
        WriterTimeoutError
            An addon is still at work.
        Exception
            What an addon failed with, see :meth:`check`.
        """
        until = None if timeout is None else time.monotonic() + timeout
        for worker in self._workers:
            if not worker.drained(None if until is None else until - time.monotonic()):
                raise WriterTimeoutError(
                    f"Waited {timeout:g} s for addon {worker.name}: it is still at work on frames "
                    "that were handed on to it.",
                    remedy="Give it more time, or let it drop frames: policy='drop'.",
                )
        self.check()

    def close(self, timeout: float = 10.0, reason: str = "the experiment ended") -> None:
        """End all, in every case: nothing is raised.

        Parameters
        ----------
        timeout : float
            Seconds that addons get for the frames that wait; those left are dropped and counted.
        reason : str
            Why an acquisition that is still open is cut short, for the addons.
        """
        if self._closed:
            return
        self._closed = True
        if self._about is not None:
            self._cut_short(self._about, reason)
        try:
            self.source.close()
        except Exception:
            _log.exception("The source of frames failed when it was closed.")
        until = time.monotonic() + timeout
        for worker in self._workers:
            worker.stop(max(0.0, until - time.monotonic()), "closed")

    def __enter__(self) -> FrameBus:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.drain()
        finally:
            self.close()
        if kind is None:
            self.check()

    def _take(self, about: StreamAbout, events: SavedEvents | None, arrival: Arrival) -> None:
        """Hand a frame on: called by the source."""
        if events is not None and not events.wanted(arrival):
            return
        with self._lock:
            if self._about is not about:
                return  # a source that was held up brings what nobody waits for any more
            key = about.run_uid, about.stream
            arrival.about = about
            if arrival.sequence is None:
                arrival.sequence = self._sequences.get(key, 0)
            self._sequences[key] = arrival.sequence + 1
            self._frames += 1
            workers = self._workers
        place = arrival.place
        if arrival.angle is None and place is not None and 0 <= place < len(about.angles):
            angle = about.angles[place]
            arrival.angle = None if math.isnan(angle) else angle
        for worker in workers:
            if worker.wants(about.stream):
                worker.take(arrival)

    def _ended(
        self, about: StreamAbout, expected: int | None, reason: str, angles: tuple[float, ...] = ()
    ) -> StreamEnd:
        with self._lock:
            self._about = None
            frames, workers = self._frames, self._workers
        for worker in workers:
            if worker.wants(about.stream):
                worker.end(about, expected, frames, reason, angles)
        return StreamEnd(about, expected, frames, 0, reason, angles)

    def _cut_short(self, about: StreamAbout, reason: str) -> StreamEnd:
        if self._events is not None:
            self._events.over()
        try:
            self.source.end(None, 0.0)
        except Exception:
            _log.exception("The source of frames failed at the end of stream %r.", about.stream)
        return self._ended(about, about.expected, f"cut short: {reason}")

    def _check_open(self) -> None:
        if self._closed:
            raise ConfigurationError(
                "The frame bus is closed.", remedy="Make a new one for another run."
            )
