"""NDPluginGather: arrays of several ports in one."""

from __future__ import annotations

from adsupport.sim.plugins.base import Part, Plugin

SOURCES = 8
"""Ports that can be listened to, one by asyn address."""


class Gather(Plugin):
    """Passes on the arrays of up to eight sources; a port named twice is heard twice.

    With SortMode they leave in the order of their unique ids. A source without a name is left
    out. While one of the names is no port that arrays can be taken from, no source is heard
    (rules of NDPluginGather).
    """

    tables = (*Plugin.tables, "NDGather")
    parts = tuple(
        Part("", ("NDGatherN",), address, {"N": str(address + 1)}) for address in range(SOURCES)
    )
    source_addresses = tuple(range(SOURCES))
