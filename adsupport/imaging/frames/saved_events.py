"""Which frames are in the events of a run: a trigger may be repeated, and its first frames aren't.

After a pause the RunEngine goes back to the last checkpoint: what had been taken and not yet saved
is taken again.  The frames of both are in the detector's file, and only those of the second are in
an event.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...callbacks.tomography.angles import degrees_per_unit
from .arrival import Arrival

__all__ = ["EventWatch", "SavedEvents"]

_KEY = "_first_unique_id"
_TAKEN = "_frames_taken"


class SavedEvents:
    """The events of an acquisition, and the frames in them.

    Parameters
    ----------
    per_event : int
        Frames of each event.
    """

    def __init__(self, per_event: int) -> None:
        self._per_event = per_event
        self._firsts: list[int] = []  # id of the first frame of each event
        self._came: int | None = None  # id of the first frame of all
        self._changed = threading.Condition()
        self._over = self._unknown = False

    def saved(self, first: int | None) -> None:
        """Take note of an event; never waits.

        Parameters
        ----------
        first : int or None
            Unique id of its first frame; None when nobody knows.
        """
        with self._changed:
            if first is None or first < 0 or (self._firsts and first <= self._firsts[-1]):
                self._unknown = True
            else:
                self._firsts.append(first)
            self._changed.notify_all()

    def over(self) -> None:
        """Know that no more events come: frames that are in none are given up."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def wanted(self, arrival: Arrival) -> bool:
        """Wait until it's known whether a frame is in an event, and find its place then.

        Parameters
        ----------
        arrival : Arrival
            A frame.  Its place is that among the frames in events; None when events don't tell.

        Returns
        -------
        bool
            Whether it's in an event, or nobody knows.
        """
        id_ = arrival.unique_id
        if id_ is None:
            arrival.place = None  # and so no angle
            return True
        with self._changed:
            self._came = id_ if self._came is None else min(id_, self._came)
            self._changed.wait_for(
                lambda: self._over or self._unknown or (self._firsts and self._last >= id_)
            )
            if self._unknown:
                arrival.place = None
                return True
            event = bisect_right(self._firsts, id_) - 1
            if event < 0 or id_ >= self._firsts[event] + self._per_event:
                return False
            arrival.place = event * self._per_event + id_ - self._firsts[event]
            return True

    def taken(self, expected: int | None) -> int | None:
        """Tell how many frames the camera took.

        Parameters
        ----------
        expected : int or None
            How many are in events; None when nobody knew before.

        Returns
        -------
        int or None
            With those of triggers that were repeated.
        """
        with self._changed:
            if self._unknown or not self._firsts:
                return expected
            first = self._firsts[0] if self._came is None else min(self._came, self._firsts[0])
            return max(expected or 0, self._last - first + 1)

    @property
    def in_events(self) -> int | None:
        """How many frames are in events; None when those don't tell."""
        with self._changed:
            return None if self._unknown else len(self._firsts) * self._per_event

    @property
    def _last(self) -> int:
        return self._firsts[-1] + self._per_event - 1


class EventWatch:
    """Tells of the events that a RunEngine saves: subscribe it to a run's documents.

    Parameters
    ----------
    saved : callable
        ``saved(stream, first)`` is called with the name of each event's stream, and the unique id
        of its first frame; None when it hasn't one of exactly one detector.
    start : mapping, optional
        The run's metadata, whose hints name the rotation: the first dimension.
    """

    def __init__(self, saved: Any, start: Mapping[str, Any] | None = None) -> None:
        self._saved = saved
        self._streams: dict[str, tuple[str, str | None]] = {}
        self._rotations = _first_dimension(start or {})
        self._factors: dict[str, tuple[str, float]] = {}  # rotation and degrees per unit
        self._angles: dict[str, list[np.ndarray]] = {}  # of each event, by stream
        self._counts: dict[str, str | None] = {}  # the data key of the number of frames
        self._taken: dict[str, dict[int, int]] = {}  # by stream and event; -1: unknown

    def __call__(self, name: str, document: Mapping[str, Any]) -> None:
        """Take a document.

        Parameters
        ----------
        name : str
            Its kind.
        document : mapping
            The document.
        """
        if name == "descriptor":
            key, count = _only(document["data_keys"], _KEY), _only(document["data_keys"], _TAKEN)
            self._streams[document["uid"]] = document["name"], key
            self._counts[document["uid"]] = count
            for each in self._rotations:
                factor = degrees_per_unit(str(document["data_keys"].get(each, {}).get("units")))
                if factor is not None:
                    self._factors.setdefault(document["uid"], (each, factor))
        elif name == "event" and document["descriptor"] in self._streams:
            stream, key = self._streams[document["descriptor"]]
            first = document["data"].get(key)
            self._saved(stream, None if first is None else int(first))
            count = self._counts[document["descriptor"]]
            if count is not None:  # an event that a pause repeats has the number that it had
                taken = int(document["data"][count])
                self._taken.setdefault(stream, {})[document["seq_num"]] = taken
            if document["descriptor"] in self._factors:
                rotation, factor = self._factors[document["descriptor"]]
                found = np.ravel(np.asarray(document["data"][rotation], np.float64)) * factor
                self._angles.setdefault(stream, []).append(found)

    def take(self, stream: str, frames: int | None) -> tuple[int | None, tuple[float, ...]]:
        """Tell what the events of a stream say since this was asked last.

        Parameters
        ----------
        stream : str
            Its name.
        frames : int or None
            How many frames they have; None when nobody knows.

        Returns
        -------
        frames : int or None
            As given, or as the detector has counted them for its events.
        angles : tuple of float
            Degrees of each frame; empty when the events don't tell.
        """
        taken = list(self._taken.pop(stream, {}).values())
        if frames is None and taken and min(taken) >= 0:
            frames = sum(taken)
        events = self._angles.pop(stream, [])
        if not events or not frames:
            return frames, ()
        angles = np.concatenate(events)
        if len(angles) == len(events) and frames % len(events) == 0:
            angles = np.repeat(angles, frames // len(events))
        return frames, tuple(angles.tolist()) if len(angles) == frames else ()


def _only(keys: Iterable[str], suffix: str) -> str | None:
    """Find the data key of exactly one detector."""
    found = [key for key in keys if key.endswith(suffix)]
    return found[0] if len(found) == 1 else None


def _first_dimension(start: Mapping[str, Any]) -> list[str]:
    """Name the data keys of what a scan goes along."""
    hints = start.get("hints")
    dimensions = hints.get("dimensions") if isinstance(hints, Mapping) else None
    try:
        fields = dimensions[0][0] if dimensions else ()
        return [fields] if isinstance(fields, str) else [str(each) for each in fields]
    except (TypeError, LookupError):
        return []  # the plan's own, of another form
