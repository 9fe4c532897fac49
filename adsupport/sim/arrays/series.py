"""Signals over time: the buffer and the averaging of NDPluginTimeSeries."""

from __future__ import annotations

import numpy as np


class Series:
    """Points of several signals, of which the oldest make room in a circular buffer.

    Parameters
    ----------
    signals, points : int
        Size of the buffer, at least 1 each.
    dtype : numpy.dtype
        Element type; averages are cut to it.
    circular : bool
        Whether the buffer starts over when it is full.

    Attributes
    ----------
    point : int
        Points taken, or in a circular buffer the place of the next one.
    average_of : int
        Points given that make one point of the series.
    """

    def __init__(
        self, signals: int, points: int, dtype: np.dtype | type, *, circular: bool = False
    ) -> None:
        self._buffer = np.zeros((signals, points), dtype)
        self._circular = circular
        self._sum = np.zeros(signals)
        self._summed = 0
        self.point = 0
        self.average_of = 1

    @property
    def signals(self) -> int:
        """Number of signals."""
        return self._buffer.shape[0]

    @property
    def is_full(self) -> bool:
        """Whether no more points are taken; never true of a circular buffer."""
        return self.point >= self._buffer.shape[1]

    def clear(self) -> None:
        """Forget all points; what is averaged at present is kept, as the plugin does."""
        self._buffer[...] = 0
        self.point = 0

    def restart_average(self) -> None:
        """Begin to average anew, such as when ``average_of`` has been changed."""
        self._sum[...] = 0.0
        self._summed = 0

    def append(self, values: np.ndarray) -> None:
        """Take one point.

        Parameters
        ----------
        values : numpy.ndarray
            One number of each signal, shape ``(signals,)``.
        """
        if self.is_full:
            return
        self._sum += values
        self._summed += 1
        if self._summed < self.average_of:
            return
        with np.errstate(invalid="ignore"):
            self._buffer[:, self.point] = self._sum / self._summed
        self.restart_average()
        self.point += 1
        if self._circular and self.is_full:
            self.point = 0

    def taken(self) -> np.ndarray:
        """Return a copy of the points, oldest first, shape ``(signals, n)``.

        A circular buffer returns all its places, also those never taken, which are 0.
        """
        return self.whole() if self._circular else self._buffer[:, : self.point].copy()

    def whole(self) -> np.ndarray:
        """Return a copy of the whole buffer, oldest point first, shape ``(signals, points)``."""
        return np.roll(self._buffer, -self.point, axis=1) if self._circular else self._buffer.copy()


def time_axis(points: int, step: float, most: int, *, circular: bool = False) -> np.ndarray:
    """Return the times of a series' points.

    Parameters
    ----------
    points : int
        Points of the series.
    step : float
        Seconds from one point to the next.
    most : int
        Times to return at most.
    circular : bool
        Whether times end at 0, the newest point, instead of beginning there.
    """
    first = 1 - points if circular else 0
    return (first + np.arange(min(points, most))) * step
