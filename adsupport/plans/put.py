"""Put one value under the RunEngine, with a limit and an error that says what happened."""

from __future__ import annotations

import time
from collections.abc import Generator
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import FailedStatus, Msg
from ophyd.areadetector.paths import path_compare
from ophyd.utils import OpException

from ..devices.signals.putting import same_value
from ..devices.signals.reading import pv_name, wait_for
from ..errors import PutError
from .in_thread import in_thread

__all__ = ["PUT_TIMEOUT", "put", "read_late", "read_until"]

#: Longest time for a setting to read back, in seconds: an IOC that refuses it says nothing.
PUT_TIMEOUT = 4.0


def put(signal: Any, value: Any, timeout: float | None = None) -> Generator[Msg, Any, None]:
    """Put a value and wait until the read-back shows it.

    Parameters
    ----------
    signal : ophyd.EpicsSignal
        What to write.
    value : object
        The value.
    timeout : float, optional
        Longest wait, in seconds; 4 s by default.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    PutError
        The IOC refused or changed the value, or doesn't answer.
    """
    limit = PUT_TIMEOUT if timeout is None else timeout
    end = time.monotonic() + limit
    try:
        yield from bps.abs_set(signal, value, wait=True, timeout=limit)
    except FailedStatus as error:
        late = read_late(error)
        left = end - time.monotonic() if late else 0.0
        right, shown = yield from in_thread(partial(read_until, signal, value, left))
        if right and late:
            return
        what = f"{pv_name(signal, True)}: put {value!r}, but {pv_name(signal)}"
        waited = f"(waited for at most {limit:g} s)"
        if shown is None:
            raise PutError(
                f"{what} didn't answer {waited}",
                remedy="Is the IOC running, and is its machine or the network too busy?",
            ) from error
        raise PutError(
            f"{what} shows {shown} {waited}. The IOC refused or changed the value: check the "
            "limits, the choices and the record's alarm."
        ) from error


def read_late(error: FailedStatus) -> bool:
    """Tell whether ophyd has given up on a read-back: a single read that takes too long ends that.

    Parameters
    ----------
    error : FailedStatus
        What a wait for ``set()`` of a signal ended with.

    Returns
    -------
    bool
        Not when a put wasn't completed in time: then the value tells nothing.
    """
    cause = error.__cause__
    return isinstance(cause, TimeoutError) and not isinstance(cause, OpException)


def read_until(signal: Any, value: Any, seconds: float) -> tuple[bool, str | None]:
    """Read a signal until it has a value, at least once; it blocks.

    Parameters
    ----------
    signal : ophyd.Signal
        What to read.
    value : object
        The value.
    seconds : float
        Longest time.

    Returns
    -------
    bool, str or None
        Whether it has the value; and what was read last, None for no answer.
    """
    shown: str | None = None

    def right() -> bool:
        nonlocal shown
        try:
            found = signal.get()
        except TimeoutError:
            shown = None
            return False
        shown = repr(found)
        return _same(signal, value, found)

    return wait_for(right, seconds), shown


def _same(signal: Any, value: Any, found: Any) -> bool:
    semantics = getattr(signal, "path_semantics", None)
    if semantics is not None:
        return path_compare(str(value), found, semantics)
    return same_value(signal, value, found)
