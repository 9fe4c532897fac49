"""A stage that moves at a speed of one's own, and what it does in a fly scan."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import bluesky.plan_stubs as bps
from ophyd import EpicsMotor, EpicsSignalRO

from ...errors import ConfigurationError
from ...plans.in_loop import in_loop
from ...plans.in_thread import in_thread
from ..stubs.cleanup import Plan
from ..stubs.moves import set_and_wait
from .frame_positions import FramePositions
from .limits import limits_of
from .position_compare import PositionCompare
from .position_log import PositionLog
from .window import StageMotion

__all__ = ["FlyAxis", "Track"]

logger = logging.getLogger(__name__)

#: For fields of a motor record, in seconds: the motor itself is connected.
_CONNECT_TIMEOUT = 3.0


class FlyAxis:
    """A motor that moves at a speed of one's own.

    Parameters
    ----------
    motor : bluesky Movable, Readable and Subscribable
        Such as an EpicsMotor.
    velocity : bluesky Movable and Readable, optional
        Its speed, in units per second; ``motor.velocity`` by default.
    acceleration : bluesky Readable, optional
        Its time of acceleration, in seconds; ``motor.acceleration`` by default, or
        ``motor.acceleration_time``, as ophyd-async has it.
    resolution : float, optional
        Units per encoder count, when steps are to be whole counts; that of ``position_compare``
        by default.
    max_velocity, base_velocity : bluesky Readable, optional
        Its highest speed (0: none), and the one with which it starts, in units per second;
        ``motor.max_velocity`` by default, and of an EpicsMotor ``.VMAX`` and ``.VBAS``.
    position_compare : PositionCompare, optional
        Hardware that triggers the camera for each frame, where this axis is: of a fly scan's first
        axis.  Without, the camera is triggered once, and takes its frames by its own clock.
    pulse_mode : str or None
        The camera's trigger mode in which each pulse of that begins a frame; None leaves the mode
        as it is.

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
        max_velocity: Any = None,
        base_velocity: Any = None,
        position_compare: PositionCompare | None = None,
        pulse_mode: str | None = "External",
    ) -> None:
        self.position_compare, self.pulse_mode = position_compare, pulse_mode
        if resolution is None:
            resolution = getattr(position_compare, "resolution", None)
        self.motor, self.resolution = motor, resolution
        self.velocity: Any = velocity if velocity is not None else getattr(motor, "velocity", None)
        known = (getattr(motor, name, None) for name in ("acceleration", "acceleration_time"))
        self.acceleration: Any = next(
            (each for each in (acceleration, *known) if each is not None), None
        )
        for name in ("velocity", "acceleration"):
            if getattr(self, name) is None:
                raise ConfigurationError(
                    f"{motor.name} has no {name}",
                    remedy=f"Give FlyAxis(..., {name}=signal), or take mode='step'.",
                )
        if max_velocity is None:
            max_velocity = getattr(motor, "max_velocity", None)
        self.max_velocity = _field(motor, "VMAX") if max_velocity is None else max_velocity
        self.base_velocity = _field(motor, "VBAS") if base_velocity is None else base_velocity
        self.log = PositionLog(motor)
        #: One for all flights: bluesky wants the same objects in all events of a stream.
        self.positions = FramePositions(motor)
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
            With the motor's present acceleration, speeds and limits.
        """
        acceleration = yield from bps.rd(self.acceleration)
        highest = yield from self._speed_of(self.max_velocity)
        lowest = yield from self._speed_of(self.base_velocity)
        return StageMotion(
            float(acceleration),
            base_speed=lowest,
            max_speed=highest,
            limits=limits_of(self.motor),
            resolution=self.resolution,
            name=self.motor.name,
        )

    def units(self) -> Plan:
        """Tell the units of its positions: the motor's own word, or what it says of its reading.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Returns
        -------
        str
            Empty when they aren't known.
        """
        units = getattr(self.motor, "egu", None)
        if units is None:
            described = (yield from in_loop(self.motor.describe)) or {}
            units = described.get(self.motor.name, {}).get("units")
        return str(units or "")

    def _speed_of(self, signal: Any) -> Plan:
        """Read a limit of the speed; 0 when there is none."""
        if signal is None:
            return 0.0
        connect = getattr(signal, "wait_for_connection", None)
        try:
            if connect is not None:
                yield from in_thread(lambda: connect(timeout=_CONNECT_TIMEOUT))
        except TimeoutError:  # not every motor has these fields
            logger.warning("%s isn't there: no such limit is known", signal.name)
            return 0.0
        return float((yield from bps.rd(signal)))

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


def _field(motor: Any, name: str) -> Any:
    """Give a field of a motor record for which ophyd's device has no signal."""
    if not isinstance(motor, EpicsMotor):
        return None
    return EpicsSignalRO(f"{motor.prefix}.{name}", name=f"{motor.name}_{name.lower()}")
