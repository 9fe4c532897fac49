"""Tell a signal what ophyd did not tell it: that its channel is connected.

A signal made for a process variable that pyepics knows already can miss its callbacks.  pyepics
calls those that it has, then marks the process variable as connected; ophyd's control layer
calls a new signal only when that mark is there, and adds it for the next time.  A signal that
comes in between is told by neither, and waits for ever.  The same moment loses the rights of
access and the first monitor; a request for metadata that fails is never repeated; and a plain
``EpicsSignalBase`` doesn't look again when the rights of access come last.  An error in a callback
of pyepics leaves even pyepics itself with a connection that isn't there, or without one that is.
"""

from __future__ import annotations

import inspect
import logging
from typing import Any

from epics import PV, ca
from ophyd.device import Device
from ophyd.signal import UNSET_VALUE, EpicsSignalBase

from .device_signals import channels
from .metadata import MetadataReader

__all__ = [
    "can_settle",
    "correct",
    "has_value",
    "is_there",
    "settle",
    "settle_subscriptions",
    "settle_value",
    "wrongs",
]

logger = logging.getLogger(__name__)

#: What pyepics raises when a connection goes while it's used; they have no base of their own.
CHANNEL_ERRORS = (
    ca.ChannelAccessException,
    ca.CASeverityException,
    ca.ChannelAccessGetFailure,
)


def _is_up(pv: Any) -> bool:
    return pv.chid is not None and bool(ca.isConnected(pv.chid))


def is_there(signal: EpicsSignalBase) -> bool:
    """Tell whether a signal is connected, as ophyd and libca both see it.

    Parameters
    ----------
    signal : ophyd.signal.EpicsSignalBase
        The signal.

    Returns
    -------
    bool
        False also for a moment after its IOC is lost, before ophyd is told.
    """
    return bool(signal.connected) and all(
        _is_up(pv) for pv in channels(signal) if isinstance(pv, PV)
    )


def wrongs(signal: EpicsSignalBase) -> list[tuple[Any, bool]]:
    """List the process variables of a signal of which pyepics believes what isn't so.

    pyepics calls everybody who wants to know of a connection first, and then notes it itself: an
    error on the way, as when the IOC goes at this moment, leaves the note as it was.  For a
    moment that is usual.

    Parameters
    ----------
    signal : ophyd.signal.EpicsSignalBase
        The signal.

    Returns
    -------
    list of tuple of epics.PV and bool
        Each with whether libca has a connection.
    """
    found = [(pv, _is_up(pv)) for pv in channels(signal) if isinstance(pv, PV)]
    return [(pv, up) for pv, up in found if pv.chid is not None and bool(pv.connected) != up]


def correct(pv: Any, connected: bool) -> None:
    """Have pyepics take note of a connection or of its loss again, and tell everybody.

    Parameters
    ----------
    pv : epics.PV
        The process variable.
    connected : bool
        What libca says.
    """
    logger.info("%s: pyepics missed that its connection is %s", pv.pvname, connected)
    try:
        pv.force_connect(pvname=pv.pvname, conn=connected)
    except CHANNEL_ERRORS as error:  # it changed just now; there will be another look
        logger.info("%s: %s", pv.pvname, error)


def can_settle(signal: EpicsSignalBase) -> bool:
    """Tell whether all channels of a signal are connected, as pyepics and libca see it.

    Parameters
    ----------
    signal : ophyd.signal.EpicsSignalBase
        The signal.

    Returns
    -------
    bool
        Whether :func:`settle` has what it needs.  pyepics marks a process variable as connected
        after it has called all that it knew, so what is missing now was lost.
    """
    return all(isinstance(pv, PV) and pv.connected for pv in channels(signal))


def settle(signal: EpicsSignalBase, reader: MetadataReader) -> None:
    """Do what the lost callbacks of a connected signal would have done.

    Parameters
    ----------
    signal : ophyd.signal.EpicsSignalBase
        The signal.  What it knows already is left alone.
    reader : MetadataReader
        Who reads the metadata that are missing.

    Notes
    -----
    To be run on ophyd's thread for metadata: callbacks that are not lost wait there too, and
    come first.
    """
    for pv in channels(signal):
        # A disconnection is known to libca before anybody is told.
        if not (pv.connected and ca.isConnected(pv.chid)):
            return
    # ophyd offers nothing public to repeat a callback
    for pv in channels(signal):
        name = pv.pvname
        if not signal._connection_states[name]:  # noqa: SLF001
            signal._pv_connected(name, True, pv)  # noqa: SLF001
        if not signal._access_rights_valid[name]:  # noqa: SLF001
            signal._pv_access_callback(pv.read_access, pv.write_access, pv)  # noqa: SLF001
        if not signal._received_first_metadata[name] and not reader.asks(pv):  # noqa: SLF001
            reader.ask(pv, signal._initial_metadata_callback)  # noqa: SLF001
    signal._set_event_if_ready()  # noqa: SLF001


def has_value(signal: EpicsSignalBase) -> bool:
    """Tell whether a signal that is monitored has got its first value.

    Parameters
    ----------
    signal : ophyd.signal.EpicsSignalBase
        The signal.

    Returns
    -------
    bool
        True also for a signal that isn't monitored.
    """
    return not _valueless(signal)


def settle_value(signal: EpicsSignalBase) -> None:
    """Pass the first monitor on to a signal that missed it.

    Parameters
    ----------
    signal : ophyd.signal.EpicsSignalBase
        The signal.

    Notes
    -----
    To be run on ophyd's thread for monitors, where a monitor that isn't lost comes first.
    """
    for pv, index in _valueless(signal):
        if pv._args["value"] is not None:  # noqa: SLF001 (.value would wait for it)
            pv.run_callback(index)


def settle_subscriptions(device: Device) -> None:
    """Repeat the last event of signals for what a device does at its first one and hasn't done.

    Parameters
    ----------
    device : ophyd.Device
        The device.  What it has done already isn't repeated.

    Notes
    -----
    To be run on ophyd's thread for monitors, where an event that isn't lost comes first.

    ophyd makes a signal, asks for its values, and only then adds the device's own callback, which
    it doesn't run unless the signal is connected by then: a first value that comes in between is
    known to the signal and not to the device, until the next change.
    """
    for signal in list(device._signals.values()):  # noqa: SLF001
        for kind, callbacks in signal._unwrapped_callbacks.items():  # noqa: SLF001
            cached = signal._args_cache[kind]  # noqa: SLF001
            if cached is None:
                continue
            for callback in list(callbacks.values()):
                if _is_due(device, callback):
                    arguments, keywords = cached
                    logger.info("%s: %s had missed its first event", device.name, callback)
                    callback(*arguments, **keywords)


def _is_due(device: Device, callback: Any) -> bool:
    """Tell whether a callback is a method of a device that it has to run before it's connected."""
    if not inspect.ismethod(callback) or callback.__self__ is not device:
        return False
    return inspect.unwrap(callback.__func__) in device._required_for_connection  # noqa: SLF001


def _valueless(signal: EpicsSignalBase) -> list[tuple[Any, Any]]:
    """List the process variables that are monitored, with the callback that brought nothing."""
    monitors = signal._monitors  # noqa: SLF001
    read, *write = channels(signal)
    found = []
    if monitors[read.pvname] is not None and signal._readback is UNSET_VALUE:  # noqa: SLF001
        found.append((read, monitors[read.pvname]))
    for pv in write:
        setpoint = signal._setpoint  # type: ignore[attr-defined]  # noqa: SLF001
        if monitors[pv.pvname] is not None and setpoint is None:
            found.append((pv, monitors[pv.pvname]))
    return found
