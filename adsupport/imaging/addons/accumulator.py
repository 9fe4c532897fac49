"""Keeps the frames of a run in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from ..frames.frame import Frame, StreamAbout
from .base import Addon

__all__ = ["Accumulator"]


@dataclass
class _Kept:
    """The frames of a stream, in memory that has room for more."""

    expected: int
    data: np.ndarray | None = None
    ids: list[int | None] = field(default_factory=list)
    angles: list[float | None] = field(default_factory=list)


class Accumulator(Addon):
    """Keeps frames of each stream as an array; another run begins anew.

    Parameters
    ----------
    most_bytes : int
        Memory that all arrays together may take, in bytes; 1 GiB by default.  While an array of
        which nobody knows the length grows, it takes up to three times its part for a moment.
    **options
        See :class:`~adsupport.imaging.addons.Addon`.

    Raises
    ------
    ConfigurationError
        An option can't be.  While frames come: they take more memory than that, or differ.
    """

    def __init__(self, *, most_bytes: int = 2**30, **options: Any) -> None:
        super().__init__(**options)
        if most_bytes < 1:
            raise ConfigurationError(f"most_bytes={most_bytes}: expected at least 1.")
        self.most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._run = ""

    @property
    def stored(self) -> list[str]:
        """Names of the streams that have frames, in the order of their first ones."""
        with self._lock:
            return [name for name, kept in self._kept.items() if kept.data is not None]

    def frames(self, stream: str = "primary") -> np.ndarray:
        """Return the frames of a stream that have come so far.

        Parameters
        ----------
        stream : str
            Its name.

        Returns
        -------
        numpy.ndarray
            (n, Y, X), of the detector's type, not a copy; to be read only.

        Raises
        ------
        ConfigurationError
            It has no frames.
        """
        with self._lock:
            kept = self._of(stream)
            found = kept.data[: len(kept.ids)]  # type: ignore[index]
            found.flags.writeable = False
            return found

    def ids(self, stream: str = "primary") -> list[int | None]:
        """Return the unique ids of a stream's frames; see :meth:`frames`."""
        with self._lock:
            return list(self._of(stream).ids)

    def angles(self, stream: str = "primary") -> np.ndarray:
        """Return the angles of a stream's frames, (n,), degrees, NaN where unknown."""
        with self._lock:
            found = self._of(stream).angles
        return np.array([np.nan if angle is None else angle for angle in found])

    def begin(self, about: StreamAbout) -> None:
        """Expect frames."""
        with self._lock:
            if about.run_uid != self._run:
                self._kept.clear()
                self._run = about.run_uid
            kept = self._kept.setdefault(about.stream, _Kept(0))
            kept.expected = len(kept.ids) + (about.expected or 0)

    def frame(self, frame: Frame) -> None:
        """Keep a frame."""
        with self._lock:
            kept = self._kept[frame.stream]
            data = self._room(kept, frame)
            data[len(kept.ids)] = frame.data
            kept.ids.append(frame.unique_id)
            kept.angles.append(frame.angle)

    def _of(self, stream: str) -> _Kept:
        kept = self._kept.get(stream)
        if kept is None or kept.data is None:
            raise ConfigurationError(
                f"No frames of stream {stream!r} have come; there are "
                f"{', '.join(map(repr, self._kept)) or 'none at all'}."
            )
        return kept

    def _room(self, kept: _Kept, frame: Frame) -> np.ndarray:
        """Make room for a frame."""
        data, count = kept.data, len(kept.ids)
        like = frame.data.shape, frame.data.dtype
        if data is not None and (data.shape[1:], data.dtype) != like:
            raise ConfigurationError(
                f"Frame {frame.sequence} of stream {frame.stream!r} has {like[0]} {like[1]}; "
                f"expected {data.shape[1:]} {data.dtype}, as those before."
            )
        if data is not None and count < len(data):
            return data
        size = max(kept.expected, 2 * count, 1)
        others = sum(
            0 if k.data is None or k is kept else k.data.nbytes for k in self._kept.values()
        )
        bytes_ = size * frame.data.nbytes
        if others + bytes_ > self.most_bytes:
            size = (self.most_bytes - others) // max(frame.data.nbytes, 1)
            if kept.expected > count or size <= count:
                raise ConfigurationError(
                    f"{max(kept.expected, count + 1)} frames of stream {frame.stream!r} take "
                    f"{others + max(kept.expected, count + 1) * frame.data.nbytes} bytes, together "
                    f"with those of other streams; most_bytes={self.most_bytes}.",
                    remedy="Allow more memory, or read the frames out of the detector's file.",
                )
        grown = np.empty((size, *like[0]), like[1])
        if data is not None:
            grown[:count] = data[:count]
        kept.data = grown
        return grown
