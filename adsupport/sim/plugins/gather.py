"""NDPluginGather: arrays of several ports in one."""

from __future__ import annotations

from adsupport.sim.plugins.base import Part, Plugin

SOURCES = 8
"""Ports that can be listened to, one by asyn address."""


class Gather(Plugin):
    """Passes on the arrays of its first source; the others are not gathered yet."""

    tables = (*Plugin.tables, "NDGather")
    parts = tuple(
        Part("", ("NDGatherN",), address, {"N": str(address + 1)}) for address in range(SOURCES)
    )
