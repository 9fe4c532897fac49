"""The images of one data key that come by stream_datum documents."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from operator import attrgetter
from typing import NamedTuple

from .assets import Asset, Frames
from .run import Column

__all__ = ["Segment", "StreamedImages"]

#: Segments of images that are remembered after they were used, to know repetitions.
SEGMENTS = 100

_first = attrgetter("first")


class Segment(NamedTuple):
    """Consecutive rows whose images a stream_datum told of."""

    first: int
    stop: int
    index: int
    asset: Asset


class StreamedImages:
    """The images of one data key that come by stream_datum documents."""

    def __init__(self, column: Column) -> None:
        self.per_row = int(column.shape[0] or 1) if len(column.shape) > 2 else 1
        #: In the order of their rows, of which no two have the same; those before it are used.
        self._segments: list[Segment] = []
        self._at = 0
        self._used: deque[Segment] = deque(maxlen=SEGMENTS)
        self._passed = 0

    def add(self, segment: Segment) -> bool:
        """Take a segment; tell whether it fits with those before."""
        place = bisect_left(self._segments, segment.first, self._at, key=_first)
        near = self._segments[max(self._at, place - 1) : place + 1]
        if segment.first < self._passed:
            near += self._used
        if segment in near:
            return True
        if any(segment.first < other.stop and other.first < segment.stop for other in near):
            return False
        self._segments.insert(place, segment)  # mostly the last place
        return True

    def find(self, number: int) -> Frames | None:
        """Find the images of a row; rows before it are done with."""
        segments = self._segments
        while self._at < len(segments) and segments[self._at].stop <= number:
            self._used.append(segments[self._at])
            self._passed = max(self._passed, segments[self._at].stop)
            self._at += 1
        if self._at > SEGMENTS and 2 * self._at > len(segments):  # not one by one, it's a list
            del segments[: self._at]
            self._at = 0
        if self._at == len(segments) or segments[self._at].first > number:
            return None
        first, _, index, asset = segments[self._at]
        start = index + number - first
        return asset.frames_of_indices(start, start + 1, self.per_row)

    @property
    def first(self) -> int | None:
        """Lowest number of a row whose images wait; None when there is none."""
        return self._segments[self._at].first if self._at < len(self._segments) else None

    @property
    def last(self) -> int:
        """Highest number of a row whose images wait; 0 when there is none."""
        return self._segments[-1].stop - 1 if self._at < len(self._segments) else 0
