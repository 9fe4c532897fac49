"""The time series of plugins that compute numbers: a port of its own, and who controls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adsupport.sim.forwarding import GatedScan, forward
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.signals import SIGNALS_ADDRESS
from adsupport.sim.plugins.time_series import TimeSeries

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC


def add_series(ioc: AreaDetectorIOC, r: str, plugin: Plugin, signals: int) -> TimeSeries:
    """Add the time series that takes its points from :data:`SIGNALS_ADDRESS` of a plugin.

    It is a plugin whose records are named after the other one, such as ``Stats1:TS:``. In
    releases before that, ``TSControl`` and its companions stand among the plugin's own records.

    Parameters
    ----------
    ioc : AreaDetectorIOC
        Has just loaded the plugin's records.
    r : str
        Second part of their names.
    plugin : Plugin
        Computes the numbers.
    signals : int
        How many there are.

    Returns
    -------
    TimeSeries
        The port of the series.
    """
    controls_itself = ioc.tables.has_record(plugin.tables, "TSControl")
    series = ioc.add_plugin(
        f"{r}TS:",
        TimeSeries,
        f"{plugin.name}_TS",
        plugin,
        address=SIGNALS_ADDRESS,
        served=not controls_itself,
        signals=signals,
    )
    if controls_itself:
        records = ioc.load(("NDTimeSeriesControl",), r, series)
        read, control = records["TSRead"], records["TSControl"]
        GatedScan(ioc, read, records["TSAcquiring"], lambda: control.put(read.channel.value))
        forward(read, control)
    return series
