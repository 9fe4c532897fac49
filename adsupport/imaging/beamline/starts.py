"""Where devices stood before an experiment, and the way back there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.protocols import Locatable
from bluesky.utils import Msg

from ..motion.standstill import halt
from ..stubs.cleanup import Plan
from ..stubs.moves_in_time import move_within_time

__all__ = ["Starts", "position_of"]


class Starts:
    """Remembers positions, and moves back to them."""

    def __init__(self) -> None:
        self._positions: dict[Any, Any] = {}

    def forget(self) -> None:
        """Forget them: nothing has been moved yet."""
        self._positions.clear()

    def remember(self, devices: Iterable[Any]) -> Plan:
        """Take note of where devices are.

        Parameters
        ----------
        devices : iterable of bluesky Movable and Readable
            The devices.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        for device in devices:
            self._positions[device] = yield from position_of(device)

    def go_back(self) -> Plan:
        """Stop the devices, and move all of them back at the same time.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        PutError
            One is stuck on its way.
        """
        for device in self._positions:
            yield from halt(device)
        yield from move_within_time(self._positions)


def position_of(device: Any) -> Plan:
    """Tell where a device was sent to; where it is, of one that doesn't tell.

    Parameters
    ----------
    device : bluesky Movable and Readable
        The device.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    float
        In the device's units.
    """
    if isinstance(device, Locatable):
        location = yield Msg("locate", device)
        return 0.0 if location is None else location["setpoint"]
    # a motor's read-back is never quite where it was sent to, and would go astray run by run
    return (yield from bps.rd(getattr(device, "user_setpoint", device)))
