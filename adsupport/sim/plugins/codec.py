"""NDPluginCodec: arrays compressed and decompressed."""

from __future__ import annotations

from adsupport.sim.plugins.base import Plugin


class CodecPlugin(Plugin):
    """Passes arrays on; they are not compressed yet."""

    tables = (*Plugin.tables, "NDCodec")
