"""What shutter and tube share: a quantity on its way, told to clients until it has arrived."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod

from adsupport.sim.beamline.finite_port import FinitePort
from adsupport.sim.ioc import IOC
from adsupport.sim.record import Record

REFRESH = 0.1
"""Seconds between two read-backs of a quantity on its way."""


class MovingPart(FinitePort):
    """A port with quantities that take their time; its parameter ``MOVING`` is 1 meanwhile.

    Parameters
    ----------
    name : str
        asyn port name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: asyncio.TimerHandle | None = None
        self._arrival = 0.0

    def begin_clock(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the event loop that runs the IOC; writes move nothing before."""
        self._loop = loop

    def stop(self) -> None:
        """Tell nothing any more."""
        self._loop = None
        super().stop()

    def depart(self, seconds: float) -> None:
        """Show the way, which takes that long, until its end."""
        self._arrival = time.monotonic() + seconds
        self.set("MOVING", 1)
        self._follow()

    def _follow(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        remaining = self._arrival - time.monotonic()
        arrived = remaining <= 0 or self._loop is None
        with self.lock:
            self.show(arrived)
            self.set("MOVING", int(not arrived))
            self.call_callbacks()
        if not arrived and self._loop is not None:
            self._due = self._loop.call_later(min(remaining, REFRESH), self._follow)

    @abstractmethod
    def show(self, arrived: bool) -> None:
        """Set read-backs and states.

        Parameters
        ----------
        arrived : bool
            Whether the way has ended.
        """


def load_part(ioc: IOC, table: str, r: str, part: MovingPart, *movers: str) -> None:
    """Load a part's records and let a put-callback on some of them end with the way.

    Parameters
    ----------
    ioc : IOC
        Gets the records.
    table : str
        Record table, which has a record ``Moving_RBV``.
    r : str
        Second part of the record names.
    part : MovingPart
        The port.
    *movers : str
        Records whose put-callback waits for the end of the way.
    """
    records = ioc.load([table], r, part)
    moving = records["Moving_RBV"]
    for name in movers:
        records[name].on_process.append(lambda _: _until_arrived(part, moving))
    ioc.starters.append(part.begin_clock)


def _until_arrived(part: MovingPart, moving: Record) -> asyncio.Future[object] | None:
    return moving.until_zero() if part.get("MOVING") else None
