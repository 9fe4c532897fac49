"""Whether a camera keeps the period of a fly scan: asked before anything moves, and afterwards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np

from ...errors import ConfigurationError, PutError
from ...plans.put import put
from ..stubs.cleanup import Plan, Step, with_cleanup
from ..stubs.moves import set_and_wait
from .axis import Track
from .legs import Leg

__all__ = ["check_pace", "check_period", "try_period", "warn_of_steps"]

logger = logging.getLogger(__name__)

#: By how much of a step a single one may differ without a warning, and the way by how much of it.
_STEP, _WAY = 0.5, 0.01


def check_pace(times: np.ndarray, exposure: float, leg: Leg, detector: Any) -> None:
    """Make sure that the stage still had its speed when the last frame was taken.

    What counts is where it was at the end of that exposure.

    Parameters
    ----------
    times : numpy.ndarray
        (n,), seconds since 1970: the ends of the exposures.
    exposure : float
        Of each, in seconds.
    leg : Leg
        The motion of the stage, which has recorded its read-backs.
    detector : bluesky Readable
        What took the frames.

    Raises
    ------
    ConfigurationError
        It had slowed down.
    """
    window = leg.window
    place = float(leg.track.axis.log.at(times[-1:], standing=True)[0])
    if window.direction * (place - leg.slows_down) <= 0:
        return
    real = float(times[-1] - times[0]) / max(len(times) - 1, 1)
    raise ConfigurationError(
        f"period={window.period:g} s: {detector.name} took {real:.4g} s for a frame, and "
        f"{leg.track.axis.motor.name} had slowed down before the last one. The frames and where "
        "each of them was taken are in the run",
        remedy=_longer(real, exposure, window.period),
    )


def warn_of_steps(track: Track, detector: Any) -> None:
    """Warn when frames of a flight were taken elsewhere than evenly where they were asked for.

    A step may differ by half of it.  The way from the first frame to the last may differ by 1
    percent, or by a step if that is more.

    Parameters
    ----------
    track : Track
        The stage, which has the positions of the frames of the last event.
    detector : bluesky Readable
        What took the frames.
    """
    found = np.asarray(track.axis.positions.positions)
    if len(found) < 2 or not np.isfinite(found).all():
        return
    steps, way = np.diff(found), track.step * (len(found) - 1)
    uneven = np.abs(steps - track.step).max() > _STEP * abs(track.step)
    longer = abs(found[-1] - found[0] - way) > max(abs(track.step), _WAY * abs(way))
    if uneven or longer:
        low, high = sorted((float(steps.min()), float(steps.max())), key=abs)
        logger.warning(
            "%s: frames of %s were taken from %.5g to %.5g, in steps of %.3g to %.3g; asked for "
            "were %.5g to %.5g, in steps of %.3g. Where each was taken is in the run and its "
            "files. A longer period may help.",
            track.axis.motor.name, detector.name, found[0], found[-1], low, high,
            track.first, track.first + way, track.step,
        )  # fmt: skip


def check_period(device: Any, frames: int, period: float, legs: Sequence[Leg]) -> Plan:
    """Make sure that a camera says that it keeps the period, when it has been prepared.

    Parameters
    ----------
    device : ophyd or ophyd-async Device
        With ``acquire_time`` and ``acquire_period`` in its ``cam`` or ``driver``; of another one
        nothing is known.
    frames : int
        How many.
    period : float
        From frame to frame, in seconds.
    legs : sequence of Leg
        The motions of the stages.

    Yields
    ------
    Msg
        Messages for the RunEngine: readings.

    Raises
    ------
    ConfigurationError
        By its read-backs the camera is so slow that a stage would slow down before the last frame.
    """
    times = []
    for signal in _signals(device):
        times.append(float((yield from bps.rd(signal))))
    real = max(times, default=0.0)
    late = (frames - 1) * (real - period)
    if late > min(leg.spare_time for leg in legs):
        raise _too_slow(device, times[0], period, f"its read-backs tell {real:.4g} s", real)


def try_period(
    device: Any,
    frames: int,
    exposure: float,
    period: float,
    legs: Sequence[Leg],
) -> Plan:
    """Set exposure and period, look what the camera makes of them, and put them back.

    Parameters
    ----------
    device : ophyd Device
        With ``acquire_time`` and ``acquire_period`` in its ``cam``; another one is left alone.
    exposure : float
        Of a frame, in seconds.
    frames, period, legs
        See :func:`check_period`.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    ConfigurationError
        It doesn't take them; nothing has been moved, and no source been opened.
    """
    signals = _signals(device) if hasattr(device, "cam") else []
    if len(signals) < 2:
        return
    values = []
    for signal in signals:
        values.append((yield from bps.rd(signal)))

    def attempt() -> Plan:
        try:
            for signal, value in zip(signals, (exposure, period), strict=True):
                yield from put(signal, float(value))
        except PutError as error:
            raise _too_slow(device, exposure, period, f"it doesn't take that: {error}") from error
        yield from check_period(device, frames, period, legs)

    def back() -> list[Step]:
        return [
            (f"restore {signal.name}", partial(set_and_wait, signal, value, 10.0))
            for signal, value in zip(signals, values, strict=True)
        ]

    yield from with_cleanup(attempt(), back)


def _signals(device: Any) -> list[Any]:
    part = getattr(device, "cam", None) or getattr(device, "driver", None)
    found = (getattr(part, name, None) for name in ("acquire_time", "acquire_period"))
    return [each for each in found if each is not None]


def _too_slow(device: Any, exposure: float, period: float, why: str, real: float = 0.0) -> Any:
    return ConfigurationError(
        f"period={period:g} s: {device.name} doesn't keep it, {why}",
        remedy=f"{_longer(real, exposure, period)} Nothing has been moved.",
    )


def _longer(real: float, exposure: float, period: float) -> str:
    """Say what to do about it."""
    wanted = f"period={1.1 * real:.2g} s or longer" if real else "a longer period"
    shorter = ", or expose shorter" if exposure > period / 2 else ""
    return f"Give {wanted}{shorter}."
