"""NDPluginROIStat: statistics of several regions."""

from __future__ import annotations

from adsupport.sim.plugins.base import Part, Plugin

REGIONS = 8
"""Regions, one by asyn address."""


class ROIStat(Plugin):
    """Passes arrays on; nothing is computed yet."""

    tables = (*Plugin.tables, "NDROIStat")
    parts = tuple(Part(f"{address + 1}:", ("NDROIStatN",), address) for address in range(REGIONS))
