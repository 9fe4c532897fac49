"""Whether motors can move at all, before an experiment needs them to."""

from __future__ import annotations

from typing import Any

import bluesky.plan_stubs as bps

from ...errors import ConfigurationError
from ..stubs.cleanup import Plan

__all__ = ["check_speed"]


def check_speed(device: Any) -> Plan:
    """Make sure that a motor's speed isn't 0: it would be on its way for ever.

    Parameters
    ----------
    device : bluesky Movable
        One with ``velocity``, as an EpicsMotor has; of others nothing is known.  The simulated
        motors of ophyd-async are in no time where they're sent when it's 0.

    Yields
    ------
    Msg
        Messages for the RunEngine: a reading.

    Raises
    ------
    ConfigurationError
        The speed is 0, below 0 or no number.
    """
    velocity: Any = getattr(device, "velocity", None)
    if not callable(getattr(velocity, "read", None)):
        return
    if str(getattr(velocity, "source", "")).startswith("soft://"):
        return
    # a simulated RunEngine has no reading
    speed = yield from bps.rd(velocity, default_value=None)
    if isinstance(speed, (int, float)) and not isinstance(speed, bool) and not speed > 0:
        raise ConfigurationError(
            f"{device.name} can't get anywhere: {velocity.name} is {speed:g}",
            remedy="Nothing has been moved. Give the motor a velocity above 0.",
        )
