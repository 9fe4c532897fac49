"""NDPluginScatter: each array to one of several plugins."""

from __future__ import annotations

from adsupport.sim.plugins.base import Plugin


class Scatter(Plugin):
    """Passes arrays on; they are not distributed yet."""

    tables = (*Plugin.tables, "NDScatter")
