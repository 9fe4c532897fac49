"""A part of an experiment: some frames in a stream of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ConfigurationError

__all__ = ["Acquisition"]


class Acquisition:
    """Frames of one kind, such as darks.

    Parameters
    ----------
    name : str
        Of the stream.
    producer : callable
        Without arguments; gives the plan that takes the frames into the stream.
    acquire : callable, optional
        Gives a plan that goes before: it exposes, and the producer only reads out.
    frames : int or sequence of int, optional
        How many there will be, for consumers and for the progress; None when nobody knows.  Of an
        acquisition that comes several times, and has not always as many, those of each time.
    angles : sequence of float
        Of each frame, in degrees, where they're known before; one time after the other.
    frame_time : float
        From frame to frame at best, in seconds, for an estimate of how long it takes.

    Raises
    ------
    ConfigurationError
        The name is empty, or producer or acquire can't be called.
    """

    def __init__(
        self,
        name: str,
        producer: Callable[[], Any],
        acquire: Callable[[], Any] | None = None,
        *,
        frames: int | Sequence[int] | None = None,
        angles: Sequence[float] = (),
        frame_time: float = 0.0,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"An acquisition needs the name of its stream, got {name!r}.")
        for argument, given in (("producer", producer), ("acquire", acquire)):
            if not callable(given) and (argument == "producer" or given is not None):
                raise ConfigurationError(
                    f"Acquisition {name!r}: {argument} must be a function that gives a plan, got "
                    f"{given!r}",
                    remedy="Give the function itself, without calling it.",
                )
        self.name, self.producer, self.acquire = name, producer, acquire
        self.frames = (frames,) if isinstance(frames, int) else tuple(frames or ())
        self.angles = tuple(angles)
        self.frame_time = frame_time

    def frames_of(self, time: int) -> int | None:
        """Tell how many frames it has.

        Parameters
        ----------
        time : int
            Which time it comes, from 0; after all that are known it begins anew.

        Returns
        -------
        int or None
            None when nobody knows.
        """
        return self.frames[time % len(self.frames)] if self.frames else None

    def angles_of(self, time: int) -> tuple[float, ...]:
        """Tell the angles of its frames.

        Parameters
        ----------
        time : int
            See :meth:`frames_of`.

        Returns
        -------
        tuple of float
            Degrees; empty when they aren't known.
        """
        if not self.frames:
            return ()
        place = time % len(self.frames)
        start = sum(self.frames[:place])
        return self.angles[start : start + self.frames[place]]

    def __repr__(self) -> str:
        return f"Acquisition({self.name!r}, frames={self.frames})"
