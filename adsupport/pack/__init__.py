"""Runs and the files they refer to, boxed to travel: whole, checkable, and readable anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..later import imported_later

if TYPE_CHECKING:
    from .checking.verifying import VerifyReport, verify
    from .making.pack_progress import PackProgress
    from .making.packing import PackResult, pack
    from .reading.lazy_images import LazyImages
    from .reading.opening import Pack, PackedRun, open_pack
    from .unpacking.unpack import UnpackResult, unpack

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
    "reading.lazy_images": ("LazyImages",),
    "reading.opening": ("Pack", "PackedRun", "open_pack"),
    "making.pack_progress": ("PackProgress",),
    "making.packing": ("PackResult", "pack"),
    "unpacking.unpack": ("UnpackResult", "unpack"),
    "checking.verifying": ("VerifyReport", "verify"),
}

__getattr__ = imported_later(__name__, _ROOMS)
