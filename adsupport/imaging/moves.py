"""Setting a device and waiting for it, with an error that says what was waited for."""

from __future__ import annotations

from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import short_uid

from ..errors import PutError
from .cleanup import Plan

__all__ = ["set_and_wait"]


def set_and_wait(device: Any, value: Any, timeout: float) -> Plan:
    """Set a device, and wait until it's there.

    Parameters
    ----------
    device : bluesky Movable
        The device.
    value : any
        Its new value.
    timeout : float
        Longest wait, in seconds.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    PutError
        Time is up.
    """
    group = short_uid("set")
    yield from bps.abs_set(device, value, group=group)
    try:
        yield from bps.wait(group, timeout=timeout)
    except TimeoutError as error:
        raise PutError(
            f"{device.name} didn't get to {value!r} within {timeout:g} s",
            remedy="Look at the device; give it more time if it needs that.",
        ) from error
