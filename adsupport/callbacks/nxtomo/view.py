"""NXtomo files that show the frames of a Data Exchange file."""

from __future__ import annotations

import os
import re
from functools import reduce
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...documents.assets import Asset
from ...documents.images.linking import link
from ...documents.images.opening import check_given_file, opened
from ...documents.images.pieces import Piece
from ...documents.images.waiting import ImageColumn
from ...errors import ConfigurationError, OutputExistsError, OutputNameError
from ..file_set import writing
from ..output import AtomicFile, Exists
from ..output.hdf5_closing import ROOM, close_anyway
from .dx_frames import copy_frames, heights
from .dx_stacks import DXStacks, read_dx
from .entry import write_entry

__all__ = ["nxtomo_view"]

#: What NeXus allows as the name of a group.
_NEXUS_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.]*[A-Za-z0-9_])?")
_FRAME_BYTES = 9  # of an angle and an image_key


def nxtomo_view(
    dx_file: str | os.PathLike[str],
    path: str | os.PathLike[str] | None = None,
    *,
    entry: str = "entry",
    exists: Exists = "refuse",
) -> Path:
    """Write an NXtomo file that shows what a Data Exchange file has.

    No image is read or written: the view has one virtual dataset over those of dark, flat and
    projection frames, and refers to their file by a relative name.  So the two can be moved
    together, and it takes no longer for a large file.

    Parameters
    ----------
    dx_file : str or path
        A Data Exchange file: adsupport's, tomoscan's, or any other one that has
        ``/exchange/data``.  Darks and flats may be missing, or be one averaged frame.
    path : str or path, optional
        The view; by default beside the file, ``scan.h5`` having ``scan_nxtomo.nxs``.
    entry : str
        Name of the entry.
    exists : str
        What to do when the view's name is taken, see
        :class:`~adsupport.callbacks.output.AtomicFile`.

    Returns
    -------
    pathlib.Path
        The view.

    Raises
    ------
    ImageFileError
        ``dx_file`` is missing or damaged, isn't a Data Exchange file, or has frames or angles
        that don't fit together.
    OutputError
        The view can't be written, or its name is taken.
    OutputNameError
        The view would have the name of the file that it shows.
    ConfigurationError
        ``entry`` can't be the name of a group in NeXus.

    Notes
    -----
    The frames are in the order of acquisition when the file tells it, by
    ``/process/acquisition/image_key`` or by where an IOC has put each one
    (``/defaults/HDF5FrameLocation``); otherwise darks, flats, projections.  The description of
    ``image_key`` says which it is.

    NXtomo demands an angle for each frame.  Those of flats and darks are NaN when
    ``/exchange/theta_white`` and ``theta_dark`` don't tell them: nobody measured them, and readers
    take the angles of projections alone.  Projections without ``/exchange/theta`` have theirs from
    ``/process/acquisition/rotation``, if it tells of as many; otherwise there is no view.

    Images of different types are shown in one that holds the values of all.  NXtomo demands
    integers: of images that aren't, some programs complain.

    Examples
    --------
    >>> nxtomo_view("/data/scan.h5")  # doctest: +SKIP
    PosixPath('/data/scan_nxtomo.nxs')
    """
    if not _NEXUS_NAME.fullmatch(entry):
        raise ConfigurationError(
            f"entry={entry!r}: expected a name of letters, digits, _ and dots, such as 'entry'."
        )
    source = Path(dx_file).absolute()
    target = source.with_name(f"{source.stem}_nxtomo.nxs") if path is None else Path(path)
    check_given_file(source, "Data Exchange file")
    stacks = read_dx(source)
    if os.path.exists(target) and os.path.samefile(source, target):
        raise OutputNameError(f"{target} is the file to show", remedy="choose another name.")
    if exists == "refuse" and os.path.lexists(target):
        raise OutputExistsError(
            f"{target} exists already, and isn't replaced",
            path=target,
            remedy="Choose another name, or exists='bump' or 'replace'.",
        )
    with AtomicFile(target, exists=exists) as output:
        output.check_room(ROOM + _FRAME_BYTES * len(stacks.angles))
        with writing(output.path):
            _write(output, stacks, entry)
    return output.path


def _write(output: AtomicFile, stacks: DXStacks, entry: str) -> None:
    def store(group: h5py.Group, name: str) -> h5py.Dataset:
        dataset, _ = link(group, name, _column(stacks), output.path)
        if stacks.units:
            dataset.attrs["units"] = stacks.units
        return dataset

    file: Any = h5py.File(output.temporary, "w")
    count = len(stacks.angles)
    try:
        with opened(stacks.path) as source:
            group = write_entry(
                file, entry, stacks.image_key, stacks.angles, stacks.order, stacks.about, store,
                heights(source, count),
            )  # fmt: skip
            copy_frames(source, group, count, stacks.order)
        file.close()
    except BaseException:
        close_anyway(file)
        raise


def _column(stacks: DXStacks) -> ImageColumn:
    """Describe all frames as one column of images; frames of a kind that follow are one piece."""
    held = stacks.contents
    assets = {
        kind: Asset("", kind="hdf5", path=stacks.path, dataset=stacks.address(kind), format="hdf5")
        for kind in held
    }
    pieces = [
        Piece(assets[kind], stacks.path, first, count, flat)
        for kind, first, count, flat in stacks.runs()
    ]
    contents = {(stacks.path, assets[kind].dataset): each for kind, each in held.items()}
    dtype = reduce(np.promote_types, (each.dtype for each in held.values()))
    shape = next(iter(held.values())).shape
    return ImageColumn(len(stacks.angles), 1, shape, dtype, pieces, contents, frame_axis=False)
