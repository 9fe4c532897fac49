"""A frame, the stream that it belongs to, and how that ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Frame", "StreamAbout", "StreamEnd"]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image of a detector, and what is known of it.

    Parameters
    ----------
    data : numpy.ndarray
        Shape (Y, X); of a colour camera three axes, as its colour mode orders them.  It is shared
        by all addons, and read-only.
    stream : str
        Name of its stream, such as ``primary``.
    sequence : int
        Its place in the stream of this run, from 0: what the source gave, lost ones not counted.
    unique_id : int or None
        NDArrayUniqueId; None when the source has none.
    angle : float or None
        Of the rotation, in degrees; None when it isn't known.
    timestamp : float or None
        When it was taken, in seconds since 1970; None when the source doesn't say.
    run_uid : str
        Uid of the run's start document; empty when there is no run.
    facts : mapping of str to object
        What else is known: attributes of the detector and readings by their data keys.
    place : int or None
        Which of the frames of its acquisition it is, from 0, lost ones counted; None when that
        isn't certain.
    """

    data: np.ndarray
    stream: str
    sequence: int
    unique_id: int | None = None
    angle: float | None = None
    timestamp: float | None = None
    run_uid: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    place: int | None = None


@dataclass(frozen=True, slots=True)
class StreamAbout:
    """What is known before an acquisition.

    Parameters
    ----------
    run_uid : str
        Uid of the run's start document; empty when there is no run.
    stream : str
        Name of the stream, such as ``primary``.
    expected : int or None
        How many frames will be taken; None when nobody knows.
    md : mapping of str to object
        The run's metadata (its start document).
    angles : tuple of float
        Degrees of each of the frames as they are asked for, in the order of time; empty when
        nobody says.  A frame whose source knows its own angle doesn't take one from here.
    per_event : int or None
        Frames of each event, when the bus is told of all events as they're saved: only frames in
        events are handed on then.  None: all are.
    angles_from : str
        What ``angles`` are: ``"planned"``, or ``"recorded"`` when they are those of a finished run.
    """

    run_uid: str = ""
    stream: str = "primary"
    expected: int | None = None
    md: Mapping[str, Any] = field(default_factory=dict)
    angles: tuple[float, ...] = ()
    per_event: int | None = None
    angles_from: str = "planned"


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How an acquisition ended, for one addon.

    Parameters
    ----------
    about : StreamAbout
        What was known before.
    expected : int or None
        How many frames were taken, as far as known.
    frames : int
        How many the source gave: more than were to be taken when some were taken again.
    dropped : int
        How many of these this addon didn't get, by its policy.
    reason : str
        Why it ended before all frames came; empty when it ended well.
    angles : tuple of float
        Degrees that the run recorded for each of its frames, by their places, NaN where unknown;
        empty when it recorded none.  Of a flight they're known only when it is over.
    """

    about: StreamAbout
    expected: int | None
    frames: int
    dropped: int = 0
    reason: str = ""
    angles: tuple[float, ...] = ()

    @property
    def missing(self) -> int:
        """How many frames the source didn't give; 0 when nobody knows how many there should be."""
        return max(0, (self.expected or 0) - self.frames)

    @property
    def complete(self) -> bool:
        """Whether the addon had all frames, and no others."""
        surplus = self.expected is not None and self.frames > self.expected
        return not (self.missing or self.dropped or self.reason or surplus)
