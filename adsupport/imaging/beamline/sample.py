"""The sample in the beam, or out of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import ConfigurationError
from ..motion.limits import check_limits, check_places
from ..motion.standstill import halt
from ..stubs.arrival import check_arrival
from ..stubs.cleanup import Plan
from ..stubs.moves_in_time import move_within_time

__all__ = ["SampleStage"]

#: How far from its place an axis may stand, as part of the way out of the beam.
_NEAR = 0.01


class SampleStage:
    """Where the sample's axes stand for projections, and for flats.

    Parameters
    ----------
    positions : mapping of device to (float, float)
        By movable device: its position with the sample in the beam, and out of it, in the
        device's units.  They move at the same time, and are waited for as long as they move: one
        that stands for 30 s without having arrived is stuck.

    Raises
    ------
    ConfigurationError
        There is no device, one can't be set, or a position is no finite number.

    Examples
    --------
    >>> SampleStage({stage_x: (0.0, 6.0)})  # doctest: +SKIP
    """

    def __init__(self, positions: Mapping[Any, tuple[float, float]]) -> None:
        if not isinstance(positions, Mapping) or not positions:
            raise ConfigurationError(
                "sample: no axis takes the sample out", remedy="Give {motor: (in, out)}."
            )
        self.positions: dict[Any, tuple[float, float]] = {}
        for device, places in positions.items():
            if not callable(getattr(device, "set", None)):
                raise ConfigurationError(f"sample: {device!r} can't be moved: it has no set().")
            try:
                texts = any(isinstance(each, (str, bytes, bool)) for each in places)
                into, out = (math.nan if texts else float(each) for each in places)
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
        for device, places in self._places():
            check_limits(device, places)

    def ask(self) -> Plan:
        """Ask axes that have to be asked whether they can stand at all positions.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        ConfigurationError
            A position is beyond an axis' limits.
        """
        for device, places in self._places():
            yield from check_places(device, places)

    def _places(self) -> Iterator[tuple[Any, dict[str, float]]]:
        for device, (into, out) in self.positions.items():
            yield device, {"the sample is in the beam": into, "it is out": out}

    def move_in(self) -> Plan:
        """Move the sample into the beam, and look whether it is there.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        PutError
            An axis is stuck, or stands elsewhere: somebody has stopped it.
        """
        yield from self._move(0)

    def move_out(self) -> Plan:
        """Move the sample out of the beam, and look whether it is there.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        PutError
            An axis is stuck, or stands elsewhere: somebody has stopped it.
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
            An axis is stuck, or stands elsewhere.
        """
        for device in self.positions:
            yield from halt(device)
        yield from self.move_in()

    def _move(self, which: int) -> Plan:
        yield from move_within_time({each: at[which] for each, at in self.positions.items()})
        yield from self._look(which)

    def _look(self, which: int) -> Plan:
        """See that the axes stand where they should: one that is stopped takes that for arrival."""
        where = "in the beam" if which == 0 else "out of it"
        for device, places in self.positions.items():
            near = _NEAR * abs(places[1] - places[0])
            yield from check_arrival(device, places[which], near, f"the sample is {where} at")
