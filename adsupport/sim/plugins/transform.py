"""NDPluginTransform: rotations and reflections."""

from __future__ import annotations

from adsupport.sim.plugins.base import Plugin


class Transform(Plugin):
    """Passes arrays on; they are not turned yet."""

    tables = (*Plugin.tables, "NDTransform")
