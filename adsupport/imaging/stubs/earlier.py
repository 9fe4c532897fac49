"""What a device of ophyd still does of an earlier set, which must not keep it from the next one.

The next one may close a shutter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from ophyd import Signal

__all__ = ["is_awaited", "is_polled", "note_set", "unanswered"]

_told: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def note_set(device: Any, status: Any) -> None:
    """Take note of what a device's ``set()`` has given.

    Parameters
    ----------
    device : bluesky Movable
        The device.
    status : bluesky Status
        Of the set.
    """
    try:
        _told[device] = status
    except TypeError:  # it can't be a key
        return


def is_awaited(device: Any) -> Callable[[], bool] | None:
    """Tell whether a set that was noted goes on.

    Parameters
    ----------
    device : bluesky Movable
        The device.

    Returns
    -------
    callable or None
        Tells whether it has ended by now; None when there's none that goes on.
    """
    try:
        status = _told.get(device)
    except TypeError:
        return None
    return None if status is None or status.done else lambda: status.done


def is_polled(device: Any) -> bool:
    """Tell whether ophyd still polls the read-back of an earlier set: it refuses another one then.

    Parameters
    ----------
    device : bluesky Movable
        The device.

    Returns
    -------
    bool
        Not for signals with put-completion, nor for devices that aren't signals of ophyd.
    """
    return isinstance(device, Signal) and getattr(device, "_set_thread", None) is not None


def unanswered(device: Any) -> Callable[[], bool] | None:
    """Tell whether an earlier put-callback of a signal goes on.

    An IOC leaves all that this client asks for unanswered when it gets another one on that channel.

    Parameters
    ----------
    device : bluesky Movable
        The device.

    Returns
    -------
    callable or None
        Tells whether it has been answered by now; None when there's none that goes on.
    """
    if not isinstance(device, Signal) or not getattr(device, "put_complete", False):
        return None
    pv = getattr(device, "_write_pv", None)
    if getattr(pv, "put_complete", None) is False:  # also of somebody else
        note_set(device, _Answer(pv))
    return is_awaited(device)


class _Answer:
    """Looks like a status that is done when a put-callback has been answered.

    pyepics forgets that there's one with the next put without, but not to tell the answer.
    """

    def __init__(self, pv: Any) -> None:
        self._pv = pv

    @property
    def done(self) -> bool:
        return bool(self._pv.put_complete)
