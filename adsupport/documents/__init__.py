"""Documents of runs, made easy to consume: nothing here knows a device or an IOC."""

from .image_handlers import (
    HANDLERS,
    MIMETYPES,
    HDF5FramesHandler,
    JPEGFramesHandler,
    TIFFFramesHandler,
    register_handlers,
)

__all__ = [
    "HANDLERS",
    "MIMETYPES",
    "HDF5FramesHandler",
    "JPEGFramesHandler",
    "TIFFFramesHandler",
    "register_handlers",
]
