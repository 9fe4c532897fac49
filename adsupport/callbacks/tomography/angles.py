"""Which data key has the angles, and what it says in degrees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...documents.run import Run, Stream

__all__ = ["degrees_per_unit", "per_frame", "theta_key"]

_DEGREES = {"", "deg", "degs", "degree", "degrees", "°"}
_RADIANS = {"rad", "rads", "radian", "radians"}


def theta_key(run: Run, stream: Stream) -> str | None:
    """Find the rotation among the data keys: the first dimension of the scan, or the first motor.

    One with units of angles goes before others.

    Parameters
    ----------
    run : Run
        Its start document has hints.
    stream : Stream
        Of the projections.

    Returns
    -------
    str or None
        The data key; None when the documents tell of none.
    """
    candidates: list[Any] = []
    hints = run.start.get("hints")
    dimensions = hints.get("dimensions") if isinstance(hints, dict) else None
    try:
        for fields, *_ in (dimensions or [])[:1]:
            candidates += [fields] if isinstance(fields, str) else fields
    except (TypeError, ValueError):
        pass  # the plan's own, of another form
    for motor in run.motors[:1]:
        candidates += [*stream.hints.get(motor, {}).get("fields", ()), motor]
        own = stream.object_keys.get(motor, ())  # of a device that hints at nothing
        candidates += [key for key in own if not key.endswith("setpoint")]
    known = stream.columns
    keys = [each for each in candidates if isinstance(each, str) and each in known]
    angular = (each for each in keys if degrees_per_unit(known[each].units) is not None)
    return next(angular, keys[0] if keys else None)


def degrees_per_unit(units: str) -> float | None:
    """Tell how many degrees a unit is.

    Parameters
    ----------
    units : str
        As the descriptor has them; without units, degrees are meant.

    Returns
    -------
    float or None
        None for what isn't a unit of angles.
    """
    name = units.strip().lower().rstrip(".")
    if name in _DEGREES:
        return 1.0
    return math.degrees(1.0) if name in _RADIANS else None


def per_frame(value: Any, frames: int) -> np.ndarray | None:
    """Give each frame of a row its number.

    Parameters
    ----------
    value : any
        One for all frames, or an array with one for each.
    frames : int
        How many.

    Returns
    -------
    numpy.ndarray or None
        (frames,), float64, NaN for what isn't finite; None for what isn't a number, or an array
        of another length.
    """
    try:
        found = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return None
    if found.ndim and found.size == 1:
        found = found.reshape(())
    if found.shape not in ((), (frames,)):
        return None
    return np.broadcast_to(np.where(np.isfinite(found), found, np.nan), (frames,))
