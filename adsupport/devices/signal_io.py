"""Read and write signals without losing time or waiting for ever.

ophyd reads one signal a round trip, and by default waits without end for a write that
never takes effect.  Here many signals are read in one round trip, and a write is waited
for by its put-completion, always with a limit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from ..errors import AdsupportError, ConnectionTimeoutError, PutError
from .ca_requests import fetch, lost, request

__all__ = [
    "PUT_TIMEOUT",
    "READ_TIMEOUT",
    "as_declared",
    "as_text",
    "explain_timeouts",
    "get_setpoint",
    "lost_before_put_back",
    "put_and_confirm",
    "put_back",
    "pv_name",
    "read_signals",
    "same_value",
    "stand_already",
    "wait_for",
    "wait_for_signals",
]

#: Longest time to wait for a write to take effect, in seconds.
PUT_TIMEOUT = 10.0
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
    signals: Mapping[Key, Any], timeout: float = READ_TIMEOUT, setpoints: bool = False
) -> dict[Key, Any]:
    """Read many signals at once: all requests go out before the first answer is awaited.

    The values come from the IOC, never from a monitor's cache.

    Parameters
    ----------
    signals : mapping of key to ophyd.Signal
        What to read.
    timeout : float
        Longest time for all of them, in seconds.
    setpoints : bool
        Read what is written, not what is read back, where these are two.

    Returns
    -------
    dict
        The values under the same keys; text for signals declared ``string=True``.

    Raises
    ------
    ConnectionTimeoutError
        A process variable isn't connected or doesn't answer.
    """
    if any(getattr(getattr(s, "cl", None), "name", "") != "pyepics" for s in signals.values()):
        get = get_setpoint if setpoints else _get
        return {key: get(signal) for key, signal in signals.items()}
    deadline = time.monotonic() + timeout
    pending = {}
    for key, signal in signals.items():
        if not hasattr(signal, "pvname"):  # a soft signal among them
            continue
        wait_for_signals([signal], deadline, setpoints)
        pv = signal.cl.get_pv(pv_name(signal, setpoints))
        request(pv)
        pending[key] = pv
    values = {}
    for key, signal in signals.items():
        if key not in pending:
            values[key] = signal.get()
            continue
        pv = pending[key]
        left = max(0.05, deadline - time.monotonic())
        answer = fetch(pv, left)
        if answer is None:
            raise lost(pv.pvname, f"didn't answer within {timeout:g} s")
        values[key] = as_declared(signal, answer["value"])
    return values


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


def _get(signal: Any) -> Any:
    return signal.get()


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


def same_value(signal: Any, one: Any, other: Any) -> bool:
    """Compare two values of a signal: an enum's number equals its string.

    Parameters
    ----------
    signal : ophyd.Signal
        The signal, for its enum strings and its precision.
    one, other : object
        The values.

    Returns
    -------
    bool
        True when both stand for the same state.
    """
    strings = getattr(signal, "enum_strs", None)
    if strings:
        one, other = (
            strings[int(v)] if not isinstance(v, str) and 0 <= int(v) < len(strings) else v
            for v in (one, other)
        )
        return str(one) == str(other)
    if isinstance(one, str) or isinstance(other, str):
        return str(one) == str(other)
    if isinstance(one, float) or isinstance(other, float):
        # asyn parameters are doubles: what was put comes back bit for bit, but for a driver
        # that rounds to its clock.
        tolerance = getattr(signal, "tolerance", None) or 0.0
        return bool(np.isclose(one, other, rtol=1e-9, atol=tolerance))
    return bool(np.all(one == other))


def stand_already(wanted: Sequence[tuple[Any, Any]]) -> list[bool]:
    """Tell which values stand already, so need no put.

    Set-point and read-back must both show the value: right after a put the read-back may
    still show the one before.

    Parameters
    ----------
    wanted : sequence of (ophyd.Signal, value)
        Signals and the values they are to have.

    Returns
    -------
    list of bool
        One for each.
    """
    signals = {i: signal for i, (signal, _) in enumerate(wanted)}
    found = read_signals(signals), read_signals(signals, setpoints=True)
    return [
        all(same_value(signal, value, values[i]) for values in found)
        for i, (signal, value) in enumerate(wanted)
    ]


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


def put_and_confirm(
    signal: Any, value: Any, timeout: float = PUT_TIMEOUT, same: Any = same_value
) -> None:
    """Write a signal, wait for the put to complete and for the read-back to follow.

    Not for records whose put completes when their work is done (Acquire, Capture).

    Parameters
    ----------
    signal : ophyd.EpicsSignal
        What to write.
    value : object
        The value; an enum's number or string.
    timeout : float
        Longest wait, in seconds.
    same : callable
        ``same(signal, wanted, found)`` tells whether the read-back shows the value.

    Raises
    ------
    PutError
        The put didn't complete in time, or the read-back shows another value.
    """
    deadline = time.monotonic() + timeout
    done = threading.Event()
    name = pv_name(signal, setpoint=True)
    if hasattr(signal, "setpoint_pvname"):
        signal.put(value, use_complete=True, callback=lambda **_: done.set(), timeout=timeout)
        if not done.wait(timeout):
            raise PutError(
                f"{name}: the put of {value!r} didn't complete within {timeout:g} s. "
                "The IOC is gone, busy, or a put-callback on this channel is still pending."
            )
    else:
        signal.put(value)
    found = signal.get()
    if same(signal, value, found):
        return
    # The read-back record is processed a moment after the put is answered.
    left = min(2.0, max(0.1, deadline - time.monotonic()))

    def follows() -> bool:
        nonlocal found
        found = signal.get()
        return same(signal, value, found)

    if not wait_for(follows, left):
        raise PutError(
            f"{name}: put {value!r}, but {pv_name(signal)} shows {found!r}. The IOC refused or "
            "changed the value: check the limits, the choices and the record's alarm."
        )


def lost_before_put_back(signal: Any, value: Any) -> str:
    """Say that a signal could not get back what it had before.

    Parameters
    ----------
    signal : ophyd.EpicsSignal
        What isn't connected any more.
    value : object
        The value it had.

    Returns
    -------
    str
        What failed, and what to do.
    """
    return (
        f"{pv_name(signal, setpoint=True)} isn't connected any more, so it could not be put back "
        f"to {value!r}. Look at it when the IOC is back."
    )


def put_back(signal: Any, value: Any, timeout: float = PUT_TIMEOUT) -> None:
    """Write what a signal had before; at once an error when its IOC is gone.

    Parameters
    ----------
    signal : ophyd.EpicsSignal
        What to write.
    value : object
        The value.
    timeout : float
        Longest wait, in seconds.

    Raises
    ------
    PutError
        The signal isn't connected, or see :func:`put_and_confirm`.
    """
    if not signal.connected:
        # Waiting for each of many would keep the caller for long, and an IOC that comes back
        # has its settings from its own start.
        raise PutError(lost_before_put_back(signal, value))
    put_and_confirm(signal, value, timeout)
