"""Ask for process variables that may not exist: those that do answer soon, the others never.

The channels live in a Channel Access context of their own, which ends with the inquiry.  So
nothing goes on searching for what isn't there, and nobody else's channels are touched.
"""

from __future__ import annotations

import ctypes
import queue
import threading
import time
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

import numpy as np

from ...errors import ConfigurationError, ConnectionTimeoutError

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
        Answers were still coming at the end of the timeout, so some may be missing; or the IOC
        went away meanwhile.
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
    try:
        inquiry.ended.wait()
    except BaseException:  # Ctrl-C, after which join() would not wait any more
        inquiry.cancel()
        inquiry.ended.wait()
        raise
    if inquiry.error is not None:
        raise inquiry.error
    if inquiry.lost is not None:
        raise ConnectionTimeoutError(
            f"The IOC of {inquiry.lost} went away while it was asked. Is it starting, or in "
            "trouble? Try again when it runs.",
            [inquiry.lost],
        )
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
        #: Something that had answered and is gone.
        self.lost: str | None = None
        self.ended = threading.Event()
        self._follow = follow
        self._news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._channels: dict[str, Any] = {}
        # pyepics wants the subscriptions kept
        self._subscriptions: dict[str, Any] = {}
        self._echoes: list[Any] = []
        self._echo = ""

    def cancel(self) -> None:
        """End soon, from another thread."""
        self._news.put(("", _Sign.CANCEL))

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
        finally:
            self.ended.set()

    def _ask(self, names: Iterable[str]) -> None:
        from epics import ca

        for name in names:
            if name not in self._channels:
                try:
                    channel = ca.create_channel(name, callback=self._on_connection)
                except ca.CASeverityException as error:  # libca knows how long a name may be
                    raise ConfigurationError(
                        f"{name[:60]!r}{'...' * (len(name) > 60)} can't be the name of a process "
                        f"variable: it has {len(name)} characters. Correct the prefix."
                    ) from error
                self._channels[name] = channel
        ca.flush_io()

    def _on_connection(self, pvname: str, conn: bool, **_: Any) -> None:
        self._news.put((pvname, _Sign.CONNECTED if conn else _Sign.LOST))

    def _on_value(self, pvname: str, value: Any, **_: Any) -> None:
        self._news.put((pvname, value))

    def _on_echo(self, pvname: str, **_: Any) -> None:
        self._news.put((pvname, _Sign.ECHO))

    def _listen(self, deadline: float, quiet: float) -> None:
        """Listen until nothing more comes, from an IOC that isn't too busy to answer."""
        last = called = None  # when anything came, and when the IOC was called for an echo
        patient = False
        while True:
            end = deadline if last is None or called else min(deadline, last + quiet)
            try:
                name, value = self._news.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                now = time.monotonic()
                if now >= deadline:
                    return
                if self.values:
                    self._call()
                    called = now
                last = now
                continue
            now = time.monotonic()
            if value is _Sign.CANCEL:
                return
            if value is _Sign.LOST:
                self.lost = name
                return
            if value is _Sign.ECHO:
                if called is None or name != self._echo:
                    continue
                if last == called and (patient or now - called < quiet / 2):
                    self.complete = True
                    return
                # what it was too busy for gets as long again
                patient = last == called
                last, called = now, None
                continue
            if value is _Sign.CONNECTED:
                self._subscribe(name)
            elif name not in self.values:
                self.values[name] = _plain(value)
                if self._follow is not None:
                    self._ask(self._follow(name, self.values[name]))
            else:
                continue  # a monitor's later value is nothing new
            last = now

    def _subscribe(self, name: str) -> None:
        from epics import ca

        if name not in self._subscriptions and ca.isConnected(self._channels[name]):
            self._subscriptions[name] = ca.create_subscription(
                self._channels[name], callback=self._on_value
            )

    def _call(self) -> None:
        """Subscribe once more to what answered last: its first value is the echo."""
        from epics import ca

        self._echo = next(reversed(self.values))
        if ca.isConnected(self._channels[self._echo]):
            self._echoes.append(
                ca.create_subscription(self._channels[self._echo], callback=self._on_echo)
            )

    def _close(self) -> None:
        from epics import ca

        # pyepics forgets a channel, or a context, by its address after libca has freed it: that may
        # be the address of another thread's new one by then, which would be forgotten
        libca: Any = ca.libca
        for channel in self._channels.values():
            ca._chid_cache.pop(channel.value, None)  # noqa: SLF001
        ca._cache.pop(ca.current_context(), None)  # noqa: SLF001
        for channel in self._channels.values():
            libca.ca_clear_channel(channel)
        libca.ca_context_destroy()


class _Sign(Enum):
    """What comes in place of a value."""

    CONNECTED = "connected"
    LOST = "lost"
    ECHO = "echo"
    CANCEL = "cancel"


def _plain(value: Any) -> Any:
    if isinstance(value, ctypes.Array):  # an array of one, which pyepics leaves as it came
        value = np.asarray(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.dtype.itemsize == 1:
        return bytes(value.astype(np.uint8)).split(b"\0", 1)[0].decode("utf-8", "replace")
    if isinstance(value, np.generic):
        return value.item()
    return value
