"""NDPluginROI: a region of the array, binned, reversed, scaled."""

from __future__ import annotations

from adsupport.sim.plugins.base import Plugin


class ROI(Plugin):
    """Passes arrays on; its region is not cut out yet."""

    tables = (*Plugin.tables, "NDROI")
