"""Moves that end: a motor that can't arrive must not keep the beam on, or a clean-up waiting."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import Msg, merge_cycler, short_uid
from cycler import cycler

from ...errors import PutError
from .cleanup import Plan

__all__ = ["longest_moves", "move_within_time"]

#: For what a motion may take longer than its way at its speed, in seconds.
_GRACE = 30.0
#: Longest wait for a motor of which way or speed aren't known, in seconds.
_UNKNOWN = 600.0


def longest_moves(ways: Iterable[Mapping[Any, Any]]) -> Plan:
    """Tell how long motors can need from any of some places, or where they are, to another.

    That's twice the time of the whole way at their ``velocity``, and 30 s; 10 min for one that
    doesn't tell its speed or where it is.

    Parameters
    ----------
    ways : iterable of mapping of bluesky Movable to any
        Where they are to go, one motion after the other, in their own units.

    Yields
    ------
    Msg
        Messages for the RunEngine: readings.

    Returns
    -------
    dict of bluesky Movable to float
        Seconds.
    """
    all_places: dict[Any, list[Any]] = {}
    for places in ways:
        for device, place in places.items():
            all_places.setdefault(device, []).append(place)
    limits = {}
    for device, places in all_places.items():
        limits[device] = yield from _longest(device, places)
    return limits


def move_within_time(places: Mapping[Any, Any], limits: Mapping[Any, float] | None = None) -> Plan:
    """Move devices, all at the same time, and wait no longer for each than it can need.

    Parameters
    ----------
    places : mapping of bluesky Movable to any
        Where each is to go, in its own units.
    limits : mapping of bluesky Movable to float, optional
        How long each may take, in seconds; by default what :func:`longest_moves` tells.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    PutError
        One isn't there in time; it's named.
    """
    if not places:
        return
    longest: Mapping[Any, float] = limits or (yield from longest_moves([places]))
    # pseudo axes of one positioner are one motion, as in bps.mv
    (merged,) = merge_cycler(reduce(add, (cycler(each, [at]) for each, at in places.items())))
    groups = {device: short_uid("move") for device in merged}
    begun = time.monotonic()
    for device, place in merged.items():
        yield from bps.abs_set(device, place, group=groups[device])
    for device, place in merged.items():
        limit = longest.get(device, _UNKNOWN)
        try:
            yield from bps.wait(groups[device], timeout=max(begun + limit - time.monotonic(), 0.1))
        except TimeoutError as error:
            raise PutError(
                f"{device.name} didn't get to {place!r} within {limit:.3g} s",
                remedy="Look at the motor: it may be told to stop or pause (SPMG), stuck, or at "
                "another speed.",
            ) from error


def _longest(device: Any, places: list[Any]) -> Plan:
    """Tell how long the longest motion may take, in seconds."""
    speed: Any = getattr(device, "velocity", None)
    if not callable(getattr(speed, "read", None)) or not callable(getattr(device, "read", None)):
        return _UNKNOWN
    speed = yield from bps.rd(speed)
    reading = (yield Msg("read", device)) or {}
    at = reading.get(device.name, {}).get("value")
    try:
        ends = [float(each) for each in (*places, at)]
        needed = (max(ends) - min(ends)) / float(speed)
    except (TypeError, ValueError, ZeroDivisionError):
        return _UNKNOWN
    known = all(map(math.isfinite, ends)) and 0 <= needed < math.inf
    return 2 * needed + _GRACE if known else _UNKNOWN
