"""Position-compare hardware that isn't there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
from ophyd.status import Status

from adsupport.imaging.motion.window import ConstantSpeedWindow
from adsupport.imaging.stubs.cleanup import Plan

__all__ = ["FakeController"]


class FakeController:
    """Position-compare hardware that isn't there, for tests.

    It follows the read-backs of a motor and gives a pulse for each position that the motor
    passes in the direction of the scan.  As real ones do, it counts from where it was armed.

    Parameters
    ----------
    motor : ophyd positioner
        The stage; ``subscribe`` must give its read-backs.
    on_pulse : callable, optional
        Called with position (in the motor's units) and time (in seconds since 1970) of each
        pulse, in the thread that gives the read-backs.
    name : str
        Its name.

    Attributes
    ----------
    pulses : list of (float, float)
        Position and time of each pulse since it was programmed; times are interpolated.
    log : list of str
        ``"program"``, ``"arm"`` and ``"disarm"`` as they came.
    """

    def __init__(
        self,
        motor: Any,
        on_pulse: Callable[[float, float], None] | None = None,
        name: str = "fake_compare",
    ) -> None:
        self.name = name
        self.pulses: list[tuple[float, float]] = []
        self.log: list[str] = []
        self._on_pulse = on_pulse
        self._window: ConstantSpeedWindow | None = None
        self._armed_at: float | None = None
        self._seen: tuple[float, float] | None = None
        motor.subscribe(self._moved)

    def check(self, window: ConstantSpeedWindow) -> None:
        """Take any window.

        Parameters
        ----------
        window : ConstantSpeedWindow
            The motion.
        """

    def reference(self, window: ConstantSpeedWindow) -> float | None:
        """Tell where the motor must stand when it is armed.

        Parameters
        ----------
        window : ConstantSpeedWindow
            The motion.

        Returns
        -------
        float
            The position of the first frame, in the motor's units.
        """
        return window.first

    def program(self, window: ConstantSpeedWindow) -> Plan:
        """Take the positions of the pulses.

        Parameters
        ----------
        window : ConstantSpeedWindow
            The motion.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """

        def do() -> None:
            self._window, self.pulses = window, []

        yield from self._do("program", do)

    def arm(self) -> Plan:
        """Count from where the motor is.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """

        def do() -> None:
            if self._seen is not None:
                self._armed_at = self._seen[0]

        yield from self._do("arm", do)

    def disarm(self) -> Plan:
        """Give no more pulses.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """

        def do() -> None:
            self._armed_at = None

        yield from self._do("disarm", do)

    def _do(self, what: str, action: Callable[[], None]) -> Plan:
        done: Any = _Action(self, what, action)
        yield from bps.abs_set(done, True, wait=True)

    def _moved(self, value: Any = None, timestamp: Any = 0.0, **_: Any) -> None:
        """Give the pulses for the way from the last read-back to this one."""
        if value is None:
            return
        before, self._seen = self._seen, (float(value), float(timestamp))
        if before is None or self._window is None or self._armed_at is None:
            return
        window, sign = self._window, self._window.direction
        places = window.positions + (self._armed_at - window.first)
        passed = places[(sign * places > sign * before[0]) & (sign * places <= sign * value)]
        times = np.interp(
            sign * passed, sign * np.array([before[0], value]), [before[1], timestamp]
        )
        for place, time in zip(passed.tolist(), times.tolist(), strict=True):
            self.pulses.append((place, time))
            if self._on_pulse is not None:
                self._on_pulse(place, time)


class _Action:
    """Something that a plan can set: it's done at once."""

    parent = None

    def __init__(self, controller: FakeController, what: str, action: Callable[[], None]) -> None:
        self.name = f"{controller.name}_{what}"
        self._log, self._what, self._action = controller.log, what, action

    def set(self, value: Any) -> Status:
        self._action()
        self._log.append(self._what)
        status = Status()
        status.set_finished()
        return status
