"""Moves of a clean-up: a motor that can't arrive must not keep the rest waiting for ever."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import Msg, short_uid

from ...errors import PutError
from .cleanup import Plan

__all__ = ["move_within_time"]

#: For what a motion may take longer than its way at its speed, in seconds.
_GRACE = 30.0
#: Longest wait for a motor of which way or speed aren't known, in seconds.
_UNKNOWN = 600.0


def move_within_time(places: Mapping[Any, Any]) -> Plan:
    """Move devices, all at the same time, and wait no longer for each than it can need.

    That's twice the time of its way at its ``velocity``, and 30 s; 10 min for one that doesn't tell
    its speed or where it is.

    Parameters
    ----------
    places : mapping of bluesky Movable to any
        Where each is to go, in its own units.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    PutError
        One isn't there in time; it's named.
    """
    limits = {}
    for device, place in places.items():
        limits[device] = yield from _longest(device, place)
    groups = {device: short_uid("move") for device in places}
    begun = time.monotonic()
    for device, place in places.items():
        yield from bps.abs_set(device, place, group=groups[device])
    for device, place in places.items():
        left = max(begun + limits[device] - time.monotonic(), 0.1)
        try:
            yield from bps.wait(groups[device], timeout=left)
        except TimeoutError as error:
            raise PutError(
                f"{device.name} didn't get to {place!r} within {limits[device]:.3g} s",
                remedy="Look at the motor: it may be told to stop or pause (SPMG), stuck, or at "
                "another speed.",
            ) from error


def _longest(device: Any, place: Any) -> Plan:
    """Tell how long a motion may take, in seconds."""
    speed: Any = getattr(device, "velocity", None)
    if not callable(getattr(speed, "read", None)) or not callable(getattr(device, "read", None)):
        return _UNKNOWN
    speed = yield from bps.rd(speed)
    reading = (yield Msg("read", device)) or {}
    at = reading.get(device.name, {}).get("value")
    try:
        needed = abs(float(place) - float(at)) / float(speed)
    except (TypeError, ValueError, ZeroDivisionError):
        return _UNKNOWN
    return 2 * needed + _GRACE if 0 <= needed < math.inf else _UNKNOWN
