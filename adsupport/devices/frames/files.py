"""Look into the files of a run, to see whether every frame that was counted is there.

Files are opened here for reading only and without a lock, after the IOC has closed them, so
that neither an IOC nor a reader is disturbed.  No pixel is read, unless something is amiss.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ...errors import FileWriteError, FrameCountError, FrameLossError
from ...wording import counted
from ..signals.reading import wait_for
from .extent import find_loss
from .report import FrameReport, Shortfall, id_list

__all__ = ["FileClaim", "FileReport", "verify_files"]

#: Where ADCore's own layout has the frames and their ids; other layouts are searched.
_FRAMES = "entry/data/data"
_IDS = "entry/instrument/NDAttributes/NDArrayUniqueId"
_ID_NAME = "NDArrayUniqueId"


@dataclass(frozen=True)
class FileClaim:
    """What the account of a run says of its files.

    Attributes
    ----------
    plugin : str
        Name of the file plugin.
    ioc_file : str
        Full name on the IOC, of the first file where each frame has its own.
    files : tuple of pathlib.Path
        The files as this computer sees them, at least one.
    frames : int
        Frames in all files together.
    per_frame : bool
        Whether each file holds one frame.
    exact : bool
        Whether more frames than that are wrong too; not after an interrupted point.
    shape : tuple of int or None
        Shape of one frame in the run's documents, slowest axis first; None: not described.
    dtype : numpy.dtype or None
        Its type in the run's documents.
    ids : tuple of int or None
        Unique ids of the frames, in order; None when they can't be told.
    counter : str
        What gives the frames their ids, for messages.
    """

    plugin: str
    ioc_file: str
    files: tuple[pathlib.Path, ...]
    frames: int
    per_frame: bool = False
    exact: bool = True
    shape: tuple[int, ...] | None = None
    dtype: np.dtype | None = None
    ids: tuple[int, ...] | None = None
    counter: str = "ArrayCounter of the camera"


@dataclass(frozen=True)
class FileReport:
    """What was found in the files of a run.

    Attributes
    ----------
    plugin : str
        Name of the file plugin.
    file : pathlib.Path
        The file as this computer sees it; the first where each frame has its own.
    ioc_file : str
        The same on the IOC.
    expected : int
        Frames that must be there.
    got : int or None
        Frames that are there; None when nobody could look.
    verified : bool
        Whether the files were looked into.
    ids_checked : bool
        Whether the unique ids of the frames were compared.
    missing : tuple of int
        Unique ids of the frames that aren't there; empty when they can't be told.
    note : str
        Why something could not be checked; empty when all was.
    problems : tuple of Shortfall
        What is wrong; empty when the files are whole.
    doubt : str
        What may be wrong, and only a look at the pixels can tell; empty as a rule.
    """

    plugin: str
    file: pathlib.Path
    ioc_file: str
    expected: int
    got: int | None = None
    verified: bool = False
    ids_checked: bool = False
    missing: tuple[int, ...] = ()
    note: str = ""
    problems: tuple[Shortfall, ...] = ()
    doubt: str = ""

    def error(self) -> FrameLossError | None:
        """Make one exception of the problems; None when nothing is wrong."""
        return FrameReport(self.expected, self.expected, problems=self.problems).error()


def verify_files(claim: FileClaim, timeout: float) -> FileReport:
    """Compare files with the account of their run.

    Parameters
    ----------
    claim : FileClaim
        What the account says.
    timeout : float
        How long the files may take to show here as they are on the IOC, in seconds: network
        file systems remember for a while what they saw last.

    Returns
    -------
    FileReport
        What was found.
    """
    look = _look_at_many if claim.per_frame else _look_into
    report = look(claim, timeout)

    def is_whole() -> bool:
        nonlocal report
        _refresh(claim.files[-1].parent)
        report = look(claim, timeout)
        return not report.problems

    if report.problems:
        wait_for(is_whole, timeout)
    return report


def _refresh(directory: pathlib.Path) -> None:
    """Have a network file system ask its server again: opening a directory does."""
    try:
        os.close(os.open(directory, os.O_RDONLY))
    except OSError:  # it may well be gone, which the next look tells
        return


def _look_at_many(claim: FileClaim, timeout: float) -> FileReport:
    """See that each frame has its file, with something in it."""
    bad = [file for file in claim.files if not _size(file)]
    got = len(claim.files) - len(bad)
    if not bad:
        return _report(claim, got, [])
    text = (
        f"{len(bad)} of {len(claim.files)} files are missing or empty after {timeout:g} s, the "
        f"first is {bad[0]}. {_LOOK}"
    )
    return _report(claim, got, [_shortfall(claim, FileWriteError, text, got)])


def _look_into(claim: FileClaim, timeout: float) -> FileReport:
    """See that an HDF5 file has the frames."""
    file = claim.files[0]
    size = _size(file)
    if not size:
        what = "doesn't exist" if size is None else "is empty"
        text = f"{file} {what} here after {timeout:g} s. {_LOOK}"
        return _report(claim, 0, [_shortfall(claim, FileWriteError, text, 0)])
    from ...hdf5_locks import open_to_read  # h5py isn't needed before

    try:
        with open_to_read(file, locking=False) as handle:
            return _compare(claim, handle, size)
    except (OSError, KeyError, RuntimeError, ValueError) as error:  # what h5py has for bad files
        text = f"{file} of {size} bytes can't be read after {timeout:g} s: {error}. {_LOOK}"
        return _report(claim, None, [_shortfall(claim, FileWriteError, text, None)])


_LOOK = (
    "Was it removed, moved or cut off by somebody else? Look at the IOC's disk, and at the mount "
    "here; plugin.file_timeout gives a slow one more time."
)


def _size(file: pathlib.Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None


def _compare(claim: FileClaim, handle: Any, size: int) -> FileReport:
    problems: list[Shortfall] = []
    datasets = _image_datasets(handle)
    ids = _unique_ids(handle)
    if not datasets:
        text = f"{claim.files[0]} has no dataset of frames. {_LOOK}"
        return _report(claim, 0, [_shortfall(claim, FileWriteError, text, 0)])
    dims = len(claim.shape) if claim.shape is not None else 2
    got = _frames_in(datasets, ids, dims, claim.frames)
    missing, note = _compare_ids(claim, ids, got, problems)
    if got < claim.frames or (claim.exact and got > claim.frames):
        which = f" Missing unique ids: {id_list(missing)}." if missing else f" {note}".rstrip()
        text = f"{claim.files[0]} has {counted(got)}, expected {claim.frames}.{which}"
        problems.insert(0, _shortfall(claim, FrameCountError, text, got, missing))
    elif missing:
        text = (
            f"{claim.files[0]} has {got} frames, but not those of the run. Missing unique ids: "
            f"{id_list(missing)}."
        )
        problems.append(_shortfall(claim, FrameCountError, text, got - len(missing), missing))
    problems += _unlike_documents(claim, datasets[0], got)
    # frames are spread over several by their kind, and with extra dimensions not all may come
    full = len(datasets) == 1 and len(datasets[0].shape) == dims + 1
    doubts = []
    for each in datasets:
        found = find_loss(each, claim.files[0], size, full)
        doubts += [f"{claim.files[0]} {found.doubt}."] if found.doubt else []
        if found.problem:
            text = f"{claim.files[0]} {found.problem}. {_LOOK}"
            problems.append(_shortfall(claim, FileWriteError, text, None))
    report = _report(claim, got, problems, missing, note)
    return replace(report, doubt=" ".join(doubts))


def _image_datasets(handle: Any) -> list[Any]:
    """Find the datasets of frames: ADCore gives each the attribute NDArrayNumDims."""
    import h5py

    known = handle.get(_FRAMES)
    if isinstance(known, h5py.Dataset) and "entry/data/dark" not in handle:
        return [known]
    found: list[Any] = []

    def visit(_: str, each: Any) -> None:
        if isinstance(each, h5py.Dataset) and "NDArrayNumDims" in each.attrs:
            found.append(each)

    handle.visititems(visit)
    return found or ([known] if isinstance(known, h5py.Dataset) else [])


def _unique_ids(handle: Any) -> np.ndarray | None:
    import h5py

    known = handle.get(_IDS)
    if not isinstance(known, h5py.Dataset):

        def visit(_: str, each: Any) -> Any:
            if not isinstance(each, h5py.Dataset):
                return None
            name = each.attrs.get("NDAttrName", b"")
            text = name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)
            return each if text.rstrip("\0") == _ID_NAME else None

        known = handle.visititems(visit)
    return None if known is None else np.asarray(known[()]).ravel()


def _frames_in(datasets: Sequence[Any], ids: np.ndarray | None, dims: int, frames: int) -> int:
    if len(datasets) > 1 and ids is not None:
        # Frames are spread by their type, and a dataset without any shows one of fill values.
        return len(ids)
    counts = [int(np.prod(each.shape[:-dims], dtype=int)) for each in datasets]
    if len(datasets) > 1:
        return frames if sum(counts) >= frames else sum(counts)
    if len(datasets[0].shape) > dims + 1 and counts[0] >= frames:
        # With extra dimensions the file is made for all points from the beginning.
        return frames
    return counts[0]


def _compare_ids(
    claim: FileClaim, ids: np.ndarray | None, got: int, problems: list[Shortfall]
) -> tuple[tuple[int, ...], str]:
    """Return the ids that aren't in the file, and why they can't be told."""
    if claim.ids is None:
        return (), "The camera's ArrayCounter gave no ids of the frames, so none were compared."
    if ids is None:
        return (), "The file has no NDArrayUniqueId, so only its frames were counted."
    found = [int(each) for each in ids[:got]]
    known, ours = set(found), set(claim.ids)
    if found and (not known & ours or (claim.exact and not known <= ours)):
        return (), "The ids in the file aren't those of ArrayCounter, so they weren't compared."
    reset = next((pair for pair in pairwise(claim.ids) if pair[1] <= pair[0]), None)
    if reset is not None:
        whole = found == list(claim.ids)
        text = (
            f"{claim.files[0]}: {claim.counter} went back from {reset[0]} to {reset[1] - 1} "
            "between two points: somebody reset it, so the unique ids in the file don't tell its "
            f"frames apart. {'All' if whole else 'Not all'} frames are there in order. Reset it "
            "between runs only."
        )
        problems.append(_shortfall(claim, FrameCountError, text, got))
        return (), ""
    kept = [each for each in found if each in ours]
    if any(b <= a for a, b in pairwise(kept)):
        text = (
            f"{claim.files[0]} has its frames out of order: unique ids "
            f"{', '.join(map(str, kept[:10]))}. A plugin before {claim.plugin} has several "
            "threads: set its SortMode to Sorted, or NumThreads to 1."
        )
        problems.append(_shortfall(claim, FrameCountError, text, got))
    return tuple(each for each in claim.ids if each not in known), ""


def _unlike_documents(claim: FileClaim, dataset: Any, got: int) -> list[Shortfall]:
    """Compare shape and type with what the documents say."""
    if claim.shape is None or not got:
        return []
    shape, dtype = tuple(dataset.shape[-len(claim.shape) :]), dataset.dtype
    if shape == claim.shape and claim.dtype in (None, dtype):
        return []
    text = (
        f"{claim.files[0]} has frames of shape {shape} and type {dtype}, but the run's documents "
        f"say {claim.shape} and {claim.dtype}: region, binning, data type or colour mode changed "
        "during the run."
    )
    return [_shortfall(claim, FileWriteError, text, got)]


def _shortfall(
    claim: FileClaim,
    error: type[FrameLossError],
    text: str,
    got: int | None,
    missing: tuple[int, ...] = (),
) -> Shortfall:
    message = f"{claim.plugin}: {text}"
    return Shortfall(error, message, claim.plugin, claim.frames, got, missing)


def _report(
    claim: FileClaim,
    got: int | None,
    problems: Sequence[Shortfall],
    missing: tuple[int, ...] = (),
    note: str = "",
) -> FileReport:
    ids = claim.ids is not None and not note and got is not None
    return FileReport(
        claim.plugin,
        claim.files[0],
        claim.ioc_file,
        claim.frames,
        got,
        True,
        ids and not claim.per_frame,
        missing,
        note,
        tuple(problems),
    )
