"""Frames that come over the network whether anybody has time for them or not."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...errors import ConfigurationError, WriterTimeoutError
from ...wording import counted
from .arrival import Arrival
from .frame import StreamAbout

__all__ = ["LiveFrames"]

_log = logging.getLogger(__name__)

#: Longest wait, in seconds, for an addon that holds up the source when an acquisition has ended.
_LEAVE = 1.0


class LiveFrames:
    """Takes frames from a client library's thread, which must not wait, to one that may.

    Parameters
    ----------
    what : str
        The process variable, for messages.
    most : int
        Frames that wait here at most; the oldest is dropped, and counted as lost.  Those that wait
        for their event to be saved come on top: ``per_event`` of the acquisition.
    settle : float
        Seconds without a frame after which no more are waited for.
    """

    def __init__(self, what: str, most: int, settle: float) -> None:
        if most < 1:
            raise ConfigurationError(f"queue={most}: expected at least 1 frame.")
        self.what = what
        #: Frames of this acquisition that were dropped here.
        self.lost = 0
        self._settle = settle
        self._waiting: deque[Arrival] = deque()
        self._most = self._room = most
        self._take: Callable[[Arrival], None] | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._came = self._handed = 0
        self._last = 0.0
        self._stopped = False
        self._error: Exception | None = None
        self._counter: int | None = None
        self._first: int | None = None

    @property
    def wanted(self) -> bool:
        """Whether an acquisition is open: else :meth:`put` takes nothing."""
        return self._take is not None

    def begin(
        self, about: StreamAbout, take: Callable[[Arrival], None], counter: int | None
    ) -> None:
        """Hand frames on from now on.

        Parameters
        ----------
        about : StreamAbout
            What is known of the acquisition.
        take : callable
            Takes a frame.
        counter : int or None
            The unique id of the last frame before; None when nobody knows.
        """
        self.stop()
        with self._changed:
            self._waiting.clear()
            # nobody takes a frame before it's known to be in an event
            self._room = self._most + (about.per_event or 0)
            self._take, self._counter, self._first = take, counter, None
            self._came = self._handed = self.lost = 0
            self._last = time.monotonic()
            self._stopped, self._error = False, None
            self._thread = threading.Thread(
                target=self._run, args=(take,), name=f"frames of {about.stream}", daemon=True
            )
        self._thread.start()

    def counted(self, counter: int) -> None:
        """Know of the camera's counter: one that is set back before the first frame counts anew.

        Parameters
        ----------
        counter : int
            Its value.
        """
        with self._changed:
            if self._counter is not None and counter < self._counter and not self._came:
                self._counter = counter

    def put(
        self,
        pixels: np.ndarray,
        unique_id: int | None = None,
        timestamp: float | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Take a frame; never waits.

        Parameters
        ----------
        pixels : numpy.ndarray
            Its own memory.
        unique_id, timestamp, facts
            See :class:`~adsupport.imaging.frames.arrival.Arrival`.
        """
        with self._changed:
            if self._take is None:
                return
            if unique_id is not None and self._counter is not None and unique_id <= self._counter:
                return  # a frame of before that comes late
            if self._came == 0:
                self._first = unique_id
            self._came += 1
            self._last = time.monotonic()
            if len(self._waiting) >= self._room:
                self._waiting.popleft()
                self.lost += 1
            self._waiting.append(
                Arrival(
                    lambda: pixels,
                    stored=False,
                    unique_id=unique_id,
                    timestamp=timestamp,
                    place=self._place(unique_id),
                    facts=facts,
                )
            )
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        """Note why frames can't be understood: :meth:`end` raises it."""
        with self._changed:
            if self._error is None:
                self._error = error
            self._changed.notify_all()

    def end(self, expected: int | None, timeout: float) -> int:
        """Wait until all came, or no more come.

        Parameters
        ----------
        expected : int or None
            How many were taken; None when nobody knows: until none comes for a while.
        timeout : float
            Seconds.  0, without a number: don't wait.

        Returns
        -------
        int
            How many came, those lost here among them.

        Raises
        ------
        WriterTimeoutError
            An addon holds up frames that have come.
        Exception
            What was given to :meth:`fail`.
        """
        held, waits = 0, expected is not None or timeout > 0
        until = time.monotonic() + timeout
        with self._changed:
            quiet = max(self._last, time.monotonic())  # frames taken are still on their way
            while waits and self._error is None:
                if expected is not None and self._handed + self.lost >= expected:
                    break
                now = time.monotonic()
                if self._waiting or self._handed + self.lost < self._came:
                    limit = until  # an addon is at work
                else:
                    limit = min(until, max(quiet, self._last) + self._settle)
                if now >= limit:
                    held = self._came - self._handed - self.lost
                    break
                self._changed.wait(limit - now)
            lost, came = self.lost, self._came
        self.stop()
        if self._error is not None:
            raise self._error
        if held:
            awaited = "frames" if expected is None else f"frame {expected}"
            raise WriterTimeoutError(
                f"{self.what}: waited {timeout:g} s for {awaited}; {came} came, and {held} "
                "of them still wait for an addon whose queue is full.",
                remedy="Give it more time, or let it drop frames: policy='drop'.",
            )
        if expected is not None and (lost or came < expected):
            text = f"{self.what}: {came} of {counted(expected)} came"
            if lost:
                text += f"; {lost} of those that came found no room here"
            _log.warning("%s.", text)
        elif lost:
            how = logging.WARNING if waits else logging.INFO  # or nobody waited for all of them
            _log.log(how, "%s: %d of %s found no room here.", self.what, lost, counted(came))
        return came

    def stop(self) -> None:
        """Hand no more frames on: those that wait get a second, if an addon holds them up."""
        with self._changed:
            self._stopped, self._take = True, None
            self._changed.notify_all()
        thread = self._thread
        if thread is not None:
            thread.join(_LEAVE)
        with self._changed:
            self._thread = None
            self.lost += len(self._waiting)
            self._waiting.clear()

    def _place(self, unique_id: int | None) -> int | None:
        """Tell the place, which is certain when the first frame followed the counter."""
        first, counter = self._first, self._counter
        if unique_id is None or first is None or counter is None or first != counter + 1:
            return None
        return unique_id - first

    def _run(self, take: Callable[[Arrival], None]) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._waiting or self._stopped or self._thread is not me
                )
                if not self._waiting or self._thread is not me:
                    return  # it was given up while an addon held it up
                arrival = self._waiting.popleft()
            take(arrival)
            with self._changed:
                if self._thread is me:
                    self._handed += 1
                    self._changed.notify_all()
