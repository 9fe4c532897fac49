"""Reading devices into an event that is either whole or isn't there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky.utils import IllegalMessageSequence, short_uid

from .cleanup import Plan

__all__ = ["read_event", "trigger_event"]


def trigger_event(devices: Iterable[Any], stream: str) -> Plan:
    """Trigger devices that can be, and read all into one event.

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
    devices = list(dict.fromkeys(devices))
    group = short_uid("trigger")
    triggered = [each for each in devices if hasattr(each, "trigger")]
    for device in triggered:
        yield from bps.trigger(device, group=group)
    if triggered:
        yield from bps.wait(group)
    yield from read_event(devices, stream)


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
