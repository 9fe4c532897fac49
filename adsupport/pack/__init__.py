"""Runs and the files they refer to, boxed to travel: whole, checkable, and readable anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..later import imported_later

if TYPE_CHECKING:
    from .packer import PackProgress
    from .packing import PackResult, pack

__all__ = ["PackProgress", "PackResult", "pack"]

_ROOMS = {
    "packer": ("PackProgress",),
    "packing": ("PackResult", "pack"),
}

__getattr__ = imported_later(__name__, _ROOMS)
