"""Images in files: wait for them, look at them, read them, and bring them into an HDF5 file."""

from .copying import copy
from .declared import contradiction
from .frame_rows import FrameRows
from .linking import link
from .reading import frames_of, kind, read
from .recoding import repack
from .storing import Images, StoredImages, store_images
from .waiting import ImageColumn, Missing, wait_for_images

__all__ = [
    "FrameRows",
    "ImageColumn",
    "Images",
    "Missing",
    "StoredImages",
    "contradiction",
    "copy",
    "frames_of",
    "kind",
    "link",
    "read",
    "repack",
    "store_images",
    "wait_for_images",
]
