"""What Data Exchange and NXtomo files share: kinds of frames, their angles, and lost ones."""

from .frames import FrameKind, TomoFrames
from .kinds import FRAME_TYPES, KindRules
from .tomo_file import TomoFile, TomoOptions
from .writer import TomoWriter

__all__ = [
    "FRAME_TYPES",
    "FrameKind",
    "KindRules",
    "TomoFile",
    "TomoFrames",
    "TomoOptions",
    "TomoWriter",
]
