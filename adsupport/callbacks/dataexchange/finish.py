"""Complete Data Exchange files that an IOC wrote: what its HDF5 plugin can't write itself."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from ...documents.images.opening import check_given_file, identity_of, opened
from ...errors import (
    AdsupportError,
    ConfigurationError,
    FrameCountError,
    ImageFileError,
    OutputError,
    OutputExistsError,
)
from ...wording import counted
from ..choice import check_choice
from ..output.hdf5_values import write_attribute, write_value
from ..tomography.angles import degrees_per_unit
from .acquired import AcquiredFrames, acquired_frames, dataset_in
from .layout import DEFAULTS, PROJECTIONS, THETA
from .matching import Matched, angles_of, matched, rotation_angles, some
from .texts import AXES, text_of, units_of
from .whole_edit import edited, redo

__all__ = ["FinishedDX", "finish_dx"]

_IMPLEMENTS = "/implements"
_ADDRESS = re.compile(r"(/[^/]+)+")
#: Angles in degrees that differ by less are the same; float32 has 7 digits.
_SAME = {4: 5e-5, 8: 1e-9}


@dataclass(frozen=True)
class FinishedDX:
    """What :func:`finish_dx` found and did.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    changed : bool
        Whether anything was written.
    frames : dict of str to int
        Frames by address: ``/exchange/data``, ``/exchange/data_dark``, ``/exchange/data_white``.
    theta : numpy.ndarray or None
        (projections,): angles in degrees as they are in the file now; None without any.
    missed_theta : numpy.ndarray
        Angles of intended projections that didn't come, float64.
    missed_ids : tuple of int
        Their unique ids.
    remarks : list of str
        What is worth knowing, a sentence each.
    """

    path: Path
    changed: bool
    frames: dict[str, int]
    theta: np.ndarray | None = field(repr=False)
    missed_theta: np.ndarray = field(repr=False)
    missed_ids: tuple[int, ...] = field(repr=False)
    remarks: list[str]

    def __str__(self) -> str:
        counts = ", ".join(f"{count} at {place}" for place, count in self.frames.items())
        what = "finished" if self.changed else "as it was"
        missed = (
            f", {counted(len(self.missed_ids), 'projection')} missed" if self.missed_ids else ""
        )
        return "\n".join([f"{self.path}: {what}, frames: {counts}{missed}", *self.remarks])


def finish_dx(
    file: str | os.PathLike[str],
    *,
    theta: Any = None,
    missing: Literal["error", "drop"] = "error",
    first_id: int | None = None,
    location: str = f"{DEFAULTS}/HDF5FrameLocation",
    replace: bool = False,
) -> FinishedDX:
    """Complete a Data Exchange file that an IOC wrote, in place.

    It gets ``/implements`` and ``/exchange/theta``, ``@units`` of angles and frames and ``@axes``
    of the projections; ``theta_dark`` and ``theta_white`` when ``theta`` has the unique ids of all
    these frames.  A dataset to which no frame came loses the blank frame that the IOC leaves in
    it.  The pixels stay where they are.

    Parameters
    ----------
    file : str or path
        The file.  Nobody may have it open.
    theta : array-like or mapping, optional
        Degrees of the intended projections, in order; or by unique id.  By default the angles
        that are in the file, or those that ``start``, ``step`` and ``num_angles`` in
        ``/process/acquisition/rotation`` give.
    missing : {"error", "drop"}
        What to do when projections didn't come: refuse, or leave out their angles.  No other
        angle is ever shifted.
    first_id : int, optional
        NDArrayUniqueId of the first intended projection, where the file doesn't tell.
    location : str
        Address of the names of the frames' datasets; ``NDArrayUniqueId`` is beside it.
    replace : bool
        Whether other angles in the file are replaced.

    Returns
    -------
    FinishedDX
        What there is, and what is missing.

    Raises
    ------
    ImageFileError
        The file is missing, held by its writer, damaged, or no Data Exchange file.
    ConfigurationError
        An argument can't be used, or the angles don't fit the frames.
    FrameCountError
        Projections are missing; ``missing`` has their unique ids.
    OutputExistsError
        The file has other angles, or ones that aren't in degrees.
    OutputError
        The file can't be written.

    Notes
    -----
    With every error the file is as it was.  When nothing is to do, it isn't opened for writing.

    HDF5 changes a file in place in no particular order: killed meanwhile, it may leave one that
    nobody can open.  Here HDF5 changes a copy of the pieces in memory.  What is new is written
    behind the end of the file, and behind it a note of the few old pieces that change; only then
    these change.  Killed before, the file is as it was, but for bytes behind its end; killed
    later, it may be unreadable until the next call, which begins with what the note says.

    Matching by unique id and address is what TomoScan does (tomoscan, ``add_theta``), but that
    takes the first projection that came for the first one intended.
    """
    check_choice("missing", missing, ("error", "drop"))
    _check_arguments(location, first_id)
    try:
        path = Path(file).resolve()
    except (OSError, RuntimeError, ValueError):  # opening says what is wrong
        path = Path(file)
    given = None if theta is None else angles_of(theta)
    changed = redo(path)
    found = identity_of(check_given_file(path, "Data Exchange file"))
    with opened(path) as h5:
        if h5.swmr_mode:
            raise ImageFileError(
                f"File {path} is held by its writer, in SWMR mode; it's as it was.",
                path=path,
                remedy="Stop the capture of the file plugin. If no program has it open, its "
                "writer died: h5clear -s clears its mark.",
            )
        try:
            plan = _Plan(h5, acquired_frames(h5, location), replace)
            plan.angles(given, missing, first_id)
            plan.rest()
        except AdsupportError:
            raise
        except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
            raise ImageFileError(
                f"File {path} can't be read: {error}.",
                path=path,
                remedy="It's damaged: compare it with a copy.",
            ) from error
    if plan.changes:
        try:
            with edited(path, found) as h5:
                for change in plan.changes:
                    change(h5)
        except AdsupportError:
            raise
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise OutputError(
                f"{path} can't be changed: {error}; it's as it was",
                path=path,
                remedy="it may be damaged: compare it with a copy.",
            ) from error
    return FinishedDX(
        path,
        changed or bool(plan.changes),
        plan.frames.counts,
        plan.theta,
        plan.match.missed_theta,
        plan.match.missed_ids,
        plan.frames.remarks + plan.match.remarks,
    )


@dataclass
class _Plan:
    """What a file lacks."""

    file: h5py.File
    frames: AcquiredFrames
    replace: bool
    theta: np.ndarray | None = None
    match: Matched = field(default_factory=lambda: Matched(np.empty(0)))
    #: What is to be done in the file, once it's open for writing.
    changes: list[Callable[[Any], object]] = field(default_factory=list)

    def angles(
        self, given: np.ndarray | dict[int, float] | None, missing: str, first_id: int | None
    ) -> None:
        """Find the angles of all frames."""
        count = self.frames.counts[PROJECTIONS]
        present = dataset_in(self.file, THETA[PROJECTIONS])
        if given is None:
            kept = None if present is None or self.replace else _degrees(present, (count,))
            if kept is not None:
                self.theta = kept
                self._units(THETA[PROJECTIONS])
                unknown = int((~np.isfinite(kept)).sum())
                if unknown:
                    self.frames.remarks.append(
                        f"{unknown} of the {count} angles in {THETA[PROJECTIONS]} are no numbers."
                    )
                return
            given = rotation_angles(self.file)
        if given is None:
            if present is not None or count:
                there = "" if present is None else f": {THETA[PROJECTIONS]} has {_told(present)}"
                raise ConfigurationError(
                    f"File {self.file.filename} has no angles for its {count} projections, nor "
                    f"start, step and num_angles in /process/acquisition/rotation{there}",
                    remedy="give theta=.",
                )
            self.frames.remarks.append("The file has no projections, and no angles.")
            return
        self.match = matched(self.frames, given, first_id)
        lost = self.match.missed_theta
        if lost.size and missing == "error":
            raise FrameCountError(
                f"{lost.size} of {count + lost.size} projections aren't in {self.file.filename}: "
                f"those at {some(lost.tolist())} degrees, unique ids "
                f"{some(self.match.missed_ids)}.",
                expected=count + lost.size,
                got=count,
                missing=self.match.missed_ids,
                remedy="missing='drop' leaves out their angles.",
            )
        self.theta = self._put(PROJECTIONS, self.match.theta)
        if isinstance(given, dict):
            for path in self.frames.rows:
                ids = self.frames.ids_of(path)
                if path == PROJECTIONS or ids is None or not ids.size:
                    continue
                if all(each in given for each in ids.tolist()):
                    self._put(path, np.array([given[each] for each in ids.tolist()]))

    def rest(self) -> None:
        """Find what else is missing; ``/implements``, which says that it's done, is the last."""
        for path in self.frames.blank:
            self.changes.append(lambda file, path=path: file[path].resize(0, axis=0))
            self.frames.remarks.append(f"No frame went to {path}.")
        for path in self.frames.counts:
            self._attribute(path, "units", "counts")
        self._attribute(PROJECTIONS, "axes", AXES)
        present = dataset_in(self.file, _IMPLEMENTS)
        said = text_of(present[()]) if present is not None and present.size == 1 else ""
        names = dict.fromkeys(["exchange", "measurement", "process", *said.split(":")])
        text = ":".join(name for name in names if name.isidentifier() and name in self.file)
        if said != text:
            self._dataset(_IMPLEMENTS, text, present is not None)

    def _put(self, path: str, theta: np.ndarray) -> np.ndarray:
        """Write angles where they aren't there already; return what the file has then."""
        address = THETA[path]
        present = dataset_in(self.file, address)
        if present is not None:
            values = _degrees(present, theta.shape)
            if values is not None and _same(values, theta):
                self._units(address)
                return values
            if not self.replace:
                other = _told(present) if values is None else some(values)
                raise OutputExistsError(
                    f"{address} in {self.file.filename} has other angles: {other}; expected "
                    f"{theta.shape}: {some(theta)}",
                    path=self.file.filename,
                    remedy="replace=True replaces them.",
                )
        self._dataset(address, theta, present is not None)
        self.changes.append(lambda file: write_attribute(file[address], "units", "degree"))
        return theta

    def _dataset(self, path: str, value: Any, present: bool) -> None:
        def write(file: h5py.File) -> None:
            if present:
                del file[path]
            write_value(file, path, value)

        self.changes.append(write)

    def _units(self, address: str) -> None:
        self._attribute(address, "units", "degree")

    def _attribute(self, path: str, name: str, value: str) -> None:
        if name not in self.file[path].attrs:
            self.changes.append(lambda file: write_attribute(file[path], name, value))


def _degrees(data: h5py.Dataset, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return what a dataset has; None when it isn't of that shape, or isn't in degrees."""
    numbers = data.shape == shape and data.dtype.kind in "iuf"
    return data[()] if numbers and degrees_per_unit(units_of(data)) == 1 else None


def _told(data: h5py.Dataset) -> str:
    units = units_of(data)
    return f"{data.shape} {data.dtype}{f' in {units!r}' if units else ''}"


def _same(values: np.ndarray, theta: np.ndarray) -> bool:
    return bool(np.allclose(values, theta, rtol=0, atol=_SAME.get(values.dtype.itemsize, 1e-9)))


def _check_arguments(location: Any, first_id: Any) -> None:
    if not isinstance(location, str) or not _ADDRESS.fullmatch(location):
        raise ConfigurationError(
            f"location={location!r} can't be the address of a dataset",
            remedy=f"expected one such as '{DEFAULTS}/SaveDest'.",
        )
    if first_id is not None and not isinstance(first_id, (int, np.integer)):
        raise ConfigurationError(f"first_id={first_id!r} isn't a unique id: expected an integer.")
