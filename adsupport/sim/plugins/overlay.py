"""NDPluginOverlay: shapes and texts drawn into the array."""

from __future__ import annotations

from adsupport.sim.plugins.base import Part, Plugin

OVERLAYS = ("ROI1", "ROI2", "ROI3", "ROI4", "Cursor1", "Cursor2", "Box1", "Box2")
"""Names of the overlays by asyn address; the first four follow the region of a ROI plugin."""


class Overlay(Plugin):
    """Passes arrays on; nothing is drawn yet."""

    tables = (*Plugin.tables, "NDOverlay")
    parts = tuple(
        Part(
            f"{address + 1}:",
            ("NDOverlayN", "NDOverlayROI") if name.startswith("ROI") else ("NDOverlayN",),
            address,
            {"NAME": name},
        )
        for address, name in enumerate(OVERLAYS)
    )
