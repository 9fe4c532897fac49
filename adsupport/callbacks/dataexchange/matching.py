"""Which of the intended projections came, and so which angle each has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from ...errors import ConfigurationError, ImageFileError
from ..tomography.angles import degrees_per_unit
from ..tomography.frames import MOST_FRAMES
from .acquired import AcquiredFrames, dataset_in
from .layout import PROJECTIONS
from .texts import units_of

__all__ = ["Matched", "angles_of", "matched", "rotation_angles", "some"]

_ROTATION = "/process/acquisition/rotation"


@dataclass
class Matched:
    """The angles of the frames that came.

    Parameters
    ----------
    theta : numpy.ndarray
        (projections,), float64: degrees.
    missed_theta : numpy.ndarray
        Those intended whose frames didn't come, float64.
    missed_ids : tuple of int
        Their unique ids; empty when they can't be told.
    remarks : list of str
        What is worth knowing, a sentence each.
    """

    theta: np.ndarray
    missed_theta: np.ndarray = field(default_factory=lambda: np.empty(0))
    missed_ids: tuple[int, ...] = ()
    remarks: list[str] = field(default_factory=list)


def angles_of(theta: Any) -> np.ndarray | dict[int, float]:
    """Check the angles that the user gives.

    Parameters
    ----------
    theta : array-like, or mapping of int to float
        Degrees, in order or by unique id.

    Returns
    -------
    numpy.ndarray or dict
        float64.

    Raises
    ------
    ConfigurationError
        They aren't finite numbers, or not in one dimension.
    """
    by_id = isinstance(theta, Mapping)
    try:
        found = np.asarray(list(theta.values()) if by_id else theta, np.float64)
        ids = [int(each) for each in theta] if by_id else []
        whole = ids == list(theta) if by_id else True
    except (TypeError, ValueError, OverflowError) as error:
        raise _bad_theta(f"it can't be read as numbers: {error}") from error
    if found.ndim != 1 or not found.size:
        raise _bad_theta(f"its shape is {found.shape}")
    if not np.isfinite(found).all():
        raise _bad_theta("some angles are NaN or infinite")
    if not whole:
        raise _bad_theta("its keys aren't unique ids, which are integers")
    return dict(zip(ids, found.tolist(), strict=True)) if by_id else found


def rotation_angles(file: h5py.File) -> np.ndarray | None:
    """Compute the intended angles from what the IOC wrote of the rotation.

    Parameters
    ----------
    file : h5py.File
        With ``start`` (or ``rotation_start``), ``step`` (or ``rotation_step``) and
        ``num_angles`` in ``/process/acquisition/rotation``.

    Returns
    -------
    numpy.ndarray or None
        (num_angles,), float64: degrees; None when one of the three isn't there.

    Raises
    ------
    ImageFileError
        One isn't a number, changed during the scan, or has a unit that isn't one of angles.
    """
    start = _number(file, "start", "rotation_start")
    step = _number(file, "step", "rotation_step")
    count = _number(file, "num_angles")
    if start is None or step is None or count is None:
        return None
    if count != int(count) or not 0 < count <= MOST_FRAMES:
        raise _bad_number(file, f"{_ROTATION}/num_angles", f"is {count:g}; expected a count")
    return start + step * np.arange(int(count))


def _number(file: h5py.File, *names: str) -> float | None:
    for name in names:
        path = f"{_ROTATION}/{name}"
        data = dataset_in(file, path)
        if data is None:
            continue
        many = data.size is None or data.size > MOST_FRAMES
        values = np.atleast_1d(np.asarray(data[:0] if many else data[()]))
        if values.dtype.kind not in "iuf" or not values.size or not np.isfinite(values).all():
            raise _bad_number(file, path, f"is {values[:3].tolist()}; expected a number")
        if (values != values[0]).any():
            raise _bad_number(file, path, "changed during the scan")
        units = units_of(data)
        factor = 1.0 if name == "num_angles" else degrees_per_unit(units)
        if factor is None:
            raise _bad_number(file, path, f"has the unit {units!r}; expected degrees")
        return float(values[0]) * factor
    return None


def matched(
    frames: AcquiredFrames, theta: np.ndarray | dict[int, float], first_id: int | None = None
) -> Matched:
    """Give each projection its angle.

    With as many angles as projections, they belong to each other in their order.  Of fewer
    projections, each has the angle whose place is its unique id, counted from the id of the first
    that was intended.  That is known when first and last projection came, or when the frame
    before the first one has the id before; else it's asked for, and never guessed.

    Parameters
    ----------
    frames : AcquiredFrames
        What the file has.
    theta : numpy.ndarray or dict
        From :func:`angles_of`.
    first_id : int, optional
        Unique id of the first intended projection.

    Returns
    -------
    Matched
        Angles of the projections in the file, in its order.

    Raises
    ------
    ConfigurationError
        Angles and frames don't fit each other.
    """
    count, ids = frames.counts[PROJECTIONS], frames.ids_of(PROJECTIONS)
    if isinstance(theta, dict):
        return _by_id(frames, theta)
    if count > len(theta):
        raise _unfit(f"there are {count} projections, but only {len(theta)} angles")
    if count == len(theta) and first_id is None:
        gaps = ids is not None and count and int(ids[-1] - ids[0]) != count - 1
        note = (
            "There are as many angles as projections; these have their order, though some unique "
            "ids between them went to other frames, or to none."
        )
        return Matched(theta, remarks=[note] if gaps else [])
    if ids is None:
        raise _unfit(
            f"there are {count} projections and {len(theta)} angles, and without the unique ids "
            "nobody can tell which are missing"
        )
    if not count:
        return Matched(theta[:0], theta)
    if (np.diff(ids) <= 0).any():
        raise _unfit("the unique ids of the projections don't increase: they were reset meanwhile")
    rows = frames.rows[PROJECTIONS]
    if len(rows) != rows[-1] - rows[0] + 1:
        raise _unfit("other frames were taken between the projections, and projections are missing")
    if first_id is None:
        first_id = _first_id(frames, len(theta))
    elif not 0 <= ids[0] - first_id <= ids[-1] - first_id < len(theta):
        raise _unfit(
            f"the projections have unique ids from {ids[0]} to {ids[-1]}, which aren't among "
            f"{len(theta)} from first_id={first_id} on"
        )
    index = ids - first_id
    missed = np.setdiff1d(np.arange(len(theta)), index)
    return Matched(theta[index], theta[missed], tuple((missed + first_id).tolist()))


def _by_id(frames: AcquiredFrames, theta: dict[int, float]) -> Matched:
    ids = frames.ids_of(PROJECTIONS)
    if ids is None or frames.ids is None:
        raise _unfit("the angles are given by unique id, and the file has none")
    if len(np.unique(ids)) != len(ids):
        raise _unfit("several projections have one unique id: they were reset meanwhile")
    lost = [each for each in ids.tolist() if each not in theta]
    if lost:
        raise _unfit(f"projections with the unique ids {some(lost)} have no angle")
    came = set(frames.ids.tolist())
    missed = tuple(each for each in theta if each not in came)
    return Matched(
        np.array([theta[each] for each in ids.tolist()]),
        np.array([theta[each] for each in missed]),
        missed,
    )


def _first_id(frames: AcquiredFrames, wanted: int) -> int:
    """Find the unique id of the first intended projection where only one can be."""
    ids, rows = frames.ids_of(PROJECTIONS), frames.rows[PROJECTIONS]
    if ids is None or frames.ids is None:
        raise _unfit("the file has no unique ids")
    first, least = int(ids[0]), int(ids[-1]) - wanted + 1
    if least > first:
        raise _unfit(
            f"the projections have unique ids from {first} to {ids[-1]}, more than {wanted} angles"
        )
    if rows[0] and frames.ids[rows[0] - 1] < first:
        least = max(least, int(frames.ids[rows[0] - 1]) + 1)
    if least < first:
        raise _unfit(
            f"of {wanted} projections {len(ids)} came, with unique ids from {first} to {ids[-1]}: "
            f"the first one intended may have been any from {least} to {first}",
            "Give first_id=, or the angles by unique id.",
        )
    return first


def some(values: Sequence[float] | np.ndarray) -> str:
    """List the first of many numbers.

    Parameters
    ----------
    values : sequence of float
        The numbers.

    Returns
    -------
    str
        Five of them, and how many more there are.
    """
    shown = ", ".join(f"{each:.10g}" for each in values[:5])
    return f"{shown} and {len(values) - 5} more" if len(values) > 5 else shown or "unknown"


def _unfit(why: str, remedy: str = "") -> ConfigurationError:
    return ConfigurationError(
        f"theta doesn't fit the frames of the file: {why}",
        remedy=remedy or "give theta= as a mapping from unique id to angle.",
    )


def _bad_theta(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"theta can't be used: {why}",
        remedy="expected an array of angles in degrees, or a mapping from unique id to angle.",
    )


def _bad_number(file: h5py.File, path: str, what: str) -> ImageFileError:
    return ImageFileError(
        f"{path} in {file.filename} {what}.", path=file.filename, remedy="Give theta=."
    )
