"""The thread of an addon, and the queue in front of it."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from ...errors import DroppedFramesError
from .arrival import Arrival
from .frame import StreamAbout, StreamEnd

__all__ = ["Worker"]

_log = logging.getLogger(__name__)

#: Seconds after which an addon that is waited for is told of, and one that is to stop.
_SILENT, _SOON = 10.0, 1.0


@dataclass
class _Ending:
    """The end of an acquisition, as the bus tells it."""

    about: StreamAbout
    expected: int | None
    frames: int
    reason: str
    angles: tuple[float, ...] = ()


class Worker:
    """Calls an addon from a thread of its own.

    Parameters
    ----------
    addon : Addon
        The addon, or an object with its methods and attributes.
    streams : frozenset of str or None
        Names of the streams it takes frames of; None: all.
    """

    def __init__(self, addon: Any, streams: frozenset[str] | None) -> None:
        self.addon = addon
        self.name = str(getattr(addon, "name", type(addon).__name__))
        self.streams = streams
        self.policy = getattr(addon, "policy", "block")
        self.fatal = getattr(addon, "errors", "fatal") == "fatal"
        #: What the addon failed with; None while it hasn't.
        self.error: BaseException | None = None
        #: How many frames it didn't get, of all acquisitions.
        self.dropped = 0
        self._most = getattr(addon, "queue", 16)
        self._queue: deque[Arrival | StreamAbout | _Ending] = deque()
        self._frames = 0  # in the queue, of those that count
        self._lost: Counter[int] = Counter()  # dropped, by acquisition: several may wait
        self._open: StreamAbout | None = None  # begun, and not ended, for the addon
        self._now: StreamAbout | None = None  # the same for the bus
        self._busy = self._stopped = False
        self._blocked = 0  # frames that wait for room in the queue
        self._changed = threading.Condition(threading.RLock())
        # in the plan's context, so that what it logs goes to the experiment's log
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._run,), name=f"addon {self.name}", daemon=True
        )
        self._thread.start()

    # what the bus and its source call

    def wants(self, stream: str) -> bool:
        """Tell whether the addon takes frames of a stream."""
        return self.streams is None or stream in self.streams

    def begin(self, about: StreamAbout) -> None:
        """Tell of an acquisition."""
        self._put(about, about)

    def end(
        self,
        about: StreamAbout,
        expected: int | None,
        frames: int,
        reason: str = "",
        angles: tuple[float, ...] = (),
    ) -> None:
        """Tell of its end."""
        with self._changed:
            if self._blocked:
                self._count(about, self._blocked)
            self._put(_Ending(about, expected, frames, reason, angles), None)

    def take(self, arrival: Arrival) -> None:
        """Take a frame, by the addon's policy."""
        counts = not (arrival.stored and self.policy == "block")
        with self._changed:
            if counts and self.policy == "block":
                self._blocked += 1
                self._changed.wait_for(
                    lambda: (
                        self._frames < self._most or self._over or self._now is not arrival.about
                    )
                )
                self._blocked -= 1
            if self._over or self._now is not arrival.about:  # it ended while this one waited
                return
            if counts and self._frames >= self._most:
                if self.policy == "fail":
                    self._overflow(arrival)
                    return
                self._drop_oldest()
            self._queue.append(arrival)
            self._frames += counts
            self._changed.notify_all()

    def missed(self, about: StreamAbout, frames: int) -> None:
        """Count frames of an acquisition that came before the addon did."""
        with self._changed:
            self._count(about, frames)

    def drained(self, timeout: float | None, silent: float = _SILENT) -> bool:
        """Wait until the addon has had all; tell whether it has.

        When that takes longer than ``silent`` seconds, it's said.
        """

        def done() -> bool:
            return self._over or not (self._queue or self._busy)

        with self._changed:
            if timeout is None or timeout > silent:
                if self._changed.wait_for(done, silent):
                    return True
                timeout = None if timeout is None else timeout - silent
                most = "" if timeout is None else f", for {timeout:.3g} s at most"
                _log.warning("Waiting for addon %s, which is still at work%s.", self.name, most)
            return self._changed.wait_for(done, timeout)

    def stop(self, timeout: float, reason: str) -> bool:
        """Let it have what waits, as far as the time allows, end its stream, and end the thread.

        Returns
        -------
        bool
            False when the addon doesn't return from a call; its thread is left alone.
        """
        until = time.monotonic() + timeout
        mine = threading.current_thread() is self._thread
        if not mine:
            self.drained(timeout, _SOON)
        with self._changed:
            if not self._stopped:
                left = [each for each in self._queue if isinstance(each, Arrival)]
                for each in left:
                    self._count(each.about, 1)
                # an acquisition that never began for the addon has no end either
                self._queue.clear()
                self._frames = 0
                if left:
                    _log.warning(
                        "%s: %d frames still waited when it was %s.", self.name, len(left), reason
                    )
                if self._open is not None and not self._over:
                    self._queue.append(_Ending(self._open, None, -1, reason))
            self._stopped = True
            self._changed.notify_all()
        if mine:
            return True
        self._thread.join(max(1.0, until - time.monotonic()))
        if self._thread.is_alive():
            _log.error("Addon %s doesn't return; its thread is left alone.", self.name)
            return False
        return True

    # inside

    @property
    def _over(self) -> bool:
        return self.error is not None or self._stopped

    def _put(self, item: StreamAbout | _Ending, now: StreamAbout | None) -> None:
        with self._changed:
            self._now = now
            if not self._over:
                self._queue.append(item)
                self._changed.notify_all()

    def _drop_oldest(self) -> None:
        for index, each in enumerate(self._queue):
            if isinstance(each, Arrival):
                del self._queue[index]
                self._count(each.about, 1)
                break
        self._frames -= 1

    def _count(self, about: StreamAbout, dropped: int) -> None:
        self._lost[id(about)] += dropped
        self.dropped += dropped

    def _overflow(self, arrival: Arrival) -> None:
        stream = arrival.about.stream
        self._fail(
            DroppedFramesError(
                f"Addon {self.name}: frame {arrival.sequence} of stream {stream!r} found its "
                f"queue of {self._most} frames full.",
                plugin=self.name,
                remedy="It is too slow: a longer queue, or policy='block' or 'drop'.",
            )
        )

    def _fail(self, error: BaseException) -> None:
        self.error = error
        self._queue.clear()
        self._frames = 0
        self._changed.notify_all()
        if not self.fatal:
            _log.error("Addon %s failed; all else goes on.", self.name, exc_info=error)

    def _run(self) -> None:
        seen = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._over)
                if not self._queue:
                    break
                item = self._queue.popleft()
                if isinstance(item, Arrival):
                    self._frames -= not (item.stored and self.policy == "block")
                self._busy = True
                self._changed.notify_all()
            try:
                if isinstance(item, StreamAbout):
                    seen = 0
                    self._open = item
                    self.addon.begin(item)
                elif isinstance(item, Arrival):
                    self.addon.frame(item.frame())
                    seen += 1
                else:
                    self._end(item, seen)
            except BaseException as error:  # a thread that just ends would be waited for
                self._explain(error, item)
                with self._changed:
                    if self.error is None:
                        self._fail(_ordinary(error, self.name))
            finally:
                del item
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
        self._close()

    def _end(self, item: _Ending, seen: int) -> None:
        self._open = None
        with self._changed:
            dropped = self._lost.pop(id(item.about), 0)
        frames = seen + dropped if item.frames < 0 else item.frames
        ended = StreamEnd(item.about, item.expected, frames, dropped, item.reason, item.angles)
        self.addon.end(ended)

    def _explain(self, error: BaseException, item: Any) -> None:
        if isinstance(item, Arrival):
            where = f"frame {item.sequence} of stream {item.about.stream!r}"
        else:
            about = item.about if isinstance(item, _Ending) else item
            what = "end" if isinstance(item, _Ending) else "begin"
            where = f"{what} of stream {about.stream!r}"
        error.add_note(f"raised by addon {self.name} at {where}")

    def _close(self) -> None:
        close = getattr(self.addon, "close", None)
        if close is None:
            return
        try:
            close()
        except BaseException as error:
            error.add_note(f"raised by addon {self.name} when it was closed")
            with self._changed:
                if self.error is None:
                    self._fail(_ordinary(error, self.name))


def _ordinary(error: BaseException, name: str) -> Exception:
    """Make an exception that ends an experiment, and not the program, of what an addon raised."""
    if isinstance(error, Exception):
        return error
    made = RuntimeError(f"Addon {name} raised {type(error).__name__}: {error}")
    made.__cause__ = error
    return made
