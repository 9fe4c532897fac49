"""Fly scans: frames while a stage moves at constant speed, each with the position it was at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.utils import short_uid
from ophyd.status import Status

from ...errors import ConfigurationError
from ..cleanup import Plan, Step, with_cleanup
from ..events import read_event
from ..exposures import FrameDetector, staged
from ..moves import set_and_wait
from .position_log import PositionLog
from .standstill import halt
from .window import ConstantSpeedWindow, StageMotion, check_travel, constant_speed_window

__all__ = ["FlyAxis", "Track", "fly", "planned", "positions_key"]

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


@dataclass(frozen=True, eq=False)
class Track:
    """What an axis does in a fly scan.

    Parameters
    ----------
    axis : FlyAxis
        The axis.
    first, step : float
        Position of the first frame and from frame to frame, in the axis' units.
    """

    axis: FlyAxis
    first: float
    step: float


class FramePositions:
    """Looks like a device: its reading is the position of each frame of the last event.

    Parameters
    ----------
    motor : bluesky Readable
        The motor whose positions they are.
    """

    parent = None

    def __init__(self, motor: Any) -> None:
        self.name = positions_key(motor)
        self._units = str(getattr(motor, "egu", "") or "")
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
                "units": self._units,
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
    tracks: Sequence[Track],
    stream: str,
    frames: int,
    exposure: float,
    period: float,
    others: Sequence[Any],
) -> Plan:
    """Take frames while stages move, all in one event, with the positions of each.

    The stages go to where their run-ups begin, get their speeds, start together, and the camera
    is triggered when the first of them passes its first position.  What is recorded is where they
    were in the middle of each exposure, by their read-backs and the frames' own timestamps.

    Parameters
    ----------
    camera : FrameDetector
        The detector; has to tell the times of its frames.
    tracks : sequence of Track
        What moves, the one that triggers first.
    stream : str
        Of the event.
    frames : int
        How many.
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
        A stage can't move so, and nothing has been moved; or the camera didn't keep the period.
    """
    windows = yield from planned(tracks, frames, period)
    lead = max(window.time_to_first for window in windows)
    along = [FramePositions(track.axis.motor) for track in tracks]
    group = short_uid("fly")
    grace = max(window.duration for window in windows) + frames * period + _GRACE
    moves = list(zip(tracks, windows, strict=True))

    def body() -> Plan:
        for track in tracks:
            yield from track.axis.remember()
        starts = [each for t, w in moves for each in (t.axis.motor, _start(w, lead))]
        yield from bps.mv(*starts)
        for track, window in moves:
            yield from set_and_wait(track.axis.velocity, window.speed, 10.0)
        yield from camera.prepare(stream, frames, exposure, period)
        yield from staged(camera, move)

    def move() -> Plan:
        for track in tracks:
            track.axis.log.start()
        for track, window in moves:
            yield from bps.abs_set(track.axis.motor, _end(window), group=group)
        first = windows[0]
        passing: Any = _Passing(tracks[0].axis, first.first, first.direction, lead + _GRACE)
        yield from bps.trigger(passing, wait=True)
        yield from bps.trigger(camera.device, wait=True)
        yield from bps.wait(group, timeout=grace)
        times = np.asarray((yield from camera.frame_times(frames)))
        for window in windows:
            _check_pace(times, period, window, camera.device)
        for track, each in zip(tracks, along, strict=True):
            each.positions = track.axis.log.at(times - exposure / 2)
        yield from read_event([camera.device, *along, *others], stream)

    def end() -> list[Step]:
        found: list[Step] = []
        for track in tracks:
            motor = track.axis.motor
            found += [
                (f"halt {motor.name}", partial(halt, motor)),
                (f"listen no more to {motor.name}", track.axis.log.stop),
                (f"restore the speed of {motor.name}", track.axis.restore),
            ]
        return found

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


def planned(tracks: Sequence[Track], frames: int, period: float) -> Plan:
    """Compute a fly scan's motions, and make sure that the stages can do them.

    Parameters
    ----------
    tracks, frames, period
        See :func:`fly`.

    Yields
    ------
    Msg
        Messages for the RunEngine: readings, nothing moves.

    Returns
    -------
    list of ConstantSpeedWindow
        The motion of each.

    Raises
    ------
    ConfigurationError
        One can't; nothing has been moved.
    """
    found = []
    stages = []
    for track in tracks:
        stages.append((yield from track.axis.motion()))
        found.append(constant_speed_window(track.first, track.step, frames, period, stages[-1]))
    lead = max(window.time_to_first for window in found)
    for window, stage in zip(found, stages, strict=True):
        places = {"its run-up begins": _start(window, lead), "it stops": _end(window)}
        check_travel(places, stage.limits, stage.name)
    return found


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


def _start(window: ConstantSpeedWindow, lead: float) -> float:
    """Tell where a stage starts so that it's at its first position after the others' time, too."""
    spare = (lead - window.time_to_first) * window.speed
    return window.start - window.direction * spare


def _end(window: ConstantSpeedWindow) -> float:
    return window.end + window.direction * window.speed * TRIGGER_TIME
