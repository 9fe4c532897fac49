"""Quantities that change linearly in time, and the mean of their product over an exposure."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence

import numpy as np

KNOTS = 10_000
"""Knots kept: an exposure that began before the oldest one takes its value for older times."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(3)


class Ramp:
    """A value that stays or goes linearly to a target, and remembers how.

    Reading is safe in any thread while one thread changes it.

    Parameters
    ----------
    value : float
        Value until the first change.
    """

    def __init__(self, value: float) -> None:
        self._knots: tuple[tuple[float, ...], tuple[float, ...]] = ((0.0,), (value,))

    def at(self, time: float) -> float:
        """Return the value at a time, seconds of any clock that all calls share."""
        return float(np.interp(time, *self._knots))

    def go(self, target: float, now: float, seconds: float) -> None:
        """Leave the present value for a target.

        Parameters
        ----------
        target : float
            Value to arrive at.
        now : float
            Present time.
        seconds : float
            How long the way takes; 0 is a step.
        """
        times, values = self._knots
        present = self.at(now)
        past = bisect.bisect_left(times, now)
        times = (*times[:past], now, now + max(seconds, 0.0))[-KNOTS:]
        values = (*values[:past], present, target)[-KNOTS:]
        self._knots = (times, values)  # in one step, for readers in other threads

    def bends(self, start: float, end: float) -> list[float]:
        """Return the times between two where the slope changes."""
        return [time for time in self._knots[0] if start < time < end]


def mean_of(
    function: Callable[..., float], ramps: Sequence[Ramp], start: float, end: float
) -> float:
    """Return the mean over time of a function of ramps.

    Exact for polynomials of degree 5 in time, by Gauss's rule between the ramps' bends.

    Parameters
    ----------
    function : callable
        Takes the ramps' values, in order.
    ramps : sequence of Ramp
        What it depends on.
    start, end : float
        Span of time; when it is empty, the value at its end is returned.
    """
    if end <= start:
        return function(*(ramp.at(end) for ramp in ramps))
    bends = sorted({start, end, *(time for ramp in ramps for time in ramp.bends(start, end))})
    total = 0.0
    for first, last in zip(bends, bends[1:], strict=False):
        middle, half = (first + last) / 2, (last - first) / 2
        values = [function(*(r.at(middle + half * node) for r in ramps)) for node in _NODES]
        # the part's mean first: a constant comes out the same whatever the times are
        part = float(np.dot(_WEIGHTS, values)) / 2
        total += part * ((last - first) / (end - start))
    return total
