"""NDPluginCircularBuff: arrays from before and after a trigger."""

from __future__ import annotations

from adsupport.sim.plugins.base import Plugin


class CircularBuffer(Plugin):
    """Passes arrays on; it does not wait for a trigger yet."""

    tables = (*Plugin.tables, "NDCircularBuff")
