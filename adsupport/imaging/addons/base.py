"""What every addon has: what it is told, and how it is to be treated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Literal

from ...errors import ConfigurationError
from ..frames.frame import Frame, StreamAbout, StreamEnd

__all__ = ["Addon", "Errors", "Policy"]

#: What happens to a frame when the addon's queue is full.
Policy = Literal["block", "drop", "fail"]
#: What an error of an addon does to the experiment.
Errors = Literal["isolate", "fatal"]


class Addon(ABC):
    """A consumer of frames: subclass it, with :meth:`frame` at least.

    Any class with these methods and attributes will do, too.

    The bus calls :meth:`begin`, :meth:`frame` and :meth:`end` in a thread that is the addon's
    own, one after the other, so none of them needs a lock against another one.

    Parameters
    ----------
    streams : iterable of str, optional
        Names of the streams whose frames it wants; all by default.
    policy : {"block", "drop", "fail"}
        What happens when its queue is full: the source waits; the oldest frame in the queue is
        dropped and counted; or the stream fails.  Frames that wait in a file take no room in
        memory: with ``block`` they stay there, and neither the detector nor another addon waits.
    queue : int
        How many frames the queue holds at most; at least 1.
    errors : {"isolate", "fatal"}
        What an exception of the addon does: it is detached and the error logged, all else goes
        on; or the experiment ends with that exception.

    Raises
    ------
    ConfigurationError
        An argument is none of these.
    """

    def __init__(
        self,
        *,
        streams: Iterable[str] | None = None,
        policy: Policy = "block",
        queue: int = 16,
        errors: Errors = "fatal",
    ) -> None:
        _check("policy", policy, ("block", "drop", "fail"))
        _check("errors", errors, ("isolate", "fatal"))
        if queue < 1:
            raise ConfigurationError(
                f"queue={queue}: expected at least 1 frame.",
                remedy="With policy='drop' a queue of 1 keeps the latest frame only.",
            )
        if isinstance(streams, str):
            streams = (streams,)
        self.streams = None if streams is None else frozenset(streams)
        self.policy: Policy = policy
        self.queue = queue
        self.errors: Errors = errors

    @property
    def name(self) -> str:
        """Of the addon, for messages."""
        return type(self).__name__

    def ready(self) -> None:  # noqa: B027 - most needn't do anything
        """Make sure of what is needed before anything moves; it may wait.

        Raises
        ------
        Exception
            What isn't there: the experiment doesn't begin.
        """

    def begin(self, about: StreamAbout) -> None:  # noqa: B027
        """Get ready for the frames of an acquisition.

        Parameters
        ----------
        about : StreamAbout
            What is known before.
        """

    @abstractmethod
    def frame(self, frame: Frame) -> None:
        """Take a frame.

        Parameters
        ----------
        frame : Frame
            The next one that wasn't dropped.
        """

    def end(self, ended: StreamEnd) -> None:  # noqa: B027
        """Know that no more frames of this acquisition come.

        Parameters
        ----------
        ended : StreamEnd
            How it ended: also when it was cut short.
        """

    def close(self) -> None:  # noqa: B027
        """Know that no acquisition follows: it is detached, or the bus is closed."""


def _check(argument: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ConfigurationError(
            f"{argument}={value!r}: expected one of {', '.join(map(repr, known))}."
        )
