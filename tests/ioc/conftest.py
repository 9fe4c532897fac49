"""Channel Access from a test: write, read, and watch PVs in the order in which events arrive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import epics
import pytest

TIMEOUT = 30.0
"""Seconds after which a test gives up; everything should take far less."""


@dataclass(frozen=True)
class Event:
    """One monitor event, or a note of the test's own."""

    field: str
    value: object
    time: float


class Watch:
    """Monitors on several PVs, gathered in one list.

    The first event of each PV, its value at the start, is not kept.
    """

    def __init__(self, prefix: str, *names: str) -> None:
        self._prefix = prefix
        self._names = names
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._pvs: list[epics.PV] = []
        self._start = 0.0

    def __enter__(self) -> Watch:
        heard: set[str] = set()

        def hear(pvname: str, value: object, **_: object) -> None:
            name = pvname.removeprefix(self._prefix)
            with self._changed:
                if name in heard:
                    self._events.append(Event(name, value, time.monotonic() - self._start))
                heard.add(name)
                self._changed.notify_all()

        self._start = time.monotonic()
        # libca orders events of one connection; a field's own callback keeps that order
        self._pvs = [
            epics.PV(self._prefix + name, callback=hear, auto_monitor=epics.dbr.DBE_VALUE)
            for name in self._names
        ]
        with self._changed:
            ready = self._changed.wait_for(lambda: len(heard) == len(self._names), TIMEOUT)
        assert ready, f"{set(self._names) - heard} did not connect"
        self._start = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for pv in self._pvs:
            pv.disconnect()

    def note(self, field: str, value: object = None) -> None:
        """Add an event of the test's own."""
        with self._changed:
            self._events.append(Event(field, value, time.monotonic() - self._start))
            self._changed.notify_all()

    def wait(self, condition: Callable[[list[Event]], bool], what: str) -> None:
        """Wait until the events fulfil a condition."""
        with self._changed:
            done = self._changed.wait_for(lambda: condition(self._events), TIMEOUT)
        assert done, f"waited in vain for {what}; events: {self.pairs()}"

    def wait_for(self, field: str, value: object, times: int = 1) -> None:
        """Wait for a field's event with a value."""
        self.wait(
            lambda events: sum((e.field, e.value) == (field, value) for e in events) >= times,
            f"{field}={value}",
        )

    @property
    def events(self) -> list[Event]:
        """What has come so far."""
        with self._changed:
            return list(self._events)

    def pairs(self, *fields: str) -> list[tuple[str, object]]:
        """Return (field, value) of the events, of all fields or of some."""
        return [(e.field, e.value) for e in self._events if not fields or e.field in fields]

    def values(self, field: str) -> list:
        """Return a field's values in order."""
        return [e.value for e in self.events if e.field == field]

    def time_of(self, field: str, value: object) -> float:
        """Return when a field's event with a value came, in seconds since the start."""
        return next(e.time for e in self.events if (e.field, e.value) == (field, value))


def _put(name: str, value: object, wait: bool = True) -> float:
    pv = epics.PV(name)
    assert pv.wait_for_connection(TIMEOUT), f"{name} does not answer"
    start = time.monotonic()
    assert pv.put(value, wait=wait, timeout=TIMEOUT) in (1, None), f"{name} took no {value!r}"
    return time.monotonic() - start


def _get(name: str, **options: object) -> object:
    pv = epics.PV(name)
    assert pv.wait_for_connection(TIMEOUT), f"{name} does not answer"
    value = pv.get(use_monitor=False, timeout=TIMEOUT, **options)
    assert value is not None, f"{name} was not read"
    return value


@pytest.fixture(scope="session")
def caput() -> Callable[..., float]:
    """Write ``(name, value, wait=True)``; return the seconds until the put-callback came."""
    return _put


@pytest.fixture(scope="session")
def caget() -> Callable[..., object]:
    """Read a PV anew."""
    return _get


@pytest.fixture(scope="session")
def watch() -> type[Watch]:
    """Return the class of monitors on several PVs: ``with watch(prefix, *names) as seen``."""
    return Watch
