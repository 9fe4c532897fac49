"""Setting a device and waiting for it, with an error that says what was waited for."""

from __future__ import annotations

from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import short_uid
from ophyd.status import Status, StatusBase

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
    earlier: Any = _Earlier(device, timeout)
    if not earlier.ended:
        yield from bps.trigger(earlier, wait=True)
    group = short_uid("set")
    yield from bps.abs_set(device, value, group=group)
    try:
        yield from bps.wait(group, timeout=timeout)
    except TimeoutError as error:
        raise PutError(
            f"{device.name} didn't get to {value!r} within {timeout:g} s",
            remedy="Look at the device; give it more time if it needs that.",
        ) from error


class _Earlier:
    """Looks like a device: its trigger ends with the set() of a signal that was interrupted.

    ophyd's signals refuse another one until then.
    """

    parent = None

    def __init__(self, device: Any, timeout: float) -> None:
        self.name = f"earlier set of {device.name}"
        self._status, self._timeout = getattr(device, "_status", None), timeout

    @property
    def ended(self) -> bool:
        """Whether there's none."""
        return not isinstance(self._status, StatusBase) or self._status.done

    def trigger(self) -> Status:
        """Wait for its end, whatever becomes of it."""
        status = Status(timeout=self._timeout)
        if isinstance(self._status, StatusBase):
            self._status.add_callback(lambda _: status.set_finished())
        return status
