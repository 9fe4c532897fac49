"""Reading devices into an event that is either whole or isn't there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import IllegalMessageSequence, short_uid

from ...errors import AcquireTimeoutError
from .cleanup import Plan

__all__ = ["read_event", "trigger_all", "trigger_event"]


#: Longest wait for devices that have no limit of their own, in seconds.
_LONGEST = 600.0


def trigger_event(
    devices: Iterable[Any], stream: str, camera: Any = None, limit: float | None = None
) -> Plan:
    """Trigger devices that can be, and read all into one event.

    Parameters
    ----------
    devices : iterable of bluesky Readable
        Each is read once.
    stream : str
        Of the event.
    camera, limit
        See :func:`trigger_all`.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    AcquireTimeoutError
        One takes too long.
    """
    devices = list(dict.fromkeys(devices))
    yield from trigger_all(devices, camera, limit)
    yield from read_event(devices, stream)


def trigger_all(devices: Iterable[Any], camera: Any = None, limit: float | None = None) -> Plan:
    """Trigger devices that can be, and wait for their ends, but not for ever: the beam may be on.

    Parameters
    ----------
    devices : iterable of bluesky device
        All triggered at the same time.
    camera : bluesky Triggerable, optional
        That of them which may take long.
    limit : float, optional
        How long it may take, in seconds; by default it knows itself.  The others have 10 min, and
        10 min more when it has ended.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    AcquireTimeoutError
        One takes longer.
    """
    group = short_uid("trigger")
    told: dict[Any, Any] = {}
    for device in devices:
        if hasattr(device, "trigger"):
            told[device] = yield from bps.trigger(device, group=group)
    again = camera in told
    wait = limit if again and limit is not None else _LONGEST
    while told:
        try:
            yield from bps.wait(group, timeout=wait)
            return
        except TimeoutError as error:
            late = [each for each, status in told.items() if not status.done]
            if (camera in late and limit is None) or (camera not in late and again):
                again, wait = camera in late, _LONGEST
                continue
            late = [camera] if camera in late else late or list(told)
            name = " and ".join(each.name for each in late)
            raise AcquireTimeoutError(
                f"{name}: the trigger didn't end within {wait:.3g} s",
                remedy="Look at the device and its IOC. PreparedCamera(..., timeout=) gives a "
                "camera more time.",
            ) from error


def read_event(devices: Iterable[Any], stream: str) -> Plan:
    """Read devices into one event; what ends the plan while it's saved leaves none open.

    An event that is open would let all readings of a clean-up fail: ``bps.trigger_and_read``
    leaves one when it's ended at the very message that saves it.

    Parameters
    ----------
    devices : iterable of bluesky Readable
        Each is read once.
    stream : str
        Of the event.

    Yields
    ------
    Msg
        Messages for the RunEngine.
    """

    def read() -> Plan:
        yield from bps.create(name=stream)
        for device in dict.fromkeys(devices):
            yield from bps.read(device)
        yield from bps.save()

    def forget(_: Exception) -> Plan:
        with contextlib.suppress(IllegalMessageSequence):  # it wasn't open yet
            yield from bps.drop()

    yield from bpp.contingency_wrapper(read(), except_plan=forget)
