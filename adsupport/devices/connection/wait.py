"""Wait for many signals together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from ophyd.device import Device
from ophyd.signal import EpicsSignalBase

from .device_signals import DeviceSignal, channels, devices_of, epics_signals
from .metadata import MetadataReader
from .report import may_come_back
from .settle import (
    can_settle,
    correct,
    has_value,
    is_there,
    settle,
    settle_subscriptions,
    settle_value,
    wrongs,
)

__all__ = ["ConnectionWait"]

#: Once all that is required is connected, how long to go on waiting for the rest after the
#: last one came, in seconds: an IOC answers for its whole database at about the same time.
OPTIONAL_TIME = 2.0

#: The same for what was connected before, so is there: what was gone for half a minute is looked
#: for again after another half, unless a CA repeater passes on that its IOC is back.
LOST_TIME = 70.0

#: Longest wait for the first value of a monitored signal after it has connected, in seconds.
VALUE_TIME = 2.0

#: Time between two looks at all that isn't connected, in seconds.
_LOOK = 0.1

#: When something came within this time before the end, in seconds, more would have come.
_ARRIVING = 0.5

#: When nothing has come for this time, in seconds, signals that lack something are helped.
_QUIET = 0.02

#: How long pyepics may believe what isn't so before it is told, in seconds: its callbacks may
#: be on their way.
_DOUBT = 1.0


class ConnectionWait:
    """Make the signals of some devices and wait until they are connected.

    Parameters
    ----------
    objects : iterable of ophyd.Device or ophyd.Signal
        The devices and signals.
    all_signals : bool
        Whether all are required.
    show : callable
        Called with the number of connected signals and of all.

    Attributes
    ----------
    signals : list of DeviceSignal
        All signals.
    failures : dict of str to str
        Why a process variable that answers could not be read, by its name.
    """

    def __init__(
        self, objects: Iterable[Any], all_signals: bool, show: Callable[[int, int], None]
    ) -> None:
        self._show = show
        self._reader = MetadataReader()
        self.failures = self._reader.failures
        self._objects = list(objects)
        self.signals: list[DeviceSignal] = []
        try:
            for each in self._objects:
                for device in devices_of(each):
                    # ophyd watches these from the start: they may connect before their turn
                    for part in device._signals.values():  # noqa: SLF001
                        if isinstance(part, EpicsSignalBase):
                            self._made(part)
            for each in self._objects:
                self.signals += epics_signals(each, self._made)
        except BaseException:
            self._reader.give_back()
            raise
        for each in self.signals:
            each.required = each.required or all_signals
        self._waiting = {id(each): each for each in self.signals}
        self._late: dict[int, float] = {}
        self._helping: set[tuple[int, str]] = set()
        self._doubts: dict[int, float] = {}
        self._last = time.monotonic()
        self._asked_for = -1
        self._comes_back = False

    def _made(self, signal: EpicsSignalBase) -> None:
        if not signal.connected:
            for pv in channels(signal):
                self._reader.take_over(pv)

    def wait(self, timeout: float | None) -> list[DeviceSignal]:
        """Wait until all are connected, or what is missing is not required, or time is up.

        Parameters
        ----------
        timeout : float or None
            Longest wait, in seconds.

        Returns
        -------
        list of DeviceSignal
            The signals that are missing.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        next_look, quiet = time.monotonic() + _LOOK, False
        try:
            while True:
                now = time.monotonic()
                if now >= next_look or (self._reader.idle and self._all_connected()):
                    self._look(now, quiet)
                    next_look = now + _LOOK
                    if self._is_over(now, deadline):
                        break
                quiet = not self._reader.work(_QUIET)
        finally:
            self._reader.give_back()
        return [each for each in self._waiting.values() if not is_there(each.signal)]

    def _is_over(self, now: float, deadline: float | None) -> bool:
        if deadline is not None and now >= deadline:
            return True
        if any(each.required for each in self._waiting.values()) or self.unready():
            return False
        if self._waiting and now < self._last + OPTIONAL_TIME:
            return False
        return now >= self._last + LOST_TIME or not self._may_come_back()

    def _may_come_back(self) -> bool:
        """Tell whether something was connected before that the IOC's release still has."""
        waiting = list(self._waiting.values())
        if self._asked_for != len(waiting):  # the IOC is asked for its release: not at each look
            self._asked_for = len(waiting)
            lost = [each for each in waiting if each.is_lost]
            self._comes_back = bool(lost) and may_come_back(self.signals, lost)
        return self._comes_back

    def _all_connected(self) -> bool:
        """Tell whether nothing waits, for little: one look at each signal as it connects."""
        while self._waiting:
            key, last = self._waiting.popitem()
            if not (is_there(last.signal) and has_value(last.signal)):
                self._waiting[key] = last
                return False
            self._last = time.monotonic()
        return True

    @property
    def arriving(self) -> bool:
        """Whether signals were still connecting when the wait ended: time was too short."""
        came = len(self._waiting) < len(self.signals)
        return came and time.monotonic() < self._last + _ARRIVING

    def unready(self) -> list[str]:
        """List what devices do at their first connection and haven't done yet.

        Returns
        -------
        list of str
            A text for each of ophyd's ``required_for_connection``.
        """
        return [
            f"{device.name}: {text.format(device=device.name)}"
            for device in self._unready_devices()
            for text in list(device._required_for_connection.values())  # noqa: SLF001
        ]

    def _unready_devices(self) -> list[Device]:
        parts = [device for each in self._objects for device in devices_of(each)]
        return [device for device in parts if device._required_for_connection]  # noqa: SLF001

    def _look(self, now: float, quiet: bool) -> None:
        """Take note of what has connected, and help what doesn't get on by itself."""
        came = False
        for key, each in list(self._waiting.items()):
            signal = each.signal
            if is_there(signal):
                if has_value(signal) or now - self._late.setdefault(key, now) > VALUE_TIME:
                    del self._waiting[key]
                    came = True
                elif quiet:
                    self._help(signal, "monitor", settle_value, signal)
            elif quiet and not self._corrected(key, signal, now) and can_settle(signal):
                self._help(signal, "metadata", settle, signal, self._reader)
        if came:
            self._last = now
        if quiet:
            for device in self._unready_devices():
                for signal in list(device._signals.values()):  # noqa: SLF001
                    if isinstance(signal, EpicsSignalBase):  # any knows ophyd's threads
                        self._help(signal, "monitor", settle_subscriptions, device)
                        break
        self._show(len(self.signals) - len(self._waiting), len(self.signals))

    def _corrected(self, key: int, signal: EpicsSignalBase, now: float) -> bool:
        """Tell pyepics of connections that it has had wrong for some time, if there are such."""
        wrong = wrongs(signal)
        if not wrong:
            self._doubts.pop(key, None)
        elif now - self._doubts.setdefault(key, now) >= _DOUBT:
            del self._doubts[key]
            for pv, connected in wrong:
                correct(pv, connected)
        return bool(wrong)

    def _help(
        self, signal: EpicsSignalBase, thread: str, action: Callable[..., None], *arguments: Any
    ) -> None:
        """Do something on one of ophyd's threads, after what waits there, unless it waits too."""
        key = (id(signal), thread)
        if key in self._helping:
            return
        self._helping.add(key)

        def act() -> None:
            try:
                action(*arguments)
            finally:
                self._helping.discard(key)

        signal._dispatcher.get_thread_context(thread).run(act)  # noqa: SLF001
