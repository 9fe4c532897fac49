"""NDPluginProcess: background, flat field, scaling, clipping, recursive filter."""

from __future__ import annotations

from adsupport.sim.plugins.base import Plugin


class Process(Plugin):
    """Passes arrays on; they are not processed yet."""

    tables = (*Plugin.tables, "NDProcess")
