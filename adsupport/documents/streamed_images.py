"""The images of one data key that come by stream_datum documents."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from .assets import Asset, Frames
from .run import Column

__all__ = ["Segment", "StreamedImages"]

#: Segments of images that are remembered after they were used, to know repetitions.
SEGMENTS = 100


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
        self._segments: list[Segment] = []
        self._used: deque[Segment] = deque(maxlen=SEGMENTS)

    def add(self, segment: Segment) -> bool:
        """Take a segment; tell whether it fits with those before."""
        if segment in self._segments or segment in self._used:
            return True
        for other in (*self._segments, *self._used):
            if segment.first < other.stop and other.first < segment.stop:
                return False
        self._segments.append(segment)
        self._segments.sort(key=lambda each: each.first)
        return True

    def find(self, number: int) -> Frames | None:
        """Find the images of a row; rows before it are done with."""
        segments = self._segments
        while segments and segments[0].stop <= number:
            self._used.append(segments.pop(0))
        if not segments or segments[0].first > number:
            return None
        first, _, index, asset = segments[0]
        start = index + number - first
        return asset.frames_of_indices(start, start + 1, self.per_row)

    @property
    def first(self) -> int | None:
        """Lowest number of a row whose images wait; None when there is none."""
        return self._segments[0].first if self._segments else None

    @property
    def last(self) -> int:
        """Highest number of a row that has images; 0 when none has."""
        return max((each.stop - 1 for each in self._segments), default=0)
