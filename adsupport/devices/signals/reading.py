"""Read signals without losing time or waiting for ever.

ophyd reads one signal a round trip.  Here many signals are read in one round trip, always
with a limit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from ...errors import AdsupportError, ConnectionTimeoutError
from .requests import fetch, lost, request

__all__ = [
    "READ_TIMEOUT",
    "as_declared",
    "as_text",
    "choice_of",
    "explain_timeouts",
    "get_setpoint",
    "pv_name",
    "read_signals",
    "read_with_times",
    "wait_for",
    "wait_for_signals",
]

#: Longest time to wait for an answer to a read request, in seconds.
READ_TIMEOUT = 5.0
#: Longest time to wait for a process variable that is read to connect, in seconds.
CONNECT_TIMEOUT = 2.0

_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.02

Key = TypeVar("Key", bound=Hashable)


def pv_name(signal: Any, setpoint: bool = False) -> str:
    """Name the process variable behind a signal, for messages.

    Parameters
    ----------
    signal : ophyd.Signal
        Any signal.
    setpoint : bool
        The process variable that is written, not the one that is read.

    Returns
    -------
    str
        Name of the process variable; the signal's own name when there is none.
    """
    name = getattr(signal, "setpoint_pvname" if setpoint else "pvname", None)
    return name or getattr(signal, "pvname", None) or signal.name


@contextmanager
def explain_timeouts(device: Any) -> Iterator[None]:
    """Say what to do when a process variable of a device doesn't connect or answer.

    Parameters
    ----------
    device : ophyd.Device
        The device that is used inside the block.

    Raises
    ------
    ConnectionTimeoutError
        In place of a bare TimeoutError from ophyd; adsupport's own errors pass.
    """
    try:
        yield
    except AdsupportError:
        raise
    except TimeoutError as error:
        raise ConnectionTimeoutError(
            f"{device.name}: {error} Is the IOC running, is the prefix {device.prefix!r} right, "
            "and does EPICS_CA_ADDR_LIST reach it? wait_for_connection() names every process "
            "variable that is missing."
        ) from error


def read_signals(
    signals: Mapping[Key, Any],
    timeout: float = READ_TIMEOUT,
    setpoints: bool | Collection[Key] = False,
    texts: Collection[Key] = (),
) -> dict[Key, Any]:
    """Read many signals at once: all requests go out before the first answer is awaited.

    The values come from the IOC, never from a monitor's cache.

    Parameters
    ----------
    signals : mapping of key to ophyd.Signal
        What to read.
    timeout : float
        Longest time for all of them, in seconds.
    setpoints : bool or collection of keys
        Read what is written, not what is read back, where these are two: of all signals, or
        of those under these keys.

    Returns
    -------
    dict
        The values under the same keys; text for signals declared ``string=True``.

    Raises
    ------
    ConnectionTimeoutError
        A process variable isn't connected or doesn't answer.
    """
    readings = read_with_times(signals, timeout, setpoints)
    values = {key: reading["value"] for key, reading in readings.items()}
    return values | {key: choice_of(signals[key], values[key]) for key in texts}


def read_with_times(
    signals: Mapping[Key, Any],
    timeout: float = READ_TIMEOUT,
    setpoints: bool | Collection[Key] = False,
) -> dict[Key, dict[str, Any]]:
    """Read many signals at once, with the times of their last changes.

    Parameters
    ----------
    signals, timeout, setpoints
        See :func:`read_signals`.

    Returns
    -------
    dict
        For each key ``value`` and ``timestamp``, the latter in seconds since 1970.

    Raises
    ------
    ConnectionTimeoutError
        A process variable isn't connected or doesn't answer.
    """
    if isinstance(setpoints, bool):
        setpoints = set(signals) if setpoints else ()
    if any(getattr(getattr(s, "cl", None), "name", "") != "pyepics" for s in signals.values()):
        return {key: _reading(signal, key in setpoints) for key, signal in signals.items()}
    deadline = time.monotonic() + timeout
    pending = {}
    for key, signal in signals.items():
        if not hasattr(signal, "pvname"):  # a soft signal among them
            continue
        wait_for_signals([signal], deadline, key in setpoints)
        pv = signal.cl.get_pv(pv_name(signal, key in setpoints))
        request(pv)
        pending[key] = pv
    readings = {}
    for key, signal in signals.items():
        if key not in pending:
            readings[key] = _reading(signal, False)
            continue
        pv = pending[key]
        left = max(0.05, deadline - time.monotonic())
        answer = fetch(pv, left)
        if answer is None:
            raise lost(pv.pvname, f"didn't answer within {timeout:g} s")
        readings[key] = {
            "value": as_declared(signal, answer["value"]),
            "timestamp": answer.get("timestamp") or time.time(),
        }
    return readings


def wait_for_signals(signals: Iterable[Any], deadline: float, setpoints: bool = False) -> None:
    """Wait until signals are connected.

    Parameters
    ----------
    signals : iterable of ophyd.EpicsSignalBase
        What is to be used next.
    deadline : float
        Until when, by ``time.monotonic()``; no signal is waited for longer than 2 s.
    setpoints : bool
        Which process variable an error names, of signals that have two.

    Raises
    ------
    ConnectionTimeoutError
        A signal isn't connected in time.
    """
    for signal in signals:
        left = min(CONNECT_TIMEOUT, max(0.1, deadline - time.monotonic()))
        try:
            signal.wait_for_connection(timeout=left)
        except TimeoutError as error:
            raise lost(pv_name(signal, setpoints), "isn't connected") from error


def get_setpoint(signal: Any) -> Any:
    """Read what was last written to a signal.

    Parameters
    ----------
    signal : ophyd.Signal
        The signal.

    Returns
    -------
    object
        The value of its set-point; its value when it has only one.
    """
    return signal.get_setpoint() if hasattr(signal, "get_setpoint") else signal.get()


def _reading(signal: Any, setpoint: bool) -> dict[str, Any]:
    value = get_setpoint(signal) if setpoint else signal.get()
    return {"value": value, "timestamp": signal.timestamp}


def as_declared(signal: Any, value: Any) -> Any:
    """Turn a value into text where a signal is declared ``string=True``.

    Parameters
    ----------
    signal : ophyd.EpicsSignalBase
        The signal.
    value : object
        What Channel Access delivered: an enum's number, the characters of a waveform.

    Returns
    -------
    object
        The value as the signal's ``get()`` gives it.
    """
    if not getattr(signal, "as_string", False):
        return value
    if isinstance(value, str) or hasattr(value, "__len__"):
        return as_text(value)
    strings = signal.enum_strs
    return strings[value] if strings else str(value)


def choice_of(signal: Any, value: Any) -> str:
    """Tell the text of an enum's number.

    Parameters
    ----------
    signal : ophyd.EpicsSignalBase
        The signal, for its choices.
    value : int or str
        Its value.

    Returns
    -------
    str
        One of its choices; what is text already stays as it is.
    """
    choices = signal.enum_strs
    if isinstance(value, str) or not choices or not 0 <= int(value) < len(choices):
        return str(value)
    return str(choices[int(value)])


def as_text(value: Any) -> str:
    """Turn characters into text.

    Parameters
    ----------
    value : str or sequence of int
        Text, or the characters of a waveform up to a zero.

    Returns
    -------
    str
        The text.
    """
    if isinstance(value, str):
        return value
    if not hasattr(value, "__len__"):  # a waveform of one
        value = [value]
    characters = np.asarray(value).astype(np.uint8)
    return bytes(characters).split(b"\0", 1)[0].decode("utf-8", "replace")


def wait_for(condition: Any, timeout: float) -> bool:
    """Wait until a condition holds, asking more and more seldom.

    Parameters
    ----------
    condition : callable
        Called without arguments; asks the IOC.
    timeout : float
        Longest wait, in seconds.

    Returns
    -------
    bool
        Whether the condition held in time.
    """
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    never = threading.Event()
    while not condition():
        if time.monotonic() >= deadline:
            return False
        never.wait(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return True
