"""What a publisher has for its consumers: a queue for each of them, at its own pace."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import numpy as np

from ...errors import FrameConnectionError
from ...wording import counted
from .reader import Entry, Reader
from .wire import Begin, End, FrameHeader, Hello, RunOver, encode

__all__ = ["Outbox"]

_log = logging.getLogger(__name__)


class Outbox:
    """Hands messages to consumers in order, each at its own pace; safe in threads.

    Parameters
    ----------
    keep_bytes : int
        Pixels of the current run that are kept, in bytes, for consumers that come late; as long
        as the run's frames are no more than that, such a consumer gets all from the run's start.
    patience : float
        Seconds after which a consumer that takes no frame counts as lost.
    queue_bytes : int
        Pixels that may wait for one consumer, in bytes, however long a queue it asks for.
    """

    def __init__(self, keep_bytes: int, patience: float, queue_bytes: int = 1 << 30) -> None:
        self._keep, self._patience, self._queue_bytes = keep_bytes, patience, queue_bytes
        self._run: str | None = None  # that is open
        self._kept: list[Entry] | None = None  # all of it; None: its first frames are gone
        self._kept_bytes = 0
        self._open: Begin | None = None
        self._frames = 0  # of the acquisition that is open
        self._acquisition = 0
        self._readers: dict[bytes, Reader] = {}
        self._needed: Sequence[str] | int = 0  # consumers of the run, see wait_for_readers
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
            entry = Entry(message, self._acquisition, parts, pixels)
            if pixels is not None:
                self._make_room(entry, pixels.nbytes)
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
        """Wait until consumers have come; from then on their leaving is a loss.

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
        with self.changed:
            self._needed = names
            if not self.changed.wait_for(lambda: not self._lacking(), timeout):
                raise FrameConnectionError(
                    f"Waited {timeout:g} s for consumers of frames; missing: "
                    f"{', '.join(self._lacking())}.",
                    remedy="Start them first: adsupport consume ADDRESS --name NAME ...",
                )

    def wait_until_taken(self) -> None:
        """Wait until the consumers that are still there have taken all, but for those that drop."""
        with self.changed:
            while any(
                each.waiting or each.in_flight
                for each in self._readers.values()
                if each.hello.policy != "drop"
            ):
                self.changed.wait(0.5)
                self._lose_idle()

    def finish(self, timeout: float) -> None:
        """Give consumers that drop frames what waits for them; what is left then is dropped.

        Parameters
        ----------
        timeout : float
            Seconds.  There is no wait when a run is open: it's cut short for all.
        """
        with self.changed:
            if self._run is not None:
                return
            until = time.monotonic() + timeout
            mine = [each for each in self._readers.values() if each.hello.policy == "drop"]
            while any(each.waiting and self._is_here(each) for each in mine):
                if not self.changed.wait(max(0.0, until - time.monotonic())):
                    break
            for each in mine:
                each.finish()

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
            reader = Reader(hello, self._queue_bytes)
            if self._run is not None:
                if self._kept is None:
                    return (
                        f"run {self._run[:8]} has begun, and its first frames are gone: come "
                        "before it begins, or let the publisher keep more (keep_bytes)"
                    )
                problem = reader.catch_up(self._kept)
                if problem:
                    return problem
            self._readers[key] = reader
            self.changed.notify_all()
            return ""

    def took(self, key: bytes, frames: int, controls: int = 0) -> None:
        """Note how many frames, and other messages, a consumer has taken in all."""
        with self.changed:
            reader = self._readers.get(key)
            if reader is not None and reader.took(frames, controls):
                self.changed.notify_all()

    def bye(self, key: bytes, reason: str) -> None:
        """Let a consumer go that takes leave.

        Parameters
        ----------
        key : bytes
            Its address.
        reason : str
            What it failed with; empty when it didn't fail.  Unless its policy is ``drop``, it is
            lost without a reason, too, when it goes in the middle of a run: when it has begun with
            it, or the run needs it.
        """
        with self.changed:
            reader = self._readers.get(key)
            if reader is None:
                return
            if not reason and reader.hello.policy != "drop" and self._misses(reader):
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
            entry = None if reader is None else reader.next()
            if reader is None or entry is None:
                return None
            parts = reader.send(entry)
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
                self._append(Entry(RunOver(), self._acquisition, encode(RunOver())))
            self._run, self._kept, self._kept_bytes = message.run_uid, [], 0
            for reader in self._readers.values():
                reader.begin_run()
        self._acquisition += 1
        self._open, self._frames = message, 0

    def _cut_short(self, reason: str) -> None:
        begun, self._open = self._open, None
        if begun is not None:
            frames, text = self._frames, f"cut short: {reason}"
            end = End(begun.run_uid, begun.stream, begun.expected, frames, 0, text)
            self._append(Entry(end, self._acquisition, encode(end)))

    def _belongs(self, message: FrameHeader | End) -> bool:
        begun = self._open
        return begun is not None and (begun.run_uid, begun.stream) == (
            message.run_uid,
            message.stream,
        )

    def _append(self, entry: Entry) -> None:
        for reader in self._readers.values():
            reader.add(entry)
        if self._kept is not None:
            self._kept.append(entry)
            self._kept_bytes += 0 if entry.pixels is None else entry.pixels.nbytes
            if self._kept_bytes > self._keep:
                self._kept = None

    def _make_room(self, entry: Entry, nbytes: int) -> None:
        """Wait for consumers, drop frames, or send consumers away, as their policies say."""
        for reader in list(self._readers.values()):
            if not reader.wants(entry.message):
                continue
            policy = reader.hello.policy
            if policy == "block":
                while self._is_full(reader, nbytes) and entry.acquisition == self._acquisition:
                    self.changed.wait(0.5)
                    self._lose_idle()
            elif policy == "fail" and reader.is_full(nbytes):
                count = counted(reader.waiting + reader.in_flight)
                reader.dismissed = (
                    f"it has {count} in its queue, and asked to fail when that is full"
                )
            elif policy == "drop":
                reader.make_room(nbytes)

    def _is_full(self, reader: Reader, nbytes: int) -> bool:
        return self._is_here(reader) and not reader.dismissed and reader.is_full(nbytes)

    def _is_here(self, reader: Reader) -> bool:
        return any(reader is each for each in self._readers.values())

    def _lacking(self) -> list[str]:
        """Tell who isn't there of the consumers that are needed."""
        here, needed = self._here(), self._needed
        if isinstance(needed, int):
            few = needed - len(here)
            return [f"{counted(few, 'consumer')} of {needed}"] if few > 0 else []
        return [name for name in needed if name not in here]

    def _here(self, but: Reader | None = None) -> list[str]:
        """Return the names of consumers that stay for the run."""
        readers = self._readers.values()
        return [r.hello.name for r in readers if r is not but and not (r.dismissed or r.is_done)]

    def _misses(self, reader: Reader) -> bool:
        """Tell whether the run that is open lacks a consumer when that one goes."""
        if self._run is None or reader.is_done:
            return False
        others, needed = self._here(but=reader), self._needed
        if isinstance(needed, int):
            return reader.is_amid() or len(others) < needed
        name = reader.hello.name
        return reader.is_amid() or (name in needed and name not in others)

    def _lose_idle(self) -> None:
        for reader in self._readers.values():
            if reader.is_idle(self._patience):
                reader.dismissed = f"it has taken no frame for {self._patience:g} s"
