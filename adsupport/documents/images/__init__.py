"""Images in files: wait for them, look at them, read them, and bring them into an HDF5 file."""

from .linking import link
from .waiting import Column, Missing, wait_for_images

__all__ = ["Column", "Missing", "link", "wait_for_images"]
