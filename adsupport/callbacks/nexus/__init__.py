"""NeXus files: :class:`NXWriter`, :class:`NXWriterAPS`, and a check of what they wrote."""

from .aps import NXWriterAPS
from .check import check_nexus
from .writer import NXWriter

__all__ = ["NXWriter", "NXWriterAPS", "check_nexus"]
