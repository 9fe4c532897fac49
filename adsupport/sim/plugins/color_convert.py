"""NDPluginColorConvert: colour modes."""

from __future__ import annotations

from adsupport.sim.plugins.base import Plugin


class ColorConvert(Plugin):
    """Passes arrays on; their colours are not converted yet."""

    tables = (*Plugin.tables, "NDColorConvert")
