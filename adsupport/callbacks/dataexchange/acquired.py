"""What an IOC has put into a Data Exchange file: frames, and which of them is which."""

from __future__ import annotations

from dataclasses import dataclass, field

import h5py
import numpy as np

from ...documents.images.contents import never_written
from ...errors import ImageFileError
from ..tomography.frames import MOST_FRAMES
from .layout import DX_FRAMES, PROJECTIONS, UNIQUE_ID
from .texts import AXES, other_axes

__all__ = ["AcquiredFrames", "acquired_frames", "dataset_in"]


@dataclass
class AcquiredFrames:
    """The frames of a file.

    Parameters
    ----------
    counts : dict of str to int
        By address of the dataset, the frames that came to it.
    blank : list of str
        Datasets to which none came: the IOC leaves one frame of fill values in them.
    rows : dict of str to numpy.ndarray
        By address, where its frames stand among all frames of the file.
    ids : numpy.ndarray or None
        NDArrayUniqueId of all frames, int64; None when the file doesn't tell them apart.
    remarks : list of str
        What is worth knowing, a sentence each.
    """

    counts: dict[str, int]
    blank: list[str] = field(default_factory=list)
    rows: dict[str, np.ndarray] = field(default_factory=dict)
    ids: np.ndarray | None = None
    remarks: list[str] = field(default_factory=list)

    def ids_of(self, path: str) -> np.ndarray | None:
        """Return the unique ids of a dataset's frames.

        Parameters
        ----------
        path : str
            Its address.

        Returns
        -------
        numpy.ndarray or None
            int64; None when they aren't known.
        """
        return None if self.ids is None else self.ids[self.rows[path]]


def acquired_frames(file: h5py.File, location: str) -> AcquiredFrames:
    """Find out which frames a file has.

    Parameters
    ----------
    file : h5py.File
        Open for reading.
    location : str
        Address of the dataset that names the dataset of each frame; beside it is
        ``NDArrayUniqueId``.

    Returns
    -------
    AcquiredFrames
        What it has.

    Raises
    ------
    ImageFileError
        There is no dataset of projections, a dataset isn't three-dimensional or has sinograms,
        or the frames of a dataset aren't as many as have its name.
    """
    counts: dict[str, int] = {}
    blank: list[str] = []
    for path in DX_FRAMES:
        data = dataset_in(file, path)
        if data is None:
            if path == PROJECTIONS:
                raise ImageFileError(
                    f"File {file.filename} has no dataset {path}: it isn't a Data Exchange file.",
                    path=file.filename,
                    remedy="Give the IOC's HDF5 plugin the layout that write_dx_layout writes.",
                )
            continue
        if data.ndim != 3 or data.shape[0] > MOST_FRAMES:
            raise ImageFileError(
                f"{path} in {file.filename} has the shape {data.shape}; expected frames, rows and "
                "columns.",
                path=file.filename,
                remedy="Data Exchange has monochrome frames, captured with FileWriteMode Stream.",
            )
        axes = other_axes(data)
        if axes:
            raise ImageFileError(
                f"{path} in {file.filename} has the axes {axes!r}; expected {AXES!r}.",
                path=file.filename,
                remedy="Sinograms aren't what an IOC writes.",
            )
        counts[path] = data.shape[0]
        if data.shape[0] == 1 and never_written(data):
            blank.append(path)
            counts[path] = 0
    found = AcquiredFrames(counts, blank)
    _match(file, location, found)
    return found


def dataset_in(file: h5py.File, path: str) -> h5py.Dataset | None:
    """Return a dataset of a file itself.

    Parameters
    ----------
    file : h5py.File
        The file.
    path : str
        Its address.

    Returns
    -------
    h5py.Dataset or None
        None when there is none.

    Raises
    ------
    ImageFileError
        A group or a link stands on the way, which may lead out of the file.
    """
    place = ""
    for part in path[1:].split("/"):
        place += "/" + part
        link = file.get(place, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise ImageFileError(
                f"{place} in {file.filename} is a link to another place; expected what the IOC "
                "itself wrote.",
                path=file.filename,
                remedy="Finish the file that it leads to.",
            )
    found = file[path]
    if not isinstance(found, h5py.Dataset):
        raise ImageFileError(
            f"{path} in {file.filename} is a group; expected a dataset.", path=file.filename
        )
    return found


def _match(file: h5py.File, location: str, found: AcquiredFrames) -> None:
    """Add which frame went where, as far as the file tells."""
    unique_id = location.rpartition("/")[0] + f"/{UNIQUE_ID}"
    named, numbered = dataset_in(file, location), dataset_in(file, unique_id)
    absent = [path for path, data in ((location, named), (unique_id, numbered)) if data is None]
    if named is None or numbered is None:
        found.remarks.append(
            f"{' and '.join(absent)} isn't there: which frames are missing can't be told."
        )
        return
    listed = named.ndim == 1 and named.shape == numbered.shape and named.shape[0] <= MOST_FRAMES
    if not listed or numbered.dtype.kind not in "iu":
        raise ImageFileError(
            f"{location} and {unique_id} in {file.filename} have {named.shape} and "
            f"{numbered.shape} {numbered.dtype}; expected a text and an integer for each frame.",
            path=file.filename,
        )
    names, ids = _each_frame(named), _each_frame(numbered)
    texts = np.array([_text(each) for each in names.tolist()], object)
    known = np.isin(texts, list(DX_FRAMES))
    for path in found.counts:
        found.rows[path] = np.flatnonzero(texts == path)
    strays = sorted({text for text in texts[~known] if not _is_dataset(file, text)})
    if strays:
        # the plugin's default dataset takes what names none
        lost = np.isin(texts, strays)
        found.rows[PROJECTIONS] = np.flatnonzero((texts == PROJECTIONS) | lost)
        found.remarks.append(
            f"{int(lost.sum())} frames went to {PROJECTIONS} because their destination is no "
            f"dataset: {', '.join(map(repr, strays[:5]))}."
        )
    counted = {path: len(rows) for path, rows in found.rows.items()}
    if counted != found.counts:
        told = "; ".join(
            f"{path} has {found.counts[path]}, named for {counted[path]}" for path in counted
        )
        raise ImageFileError(
            f"The frames of {file.filename} aren't as many as {location} names: {told}.",
            path=file.filename,
            remedy="The file isn't whole, or was written with another layout.",
        )
    found.ids = ids.astype(np.int64)


def _each_frame(data: h5py.Dataset) -> np.ndarray:
    values = data[()]
    return values[:0] if values.ndim and never_written(data) else np.asarray(values)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.split(b"\0")[0].decode("latin-1")
    return value if isinstance(value, str) else repr(value)


def _is_dataset(file: h5py.File, path: str) -> bool:
    if not path.startswith("/") or not isinstance(file.get(path, getlink=True), h5py.HardLink):
        return False
    return file.get(path, getclass=True) is h5py.Dataset
