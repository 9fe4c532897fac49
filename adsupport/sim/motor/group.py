"""The motors of an IOC: one clock for their axes, and the records that speak for all of them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from adsupport.sim.ca.channel import Channel
from adsupport.sim.follow import Follow
from adsupport.sim.ioc import IOC
from adsupport.sim.motor.axis import PERIOD, SimulatedAxis
from adsupport.sim.motor.record import MotorRecord
from adsupport.sim.record import Record

LONGEST_STEP = 4
"""Periods of motion at most in one step of the clock: after a stall the axes do not jump."""


class MotorGroup:
    """Motors ``m1`` to ``m<number>`` and what stands beside them.

    ``alldone`` and ``moving`` follow every DMOV, ``allstop`` stops every motor, ``mN_able``
    locks one, ``mNDirection``, ``mNOffset`` and ``mNResolution`` repeat fields of one.

    Parameters
    ----------
    ioc : IOC
        Gets the records, and starts the clock.
    number : int
        How many motors.
    period : float
        Seconds between two looks at the axes.

    Attributes
    ----------
    motors : list of MotorRecord
        In order.
    """

    def __init__(self, ioc: IOC, number: int, period: float = PERIOD) -> None:
        self._period = period
        self.motors = [self._add(ioc, index) for index in range(1, number + 1)]
        records = ioc.load(["motorUtil"], "")
        self._alldone, self._moving = records["alldone"], records["moving"]
        self._in_motion: set[str] = set()
        self._allstop = records["allstop"]
        self._allstop.on_process.append(self._stop_all)
        for motor in self.motors:
            Follow(
                motor.channel("DMOV"), lambda channel, name=motor.name: self._count(name, channel)
            )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last = self._due = 0.0
        self._ticking = threading.Lock()
        ioc.starters.append(self.start)

    def _add(self, ioc: IOC, index: int) -> MotorRecord:
        r = f"m{index}"
        macros = {"P": ioc.prefix, "R": r, "N": str(index), "ADDR": str(index - 1)}
        motor = MotorRecord(ioc.prefix + r, SimulatedAxis(), macros)
        motor.database = ioc.database
        ioc.database.add(motor.name, motor.channel("VAL"))
        _link_helpers(motor, r, ioc.load(["motorHelpers"], "", macros={"M": r}))
        return motor

    # ---- the clock

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the clock of the axes."""
        self._loop = loop
        self._last = self._due = loop.time()
        loop.call_soon(self._tick)

    def _tick(self) -> None:
        if self._loop is None:
            return
        now = self._loop.time()
        with self._ticking:
            self.advance(min(now - self._last, LONGEST_STEP * self._period))
            self._last = now
        self._due = max(self._due + self._period, now)
        self._loop.call_at(self._due, self._tick)

    def advance(self, elapsed: float) -> None:
        """Let time pass for every axis.

        Parameters
        ----------
        elapsed : float
            Seconds.
        """
        for motor in self.motors:
            motor.axis.tick(elapsed)
            motor.follow()

    def positions_at(self, moment: float) -> list[float]:
        """Tell where the motors are between two looks at the axes; any thread may ask.

        Parameters
        ----------
        moment : float
            A time of :func:`time.monotonic`, about now.

        Returns
        -------
        list of float
            Their positions by the dial, in order: the read-backs, and what lies since.
        """
        with self._ticking:
            since = min(moment - self._last, LONGEST_STEP * self._period)
            return [
                motor["DRBV"] + motor.axis.ahead(since) * motor["MRES"] for motor in self.motors
            ]

    # ---- the records for all

    def _count(self, name: str, channel: Channel) -> None:
        if channel.value:
            self._in_motion.discard(name)
        else:
            self._in_motion.add(name)
        # Like the watching task of a real IOC: just after the motor has posted what it has to.
        number = len(self._in_motion)
        if self._loop is None:
            self._show(number)
        else:
            self._loop.call_soon(self._show, number)

    def _show(self, number: int) -> None:
        self._alldone.post(int(number == 0))
        self._moving.post(number)

    def _stop_all(self, value: Any) -> None:
        if value:
            for motor in self.motors:
                motor.stop()
            self._allstop.post(0)


def _link_helpers(motor: MotorRecord, r: str, records: dict[str, Record]) -> None:
    records[f"{r}_able"].on_process.append(lambda value: motor.put("DISP", int(value)))
    for field, name in (("DIR", "Direction"), ("OFF", "Offset"), ("MRES", "Resolution")):
        record = records[r + name]
        Follow(motor.channel(field), lambda channel, record=record: record.post(channel.value))
