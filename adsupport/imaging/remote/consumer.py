"""Addons that have their frames from a publisher: in another process, on any machine."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import FrameConnectionError, FrameCountError
from ...wording import counted
from ..frames.arrival import Arrival
from ..frames.bus import FrameBus
from ..frames.frame import StreamAbout
from .connection import FrameConnection
from .wire import Begin, End, FrameHeader

__all__ = ["Consumed", "consume"]

_log = logging.getLogger(__name__)


@dataclass
class Consumed:
    """What has come.

    Attributes
    ----------
    runs, frames : int
        How many.
    dropped : int
        Frames that the publisher had, and this consumer didn't get, by its policy.
    refused : int
        Frames that came and weren't handed on: of another run, out of order, or twice.
    reasons : list of str
        Of each acquisition that ended early, which one and why.
    """

    runs: int = 0
    frames: int = 0
    dropped: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)


def consume(
    connection: FrameConnection,
    addons: Iterable[Any],
    *,
    runs: int | None = 1,
    timeout: float | None = None,
) -> Consumed:
    """Hand frames that come over the network on to addons.

    Parameters
    ----------
    connection : FrameConnection
        To the publisher; one that isn't open is opened, and closed at the end.
    addons : iterable of Addon
        Who takes the frames, each in its own thread, as in the process of the experiment.
    runs : int or None
        After how many runs to return; None: go on until the publisher is gone.
    timeout : float or None
        Seconds to wait for each message; None: as long as the publisher is there.

    Returns
    -------
    Consumed
        Counts; ``reasons`` isn't empty when an acquisition was cut short.

    Raises
    ------
    FrameConnectionError
        The publisher is gone in the middle of a run, or refuses this consumer.
    FrameMessageError
        What came is no message of a publisher.
    FrameCountError
        Frames are missing, and nobody has dropped them.
    Exception
        What an addon failed with.
    """
    receiver = _Receiver(list(addons))
    with contextlib.ExitStack() as stack:
        if not connection.is_open:
            connection.open(runs=runs)
            stack.enter_context(connection)
        try:
            for message, pixels in connection.messages(timeout, receiver.check):
                if isinstance(message, FrameHeader) and pixels is not None:
                    receiver.frame(message, pixels)
                    connection.taken()
                elif isinstance(message, Begin):
                    receiver.begin(message)
                elif isinstance(message, End):
                    receiver.end(message)
                else:
                    receiver.run_over()
                    if runs is not None and receiver.total.runs >= runs:
                        break
        except FrameConnectionError as error:
            if receiver.is_open or runs is not None:
                receiver.close(error.problem)
                raise
            _log.info("The publisher of frames is gone.")
        except BaseException as error:
            receiver.close(str(error) or type(error).__name__)
            raise
    receiver.close()
    return receiver.total


class _Handed:
    """A source of frames that are handed to it."""

    #: The bus needn't look which are in events: the publisher's has, and has told their places.
    replayed = True

    def __init__(self) -> None:
        self.take: Callable[[Arrival], None] = lambda arrival: None
        self.problem: Exception | None = None

    def begin(self, about: StreamAbout, take: Callable[[Arrival], None]) -> None:
        self.take, self.problem = take, None

    def end(self, expected: int | None, timeout: float) -> None:
        """All that came has been handed on; raises why it isn't all."""
        problem, self.problem = self.problem, None
        if problem is not None:
            raise problem

    def close(self) -> None:
        """Let go of nothing."""


class _Receiver:
    """Turns messages into what a frame bus does."""

    def __init__(self, addons: list[Any]) -> None:
        self.total = Consumed()
        self._addons = addons
        self._source = _Handed()
        self._bus: FrameBus | None = None
        self._about: StreamAbout | None = None
        self._next: dict[tuple[str, str], int] = {}
        self._came = 0

    @property
    def is_open(self) -> bool:
        """Whether a run has begun, and isn't over."""
        return self._bus is not None

    def begin(self, message: Begin) -> None:
        if self._bus is None:
            self._bus = FrameBus(self._source, self._addons, missing="log")
        self._about = StreamAbout(
            message.run_uid,
            message.stream,
            message.expected,
            message.md,
            message.angles,
            message.per_event,
            message.angles_from,
        )
        self._came = 0
        self._bus.begin(self._about)

    def frame(self, header: FrameHeader, pixels: np.ndarray) -> None:
        about, key = self._about, (header.run_uid, header.stream)
        if about is None or key != (about.run_uid, about.stream):
            self._refuse(header, "no such acquisition is open")
        elif header.sequence < self._next.get(key, 0):
            self._refuse(header, "it came before, or a later one did")
        else:
            self._next[key] = header.sequence + 1
            self._came += 1
            self.total.frames += 1
            self._source.take(
                Arrival(
                    lambda: pixels,
                    stored=False,
                    unique_id=header.unique_id,
                    timestamp=header.timestamp,
                    angle=header.angle,
                    place=header.place,
                    facts=header.facts,
                    sequence=header.sequence,
                )
            )
            self.check()

    def end(self, message: End) -> None:
        bus, about = self._bus, self._about
        mine = about is not None and (message.run_uid, message.stream) == (
            about.run_uid,
            about.stream,
        )
        if bus is None or about is None or not mine:
            return
        self._about = None
        self.total.dropped += message.dropped
        problem: FrameCountError | None = None
        if self._came + message.dropped != message.frames:
            problem = FrameCountError(
                f"Stream {message.stream!r}: the publisher had {counted(message.frames)}, "
                f"{self._came} came and {message.dropped} were dropped.",
                expected=message.frames,
                got=self._came,
            )
        self._source.problem = problem
        if message.reason:
            text = f"Stream {message.stream!r} ended early: {message.reason}"
            self.total.reasons.append(text)
            self._source.problem = FrameConnectionError(text)
        if message.dropped:
            bus.missed(message.dropped)
        bus.end(message.expected, angles=message.angles)
        if problem is not None:
            raise problem

    def run_over(self) -> None:
        if self._bus is not None:
            self._bus.drain()
            self.total.runs += 1
            self._next.clear()
            self.close()

    def check(self) -> None:
        """Raise what an addon has failed with."""
        if self._bus is not None:
            self._bus.check()

    def close(self, reason: str = "the run ended") -> None:
        bus, self._bus, self._about = self._bus, None, None
        if bus is not None:
            bus.close(reason=reason)
            bus.check()

    def _refuse(self, header: FrameHeader, why: str) -> None:
        self.total.refused += 1
        count = self.total.refused
        if count & (count - 1):  # the 1st, 2nd, 4th, 8th ... is told
            return
        _log.warning(
            "Frame %d of stream %r in run %.8s isn't taken, %s in all: %s.",
            header.sequence,
            header.stream,
            header.run_uid,
            counted(count),
            why,
        )
