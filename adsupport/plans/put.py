"""Put one value under the RunEngine, with a limit and an error that says what happened."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import FailedStatus, Msg

from ..devices.signals.reading import pv_name
from ..errors import PutError

__all__ = ["PUT_TIMEOUT", "put"]

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
    try:
        yield from bps.abs_set(signal, value, wait=True, timeout=limit)
    except FailedStatus as error:
        raise PutError(
            f"{pv_name(signal, True)}: put {value!r}, but {pv_name(signal)} shows "
            f"{_shown(signal)} (waited for at most {limit:g} s). The IOC refused or changed "
            "the value: check the limits, the choices and the record's alarm."
        ) from error


def _shown(signal: Any) -> str:
    try:
        return repr(signal.get())
    except TimeoutError:
        return "nothing, for the IOC doesn't answer"
