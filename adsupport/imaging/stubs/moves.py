"""Setting a device and waiting for it, with an error that says what was waited for."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import FailedStatus, short_uid
from ophyd import Signal
from ophyd.status import Status, StatusBase

from ...errors import PutError
from ...plans.in_thread import in_thread
from ...plans.put import read_late, read_until
from .cleanup import Plan
from .under_way import await_what

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
        Time is up, or a signal shows another value.
    """
    yield from await_what(device, timeout)
    earlier: Any = _Earlier(device, timeout)
    if not earlier.ended:
        yield from bps.trigger(earlier, wait=True)
    group = short_uid("set")
    end = time.monotonic() + timeout
    try:
        yield from bps.abs_set(device, value, group=group)
        yield from bps.wait(group, timeout=timeout)
    except FailedStatus as error:
        if not isinstance(device, Signal) or not device.connected or not read_late(error):
            raise
        left = end - time.monotonic()
        right, shown = yield from in_thread(partial(read_until, device, value, left))
        if not right:
            raise PutError(
                f"{device.name} was set to {value!r}, and "
                + ("didn't answer" if shown is None else f"shows {shown}"),
                remedy="Look at the device and its IOC.",
            ) from error
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
