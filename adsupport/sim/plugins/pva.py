"""NDPluginPva: the newest image for pvAccess clients."""

from __future__ import annotations

from adsupport.sim.plugins.base import Plugin


class PvaPlugin(Plugin):
    """Counts arrays; they are not served over pvAccess yet."""

    tables = (*Plugin.tables, "NDPva")
