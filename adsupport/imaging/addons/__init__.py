"""Consumers of frames: attach them to an experiment, or play a stored run to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...later import imported_later

if TYPE_CHECKING:
    from .accumulator import Accumulator
    from .base import Addon
    from .benchmarker import Benchmark, Benchmarker
    from .frame_gaps import FrameGapCheck
    from .grating_processing import GratingProcessing
    from .image_writer import ImageWriter
    from .online_reconstruction import OnlineReconstruction
    from .tomogram import Tomogram

__all__ = [
    "Accumulator",
    "Addon",
    "Benchmark",
    "Benchmarker",
    "FrameGapCheck",
    "GratingProcessing",
    "ImageWriter",
    "OnlineReconstruction",
    "Tomogram",
]

#: What has each name.
_ROOMS = {
    "accumulator": ("Accumulator",),
    "base": ("Addon",),
    "benchmarker": ("Benchmark", "Benchmarker"),
    "frame_gaps": ("FrameGapCheck",),
    "grating_processing": ("GratingProcessing",),
    "image_writer": ("ImageWriter",),
    "online_reconstruction": ("OnlineReconstruction",),
    "tomogram": ("Tomogram",),
}

__getattr__ = imported_later(__name__, _ROOMS)
