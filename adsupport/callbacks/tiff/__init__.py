"""The images of runs as TIFF files."""

from .writer import TIFFWriter

__all__ = ["TIFFWriter"]
