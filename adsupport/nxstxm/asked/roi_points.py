"""The set-points of an ROI of a scan's metadata."""

from __future__ import annotations

import numpy as np

from .tree import Place

__all__ = ["points_of"]

#: Computed points: more than any scan has, and no threat to the memory.
_MOST_POINTS = 1_000_000


def points_of(roi: Place, *, needed: bool = False) -> np.ndarray | None:
    """Read the set-points of an ROI.

    Parameters
    ----------
    roi : Place
        The ROI: SETPOINTS, or else START, STOP and NPOINTS, or CENTER of a single point.
    needed : bool
        Whether it must have points.

    Returns
    -------
    numpy.ndarray or None
        (points,), float64; None when they can't be told, which is noted where it's wrong.
    """
    if not roi.is_object():
        return None
    told, listed = roi.find("NPOINTS"), roi.find("SETPOINTS")
    count = None if told is None else told.whole("a number of points, 0 or more")
    if told is not None and count is None:
        return None
    if listed is not None:
        found = listed.numbers("a list of finite numbers")
        if found is None:
            return None
        if found.size:
            if count is not None and count != found.size:
                listed.wrong(f"a list of {count} numbers, as NPOINTS says")
            return found
    # Programs leave a number of points in the ROIs that a scan doesn't use.
    used = roi.find("START", "STOP", "CENTER") is not None
    if count and (needed or used):
        return _computed(roi, count)
    if needed:
        roi.inner("SETPOINTS", None).note("is missing (the set-points, or NPOINTS, START and STOP)")
    return None


def _computed(roi: Place, count: int) -> np.ndarray | None:
    if count > _MOST_POINTS:
        roi.inner("NPOINTS", count).wrong(f"at most {_MOST_POINTS} without SETPOINTS")
        return None
    ends = [roi.find("START"), roi.find("STOP")]
    if count == 1:
        ends = [roi.find("CENTER", "START", "STOP")] * 2
    values = [place and place.number("a finite number") for place in ends]
    if ends[0] is None or ends[1] is None:
        roi.inner("SETPOINTS", None).note("is missing (the set-points, or START and STOP)")
    if values[0] is None or values[1] is None:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.linspace(values[0], values[1], count)
    if np.isfinite(found).all():
        return found
    roi.note("has a range that isn't finite")
    return None
