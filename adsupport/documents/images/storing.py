"""The images of a data key in an HDF5 file: linked, copied or repacked."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import h5py
import numpy as np

from ...errors import ConfigurationError
from ..assets import Frames
from .copying import copy
from .linking import link
from .recoding import repack
from .waiting import ImageColumn, Missing, wait_for_images

__all__ = ["Images", "StoredImages", "store_images"]

#: How images come into a file.
Images = Literal["link", "copy", "repack"]


@dataclass(frozen=True)
class StoredImages:
    """What was written.

    Parameters
    ----------
    dataset : h5py.Dataset or None
        None when no image was found and the documents don't tell shape and type.
    notes : list of str
        What is missing or was done in another way, each a sentence.
    column : ImageColumn or None
        What the files have; None when no file tells, nor the documents.
    """

    dataset: h5py.Dataset | None
    notes: list[str] = field(default_factory=list)
    column: ImageColumn | None = None


def store_images(
    group: h5py.Group,
    name: str,
    rows: Sequence[Frames | None],
    target_path: str | os.PathLike[str],
    *,
    images: Images = "link",
    compression: Mapping[str, Any] | None = None,
    timeout: float = 20.0,
    missing: Missing = "error",
    frame_shape: tuple[int, ...] | None = None,
    dtype: np.dtype | str | None = None,
    frame_axis: bool | None = None,
    cancelled: threading.Event | None = None,
) -> StoredImages:
    """Bring the images of all rows into an HDF5 file.

    Parameters
    ----------
    group : h5py.Group
        Where to write.
    name : str
        Of the dataset; its shape is (rows, frames of a row, Y, X), with the colour where the
        files have it.
    rows : sequence of Frames or None
        The rows in order; None for one whose images never were announced.
    target_path : str or path
        The final name of the file, which links are relative to.
    images : {"link", "copy", "repack"}
        Refer to the files, copy their chunks as they are, or compress them anew.
    compression : mapping, optional
        For ``"repack"``; see :func:`~adsupport.documents.images.recoding.repack`.
    timeout, missing, frame_shape, dtype, frame_axis, cancelled
        See :func:`~adsupport.documents.images.waiting.wait_for_images`.

    Returns
    -------
    StoredImages
        Dataset and notes.

    Raises
    ------
    ImageFileError
        A file is missing, held, damaged, too short or differs from the first one, and ``missing``
        is ``"error"``.
    ConfigurationError
        ``images``, ``missing`` or ``compression`` isn't one that is known.
    """
    if images not in ("link", "copy", "repack"):
        raise ConfigurationError(
            f"images is {images!r}; expected 'link', 'copy' or 'repack'.",
        )
    column, notes = wait_for_images(
        rows,
        timeout=timeout,
        missing=missing,
        frame_shape=frame_shape,
        dtype=dtype,
        frame_axis=frame_axis,
        cancelled=cancelled,
    )
    if column is None:
        return StoredImages(None, notes)
    if images == "link":
        dataset, more = link(group, name, column, target_path)
    elif images == "copy":
        dataset, more = copy(group, name, column)
    else:
        dataset, more = repack(group, name, column, compression)
    return StoredImages(dataset, notes + more, column)
