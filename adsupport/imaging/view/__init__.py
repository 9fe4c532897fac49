"""Seeing frames while they are taken: a page in the browser, and a matplotlib figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...later import imported_later

if TYPE_CHECKING:
    from .contrast import Limits
    from .live_view import LiveView
    from .server import ViewServer

__all__ = ["Limits", "LiveView", "ViewServer"]

#: What has each name: the server's packages aren't needed for a figure.
_ROOMS = {
    "contrast": ("Limits",),
    "live_view": ("LiveView",),
    "server": ("ViewServer",),
}

__getattr__ = imported_later(__name__, _ROOMS)
