"""The sample in the beam, or out of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import Msg

from ..errors import ConfigurationError, PutError
from .cleanup import Plan
from .motion.standstill import halt
from .motion.window import check_travel

__all__ = ["SampleStage"]

#: How far from its place an axis may stand, as part of the way out of the beam.
_NEAR = 0.01


class SampleStage:
    """Where the sample's axes stand for projections, and for flats.

    Parameters
    ----------
    positions : mapping of device to (float, float)
        By movable device: its position with the sample in the beam, and out of it, in the
        device's units.  They move at the same time.

    Raises
    ------
    ConfigurationError
        There is no device, one can't be set, or a position is no finite number.

    Examples
    --------
    >>> SampleStage({stage_x: (0.0, 6.0)})  # doctest: +SKIP
    """

    def __init__(self, positions: Mapping[Any, tuple[float, float]]) -> None:
        if not positions:
            raise ConfigurationError(
                "sample: no axis takes the sample out", remedy="Give {motor: (in, out)}."
            )
        self.positions: dict[Any, tuple[float, float]] = {}
        for device, places in positions.items():
            if not callable(getattr(device, "set", None)):
                raise ConfigurationError(f"sample: {device!r} can't be moved: it has no set().")
            try:
                into, out = (float(each) for each in places)
            except (TypeError, ValueError):
                raise ConfigurationError(
                    f"sample: {device.name} needs its positions in and out of the beam, got "
                    f"{places!r}."
                ) from None
            if not (math.isfinite(into) and math.isfinite(out)):
                raise ConfigurationError(f"sample: {device.name} can't stand at {places!r}.")
            self.positions[device] = (into, out)

    @property
    def devices(self) -> list[Any]:
        """The axes; they're read with every event."""
        return list(self.positions)

    def check(self) -> None:
        """Make sure that the axes can stand at all positions.

        Raises
        ------
        ConfigurationError
            A position is beyond an axis' limits.
        """
        for device, (into, out) in self.positions.items():
            check_limits(device, {"the sample is in the beam": into, "it is out": out})

    def move_in(self) -> Plan:
        """Move the sample into the beam.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from self._move(0)

    def move_out(self) -> Plan:
        """Move the sample out of the beam.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from self._move(1)

    def bring_in(self) -> Plan:
        """Move the sample into the beam whatever its axes do, and look whether it is there.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        PutError
            An axis stands elsewhere.
        """
        for device in self.positions:
            yield from halt(device)
        yield from self.move_in()
        for device, (into, out) in self.positions.items():
            reading = yield Msg("read", device)
            place = reading.get(device.name, {}).get("value")
            known = isinstance(place, (int, float)) and into != out
            if known and abs(place - into) > _NEAR * abs(out - into):
                raise PutError(
                    f"{device.name} stands at {place:g}, and the sample is in the beam at {into:g}",
                    remedy="Look at the motor, and move it there.",
                )

    def _move(self, which: int) -> Plan:
        moves = [
            each for device, places in self.positions.items() for each in (device, places[which])
        ]
        yield from bps.mv(*moves)


def check_limits(device: Any, places: dict[str, float]) -> None:
    """Make sure that a device can stand at positions.

    Parameters
    ----------
    device : bluesky Movable
        One with ``limits``; without, nothing is known.
    places : dict of str to float
        Positions in the device's units, by what is there.

    Raises
    ------
    ConfigurationError
        A position is beyond the device's limits.
    """
    limits = getattr(device, "limits", None)
    if isinstance(limits, (tuple, list)) and len(limits) == 2 and None not in limits:
        check_travel(places, (float(limits[0]), float(limits[1])), device.name)
