"""A fast shutter: two positions, and a way between them that takes time."""

from __future__ import annotations

import time
from enum import IntEnum

from adsupport.sim.beamline.moving_part import MovingPart
from adsupport.sim.beamline.ramp import Ramp
from adsupport.sim.port import on_write


class ShutterState(IntEnum):
    """Values of parameter ``STATUS``."""

    CLOSED = 0
    OPENING = 1
    OPEN = 2
    CLOSING = 3


class Shutter(MovingPart):
    """A shutter that lets a linearly growing part of the light through as it opens.

    Its parameters come from the table ``imagingShutter``.

    Parameters
    ----------
    name : str
        asyn port name.

    Attributes
    ----------
    opening : Ramp
        Part of the light that passes: 0 closed, 1 open.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.opening = Ramp(0.0)
        self._opens = False

    @on_write("OPEN")
    def _press_open(self, value: int) -> None:
        if value:
            self._move(True)

    @on_write("CLOSE")
    def _press_close(self, value: int) -> None:
        if value:
            self._move(False)

    @on_write("CONTROL")
    def _control(self, value: int) -> None:
        self._move(bool(value))

    def _move(self, opens: bool) -> None:
        now = time.monotonic()
        self._opens = opens
        target = float(opens)
        # turning back half-way takes half the time
        seconds = abs(target - self.opening.at(now)) * max(self.get("TRANSIT_TIME"), 0.0)
        self.opening.go(target, now, seconds)
        self.depart(seconds)

    def show(self, arrived: bool) -> None:
        """Set the state, and release the buttons when it is reached."""
        if arrived:
            state = ShutterState.OPEN if self._opens else ShutterState.CLOSED
        else:
            state = ShutterState.OPENING if self._opens else ShutterState.CLOSING
        self.set("STATUS", state)
        self.set("CONTROL", int(self._opens))
        # a button that was pressed stays so until its way ends; the other one is released
        self.set("OPEN", int(self._opens and not arrived))
        self.set("CLOSE", int(not self._opens and not arrived))
