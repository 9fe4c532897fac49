"""NDPluginTimeSeries: several signals over time, each array a point of all."""

from __future__ import annotations

from collections.abc import Mapping

from adsupport.sim.plugins.base import Plugin
from adsupport.sim.source import ArraySource

POINTS = 2048
"""Points of a series until TSNumPoints is written."""


class TimeSeries(Plugin):
    """Counts arrays; their series are not kept yet.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    signals : int
        Series that are kept, one by asyn address.
    """

    tables = (*Plugin.tables, "NDTimeSeries")

    def __init__(self, name: str, ports: dict[str, ArraySource], *, signals: int = 8) -> None:
        super().__init__(name, ports)
        self.signals = signals

    @property
    def macros(self) -> Mapping[str, str]:
        """Macros of the record tables: megabytes of the buffer for the series."""
        return {"POOL_USED_MEM": str(self.signals * POINTS * 8 / 2**20)}
