"""Documents of runs, made easy to consume: nothing here knows a device or an IOC."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assets import Asset, Frames, asset_of
    from .image_handlers import (
        HANDLERS,
        MIMETYPES,
        HDF5FramesHandler,
        JPEGFramesHandler,
        TIFFFramesHandler,
        register_handlers,
    )
    from .router import RunRouter
    from .run import Column, Rows, Run, RunConsumer, Stream
    from .stored_runs import replay

__all__ = [
    "HANDLERS",
    "MIMETYPES",
    "Asset",
    "Column",
    "Frames",
    "HDF5FramesHandler",
    "JPEGFramesHandler",
    "Rows",
    "Run",
    "RunConsumer",
    "RunRouter",
    "Stream",
    "TIFFFramesHandler",
    "asset_of",
    "register_handlers",
    "replay",
]

#: What has each name: handlers bring dask along, which writers don't need.
_ROOMS = {
    "assets": ("Asset", "Frames", "asset_of"),
    "image_handlers": (
        "HANDLERS",
        "MIMETYPES",
        "HDF5FramesHandler",
        "JPEGFramesHandler",
        "TIFFFramesHandler",
        "register_handlers",
    ),
    "router": ("RunRouter",),
    "run": ("Column", "Rows", "Run", "RunConsumer", "Stream"),
    "stored_runs": ("replay",),
}


def __getattr__(name: str) -> Any:
    for room, names in _ROOMS.items():
        if name in names:
            found = getattr(importlib.import_module(f".{room}", __name__), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
