"""Makes the regions of interest that an STXM scan's metadata has: axes, and regions of these."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import StxmMetadataError

__all__ = ["make_region", "make_roi", "make_roi_of_points"]


def make_roi(start: float, stop: float, npoints: int, positioner: str) -> dict[str, Any]:
    """Make the ROI of an axis with points at equal distances.

    Parameters
    ----------
    start, stop : float
        First and last set-point: µm; of an angle degrees.
    npoints : int
        How many points, 1 or more; a single point is at the centre.
    positioner : str
        Name of what moves: the data key of its events, or a name that ``rev_lu_dct`` has.

    Returns
    -------
    dict
        With the keys that acquisition programs use: START, STOP, NPOINTS, SETPOINTS, ...

    Raises
    ------
    StxmMetadataError
        An argument can't be used.
    """
    if isinstance(npoints, bool) or not isinstance(npoints, (int, np.integer)) or npoints < 1:
        raise StxmMetadataError(f"npoints must be a number of 1 or more, not {npoints!r}.")
    start, stop = _finite("start", start), _finite("stop", stop)
    points = np.linspace(start, stop, npoints) if npoints > 1 else np.array([(start + stop) / 2])
    return _roi(points, positioner, start, stop)


def make_roi_of_points(setpoints: Sequence[float] | np.ndarray, positioner: str) -> dict[str, Any]:
    """Make the ROI of an axis with points anywhere.

    Parameters
    ----------
    setpoints : sequence of float
        (points,), in the order of the scan: µm; of an angle degrees.
    positioner : str
        See :func:`make_roi`.

    Returns
    -------
    dict
        See :func:`make_roi`.

    Raises
    ------
    StxmMetadataError
        An argument can't be used.
    """
    try:
        points = [_finite("a set-point", each) for each in setpoints]
    except TypeError:
        points = []
    if not points:
        raise StxmMetadataError(f"setpoints must be numbers, one or more, not {setpoints!r}.")
    return _roi(np.array(points), positioner, points[0], points[-1])


def make_region(
    x: Mapping[str, Any],
    y: Mapping[str, Any] | None = None,
    *,
    zoneplate_z: Mapping[str, Any] | None = None,
    theta: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make a spatial region of ROIs.

    Parameters
    ----------
    x, y : dict
        Fast and slow axis, of :func:`make_roi`.  For scans along a line (focus, line spectra)
        both have the line's points.  A generic scan may do without ``y``.
    zoneplate_z : dict, optional
        Where a focus scan moves the zone plate.
    theta : dict, optional
        The goniometer's angles.

    Returns
    -------
    dict
        For ``rois`` of :func:`~adsupport.nxstxm.make_standard_metadata`.
    """
    region: dict[str, Any] = {"X": dict(x)}
    if y is not None:
        region["Y"] = dict(y)
    if zoneplate_z is not None:
        region["ZP"] = {"Z": dict(zoneplate_z)}
    if theta is not None:
        region["GONI"] = {"T": dict(theta)}
    return region


def _finite(name: str, value: object) -> float:
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if abs(number) < 1e300:
            return number
    raise StxmMetadataError(f"{name} must be a finite number, not {value!r}.")


def _roi(points: np.ndarray, positioner: str, start: float, stop: float) -> dict[str, Any]:
    if not isinstance(positioner, str) or not positioner:
        raise StxmMetadataError(f"positioner must be a name, not {positioner!r}.")
    count = len(points)
    return {
        "NAME": positioner,
        "ID": "BASE_ROI",
        "ID_VAL": -1,
        "CENTER": (start + stop) / 2,
        "RANGE": stop - start,
        "NPOINTS": count,
        "ENABLED": True,
        "IS_POINT": count == 1,
        "OFFSET": 0.0,
        "STEP": (stop - start) / (count - 1) if count > 1 else 0.0,
        "START": start,
        "STOP": stop,
        "SETPOINTS": points.tolist(),
        "POSITIONER": positioner,
        "SRC": None,
        "TOP_LEVEL": False,
        "DATA_LEVEL": False,
    }
