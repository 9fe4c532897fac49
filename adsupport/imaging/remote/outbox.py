"""What a publisher has for its consumers: a queue for each of them, at its own pace."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...errors import FrameConnectionError
from ...wording import counted
from .wire import Begin, End, FrameHeader, Hello, RunOver, encode

__all__ = ["Outbox", "Reader"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Entry:
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
    """

    hello: Hello
    entries: deque[_Entry] = field(default_factory=deque)  # not sent yet
    waiting: int = 0  # frames among them
    sent: int = 0  # frames
    taken: int = 0
    before: int = 0  # frames of the runs before this one
    moved: float = field(default_factory=time.monotonic)  # when it took a frame last
    dismissed: str = ""
    lost: Counter[int] = field(default_factory=Counter)  # frames dropped, by acquisition

    @property
    def in_flight(self) -> int:
        """Frames that were sent, and that it hasn't taken yet."""
        return self.sent - self.taken

    def wants(self, message: Begin | FrameHeader | End | RunOver) -> bool:
        """Tell whether a message is for it."""
        streams = self.hello.streams
        return streams is None or isinstance(message, RunOver) or message.stream in streams

    def add(self, entry: _Entry) -> None:
        """Put a message behind those that wait."""
        if self.wants(entry.message):
            self.entries.append(entry)
            self.waiting += entry.pixels is not None

    def drop_oldest(self) -> None:
        """Drop the frame that has waited longest, and count it."""
        for index, entry in enumerate(self.entries):
            if entry.pixels is not None:
                del self.entries[index]
                self.lost[entry.acquisition] += 1
                self.waiting -= 1
                return


class Outbox:
    """Hands messages to consumers in order, each at its own pace; safe in threads.

    Parameters
    ----------
    keep_bytes : int
        Pixels of the current run that are kept, in bytes, for consumers that come late; as long
        as the run's frames are no more than that, such a consumer gets all from the run's start.
    patience : float
        Seconds after which a consumer that takes no frame counts as lost.
    """

    def __init__(self, keep_bytes: int, patience: float) -> None:
        self._keep, self._patience = keep_bytes, patience
        self._run: str | None = None  # that is open
        self._kept: list[_Entry] | None = None  # all of it; None: its first frames are gone
        self._kept_bytes = 0
        self._open: Begin | None = None
        self._frames = 0  # of the acquisition that is open
        self._acquisition = 0
        self._readers: dict[bytes, Reader] = {}
        self._lost: list[str] = []
        self.changed = threading.Condition()

    # what the publisher calls

    def is_open(self, run_uid: str) -> bool:
        """Tell whether a run has begun, and isn't over."""
        return self._run is not None and self._run == run_uid

    def put(
        self, message: Begin | FrameHeader | End | RunOver, pixels: np.ndarray | None = None
    ) -> None:
        """Take a message; a frame waits for consumers of policy ``block`` that have enough.

        What is of another acquisition than the one that began last isn't taken.

        Parameters
        ----------
        message : Begin, FrameHeader, End or RunOver
            The message.
        pixels : numpy.ndarray, optional
            Of a frame, in C order; they must not change any more.

        Raises
        ------
        FrameMessageError
            It has what can't be sent.
        """
        parts = encode(message)
        with self.changed:
            if isinstance(message, Begin):
                self._begin(message)
            elif isinstance(message, RunOver):
                self._cut_short("the run ended")
            elif not self._belongs(message):
                return
            entry = _Entry(message, self._acquisition, parts, pixels)
            if pixels is not None:
                self._make_room(entry)
                if entry.acquisition != self._acquisition:
                    return  # another one began meanwhile: this one was cut short
                self._frames += 1
            self._append(entry)
            if isinstance(message, End):
                self._open = None
            elif isinstance(message, RunOver):
                self._run, self._kept = None, None
            self.changed.notify_all()

    def wait_for_readers(self, names: Sequence[str] | int, timeout: float) -> None:
        """Wait until consumers have come.

        Parameters
        ----------
        names : sequence of str, or int
            Their names, or how many.
        timeout : float
            Seconds.

        Raises
        ------
        FrameConnectionError
            Some haven't.
        """

        def lacking() -> list[str]:
            here = [each.hello.name for each in self._readers.values() if not each.dismissed]
            if isinstance(names, int):
                few = names - len(here)
                return [f"{counted(few, 'consumer')} of {names}"] if few > 0 else []
            return [name for name in names if name not in here]

        with self.changed:
            if not self.changed.wait_for(lambda: not lacking(), timeout):
                raise FrameConnectionError(
                    f"Waited {timeout:g} s for consumers of frames; missing: "
                    f"{', '.join(lacking())}.",
                    remedy="Start them first: adsupport consume ADDRESS --name NAME ...",
                )

    def wait_until_taken(self) -> None:
        """Wait until the consumers that are still there have taken all."""
        with self.changed:
            while any(each.waiting or each.in_flight for each in self._readers.values()):
                self.changed.wait(0.5)
                self._lose_idle()

    def new_losses(self) -> list[str]:
        """Return what is known of consumers lost since the last call."""
        with self.changed:
            found, self._lost = self._lost, []
            return found

    @property
    def readers(self) -> list[Reader]:
        """The consumers that are there."""
        with self.changed:
            return list(self._readers.values())

    # what the socket's thread calls

    def join(self, key: bytes, hello: Hello) -> str:
        """Let a consumer in.

        Parameters
        ----------
        key : bytes
            Its address.
        hello : Hello
            What it asks for.

        Returns
        -------
        str
            Why it can't be let in; empty when it is.
        """
        with self.changed:
            reader = Reader(hello)
            if self._run is not None:
                if self._kept is None:
                    return (
                        f"run {self._run[:8]} has begun, and its first frames are gone: come "
                        "before it begins, or let the publisher keep more (keep_bytes)"
                    )
                for entry in self._kept:
                    reader.add(entry)
                while hello.policy == "drop" and reader.waiting > hello.queue:
                    reader.drop_oldest()
            self._readers[key] = reader
            self.changed.notify_all()
            return ""

    def took(self, key: bytes, frames: int) -> None:
        """Note how many frames a consumer has taken in all."""
        with self.changed:
            reader = self._readers.get(key)
            if reader is not None and reader.taken < frames <= reader.sent:
                reader.taken, reader.moved = frames, time.monotonic()
                self.changed.notify_all()

    def bye(self, key: bytes, reason: str) -> None:
        """Let a consumer go that takes leave.

        Parameters
        ----------
        key : bytes
            Its address.
        reason : str
            What it failed with; empty when it didn't fail.  Unless its policy is ``drop``, it is
            lost without a reason, too, when it goes in the middle of a run.
        """
        with self.changed:
            reader = self._readers.get(key)
            if reader is None:
                return
            amid = self._run is not None and reader.taken > reader.before
            if not reason and amid and reader.hello.policy != "drop":
                reason = "it left before the run was over"
            self.leave(key, reason)

    def leave(self, key: bytes, lost: str = "") -> None:
        """Let a consumer go.

        Parameters
        ----------
        key : bytes
            Its address.
        lost : str
            Why it's gone, when it didn't take leave.
        """
        with self.changed:
            reader = self._readers.pop(key, None)
            if reader is None:
                return
            if lost:
                text = f"Consumer {reader.hello.name!r} of frames is lost: {lost.rstrip('.')}"
                left = reader.waiting + reader.in_flight
                if left:
                    text += f"; {counted(left)} had not been taken"
                _log.error("%s.", text)
                self._lost.append(text)
            else:
                _log.info("Consumer %r of frames has gone.", reader.hello.name)
            self.changed.notify_all()

    def next_for(self, key: bytes) -> tuple[list[bytes], np.ndarray | None] | None:
        """Return the next message for a consumer; None when it has to wait.

        Parameters
        ----------
        key : bytes
            Its address.

        Returns
        -------
        tuple or None
            The message, encoded, and a frame's pixels.
        """
        with self.changed:
            reader = self._readers.get(key)
            if reader is None or not reader.entries:
                return None
            entry = reader.entries[0]
            message, parts = entry.message, entry.parts
            if entry.pixels is not None:
                if reader.in_flight >= reader.hello.queue:
                    return None
                if reader.in_flight == 0:
                    reader.moved = time.monotonic()
                reader.sent += 1
                reader.waiting -= 1
            elif isinstance(message, End):
                lost = reader.lost.pop(entry.acquisition, 0)
                if lost:
                    parts = encode(replace(message, dropped=message.dropped + lost))
            reader.entries.popleft()
            self.changed.notify_all()
            return parts, entry.pixels

    def dismissed(self) -> list[tuple[bytes, str]]:
        """Return the consumers that are to be sent away, and why."""
        with self.changed:
            self._lose_idle()
            return [(k, each.dismissed) for k, each in self._readers.items() if each.dismissed]

    # inside, with the lock held

    def _begin(self, message: Begin) -> None:
        """Begin an acquisition; one that is still open was cut short."""
        if self.is_open(message.run_uid):
            self._cut_short("another acquisition began")
        else:
            if self._run is not None:
                self._cut_short("another run began")
                self._append(_Entry(RunOver(), self._acquisition, encode(RunOver())))
            self._run, self._kept, self._kept_bytes = message.run_uid, [], 0
            for reader in self._readers.values():
                reader.before = reader.sent + reader.waiting
        self._acquisition += 1
        self._open, self._frames = message, 0

    def _cut_short(self, reason: str) -> None:
        begun, self._open = self._open, None
        if begun is not None:
            frames, text = self._frames, f"cut short: {reason}"
            end = End(begun.run_uid, begun.stream, begun.expected, frames, 0, text)
            self._append(_Entry(end, self._acquisition, encode(end)))

    def _belongs(self, message: FrameHeader | End) -> bool:
        begun = self._open
        return begun is not None and (begun.run_uid, begun.stream) == (
            message.run_uid,
            message.stream,
        )

    def _append(self, entry: _Entry) -> None:
        for reader in self._readers.values():
            if not reader.dismissed:
                reader.add(entry)
        if self._kept is not None:
            self._kept.append(entry)
            self._kept_bytes += 0 if entry.pixels is None else entry.pixels.nbytes
            if self._kept_bytes > self._keep:
                self._kept = None

    def _make_room(self, entry: _Entry) -> None:
        """Wait for consumers, drop frames, or send consumers away, as their policies say."""
        for reader in list(self._readers.values()):
            if not reader.wants(entry.message) or reader.dismissed:
                continue
            policy, queue = reader.hello.policy, reader.hello.queue
            if policy == "block":
                while self._is_full(reader) and entry.acquisition == self._acquisition:
                    self.changed.wait(0.5)
                    self._lose_idle()
            elif policy == "fail" and self._is_full(reader):
                reader.dismissed = (
                    f"it has {counted(queue)} in its queue, and asked to fail when that is full"
                )
            elif policy == "drop" and reader.waiting >= queue:
                reader.drop_oldest()

    def _is_full(self, reader: Reader) -> bool:
        here = any(reader is each for each in self._readers.values())
        full = reader.waiting + reader.in_flight >= reader.hello.queue
        return here and full and not reader.dismissed

    def _lose_idle(self) -> None:
        now = time.monotonic()
        for reader in self._readers.values():
            if reader.in_flight and now - reader.moved > self._patience:
                reader.dismissed = f"it has taken no frame for {self._patience:g} s"
