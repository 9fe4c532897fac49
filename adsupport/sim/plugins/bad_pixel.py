"""NDPluginBadPixel: pixels that are replaced."""

from __future__ import annotations

from adsupport.sim.plugins.base import Plugin


class BadPixel(Plugin):
    """Passes arrays on; no pixel is replaced yet."""

    tables = (*Plugin.tables, "NDBadPixel")
