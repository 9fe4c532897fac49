"""Measures how fast frames come."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from ..frames.frame import Frame, StreamAbout, StreamEnd
from .base import Addon

__all__ = ["Benchmark", "Benchmarker"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """How fast the frames of an acquisition came to an addon.

    Parameters
    ----------
    stream : str
        Of the acquisition.
    frames : int
        How many came.
    bytes : int
        Of their pixels.
    duration : float
        Seconds from its begin to its end.
    between : float
        Seconds from the first frame to the last.
    """

    stream: str
    frames: int
    bytes: int
    duration: float
    between: float

    @property
    def frame_rate(self) -> float:
        """Frames a second, from the first to the last; 0 for fewer than two."""
        return (self.frames - 1) / self.between if self.frames > 1 and self.between else 0.0

    @property
    def byte_rate(self) -> float:
        """Bytes of pixels a second, likewise."""
        return self.frame_rate * self.bytes / self.frames if self.frames else 0.0

    def __str__(self) -> str:
        return (
            f"{self.stream}: {self.frames} frames in {self.duration:.3g} s, "
            f"{self.frame_rate:.4g} frames/s, {self.byte_rate / 1e6:.4g} MB/s"
        )


class Benchmarker(Addon):
    """Measures rates and durations of acquisitions, and logs them.

    Parameters
    ----------
    **options
        See :class:`~adsupport.imaging.addons.Addon`.

    Attributes
    ----------
    results : list of Benchmark
        One for each acquisition that has ended.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.results: list[Benchmark] = []
        self._begun = self._first = self._last = 0.0
        self._frames = self._bytes = 0

    def duration(self, stream: str = "primary") -> float:
        """Tell how long the acquisitions of a stream took.

        Parameters
        ----------
        stream : str
            Its name.

        Returns
        -------
        float
            Seconds, of all together; 0 when there was none.
        """
        return sum(each.duration for each in self.results if each.stream == stream)

    def begin(self, about: StreamAbout) -> None:  # noqa: ARG002
        """Start the clock."""
        self._begun = self._first = self._last = time.monotonic()
        self._frames = self._bytes = 0

    def frame(self, frame: Frame) -> None:
        """Count a frame."""
        self._last = time.monotonic()
        if not self._frames:
            self._first = self._last
        self._frames += 1
        self._bytes += frame.data.nbytes

    def end(self, ended: StreamEnd) -> None:
        """Stop the clock."""
        found = Benchmark(
            ended.about.stream,
            self._frames,
            self._bytes,
            time.monotonic() - self._begun,
            self._last - self._first,
        )
        self.results.append(found)
        _log.info("%s", found)
