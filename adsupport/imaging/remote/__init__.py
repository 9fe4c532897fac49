"""Frames for consumers in other processes and on other machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...later import imported_later

if TYPE_CHECKING:
    from .connection import FrameConnection
    from .consumer import Consumed, consume
    from .curve import CurveKeys, make_keys
    from .publisher import FramePublisher

__all__ = [
    "Consumed",
    "CurveKeys",
    "FrameConnection",
    "FramePublisher",
    "consume",
    "make_keys",
]

#: What has each name: pyzmq isn't imported before it's needed.
_ROOMS = {
    "connection": ("FrameConnection",),
    "consumer": ("Consumed", "consume"),
    "curve": ("CurveKeys", "make_keys"),
    "publisher": ("FramePublisher",),
}

__getattr__ = imported_later(__name__, _ROOMS)
