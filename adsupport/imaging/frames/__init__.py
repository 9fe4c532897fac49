"""How frames reach consumers: sources, and the bus that hands their frames on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...later import imported_later

if TYPE_CHECKING:
    from .arrival import Arrival, FrameSource
    from .bus import FrameBus
    from .ca import CASource
    from .frame import Frame, StreamAbout, StreamEnd
    from .growing import HDF5FileSource
    from .pva import PVASource
    from .replay import ReplaySource, StoredAcquisition, play
    from .stored_images import dx_acquisitions, tiff_acquisitions
    from .stored_run import run_acquisitions

__all__ = [
    "Arrival",
    "CASource",
    "Frame",
    "FrameBus",
    "FrameSource",
    "HDF5FileSource",
    "PVASource",
    "ReplaySource",
    "StoredAcquisition",
    "StreamAbout",
    "StreamEnd",
    "dx_acquisitions",
    "play",
    "run_acquisitions",
    "tiff_acquisitions",
]

#: What has each name: a source that isn't used isn't imported.
_ROOMS = {
    "arrival": ("Arrival", "FrameSource"),
    "bus": ("FrameBus",),
    "ca": ("CASource",),
    "frame": ("Frame", "StreamAbout", "StreamEnd"),
    "growing": ("HDF5FileSource",),
    "pva": ("PVASource",),
    "replay": ("ReplaySource", "StoredAcquisition", "play"),
    "stored_images": ("dx_acquisitions", "tiff_acquisitions"),
    "stored_run": ("run_acquisitions",),
}

__getattr__ = imported_later(__name__, _ROOMS)
