"""Documents of runs, made easy to consume: nothing here knows a device or an IOC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..later import imported_later

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

__getattr__ = imported_later(__name__, _ROOMS)
