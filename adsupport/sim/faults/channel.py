"""What goes wrong between an IOC and its clients."""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary

from adsupport.sim.ca.circuit import Monitor
from adsupport.sim.faults.fault import Fault, parameter
from adsupport.sim.faults.targets import find_channels

if TYPE_CHECKING:
    from adsupport.sim.ioc import IOC

LONGEST = 60.0
"""Seconds a message may take at most: those behind it wait that long, after the fault has ended."""


@dataclass(kw_only=True, eq=False)
class DropMonitors(Fault):
    """Monitor events of the PVs that match a pattern are lost; the first value still comes."""

    name: ClassVar[str] = "drop-monitors"
    needs: ClassVar[str] = "PV pattern"
    every: int = parameter(1, "every n-th event of a PV is lost, for each client; 1: all", 1)

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Lose events."""
        self.events: WeakKeyDictionary[Monitor, int] = WeakKeyDictionary()
        for channel in find_channels(ioc, self.target):
            stack.enter_context(channel.before_event.attached(self._is_lost))

    def _is_lost(self, monitor: Monitor) -> bool:
        self.events[monitor] = self.events.get(monitor, 0) + 1
        return self.events[monitor] % self.every == 0


@dataclass(kw_only=True, eq=False)
class DelayCompletion(Fault):
    """Put-callbacks of the PVs that match a pattern end late; what they do is done in time."""

    name: ClassVar[str] = "delay-completion"
    needs: ClassVar[str] = "PV pattern"
    seconds: float = parameter(1.0, "seconds late", 0)

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Make answers late."""
        for channel in find_channels(ioc, self.target):
            channel.completion_delays.append(self.seconds)
            stack.callback(channel.completion_delays.remove, self.seconds)


@dataclass(kw_only=True, eq=False)
class Latency(Fault):
    """Every message of the IOC takes time to its clients, as over a network; the order is kept."""

    name: ClassVar[str] = "latency"
    seconds: float = parameter(0.05, "seconds that each message takes", 0, LONGEST)
    jitter: float = parameter(0.0, "seconds more at most, at random", 0, LONGEST)
    seed: int = parameter(0, "makes the jitter repeatable")

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Slow the network down."""
        chance = random.Random(self.seed)
        delays = ioc.database.network.delays

        def delay() -> float:
            return self.seconds + chance.uniform(0, self.jitter)

        delays.append(delay)
        stack.callback(delays.remove, delay)
