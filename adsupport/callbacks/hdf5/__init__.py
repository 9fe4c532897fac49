"""Runs as plain HDF5 files, and what any HDF5 file with columns needs."""

from .writer import HDF5Writer

__all__ = ["HDF5Writer"]
