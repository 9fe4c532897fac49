"""Fly scans: frames while a stage moves at constant speed, each with the position it was at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.utils import short_uid
from ophyd.status import Status

from ..errors import ConfigurationError
from .cleanup import Plan, with_cleanup
from .exposures import FrameDetector, staged
from .motion import ConstantSpeedWindow, StageMotion, check_travel, constant_speed_window
from .moves import set_and_wait
from .position_log import PositionLog

__all__ = ["FlyAxis", "fly"]

#: Beyond the run-down, in seconds at full speed: until the camera has got its trigger.
TRIGGER_TIME = 0.3
#: For what the camera and the stage may need more than they should, in seconds.
_GRACE = 30.0


class FlyAxis:
    """A motor that moves at a speed of one's own.

    Parameters
    ----------
    motor : bluesky Movable, Readable and Subscribable
        Such as an EpicsMotor.
    velocity : bluesky Movable and Readable, optional
        Its speed, in units per second; ``motor.velocity`` by default.
    acceleration : bluesky Readable, optional
        Its time of acceleration, in seconds; ``motor.acceleration`` by default.
    resolution : float, optional
        Units per encoder count, when steps are to be whole counts.

    Raises
    ------
    ConfigurationError
        The motor has no such signals.
    """

    def __init__(
        self,
        motor: Any,
        *,
        velocity: Any = None,
        acceleration: Any = None,
        resolution: float | None = None,
    ) -> None:
        self.motor, self.resolution = motor, resolution
        self.velocity: Any = velocity if velocity is not None else getattr(motor, "velocity", None)
        self.acceleration: Any = (
            acceleration if acceleration is not None else getattr(motor, "acceleration", None)
        )
        for name in ("velocity", "acceleration"):
            if getattr(self, name) is None:
                raise ConfigurationError(
                    f"{motor.name} has no {name}",
                    remedy=f"Give FlyAxis(..., {name}=signal), or take mode='step'.",
                )
        self.log = PositionLog(motor)
        self._speed: float | None = None

    def motion(self) -> Plan:
        """Read what the motor can do.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Returns
        -------
        StageMotion
            With the motor's present acceleration and limits.
        """
        acceleration = yield from bps.rd(self.acceleration)
        limits = getattr(self.motor, "limits", None)
        known = isinstance(limits, (tuple, list)) and len(limits) == 2 and None not in limits
        return StageMotion(
            float(acceleration),
            limits=(float(limits[0]), float(limits[1])) if known and limits else None,
            resolution=self.resolution,
            name=self.motor.name,
        )

    def remember(self) -> Plan:
        """Take note of the speed.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        if self._speed is None:
            self._speed = yield from bps.rd(self.velocity)

    def restore(self) -> Plan:
        """Put the speed back that was noted.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        if self._speed is not None:
            yield from set_and_wait(self.velocity, self._speed, 10.0)
            self._speed = None


class FrameAngles:
    """Looks like a device: its reading is the position of each frame of the last event.

    Parameters
    ----------
    name : str
        Of the data key.
    """

    parent = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.positions = np.empty(0)

    def read(self) -> dict[str, dict[str, Any]]:
        """Tell the positions."""
        return {self.name: {"value": self.positions, "timestamp": time.time()}}

    def describe(self) -> dict[str, dict[str, Any]]:
        """Describe what :meth:`read` returns."""
        return {
            self.name: {
                "source": "adsupport:read-backs at the frames' times",
                "dtype": "array",
                "dtype_numpy": "<f8",
                "shape": list(self.positions.shape),
                "units": "degrees",
            }
        }

    def read_configuration(self) -> dict[str, Any]:
        """Tell nothing: it has no configuration."""
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        """Describe nothing."""
        return {}


class _Passing:
    """Looks like a device: its trigger ends when the motor passes a place."""

    parent = None

    def __init__(self, axis: FlyAxis, place: float, direction: int, timeout: float) -> None:
        self.name = f"{axis.motor.name} passing {place:g}"
        self._begin: Callable[[], Status] = lambda: axis.log.passing(place, direction, timeout)

    def trigger(self) -> Status:
        """Wait for it."""
        return self._begin()


def fly(
    camera: FrameDetector,
    axis: FlyAxis,
    stream: str,
    frames: int,
    first: float,
    step: float,
    exposure: float,
    period: float,
    others: Sequence[Any],
) -> Plan:
    """Take frames while a stage moves, all in one event, with the position of each.

    The stage goes to where its run-up begins, gets the speed, and the camera is triggered when
    it passes the first position.  What is recorded is where it was in the middle of each
    exposure, by its read-backs and the frames' own timestamps.

    Parameters
    ----------
    camera : FrameDetector
        The detector; has to tell the times of its frames.
    axis : FlyAxis
        The stage.
    stream : str
        Of the event.
    frames : int
        How many.
    first, step : float
        Position of the first frame and from frame to frame, in the stage's units.
    exposure, period : float
        Of a frame, and from frame to frame, in seconds.
    others : sequence of bluesky Readable
        Read into the same event.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    ConfigurationError
        The stage can't move so; nothing has been moved.
    """
    window = yield from planned(axis, first, step, frames, period)
    angles: Any = FrameAngles(positions_key(axis.motor))
    group = short_uid("fly")
    far = _end(window)
    grace = window.duration + frames * period + _GRACE

    def body() -> Plan:
        yield from axis.remember()
        yield from bps.mv(axis.motor, window.start)
        yield from set_and_wait(axis.velocity, window.speed, 10.0)
        yield from camera.prepare(stream, frames, exposure, period)
        yield from staged(camera, move)

    def move() -> Plan:
        axis.log.start()
        yield from bps.abs_set(axis.motor, far, group=group)
        passing: Any = _Passing(axis, window.first, window.direction, window.time_to_first + _GRACE)
        yield from bps.trigger(passing, wait=True)
        yield from bps.trigger(camera.device, wait=True)
        yield from bps.wait(group, timeout=grace)
        times = np.asarray((yield from camera.frame_times(frames)))
        _check_pace(times, period, window, camera.device)
        angles.positions = axis.log.at(times - exposure / 2)
        yield from bps.create(name=stream)
        for device in dict.fromkeys([camera.device, angles, *others]):
            yield from bps.read(device)
        yield from bps.save()

    def end() -> list[Any]:
        return [
            (f"stop {axis.motor.name}", lambda: bps.stop(axis.motor)),
            ("listen no more", axis.log.stop),
            (f"restore the speed of {axis.motor.name}", axis.restore),
        ]

    yield from with_cleanup(body(), end)


def _check_pace(
    times: np.ndarray, period: float, window: ConstantSpeedWindow, detector: Any
) -> None:
    """Make sure that the stage still had its speed when the last frame was taken."""
    spare = TRIGGER_TIME + window.run_down / window.speed / 2
    late = float(times[-1] - times[0]) - (len(times) - 1) * period
    if late > spare:
        real = float(times[-1] - times[0]) / (len(times) - 1)
        raise ConfigurationError(
            f"period={period:g} s: {detector.name} took {real:.4g} s for a frame, and the stage "
            "had slowed down before the last one",
            remedy="Give a period that the camera keeps, or expose shorter.",
        )


def planned(axis: FlyAxis, first: float, step: float, frames: int, period: float) -> Plan:
    """Compute a fly scan's motion, and make sure that the stage can do it.

    Parameters
    ----------
    axis, first, step, frames, period
        See :func:`fly`.

    Yields
    ------
    Msg
        Messages for the RunEngine: readings, nothing moves.

    Returns
    -------
    ConstantSpeedWindow
        The motion.

    Raises
    ------
    ConfigurationError
        It can't.
    """
    stage = yield from axis.motion()
    window = constant_speed_window(first, step, frames, period, stage)
    check_travel({"it stops behind the last frame": _end(window)}, stage.limits, stage.name)
    return window


def positions_key(motor: Any) -> str:
    """Name the data key of the positions of frames.

    Parameters
    ----------
    motor : bluesky Readable
        The stage.

    Returns
    -------
    str
        Such as ``"rotation_frames"``.
    """
    return f"{motor.name}_frames"


def _end(window: ConstantSpeedWindow) -> float:
    return window.end + window.direction * window.speed * TRIGGER_TIME
