"""Write signals without losing time or waiting for ever.

By default ophyd waits without end for a write that never takes effect.  Here a write is waited
for by its put-completion or its read-back, always with a limit, and what stands already isn't
written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from ophyd.signal import EpicsSignalBase

from ...errors import ConnectionTimeoutError, PutError
from .reading import pv_name, read_signals, wait_for

__all__ = [
    "PUT_TIMEOUT",
    "look_at",
    "lost_before_put_back",
    "put_and_confirm",
    "put_and_wait",
    "put_back",
    "put_in_order",
    "same_value",
    "stand_already",
]

#: Longest time to wait for a write to take effect, in seconds.
PUT_TIMEOUT = 10.0


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
    if strings and hasattr(signal, "choice_number"):  # the read-back may be spelled otherwise
        return signal.choice_number(one) == signal.choice_number(other)
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
    return [stands for stands, _ in look_at(wanted)]


def look_at(wanted: Sequence[tuple[Any, Any]]) -> list[tuple[bool, Any]]:
    """Tell which values stand already, and what is there, in one round trip.

    Parameters
    ----------
    wanted : sequence of (ophyd.Signal, value)
        Signals and the values they are to have.

    Returns
    -------
    list of (bool, object)
        For each, what :func:`stand_already` says, and the value read back.
    """
    signals = {(i, False): signal for i, (signal, _) in enumerate(wanted)}
    setpoints = {
        (i, True): signal
        for i, (signal, _) in enumerate(wanted)
        if getattr(signal, "setpoint_pvname", "") != getattr(signal, "pvname", "")
    }
    found = read_signals({**signals, **setpoints}, setpoints=setpoints)
    shown = [
        [found[key] for key in ((i, False), (i, True)) if key in found] for i in range(len(wanted))
    ]
    return [
        (all(same_value(signal, value, each) for each in values), values[0])
        for (signal, value), values in zip(wanted, shown, strict=True)
    ]


def put_and_wait(signal: Any, value: Any, timeout: float = PUT_TIMEOUT) -> None:
    """Write a signal and wait for the put to complete.

    Not for records whose put completes when their work is done (Acquire, Capture).

    Parameters
    ----------
    signal : ophyd.EpicsSignal
        What to write.
    value : object
        The value; an enum's number or string.
    timeout : float
        Longest wait, in seconds.

    Raises
    ------
    PutError
        The put didn't complete in time.
    """
    if not hasattr(signal, "setpoint_pvname"):
        signal.put(value)
        return
    done = threading.Event()
    signal.put(value, use_complete=True, callback=lambda **_: done.set(), timeout=timeout)
    if not done.wait(timeout):
        raise PutError(
            f"{pv_name(signal, setpoint=True)}: the put of {value!r} didn't complete within "
            f"{timeout:g} s. The IOC is gone, busy, or a put-callback on this channel is still "
            "pending."
        )


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
    name = pv_name(signal, setpoint=True)
    put_and_wait(signal, value, timeout)
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


def put_in_order(wanted: Sequence[tuple[Any, Any]], timeout: float = PUT_TIMEOUT) -> list[str]:
    """Write signals one after the other, then wait until all of them read back.

    Nothing is waited for in between: the IOC takes them in this order.  Put-completion isn't
    asked for, so records whose put completes when their work is done may be among them.

    Parameters
    ----------
    wanted : sequence of (ophyd.Signal, value)
        Signals and values.
    timeout : float
        Longest wait for all of them, in seconds.

    Returns
    -------
    list of str
        What is wrong with those that didn't take their values: process variable, expected,
        found.  Empty when all did.
    """
    problems = []
    pending: dict[int, tuple[Any, Any]] = {}
    for i, (signal, value) in enumerate(wanted):
        if not signal.connected:
            problems.append(lost_before_put_back(signal, value))
            continue
        try:
            if isinstance(signal, EpicsSignalBase):
                signal.put(value)
            else:  # of another kind: only its set() tells how it's written
                signal.set(value).wait(timeout)
        except Exception as error:  # whatever the client library raises: the others have their turn
            problems.append(f"{pv_name(signal, True)}: {value!r} could not be put ({error}).")
        else:
            pending[i] = signal, value
    found: dict[int, Any] = {}

    def all_follow() -> bool:
        found.update(read_signals({i: signal for i, (signal, _) in pending.items()}))
        for i in [i for i, each in pending.items() if same_value(*each, found[i])]:
            del pending[i]
        return not pending

    began = time.monotonic()
    unread = False
    try:
        wait_for(all_follow, timeout)
    except ConnectionTimeoutError as error:
        problems.append(str(error))
        unread = True
    passed = time.monotonic() - began
    for i, (signal, value) in pending.items():
        name, shown = pv_name(signal, True), pv_name(signal)
        before = f"; it showed {found[i]!r} before" if i in found else ""
        if not signal.connected:
            what = f"the connection was lost: {shown} isn't connected {passed:.1f} s later{before}"
        elif unread:
            what = f"{shown} could not be read {passed:.1f} s later{before}"
        else:
            what = f"{shown} shows {found[i]!r} after {passed:.1f} s"
        problems.append(f"{name}: put {value!r}, but {what}.")
    return problems
