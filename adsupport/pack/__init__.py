"""Runs and the files they refer to, boxed to travel: whole, checkable, and readable anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..later import imported_later

if TYPE_CHECKING:
    from .lazy_images import LazyImages
    from .opening import Pack, PackedRun, open_pack
    from .pack_progress import PackProgress
    from .packing import PackResult, pack
    from .unpacking import UnpackResult, unpack
    from .verifying import VerifyReport, verify

__all__ = [
    "LazyImages",
    "Pack",
    "PackProgress",
    "PackResult",
    "PackedRun",
    "UnpackResult",
    "VerifyReport",
    "open_pack",
    "pack",
    "unpack",
    "verify",
]

_ROOMS = {
    "lazy_images": ("LazyImages",),
    "opening": ("Pack", "PackedRun", "open_pack"),
    "pack_progress": ("PackProgress",),
    "packing": ("PackResult", "pack"),
    "unpacking": ("UnpackResult", "unpack"),
    "verifying": ("VerifyReport", "verify"),
}

__getattr__ = imported_later(__name__, _ROOMS)
