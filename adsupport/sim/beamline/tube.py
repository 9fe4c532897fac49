"""An X-ray tube: voltage and current that ramp, and the light that they make."""

from __future__ import annotations

import time
from enum import IntEnum

from adsupport.sim.beamline.moving_part import MovingPart
from adsupport.sim.beamline.ramp import Ramp, mean_of
from adsupport.sim.port import on_write

REFERENCE_VOLTAGE = 100.0
"""Voltage (kV) at which, with 1 mA, the relative flux is 1."""


class TubeState(IntEnum):
    """Values of parameter ``STATUS``."""

    OFF = 0
    RAMPING_UP = 1
    ON = 2
    RAMPING_DOWN = 3


def relative_flux(voltage: float, current: float) -> float:
    """Return the light of a tube, relative to that at 100 kV and 1 mA.

    The efficiency of bremsstrahlung grows with the voltage, so the power of the light is
    proportional to the current and to the square of the voltage (Kramers, Phil. Mag. 46 (1923)
    836).

    Parameters
    ----------
    voltage : float
        kV.
    current : float
        mA.
    """
    return current * (voltage / REFERENCE_VOLTAGE) ** 2


class Tube(MovingPart):
    """A tube that is switched on and off, and ramps between settings.

    Its parameters come from the table ``imagingTube``.

    Parameters
    ----------
    name : str
        asyn port name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._voltage = Ramp(0.0)
        self._current = Ramp(0.0)

    @on_write("ON", "VOLTAGE", "CURRENT")
    def _ramp(self, _: float) -> None:
        now = time.monotonic()
        on = bool(self.get("ON"))
        seconds = max(self.get("RAMP_TIME"), 0.0)
        targets = (self.get("VOLTAGE"), self.get("CURRENT")) if on else (0.0, 0.0)
        ramps = (self._voltage, self._current)
        if all(ramp.at(now) == target for ramp, target in zip(ramps, targets, strict=True)):
            seconds = 0.0
        for ramp, target in zip(ramps, targets, strict=True):
            ramp.go(target, now, seconds)
        self.depart(seconds)

    def show(self, arrived: bool) -> None:
        """Set read-backs and state."""
        now = time.monotonic()
        on = bool(self.get("ON"))
        self.set("VOLTAGE_NOW", self._voltage.at(now))
        self.set("CURRENT_NOW", self._current.at(now))
        if arrived:
            state = TubeState.ON if on else TubeState.OFF
        else:
            state = TubeState.RAMPING_UP if on else TubeState.RAMPING_DOWN
        self.set("STATUS", state)

    def mean_light(self, opening: Ramp, start: float, end: float) -> float:
        """Return the relative flux behind a shutter, averaged over a span of time.

        Parameters
        ----------
        opening : Ramp
            Part of the light that the shutter lets through.
        start, end : float
            Times of :func:`time.monotonic`.
        """
        return mean_of(
            lambda voltage, current, passed: relative_flux(voltage, current) * passed,
            (self._voltage, self._current, opening),
            start,
            end,
        )
