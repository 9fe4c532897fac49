"""A part of an experiment: some frames in a stream of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..errors import ConfigurationError
from .asked.arguments import finite, positive, whole
from .asked.given import listed

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
        How many there will be, for consumers and for the progress; None when nobody knows: then
        detectors of :func:`~adsupport.devices.ad_creator` tell in their events how many there
        were; else the source of frames knows when it has no more, a live one by its silence.  Of
        an acquisition that comes several times, and has not always as many, those of each time.
    angles : sequence of float
        Of each frame, in degrees, where they're known before; one time after the other.
    frame_time : float
        From frame to frame at best, in seconds, for an estimate of how long it takes.
    per_event : int, optional
        Frames of each event, if there are several events that tell their frames' ids, as those of
        detectors of :func:`~adsupport.devices.ad_creator` do.  Consumers then get the frames in
        events only, as they're saved: not those which a pause lets the RunEngine take again.  A
        live source keeps so many in memory until then, beside its ``queue``.

    Raises
    ------
    ConfigurationError
        The name is empty, producer or acquire can't be called, or a number can't be.
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
        per_event: int | None = None,
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
        what = f"Acquisition {name!r}: "
        if frames is None:
            self.frames: tuple[int, ...] = ()
        elif isinstance(frames, Iterable):
            given = listed(f"{what}frames", frames, "numbers")
            self.frames = tuple(whole(f"{what}frames", each, 0) for each in given)
        else:
            self.frames = (whole(f"{what}frames", frames, 0),)
        given = listed(f"{what}angles", angles, "numbers in degrees")
        self.angles = tuple(finite(f"{what}angles", each, "degrees") for each in given)
        self.frame_time = positive(f"{what}frame_time", frame_time, "s", zero=True)
        self.per_event = None if per_event is None else whole(f"{what}per_event", per_event, 1)

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
