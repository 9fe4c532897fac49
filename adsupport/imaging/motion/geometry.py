"""How far, how often and how fast to turn a sample.

Angles are in degrees, as a rotation stage has them; speeds in degrees per second.
"""

from __future__ import annotations

import math

from ...errors import ConfigurationError
from ..asked.arguments import finite, positive, whole

__all__ = [
    "fly_speed",
    "frame_time",
    "motion_blur",
    "run_up_distance",
    "tomo_angular_step",
    "tomo_max_speed",
    "tomo_projections_number",
]


def tomo_angular_step(frame_width: int) -> float:
    """Compute the largest step from projection to projection that loses no detail.

    The outermost pixels, half a frame away from the axis in its middle, move by one pixel in a
    step: ``atan(2 / frame_width)``, as in concert.

    Parameters
    ----------
    frame_width : int
        Width of a frame, in pixels.

    Returns
    -------
    float
        The step, in degrees.

    Raises
    ------
    ConfigurationError
        The width is no whole number above 0.

    Examples
    --------
    >>> round(tomo_angular_step(100), 5)
    1.14576
    """
    return math.degrees(_step(frame_width))


def tomo_projections_number(frame_width: int) -> int:
    """Compute how many projections over 180 degrees lose no detail.

    Parameters
    ----------
    frame_width : int
        Width of a frame, in pixels.

    Returns
    -------
    int
        180 degrees divided by :func:`tomo_angular_step`, and up to the next whole number.

    Raises
    ------
    ConfigurationError
        The width is no whole number above 0.

    Examples
    --------
    >>> tomo_projections_number(2048)
    3217
    """
    return math.ceil(math.pi / _step(frame_width))


def tomo_max_speed(frame_width: int, frame_rate: float) -> float:
    """Compute the largest speed at which nothing moves by more than a pixel from frame to frame.

    Parameters
    ----------
    frame_width : int
        Width of a frame, in pixels.
    frame_rate : float
        Frames per second.

    Returns
    -------
    float
        The speed, in degrees per second.

    Raises
    ------
    ConfigurationError
        An argument isn't above 0.

    Examples
    --------
    >>> round(tomo_max_speed(2048, 100), 4)
    5.5953
    """
    return tomo_angular_step(frame_width) * positive("frame_rate", frame_rate, "1/s")


def frame_time(exposure: float, readout: float = 0.0, period: float = 0.0) -> float:
    """Compute the time from frame to frame.

    Parameters
    ----------
    exposure : float
        In seconds.
    readout : float
        Time that the camera needs after an exposure before it begins the next one, in seconds;
        0 for one that reads out while it exposes.
    period : float
        The period that is asked for, in seconds; 0 is as fast as the camera goes.

    Returns
    -------
    float
        In seconds.

    Raises
    ------
    ConfigurationError
        The exposure isn't above 0, or exposure and read-out don't fit into the period.
    """
    exposure = positive("exposure", exposure, "s")
    readout = positive("readout", readout, "s", zero=True)
    period = positive("period", period, "s", zero=True)
    shortest = exposure + readout
    if not period:
        return shortest
    # 0.07 s and 0.03 s are a hair more than 0.1 s
    if period < shortest and not math.isclose(period, shortest, rel_tol=1e-9):
        raise ConfigurationError(
            f"period: a frame every {period:g} s is not possible with an exposure of {exposure:g} s"
            + (f" and a read-out of {readout:g} s" if readout else ""),
            remedy=f"Expose for {max(period - readout, 0):g} s at most, or set the period to "
            f"{shortest:g} s or more.",
        )
    return period


def fly_speed(step: float, time: float) -> float:
    """Compute the speed of a stage that moves by a step in each frame.

    Parameters
    ----------
    step : float
        From frame to frame, in degrees or another unit of the stage; of either sign.
    time : float
        From frame to frame, in seconds (:func:`frame_time`).

    Returns
    -------
    float
        In the stage's units per second, never below 0.

    Raises
    ------
    ConfigurationError
        The step isn't finite, or the time isn't above 0.
    """
    return abs(finite("step", step)) / positive("time", time, "s")


def motion_blur(speed: float, exposure: float, frame_width: int) -> float:
    """Compute over how many pixels a turning sample is smeared, at worst.

    A point half a frame away from the axis passes the middle of the beam during an exposure: its
    image moves by the chord of the angle, ``frame_width * sin(speed * exposure / 2)``.

    Parameters
    ----------
    speed : float
        Of the rotation, in degrees per second; of either sign.
    exposure : float
        In seconds.
    frame_width : int
        Width of a frame, in pixels; the axis is in its middle.

    Returns
    -------
    float
        In pixels, at most ``frame_width``.

    Raises
    ------
    ConfigurationError
        The speed isn't finite, the exposure is below 0, or the width is no whole number above 0.
    """
    turned = abs(finite("speed", speed, "degrees/s")) * positive(
        "exposure", exposure, "s", zero=True
    )
    return whole("frame_width", frame_width) * math.sin(math.radians(min(turned, 180.0)) / 2)


def run_up_distance(speed: float, acceleration_time: float, base_speed: float = 0.0) -> float:
    """Compute how far a stage moves until it has its speed; it needs as much to stop.

    At a constant acceleration this is the mean speed times the time: ``speed * time / 2`` for a
    motor that starts from rest.

    Parameters
    ----------
    speed : float
        The speed that it's to have, in the stage's units per second.
    acceleration_time : float
        Time in which it has this speed, in seconds (``ACCL`` of an EPICS motor).
    base_speed : float
        Speed with which it starts, in the stage's units per second (``VBAS``); a stage that
        is to be slower moves with its speed at once.

    Returns
    -------
    float
        In the stage's units.

    Raises
    ------
    ConfigurationError
        An argument is below 0, or isn't finite.
    """
    speed = positive("speed", speed, zero=True)
    first = min(positive("base_speed", base_speed, zero=True), speed)
    time = positive("acceleration_time", acceleration_time, "s", zero=True)
    return (speed + first) / 2 * time


def _step(frame_width: int) -> float:
    return math.atan(2 / whole("frame_width", frame_width))
