"""Moves that end: a motor that can't arrive must not keep the beam on, or a clean-up waiting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import FailedStatus, Msg, merge_cycler, short_uid
from cycler import cycler
from ophyd.status import Status

from ...errors import PutError
from .arrival import number, position_in
from .cleanup import Plan
from .control import CONTROL

__all__ = ["AgainAfterPause", "move_within_time"]

#: How long a device may stand on its way, in seconds.
_STANDS = 30.0
#: Longest wait, in seconds, for one that tells nothing, or goes to and fro.
_LONGEST = 600.0
#: Less than this part of what is left of its way is no progress: read-backs are never quiet.
_NOISE = 1e-4


def move_within_time(places: Mapping[Any, Any]) -> Plan:
    """Move devices, all at the same time, and wait as long as they move.

    One that stands for 30 s without having arrived is stuck.  One that can't be read, or goes to
    and fro, is waited for 10 min.  It's read only when it has taken some seconds.

    Parameters
    ----------
    places : mapping of bluesky Movable to any
        Where each is to go, in its own units.

    Yields
    ------
    Msg
        Messages for the RunEngine; all of them may be replayed after a pause.

    Raises
    ------
    PutError
        One is stuck; it's named, with where it stands.
    """
    yield from _move(_merged(places))


class AgainAfterPause:
    """Moves devices once more, but only if there has been a pause: somebody may have moved them.

    Parameters
    ----------
    places : mapping of bluesky Movable to any
        Where they stand, in their own units.
    """

    def __init__(self, places: Mapping[Any, Any]) -> None:
        self._moves = [(_Again(device), at, axes) for device, at, axes in _merged(places)]

    def listen(self) -> Plan:
        """Let the RunEngine tell of pauses from now on.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        for again, *_ in self._moves:
            yield Msg("null", again)  # all that it has seen are told

    def move(self) -> Plan:
        """Move them if there has been a pause, or is one until the next checkpoint.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        PutError
            One is stuck.
        """
        yield from _move(self._moves)


_Moves = list[tuple[Any, Any, dict[Any, Any]]]


def _merged(places: Mapping[Any, Any]) -> _Moves:
    """Tell what is set to what, and which axes move: those of one positioner are one motion."""
    if not places:
        return []
    (merged,) = merge_cycler(reduce(add, (cycler(each, [at]) for each, at in places.items())))
    return [(device, target, _axes(device, places)) for device, target in merged.items()]


def _axes(device: Any, places: Mapping[Any, Any]) -> dict[Any, Any]:
    if device in places:
        return {device: places[device]}
    return {axis: at for axis, at in places.items() if getattr(axis, "parent", None) is device}


def _move(moves: _Moves) -> Plan:
    groups = [short_uid("move") for _ in moves]
    for (device, target, _), group in zip(moves, groups, strict=True):
        yield from bps.abs_set(device, target, group=group)
    for (device, target, axes), group in zip(moves, groups, strict=True):
        yield from _until_there(device, target, axes, group)


def _until_there(device: Any, target: Any, axes: Mapping[Any, Any], group: str) -> Plan:
    looks = [_Looks(axis, at) for axis, at in axes.items()]
    patience, lost, unanswered = _STANDS / 10, 0.0, 0
    while True:
        there = yield from bps.wait(group, timeout=patience, error_on_timeout=False)
        unanswered += there is None  # after a pause; ever again, if there's no RunEngine
        if there or unanswered > 1:
            break
        if there is None:
            continue
        for look in looks:
            yield from look.take()
        if all(look.moves is False for look in looks):
            raise _stuck(device, target, looks, f"has stood for {_STANDS:g} s")
        if not any(look.moves for look in looks):
            lost += patience
        if lost >= _LONGEST:
            raise _stuck(device, target, looks, f"didn't get there within {_LONGEST / 60:g} min")
        patience = _STANDS
    # nothing, unless a pause lets all be replayed: those above don't wait for its arrival then
    yield from bps.wait(group, timeout=_LONGEST)


def _stuck(device: Any, target: Any, looks: Iterable[_Looks], what: str) -> PutError:
    where = "; ".join(map(str, looks))
    error = PutError(
        f"{device.name} was sent to {target!r}, and {what}: {where}",
        remedy="Look at the motor: it may be told to stop or pause (SPMG), or have no power.",
    )
    error.__cause__ = next((look.error for look in looks if look.error is not None), None)
    return error


class _Looks:
    """What is seen of an axis on its way, one time after the other.

    Attributes
    ----------
    moves : bool or None
        Whether it has moved since the look before; None if that can't be told.
    error : Exception or None
        Of the last reading.
    """

    def __init__(self, axis: Any, target: Any) -> None:
        self._axis, self._target = axis, number(target)
        self.moves: bool | None = None
        self.error: Exception | None = None
        self._seen: dict[str, float] = {}
        self._last: dict[str, float] = {}  # changes

    def take(self) -> Plan:
        """Look where it is now."""
        self.error = None
        try:
            reading = (yield Msg("read", self._axis)) or {}
        except (*CONTROL, FailedStatus):  # the failure of a move comes at any message
            raise
        except Exception as error:
            self.error, reading = error, {}
        at = position_in(self._axis, reading)
        if at is not None and self._target is not None:
            self._compare({"": at}, _NOISE * abs(self._target - at))
        else:
            values = {key: number(each.get("value")) for key, each in reading.items()}
            self._compare({key: each for key, each in values.items() if each is not None}, 0.0)

    def _compare(self, values: dict[str, float], noise: float) -> None:
        """Compare with the look before: a motion keeps its direction, other than noise."""
        told = {key: value - self._seen[key] for key, value in values.items() if key in self._seen}
        changes = {key: each for key, each in told.items() if abs(each) > noise}
        onwards = any(each * self._last.get(key, each) > 0 for key, each in changes.items())
        if onwards or (values and not told):
            self.moves = True  # also what is seen for the first time
        else:
            self.moves = None if changes or not values else False
        self._last |= changes
        if values:
            self._seen = values

    def __str__(self) -> str:
        if self.error is not None or not self._seen:
            return f"where it is can't be read ({self.error or 'it tells no number'})"
        named = (f"{key or self._axis.name} is at {at:g}" for key, at in self._seen.items())
        return ", ".join(named)


class _Again:
    """Looks like a device: is set when the RunEngine has paused; without a pause it's there."""

    def __init__(self, device: Any) -> None:
        self._device, self._paused = device, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def pause(self) -> None:
        """Note that the RunEngine pauses."""
        self._paused = True

    def resume(self) -> None:
        """Do nothing: what has been replayed was enough."""

    def stop(self, *, success: bool = False) -> None:
        """Do nothing: the RunEngine knows the device itself, too, and stops that."""

    def set(self, value: Any) -> Any:
        """Move it, after a pause."""
        if self._paused:
            return self._device.set(value)
        status = Status()
        status.set_finished()
        return status
