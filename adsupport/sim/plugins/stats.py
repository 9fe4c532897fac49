"""NDPluginStats: statistics, centroid, profiles and histogram of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.time_series import TimeSeries

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC

SERIES = (
    "MinValue", "MinX", "MinY", "MaxValue", "MaxX", "MaxY", "MeanValue", "Sigma", "Total", "Net",
    "CentroidTotal", "CentroidX", "CentroidY", "SigmaX", "SigmaY", "SigmaXY", "SkewX", "SkewY",
    "KurtosisX", "KurtosisY", "Eccentricity", "Orientation", "Timestamp",
)  # fmt: skip
"""What becomes a time series, by its asyn address there; the records are named ``TSMinValue``..."""


class Stats(Plugin):
    """Passes arrays on; nothing is computed yet."""

    tables = (*Plugin.tables, "NDStats")

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Add the port of the time series, which takes its points from address 1 of this one."""
        series = ioc.add_plugin(
            f"{r}TS:", TimeSeries, f"{self.name}_TS", self, address=1, signals=len(SERIES)
        )
        for address, name in enumerate(SERIES):
            ioc.load(("NDTimeSeriesN",), r, series, {"NAME": f"TS{name}"}, address=address)
