"""NDPluginAttribute: values of arrays' attributes, now and over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adsupport.sim.plugins.base import Part, Plugin
from adsupport.sim.plugins.time_series import TimeSeries

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC

ATTRIBUTES = 8
"""Attributes that are followed, one by asyn address."""


class AttributePlugin(Plugin):
    """Counts arrays; their attributes are not shown yet."""

    tables = (*Plugin.tables, "NDAttribute")
    parts = tuple(
        Part(f"{address + 1}:", ("NDAttributeN",), address) for address in range(ATTRIBUTES)
    )

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Add the port of the time series, which takes its points from address 1 of this one."""
        series = ioc.add_plugin(
            f"{r}TS:", TimeSeries, f"{self.name}_TS", self, address=1, signals=ATTRIBUTES
        )
        for part in self.parts:
            macros = {"NAME": "TSArrayValue"}
            ioc.load(("NDTimeSeriesN",), r + part.r, series, macros, address=part.address)
