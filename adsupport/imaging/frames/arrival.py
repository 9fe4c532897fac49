"""A frame on its way to the addons, whose pixels may still be in a file."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from .frame import Frame, StreamAbout

__all__ = ["Arrival", "FrameSource"]


class Arrival:
    """What a source knows of a frame; addons that take it at the same time share its pixels.

    Parameters
    ----------
    load : callable
        Without arguments; returns the pixels, an array of its own, as :class:`Frame` has them.
    stored : bool
        Whether the pixels are in a file: then a frame that waits takes no room for them.
    unique_id : int or None
        NDArrayUniqueId.
    timestamp : float or None
        Seconds since 1970.
    angle : float or None
        Degrees, when the source knows it.
    place : int or None
        Which of the frames of its acquisition it is, from 0, lost ones counted; None when that
        isn't certain.
    facts : mapping of str to object
        What else is known.
    sequence : int or None
        Its place in the stream of its run, when another bus has told it; else this one does.
    """

    __slots__ = (
        "_pixels",
        "_load",
        "_lock",
        "about",
        "angle",
        "facts",
        "place",
        "sequence",
        "stored",
        "timestamp",
        "unique_id",
    )

    def __init__(
        self,
        load: Callable[[], np.ndarray],
        *,
        stored: bool,
        unique_id: int | None = None,
        timestamp: float | None = None,
        angle: float | None = None,
        place: int | None = None,
        facts: Mapping[str, Any] | None = None,
        sequence: int | None = None,
    ) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._pixels: weakref.ref[np.ndarray] | None = None
        self.stored = stored
        self.unique_id, self.timestamp, self.angle = unique_id, timestamp, angle
        self.place = place
        self.facts: Mapping[str, Any] = facts or {}
        # set by the bus
        self.sequence = sequence
        self.about = StreamAbout()

    def frame(self) -> Frame:
        """Read the pixels, unless another addon has them still.

        Returns
        -------
        Frame
            The frame, with read-only pixels.

        Raises
        ------
        ImageFileError
            The file can't be read.
        """
        with self._lock:
            held = self._pixels() if self._pixels is not None else None
            if held is None:
                held = self._load()
                held.flags.writeable = False
                self._pixels = weakref.ref(held)
        about = self.about
        return Frame(
            held,
            about.stream,
            self.sequence or 0,
            self.unique_id,
            self.angle,
            self.timestamp,
            about.run_uid,
            self.facts,
            self.place,
        )


class FrameSource(Protocol):
    """Where frames come from."""

    def begin(self, about: StreamAbout, take: Callable[[Arrival], None]) -> None:
        """Hand on the frames of an acquisition from now on.

        Parameters
        ----------
        about : StreamAbout
            What is known of it.
        take : callable
            Takes a frame, from a thread of the source; waits when an addon's queue is full.
        """
        ...

    def end(self, expected: int | None, timeout: float) -> int | None:
        """Wait until the frames of the acquisition are handed on, and hand on no more.

        Parameters
        ----------
        expected : int or None
            How many were taken; None when nobody knows: until no more come.
        timeout : float
            Seconds.  0, without a number: don't wait, what there is will do.

        Returns
        -------
        int or None
            How many there were, as far as the source knows: also those that it lost.

        Raises
        ------
        FrameCountError
            A source that loses none has ended with fewer.
        WriterTimeoutError
            They didn't come in time; it names what was waited for.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections; no more frames are handed on."""
        ...
