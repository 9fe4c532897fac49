"""Ask for process variables that may not exist: those that do answer soon, the others never.

The channels live in a Channel Access context of their own, which ends with the inquiry.  So
nothing goes on searching for what isn't there, and nobody else's channels are touched.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..errors import ConnectionTimeoutError

__all__ = ["QUIET_TIME", "inquire"]

#: How long nothing new may come, after the first answer, before the rest counts as absent, in
#: seconds.  libca searches at 0, 0.03, 0.1, 0.2 and 0.5 s: a lost datagram or two don't make a
#: process variable absent.
QUIET_TIME = 0.7

Follow = Callable[[str, Any], Iterable[str]]


def inquire(
    names: Iterable[str],
    follow: Follow | None = None,
    timeout: float = 5.0,
    quiet: float = QUIET_TIME,
) -> dict[str, Any]:
    """Ask for many process variables at once, and return what answered.

    Parameters
    ----------
    names : iterable of str
        What to ask for first, the likeliest first: libca searches in this order.
    follow : callable, optional
        ``follow(name, value)`` is called for each answer, and returns what to ask for next.
    timeout : float
        Longest time for all of it, in seconds.
    quiet : float
        Once something has answered: how long nothing new may come before the end, in seconds.

    Returns
    -------
    dict
        Values by name, in the order of their arrival: str for text and characters, int for
        an enum, otherwise a number or an array.  Empty when nothing answered.

    Raises
    ------
    ConnectionTimeoutError
        Answers were still coming at the end of the timeout, so some may be missing.
    """
    from epics import ca

    ca.current_context()  # loads libca, in this thread: its first context is everybody's
    inquiry = _Inquiry(follow)
    # A thread belongs to one context, and the caller's may have one already.
    thread = threading.Thread(
        target=inquiry.run,
        args=(list(dict.fromkeys(names)), time.monotonic() + timeout, quiet),
        name="adsupport-inquiry",
        daemon=True,
    )
    thread.start()
    thread.join()
    if inquiry.error is not None:
        raise inquiry.error
    if inquiry.values and not inquiry.complete:
        raise ConnectionTimeoutError(
            f"Answers were still coming after {timeout:g} s, the last for "
            f"{next(reversed(inquiry.values))}: give a longer timeout."
        )
    return inquiry.values


class _Inquiry:
    """One inquiry, in a thread and a context of its own."""

    def __init__(self, follow: Follow | None) -> None:
        self.values: dict[str, Any] = {}
        self.error: BaseException | None = None
        #: Whether it ended because nothing more came.
        self.complete = False
        self._follow = follow
        self._news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._channels: dict[str, Any] = {}
        self._subscriptions: dict[str, Any] = {}

    def run(self, names: list[str], deadline: float, quiet: float) -> None:
        from epics import ca

        try:
            ca.create_context()
            try:
                self._ask(names)
                self._listen(deadline, quiet)
            finally:
                self._close()
        except BaseException as error:  # raised in the caller's thread
            self.error = error

    def _ask(self, names: Iterable[str]) -> None:
        from epics import ca

        for name in names:
            if name not in self._channels:
                self._channels[name] = ca.create_channel(name, callback=self._on_connection)
        ca.flush_io()

    def _on_connection(self, pvname: str, conn: bool, **_: Any) -> None:
        if conn:
            self._news.put((pvname, _Connected))

    def _on_value(self, pvname: str, value: Any, **_: Any) -> None:
        self._news.put((pvname, value))

    def _listen(self, deadline: float, quiet: float) -> None:
        last = None  # nothing has answered
        busy = False
        while True:
            end = deadline if last is None else min(deadline, last + quiet)
            try:
                name, value = self._news.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    return
                if busy or self._prompt(deadline, quiet / 2):
                    self.complete = True
                    return
                last, busy = time.monotonic(), True
                continue
            if value is _Connected:
                self._subscribe(name)
            elif name not in self.values:
                self.values[name] = _plain(value)
                if self._follow is not None:
                    self._ask(self._follow(name, self.values[name]))
            else:
                continue  # a monitor's later value is nothing new
            last, busy = time.monotonic(), False

    def _subscribe(self, name: str) -> None:
        from epics import ca

        if name not in self._subscriptions:
            self._subscriptions[name] = ca.create_subscription(
                self._channels[name], callback=self._on_value
            )

    def _prompt(self, deadline: float, limit: float) -> bool:
        """Tell whether the IOC answers promptly, so would have answered the searches too."""
        from epics import ca

        if not self.values:
            return False  # connected, but the first value is still on its way
        started = time.monotonic()
        channel = self._channels[next(reversed(self.values))]
        ca.get(channel, timeout=max(0.1, deadline - started))
        return time.monotonic() - started < limit

    def _close(self) -> None:
        from epics import ca

        for channel in self._channels.values():
            ca.clear_channel(channel)
        ca.destroy_context()


class _Connected:
    """In place of a value: the channel has connected."""


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.dtype.itemsize == 1:
        return bytes(value.astype(np.uint8)).split(b"\0", 1)[0].decode("utf-8", "replace")
    if isinstance(value, np.generic):
        return value.item()
    return value
