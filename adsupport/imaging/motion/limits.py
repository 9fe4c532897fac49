"""Whether devices can go where an experiment needs them, before anything moves."""

from __future__ import annotations

from functools import partial
from typing import Any

from bluesky.utils import maybe_await

from ...errors import ConfigurationError
from ...plans.in_loop import in_loop
from ..stubs.cleanup import Plan
from .window import check_travel

__all__ = ["check_limits", "check_places", "limits_of"]


def limits_of(device: Any) -> tuple[float, float] | None:
    """Tell the limits of a device that has them at hand, as those of ophyd.

    Parameters
    ----------
    device : bluesky Movable
        The device.

    Returns
    -------
    (float, float) or None
        Lowest and highest position, in the device's units; None when it has no ``limits``.
    """
    limits = getattr(device, "limits", None)
    if isinstance(limits, (tuple, list)) and len(limits) == 2 and None not in limits:
        return float(limits[0]), float(limits[1])
    return None


def check_limits(device: Any, places: dict[str, float]) -> None:
    """Make sure that a device can stand at positions.

    Parameters
    ----------
    device : bluesky Movable
        One with ``limits``; without, nothing is known here, see :func:`check_places`.
    places : dict of str to float
        Positions in the device's units, by what is there.

    Raises
    ------
    ConfigurationError
        A position is beyond the device's limits.
    """
    limits = limits_of(device)
    if limits is not None:
        check_travel(places, limits, device.name)


def check_places(device: Any, places: dict[str, float]) -> Plan:
    """Make sure that a device can stand at positions, and ask itself if it has to be asked.

    Parameters
    ----------
    device : bluesky Movable
        One with ``limits``, or bluesky's ``check_value``, as those of ophyd-async; of others
        nothing is known.
    places : dict of str to float
        Positions in the device's units, by what is there.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    ConfigurationError
        A position is beyond the device's limits.
    """
    check_limits(device, places)
    if limits_of(device) is not None or not callable(getattr(device, "check_value", None)):
        return
    for what, place in places.items():
        error = yield from in_loop(partial(_refusal, device, place))
        if error is not None:
            raise ConfigurationError(
                f"{device.name} can't go where {what} at {place:g}: {error}",
                remedy="Nothing has been moved. Choose another range, or change the limits.",
            ) from error


async def _refusal(device: Any, place: float) -> Exception | None:
    """Ask a device what it has against a position."""
    try:
        await maybe_await(device.check_value(place))
    except Exception as error:
        return error
    return None
