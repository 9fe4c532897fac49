"""NDPluginScatter: each array to one of several plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adsupport.sim.plugins.base import Plugin

if TYPE_CHECKING:
    from adsupport.sim.ndarray import NDArray
    from adsupport.sim.source import ArraySource


class Scatter(Plugin):
    """Hands each array to the next of the plugins that listen, in the order they connected in.

    A plugin whose queue is full, or whose MinCallbackTime is not over, is passed over; the last
    one that is left must take the array or drop it. Sorting and MaxByteRate don't apply (rules
    of NDPluginScatter).

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    """

    tables = (*Plugin.tables, "NDScatter")

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._next = 0

    def emit(self, array: NDArray, address: int = 0) -> None:
        """Hand an array to one plugin, if ArrayCallbacks is on.

        Parameters
        ----------
        array : NDArray
            Must not be changed any more.
        address : int
            asyn address that the plugins listen to.
        """
        if not self.get("ARRAY_CALLBACKS"):
            return
        array = self.with_own_attributes(array)
        consumers = self.consumers(address)
        for tried in range(1, len(consumers) + 1):
            if self._next >= len(consumers):
                self._next = 0
            consumer = consumers[self._next]
            self._next += 1
            if consumer(array, may_refuse=tried < len(consumers)):
                return
