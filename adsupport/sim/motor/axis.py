"""The controller's side of a motor: an axis in steps that is looked at ten times a second."""

from __future__ import annotations

import math
from dataclasses import dataclass

from adsupport.sim.motor import motion
from adsupport.sim.motor.motion import Motion

PERIOD = 0.1
"""Seconds between two looks at the axes."""

LIMIT_SWITCH = 10000.0
"""Steps from 0 to the limit switch at either end, unless an axis has its own."""

SLOWEST, FASTEST = 1e-6, 1e9
"""Lowest and highest speed (steps/s) and acceleration (steps/s**2) that the axis knows."""

OUTERMOST = 2.0**31
"""Steps in either direction that the axis can count."""

HOME_SWITCH = 0.0
"""Position of the home switch, steps."""


@dataclass(frozen=True, slots=True)
class AxisStatus:
    """What the controller reports.

    Attributes
    ----------
    position : int
        Steps, rounded.
    done, direction, high_limit, low_limit, at_home, homed : bool
        Standing still; moving up; at the switches; homed since the start.
    """

    position: int
    done: bool
    direction: bool
    high_limit: bool
    low_limit: bool
    at_home: bool
    homed: bool

    @property
    def bits(self) -> int:
        """The status word as the motor record's MSTA shows it."""
        return (
            self.direction
            | self.done << 1
            | self.high_limit << 2
            | self.at_home << 7
            | (not self.done) << 10
            | self.low_limit << 13
            | self.homed << 14
        )


class SimulatedAxis:
    """A stepper axis with limit switches at either end and a home switch at 0.

    Every position is in steps, every speed in steps/s, every acceleration in steps/s**2.

    Attributes
    ----------
    status : AxisStatus
        As of the last command or tick.
    limit_switch : float
        Steps from 0 to the limit switches.
    """

    def __init__(self) -> None:
        self.limit_switch = LIMIT_SWITCH
        # one tuple: a camera's thread may look while the clock's thread changes it
        self._course = motion.rest(0.0), 0.0
        self._position = 0.0
        self._velocity = 0.0
        self._offset = 0.0
        self._acceleration = 1.0
        self._homing = False
        self._homed = False
        self.status = self._report(done=True)

    def move_to(self, position: float, speed: float, acceleration: float) -> bool:
        """Start to move; a non-positive acceleration keeps the last one.

        Returns
        -------
        bool
            False when a limit switch forbids the direction.
        """
        target = min(max(position, -OUTERMOST), OUTERMOST) - self._offset
        if (self._position >= self.limit_switch and target > self._position) or (
            self._position <= -self.limit_switch and target < self._position
        ):
            return False
        self._homing = False
        self._remember(acceleration)
        self._travel(target, speed)
        self.status = self._report(done=False)
        return True

    def run_at(self, velocity: float, acceleration: float) -> None:
        """Reach a velocity and keep it until stopped or at a limit switch."""
        self._homing = False
        self._remember(acceleration)
        self._reach(min(max(velocity, -FASTEST), FASTEST))
        self.status = self._report(done=False)

    def find_home(self, velocity: float, acceleration: float) -> None:
        """Run until the home switch is passed, then return to it."""
        self.run_at(velocity, acceleration)
        self._homing, self._homed = True, False

    def stop(self) -> None:
        """Slow down to a standstill."""
        self._homing = False
        self._reach(0.0)

    def ahead(self, elapsed: float) -> float:
        """Tell how many steps it goes from the last tick on, without going there.

        Parameters
        ----------
        elapsed : float
            Seconds since that tick; below 0 before it.
        """
        going, since = self._course
        return going.position(max(0.0, since + elapsed)) - going.position(since)

    def load_position(self, position: float) -> None:
        """Call the present position ``position``."""
        self._offset = position - self._position
        self.status = self._report(done=self.status.done)

    def tick(self, elapsed: float) -> AxisStatus:
        """Let time pass.

        Parameters
        ----------
        elapsed : float
            Seconds since the last tick.

        Returns
        -------
        AxisStatus
            The same object as before when nothing changed.
        """
        before = self._position
        going, time = self._course[0], self._course[1] + elapsed
        self._course = going, time
        self._position = going.position(time)
        self._velocity = going.velocity(time)
        if self._homing and (before - HOME_SWITCH) * (self._position - HOME_SWITCH) <= 0:
            self._homing, self._homed = False, True
            self._travel(HOME_SWITCH, abs(self._velocity))
        elif self._position > self.limit_switch and self._velocity > 0:
            self._travel(self.limit_switch, abs(self._velocity))
        elif self._position < -self.limit_switch and self._velocity < 0:
            self._travel(-self.limit_switch, abs(self._velocity))
        going, time = self._course
        status = self._report(done=time >= going.duration)
        if status != self.status:
            self.status = status
        return self.status

    def _travel(self, target: float, speed: float) -> None:
        """Plan the way to a target from the present position and velocity."""
        speed = min(max(speed, SLOWEST), FASTEST)
        self._go(motion.move(self._position, target, speed, self._acceleration, self._velocity))

    def _reach(self, velocity: float) -> None:
        self._go(motion.run(self._position, velocity, self._acceleration, self._velocity))

    def _remember(self, acceleration: float) -> None:
        if acceleration > 0:
            self._acceleration = min(max(acceleration, SLOWEST), FASTEST)

    def _go(self, motion: Motion) -> None:
        self._course = motion, 0.0

    def _report(self, *, done: bool) -> AxisStatus:
        return AxisStatus(
            position=nearest_step(self._position + self._offset),
            done=done,
            direction=self._velocity > 0,
            high_limit=self._position >= self.limit_switch,
            low_limit=self._position <= -self.limit_switch,
            at_home=self._position == HOME_SWITCH,
            homed=self._homed,
        )


def nearest_step(value: float) -> int:
    """Return the nearest integer, halves away from zero, as a signed 32-bit number.

    What does not fit gives the outermost number, and what is no number gives 0.
    """
    if math.isnan(value):
        return 0
    value = min(max(value, -OUTERMOST), OUTERMOST - 1)
    return int(value + 0.5) if value >= 0 else int(value - 0.5)
