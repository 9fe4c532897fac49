"""Whether devices stand where they were sent: one that is stopped takes that for arrival."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

from bluesky.utils import Msg, maybe_await

from ...errors import PutError
from .cleanup import Plan

__all__ = ["check_arrival", "half_a_step", "number", "position_in"]


def check_arrival(
    device: Any,
    place: Any,
    tolerance: float,
    what: str = "was sent to",
    turn: float = math.inf,
) -> Plan:
    """See that a device stands where it should; also when a pause lets its move be replayed.

    Parameters
    ----------
    device : bluesky Readable
        One whose position isn't known, as its reading has no number under its name, is taken for
        arrived.
    place : any
        Where it should stand, in its own units.
    tolerance : float
        How far from that it may stand; at 0 or infinity it isn't looked at.
    what : str
        For the message, what is to be at that place.
    turn : float
        After which the same places come again: 360 for rotations, some of which begin anew.

    Yields
    ------
    Msg
        Messages for the RunEngine: a reading.

    Raises
    ------
    PutError
        It stands elsewhere.
    """
    wanted = number(place)
    if wanted is not None and 0 < tolerance < math.inf:
        yield Msg("read", _Look(device, wanted, tolerance, what, turn))


def half_a_step(places: Iterable[Any]) -> float:
    """Tell how far a device may stand from places, to be nearer to each than to the others.

    Parameters
    ----------
    places : iterable of any
        All of them, in any order.

    Returns
    -------
    float
        Half of the smallest step; infinity when there's none.  Places that are ten times nearer
        to each other than on average, as angles by chance, don't make it smaller.
    """
    numbers = [number(each) for each in places]
    listed = sorted({each for each in numbers if each is not None})
    if None in numbers or len(listed) < 2:
        return math.inf
    smallest = min(upper - lower for lower, upper in zip(listed, listed[1:], strict=False))
    return max(smallest, (listed[-1] - listed[0]) / (len(listed) - 1) / 10) / 2


def position_in(device: Any, reading: dict[str, Any]) -> float | None:
    """Tell a device's position.

    Parameters
    ----------
    device : bluesky Readable
        The device.
    reading : dict
        Its reading.

    Returns
    -------
    float or None
        What has the device's name; None if that is no number.
    """
    return number(reading.get(device.name, {}).get("value"))


def number(value: Any) -> float | None:
    """Tell a number.

    Parameters
    ----------
    value : any
        Maybe one.

    Returns
    -------
    float or None
        None if it isn't one, or not finite.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    found = float(value)
    return found if math.isfinite(found) else None


class _Look:
    """Looks like a device: its reading fails when another stands elsewhere.

    What the plan makes of a reading isn't made again when that is replayed.
    """

    parent = None

    def __init__(
        self, device: Any, wanted: float, tolerance: float, what: str, turn: float
    ) -> None:
        self.name = device.name
        self._device, self._wanted, self._tolerance, self._what = device, wanted, tolerance, what
        self._turn = turn

    def describe(self) -> Any:
        """As the device."""
        return self._device.describe()

    async def read(self) -> dict[str, Any]:
        """Read the device."""
        reading = await maybe_await(self._device.read())
        at = position_in(self._device, reading)
        off = None if at is None else abs(math.remainder(at - self._wanted, self._turn))
        if off is not None and off > self._tolerance:
            raise PutError(
                f"{self.name} stands at {at:g}, and {self._what} {self._wanted:g}",
                remedy="Look at the motor: it may have been stopped on its way.",
            )
        return reading
