"""Images by reference: a virtual dataset over HDF5 files, or the names of other files.

Nothing of the pixels is read or written, so the time depends on the number of files only.
The format is that of HDF5's virtual datasets, whose source names take ``%`` for a pattern.
"""

from __future__ import annotations

import os
import pathlib

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t  # pyright: ignore[reportAttributeAccessIssue]

from ...errors import ImageFileError
from .placing import blank_of, blocks, note_gaps, put
from .waiting import ImageColumn

__all__ = ["link"]

_BLOCK = 4096  # names written at once


def link(
    group: h5py.Group, name: str, column: ImageColumn, target_path: str | os.PathLike[str]
) -> tuple[h5py.Dataset, list[str]]:
    """Refer to the images of a column.

    HDF5 files become a virtual dataset of the column's shape, with names relative to the target:
    it reads as if the images were there, as long as the files stay where they are from it.
    For other formats the relative names of the files are written, one for each frame.

    Parameters
    ----------
    group : h5py.Group
        Where to write.
    name : str
        Of the dataset.
    column : ImageColumn
        The images.
    target_path : str or path
        The final name of the file that ``group`` is in.

    Returns
    -------
    h5py.Dataset
        The dataset.
    list of str
        Notes.

    Raises
    ------
    ImageFileError
        Some rows are in HDF5 files, and others aren't.
    """
    formats = {piece.asset.format for piece in column.pieces}
    directory = os.path.dirname(os.path.realpath(target_path))
    if formats <= {"hdf5"}:
        return _virtual(group, name, column, directory), []
    if "hdf5" in formats:
        raise ImageFileError(
            f"The images of {name} are in files of {' and '.join(sorted(formats))}, for which "
            "there is no common link.",
            remedy="Use images='copy'.",
        )
    dataset = _names(group, name, column, directory, formats.pop())
    return dataset, [f"{name} has names of image files: HDF5 can't link their pixels."]


def _relative(path: pathlib.Path, directory: str, known: dict[str, str]) -> bytes:
    # Files of a resource share their directory, whose links are followed once.
    parent = os.path.dirname(path)
    if parent not in known:
        known[parent] = os.path.relpath(os.path.realpath(parent), directory)
    return os.fsencode(os.path.join(known[parent], path.name).removeprefix("./"))


def _virtual(group: h5py.Group, name: str, column: ImageColumn, directory: str) -> h5py.Dataset:
    creation = h5p.create(h5p.DATASET_CREATE)
    creation.set_obj_track_times(False)  # one run makes the same file again
    shape, tail = column.shape, column.frame_shape
    known: dict[str, str] = {}
    for piece in column.pieces:
        found = column.contents_of(piece)
        file = _relative(piece.path, directory, known).replace(b"%", b"%%")
        address = piece.asset.dataset.encode().replace(b"%", b"%%")
        done = 0
        for row, frame, rows, frames in blocks(piece.flat, piece.count, column.per_row):
            where = h5s.create_simple(shape)
            lead = (row, frame) if column.frame_axis else (row,)
            size = (rows, frames) if column.frame_axis else (rows,)
            where.select_hyperslab((*lead, *(0 for _ in tail)), (*size, *tail))
            source = h5s.create_simple((found.frames, *tail) if found.stacked else tail)
            if found.stacked:
                source.select_hyperslab(
                    (piece.first + done, *(0 for _ in tail)), (rows * frames, *tail)
                )
            creation.set_virtual(where, file, address, source)
            done += rows * frames
    creation.set_fill_value(blank_of(column.dtype))
    created = h5d.create(
        group.id, name.encode(), h5t.py_create(column.dtype), h5s.create_simple(shape), creation
    )
    dataset = h5py.Dataset(created)
    note_gaps(dataset, column)
    return dataset


def _names(
    group: h5py.Group, name: str, column: ImageColumn, directory: str, format_: str
) -> h5py.Dataset:
    dataset = group.create_dataset(
        name, shape=column.leading, dtype=h5py.string_dtype(), fillvalue=""
    )
    known: dict[str, str] = {}
    held: list[tuple[int, bytes]] = []
    for piece in column.pieces:
        file = _relative(piece.path, directory, known)
        held += [(piece.flat + index, file) for index in range(piece.count)]
        if len(held) >= _BLOCK:
            _write(dataset, column, held)
            held = []
    _write(dataset, column, held)
    dataset.attrs["description"] = (
        "Names of the image files, relative to this file: one for each frame, empty where it's "
        "missing."
    )
    dataset.attrs["image_format"] = format_
    dataset.attrs["image_shape"] = np.array(column.frame_shape, np.int64)
    dataset.attrs["image_dtype"] = column.dtype.str
    dataset.attrs["frames_per_file"] = column.pieces[0].asset.frames_per_file
    note_gaps(dataset, column)
    return dataset


def _write(dataset: h5py.Dataset, column: ImageColumn, names: list[tuple[int, bytes]]) -> None:
    """Write names by their frames, consecutive ones together."""
    start = 0
    for index in range(1, len(names) + 1):
        if index < len(names) and names[index][0] == names[index - 1][0] + 1:
            continue
        texts = np.array([text for _, text in names[start:index]], object)
        put(dataset, column, names[start][0], texts)
        start = index
