"""Setting a device and waiting for it, with an error that says what was waited for."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import FailedStatus, short_uid
from ophyd import Signal
from ophyd.utils import StatusTimeoutError

from ...devices.signals.reading import wait_for
from ...errors import PutError
from ...plans.in_thread import in_thread
from ...plans.put import read_late, read_until
from .cleanup import Plan
from .earlier import is_awaited, is_polled, note_set, unanswered
from .under_way import end_what

__all__ = ["set_and_wait"]

#: By how much ophyd may be late to tell that a read-back hasn't come, in seconds.
_LATER = 1.5


def set_and_wait(device: Any, value: Any, timeout: float) -> Plan:
    """Set a device, and wait until it's there.

    It's set whatever it does of an earlier set(), of which nothing is waited for before: the next
    one may close a shutter.  Devices that refuse that are set as soon as they don't.

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
    end = time.monotonic() + timeout
    yield from end_what(device)
    if is_polled(device):
        yield from _put_beside(device, value, timeout)
        return
    answered = unanswered(device)
    if answered is not None:
        yield from in_thread(partial(device.put, value, use_complete=False))
        if not (yield from _until(answered, end)):
            raise _not_there(device, value, timeout)
    polls = isinstance(device, Signal) and not getattr(device, "put_complete", False)
    # ophyd's thread would poll on for ever, and refuse any other set()
    limit = {"timeout": timeout} if polls and _takes_timeout(device) else {}
    group, before = short_uid("set"), getattr(device, "_status", None)
    try:
        yield from _set(device, value, end, group=group, **limit)
        left = max(end - time.monotonic(), 0.0)
        yield from bps.wait(group, timeout=left + (_LATER if limit else 0.0))
    except FailedStatus as error:
        if before in error.args or getattr(error.args[0], "obj", device) is not device:
            raise  # something else has ended that was told before: it may not even be set
        if isinstance(error.__cause__, StatusTimeoutError):
            raise _not_there(device, value, timeout) from error
        if not isinstance(device, Signal) or not device.connected or not read_late(error):
            raise
        left = end - time.monotonic()
        right, shown = yield from in_thread(partial(read_until, device, value, left))
        if not right:
            raise _shows(device, value, shown, timeout) from error
    except TimeoutError as error:
        raise _not_there(device, value, timeout) from error


def _put_beside(device: Any, value: Any, timeout: float) -> Plan:
    """Put a signal whose read-back is polled for an earlier value: nothing else is done of that."""

    def put() -> tuple[bool, str | None]:
        device.put(value)
        return read_until(device, value, timeout)

    right, shown = yield from in_thread(put)
    if not right:
        raise _shows(device, value, shown, timeout)


def _set(device: Any, value: Any, end: float, **options: Any) -> Plan:
    """Begin to set a device; once more, if it's one that refuses that until it is there."""
    try:
        status = yield from bps.abs_set(device, value, **options)
    except RuntimeError:
        ended = is_awaited(device)
        if ended is None or not (yield from _until(ended, end)):
            raise
        status = yield from bps.abs_set(device, value, **options)
    note_set(device, status)


def _until(ended: Callable[[], bool], end: float) -> Plan:
    left = max(end - time.monotonic(), 0.0)
    return (yield from in_thread(partial(wait_for, ended, left)))


def _takes_timeout(device: Any) -> bool:
    """Tell whether the signal's set() takes what ophyd's does: users derive their own."""
    known = inspect.signature(device.set).parameters.values()
    return any(each.name == "timeout" or each.kind is each.VAR_KEYWORD for each in known)


def _shows(device: Any, value: Any, shown: str | None, timeout: float) -> PutError:
    return PutError(
        f"{device.name} was set to {value!r}, and "
        + ("didn't answer" if shown is None else f"shows {shown}")
        + f" within {timeout:g} s",
        remedy="Look at the device and its IOC.",
    )


def _not_there(device: Any, value: Any, timeout: float) -> PutError:
    return PutError(
        f"{device.name} didn't get to {value!r} within {timeout:g} s",
        remedy="Look at the device; give it more time if it needs that.",
    )
