"""A consumer, as the publisher sees it: what waits for it, and what is on its way."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from ...wording import counted
from .wire import MOST_AHEAD, Begin, End, FrameHeader, Hello, RunOver, encode

__all__ = ["Entry", "Reader"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Entry:
    """A message; consumers that have it to come share it."""

    message: Begin | FrameHeader | End | RunOver
    acquisition: int
    parts: list[bytes]  # the message, encoded once for all consumers
    pixels: np.ndarray | None = None


@dataclass(eq=False)
class Reader:
    """A consumer.

    Parameters
    ----------
    hello : Hello
        What it asked for.
    most_bytes : int
        Pixels that may wait for it and be on their way; one frame always may.
    """

    hello: Hello
    most_bytes: int
    entries: deque[Entry] = field(default_factory=deque)  # not sent yet
    waiting: int = 0  # frames among them
    sent: int = 0  # frames
    taken: int = 0
    before: int = 0  # frames of the runs before this one
    moved: float = field(default_factory=time.monotonic)  # when it took a message last
    dismissed: str = ""
    lost: Counter[int] = field(default_factory=Counter)  # frames dropped, by acquisition
    controls_sent: int = 0  # messages without pixels
    controls_taken: int = 0
    runs: int = 0  # that are over, of those that began for it
    _begun: bool = False  # the run that is open, for it
    _waiting_bytes: int = 0
    _flying: deque[int] = field(default_factory=deque)  # bytes of each frame in flight
    _flying_bytes: int = 0
    _told: bool = False
    _finished: bool = False  # nothing comes any more

    @property
    def in_flight(self) -> int:
        """Frames that were sent, and that it hasn't taken yet."""
        return self.sent - self.taken

    @property
    def is_done(self) -> bool:
        """Whether it has had all runs that it came for: it will leave."""
        return self.hello.runs is not None and self.runs >= self.hello.runs

    def wants(self, message: Begin | FrameHeader | End | RunOver) -> bool:
        """Tell whether a message is for it."""
        streams = self.hello.streams
        if self.is_done or self.dismissed:
            return False
        return streams is None or isinstance(message, RunOver) or message.stream in streams

    def add(self, entry: Entry) -> None:
        """Put a message behind those that wait."""
        if not self.wants(entry.message):
            return
        self.entries.append(entry)
        if entry.pixels is not None:
            self.waiting += 1
            self._waiting_bytes += entry.pixels.nbytes
        elif isinstance(entry.message, Begin):
            self._begun = True
        elif isinstance(entry.message, RunOver):
            self.runs += self._begun
            self._begun = False

    def begin_run(self) -> None:
        """Know that what comes now is of another run."""
        self.before = self.sent + self.waiting

    def is_full(self, nbytes: int) -> bool:
        """Tell whether a frame of so many bytes has to wait, or another one to go, before it."""
        if self.hello.policy == "drop":  # what is on its way isn't there to be dropped
            count, held = self.waiting, self._waiting_bytes
        else:
            count, held = self.waiting + self.in_flight, self._waiting_bytes + self._flying_bytes
        if count >= self.hello.queue:
            return True
        if not count or held + nbytes <= self.most_bytes:
            return False
        if not self._told:
            self._told = True
            _log.warning(
                "Consumer %r of frames asked for a queue of %s; queue_bytes=%d of the publisher "
                "has room for %d.",
                self.hello.name,
                counted(self.hello.queue),
                self.most_bytes,
                count,
            )
        return True

    def drop_oldest(self) -> None:
        """Drop the frame that has waited longest, and count it."""
        for index, entry in enumerate(self.entries):
            if entry.pixels is not None:
                del self.entries[index]
                self.lost[entry.acquisition] += 1
                self.waiting -= 1
                self._waiting_bytes -= entry.pixels.nbytes
                return

    def make_room(self, nbytes: int) -> None:
        """Drop the oldest frames until there is room for one more."""
        while self.waiting and self.is_full(nbytes):
            self.drop_oldest()

    def finish(self) -> None:
        """Drop all frames that wait: what else waits is sent, and it has to be enough."""
        while self.waiting:
            self.drop_oldest()
        self._finished = True

    def catch_up(self, entries: Iterable[Entry]) -> str:
        """Have what was kept of the run; tell why it can't, when it can't.

        Parameters
        ----------
        entries : iterable of Entry
            From the run's start.

        Returns
        -------
        str
            Empty when it has.
        """
        policy, queue, most = self.hello.policy, self.hello.queue, self.most_bytes
        for entry in entries:
            if policy == "drop" and entry.pixels is not None and self.wants(entry.message):
                self.make_room(entry.pixels.nbytes)
            self.add(entry)
        if policy == "fail" and (self.waiting > queue or self._waiting_bytes > most):
            return (
                f"the run has {counted(self.waiting)} already, more than its queue of {queue} and "
                f"queue_bytes={most} of the publisher hold, and it asked to fail when that is "
                "full: come before the run begins, or with a longer queue"
            )
        return ""

    def next(self) -> Entry | None:
        """Return what it is sent next; None when it has to take something first."""
        if not self.entries:
            return None
        entry = self.entries[0]
        if entry.pixels is None:
            if self.controls_sent - self.controls_taken >= MOST_AHEAD and not self._finished:
                return None
        else:
            nbytes = entry.pixels.nbytes
            if self.in_flight >= self.hello.queue or (
                self.in_flight and self._flying_bytes + nbytes > self.most_bytes
            ):
                return None
        return self.entries.popleft()

    def send(self, entry: Entry) -> list[bytes]:
        """Count a message as sent, and return it as it is for this consumer."""
        if not self.in_flight:
            self.moved = time.monotonic()
        if entry.pixels is None:
            self.controls_sent += 1
            if isinstance(entry.message, End):
                dropped = self.lost.pop(entry.acquisition, 0)
                if dropped:
                    return encode(replace(entry.message, dropped=entry.message.dropped + dropped))
            return entry.parts
        self.sent += 1
        self.waiting -= 1
        self._waiting_bytes -= entry.pixels.nbytes
        self._flying.append(entry.pixels.nbytes)
        self._flying_bytes += entry.pixels.nbytes
        return entry.parts

    def took(self, frames: int, controls: int) -> bool:
        """Note how much it has taken in all; tell whether that can be, and is news."""
        possible = self.taken <= frames <= self.sent
        possible &= self.controls_taken <= controls <= self.controls_sent
        if not possible or (frames, controls) == (self.taken, self.controls_taken):
            return False
        for _ in range(frames - self.taken):
            self._flying_bytes -= self._flying.popleft()
        self.taken, self.controls_taken = frames, controls
        self.moved = time.monotonic()
        return True

    def is_idle(self, patience: float) -> bool:
        """Tell whether it has taken nothing for so many seconds, though it could."""
        could = self.in_flight or self.controls_sent - self.controls_taken >= MOST_AHEAD
        return bool(could) and time.monotonic() - self.moved > patience

    def is_amid(self) -> bool:
        """Tell whether it has begun with the run that is open, and isn't through with it."""
        if self.is_done:
            return False
        # who didn't say for how many runs it comes may leave after one whose next one has begun
        return self.taken > self.before or (self._begun and self.hello.runs is not None)
