"""The latest values of some signals, which the IOC sends by itself whenever they change.

Nothing is asked and nothing is waited for.  A value may lag behind what an answer to another
request already tells, so it proves only what it can't have shown before.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from .reading import READ_TIMEOUT, as_declared, pv_name, read_signals, wait_for_signals
from .requests import lost

__all__ = ["Monitors"]

logger = logging.getLogger(__name__)

Key = Hashable


class Monitors:
    """Monitors of some signals, from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    signals : mapping of key to ophyd.EpicsSignalBase
        What to watch.
    changed : callable
        ``changed(key, value)`` is called at every change, on libca's own thread: it must not
        wait, nor ask the IOC anything.
    """

    def __init__(
        self, signals: Mapping[Any, Any], changed: Callable[[Any, Any], None] | None = None
    ) -> None:
        self._signals = dict(signals)
        self._tell = changed
        self._changed: Callable[[Any, Any], None] | None = None
        self._values: dict[Any, Any] = {}
        self._channels: dict[Any, Any] = {}
        self._subscriptions: list[Any] = []
        self._first = threading.Event()
        self._live = all(
            getattr(getattr(signal, "cl", None), "name", "") == "pyepics"
            for signal in self._signals.values()
        )

    def start(self, timeout: float = READ_TIMEOUT) -> None:
        """Subscribe, and wait for the first value of each; those of an earlier start don't count.

        Parameters
        ----------
        timeout : float
            Longest wait, in seconds.

        Raises
        ------
        ConnectionTimeoutError
            A process variable isn't connected or sends nothing.
        """
        if not self._live:
            return
        from epics import ca, dbr

        deadline = time.monotonic() + timeout
        self._values, self._changed = {}, self._tell
        self._first.clear()
        wait_for_signals(self._signals.values(), deadline)
        for key, signal in self._signals.items():
            pv = signal.cl.get_pv(pv_name(signal))
            self._channels[key] = pv
            self._subscriptions.append(
                ca.create_subscription(pv.chid, mask=dbr.DBE_VALUE, callback=self._noting(key))
            )
        if not self._first.wait(max(0.1, deadline - time.monotonic())):
            silent = next(key for key in self._signals if key not in self._values)
            name = self._channels[silent].pvname
            self.stop()
            raise lost(name, f"sent no value within {timeout:g} s")

    def stop(self) -> None:
        """End all subscriptions; the values stay as they are."""
        from epics import ca

        self._changed = None
        while self._subscriptions:
            *_, event = self._subscriptions.pop()
            try:
                ca.clear_subscription(event)
            except ca.CASeverityException as error:  # its channel is gone, and so is it
                logger.debug("a subscription could not be ended: %s", error)

    def _noting(self, key: Any) -> Callable[..., None]:
        def note(value: Any = None, **_: Any) -> None:
            self._values[key] = value
            if len(self._values) == len(self._signals):
                self._first.set()
            changed = self._changed  # which stop() may take away at any moment
            if changed is not None:
                changed(key, value)

        return note

    def latest(self) -> dict[Any, Any]:
        """Return the latest values.

        Returns
        -------
        dict
            Values under the keys given; text for signals declared ``string=True``.

        Raises
        ------
        ConnectionTimeoutError
            A process variable isn't connected any more, so that its value would be an old one, or
            has sent none.
        """
        if not self._live:
            return read_signals(self._signals)
        from epics import ca

        for pv in self._channels.values():
            if not ca.isConnected(pv.chid):
                raise lost(pv.pvname, "isn't connected any more")
        for key, signal in self._signals.items():
            if key not in self._values:
                raise lost(pv_name(signal), "isn't watched, or has sent no value")
        return {key: as_declared(self._signals[key], self._values[key]) for key in self._signals}

    def snapshot(self) -> dict[Any, Any]:
        """Return the latest values as they came, without looking at anything else.

        Returns
        -------
        dict
            Numbers for enums; empty without monitors (with another layer than pyepics).
        """
        return dict(self._values)
