"""What goes wrong with a plugin's queue."""

from __future__ import annotations

import math
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adsupport.sim.faults.fault import Fault, parameter
from adsupport.sim.faults.targets import find_port
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.base import Plugin

if TYPE_CHECKING:
    from adsupport.sim.ioc import IOC


@dataclass(kw_only=True, eq=False)
class SlowPlugin(Fault):
    """A plugin takes long for each array: its queue fills, and the arrays after that are dropped.

    With ``seconds=inf`` the first array is held until the fault ends: of n arrays that follow
    each other, n - 1 - QueueSize are dropped exactly.
    """

    name: ClassVar[str] = "slow-plugin"
    needs: ClassVar[str] = "plugin"
    seconds: float = parameter(math.inf, "seconds more per array; inf: until the fault ends", 0)

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Hold arrays up until the fault ends."""
        plugin = find_port(ioc, Plugin, self.needs, self.target)
        self.ended = threading.Event()
        stack.callback(self.ended.set)
        stack.enter_context(plugin.before_processing.attached(self._hold))

    def _hold(self, _: NDArray) -> None:
        self.ended.wait(min(self.seconds, threading.TIMEOUT_MAX))


@dataclass(kw_only=True, eq=False)
class QueueOverflow(Fault):
    """A plugin drops exactly so many arrays, as when its queue is full for a moment."""

    name: ClassVar[str] = "queue-overflow"
    needs: ClassVar[str] = "plugin"
    after: int = parameter(0, "arrays that are taken before, from the beginning of the fault", 0)
    count: int = parameter(1, "arrays that are dropped then", 1)

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Count and drop."""
        plugin = find_port(ioc, Plugin, self.needs, self.target)
        self.arrived = 0
        stack.enter_context(plugin.before_taking.attached(self._drops))

    def _drops(self, _: NDArray) -> bool:
        self.arrived += 1
        return self.after < self.arrived <= self.after + self.count
