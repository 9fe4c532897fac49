"""Kinematics of one axis: where it is at a time, for a given speed and acceleration. Pure.

Units are free: positions may be steps or degrees, as long as speeds and accelerations agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of constant acceleration.

    Attributes
    ----------
    duration : float
        Seconds; infinite for a motion that goes on.
    velocity : float
        Velocity at its start, signed.
    acceleration : float
        Signed.
    """

    duration: float
    velocity: float
    acceleration: float

    def distance(self, time: float) -> float:
        """Return the signed distance covered after ``time`` seconds of the phase."""
        return self.velocity * time + 0.5 * self.acceleration * time * time


@dataclass(frozen=True, slots=True)
class Motion:
    """A motion as a sequence of phases; at rest before its first and after its last.

    Attributes
    ----------
    start : float
        Position at time 0.
    phases : tuple of Phase
        In order.
    end : float
        Position after the last phase, exactly; meaningless for a motion that goes on.
    """

    start: float
    phases: tuple[Phase, ...]
    end: float

    @property
    def duration(self) -> float:
        """Seconds until the motion has ended."""
        return sum(phase.duration for phase in self.phases)

    def position(self, time: float) -> float:
        """Return the position ``time`` seconds after the start."""
        return self._at(time)[0]

    def velocity(self, time: float) -> float:
        """Return the signed velocity ``time`` seconds after the start."""
        return self._at(time)[1]

    def _at(self, time: float) -> tuple[float, float]:
        if time >= self.duration:
            return self.end, 0.0
        position = self.start
        for phase in self.phases:
            if time < phase.duration:
                covered = position + phase.distance(time)
                return covered, phase.velocity + phase.acceleration * time
            position += phase.distance(phase.duration)
            time -= phase.duration
        return self.end, 0.0


def rest(position: float) -> Motion:
    """Return the motion of an axis that stands still."""
    return Motion(position, (), position)


def move(
    start: float, target: float, speed: float, acceleration: float, velocity: float = 0.0
) -> Motion:
    """Plan the fastest motion to a target at which the axis stops.

    Parameters
    ----------
    start, target : float
        Positions.
    speed : float
        Cruising speed, above 0.
    acceleration : float
        Of the ramps at both ends, above 0.
    velocity : float
        Signed velocity at the start; an axis that is too fast to stop at the target passes it
        and comes back.

    Returns
    -------
    Motion
        A trapezoid in velocity, or a triangle when the way is too short for ``speed``. From rest
        it takes ``distance/speed + speed/acceleration``, or ``2 sqrt(distance/acceleration)``.

    Raises
    ------
    ValueError
        When speed or acceleration is not above 0.
    """
    _check(speed, acceleration)
    stop_ahead = velocity * abs(velocity) / (2 * acceleration)
    side = 1.0 if target - start >= stop_ahead else -1.0
    # From here on, the axis cruises in the positive direction.
    way, initial = side * (target - start), side * velocity
    peak = min(speed, math.sqrt(max(acceleration * way + initial * initial / 2, 0.0)))
    ramp = acceleration if peak >= initial else -acceleration
    speeding = (peak - initial) / ramp
    braking = peak / acceleration
    covered = (peak * peak - initial * initial) / (2 * ramp) + peak * braking / 2
    cruising = max((way - covered) / peak, 0.0) if peak > 0 else 0.0
    phases = (
        Phase(speeding, velocity, side * ramp),
        Phase(cruising, side * peak, 0.0),
        Phase(braking, side * peak, -side * acceleration),
    )
    return Motion(start, tuple(phase for phase in phases if phase.duration > 0), target)


def run(start: float, wanted: float, acceleration: float, velocity: float = 0.0) -> Motion:
    """Plan a motion that reaches a velocity and keeps it; a wanted velocity of 0 is a stop.

    Parameters
    ----------
    start : float
        Position.
    wanted, velocity : float
        Signed velocities to reach and at the start.
    acceleration : float
        Above 0.

    Returns
    -------
    Motion

    Raises
    ------
    ValueError
        When the acceleration is not above 0.
    """
    _check(1.0, acceleration)
    change = wanted - velocity
    ramp = Phase(abs(change) / acceleration, velocity, math.copysign(acceleration, change))
    end = start + ramp.distance(ramp.duration)
    phases = [ramp] if ramp.duration > 0 else []
    if wanted:
        phases.append(Phase(math.inf, wanted, 0.0))
    return Motion(start, tuple(phases), end)


def _check(speed: float, acceleration: float) -> None:
    if not speed > 0 or not acceleration > 0:
        raise ValueError(
            f"speed {speed} and acceleration {acceleration} must both be above 0 for a motion"
        )
