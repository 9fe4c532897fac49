"""Channel Access as the rules need it: named puts, reads, and monitors in order of arrival."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import epics
import numpy as np

TIMEOUT = 20.0
"""Seconds for anything that should take milliseconds."""


@dataclass(frozen=True)
class Event:
    """A monitor event, or the end of a put-callback, whose name is ``-- label``."""

    name: str
    value: object
    severity: int
    time: float


def readable(pv: epics.PV, value: object, text: str | None) -> object:
    """Return a value as a rule writes it: text for enumerations and characters, else numbers."""
    if "enum" in pv.type or "string" in pv.type or ("char" in pv.type and pv.nelm > 1):
        return text
    return value.tolist() if isinstance(value, np.ndarray) else value


class Client:
    """One client of the IOC under test.

    Parameters
    ----------
    prefix : str
        The IOC's prefix.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._pvs: dict[str, epics.PV] = {}

    def _pv(self, name: str) -> epics.PV:
        if name not in self._pvs:
            self._pvs[name] = epics.PV(self.prefix + name, auto_monitor=False)
        pv = self._pvs[name]
        assert pv.wait_for_connection(TIMEOUT), f"{self.prefix}{name} does not answer"
        return pv

    def connect(self, names: Iterable[str]) -> None:
        """Search for many PVs at once, which takes as long as for one."""
        for name in names:
            if name not in self._pvs:
                self._pvs[name] = epics.PV(self.prefix + name, auto_monitor=False)

    def get(self, name: str) -> object:
        """Read a value anew."""
        pv = self._pv(name)
        value = pv.get(use_monitor=False, timeout=TIMEOUT)
        assert value is not None, f"{name} was not read"
        return readable(pv, value, pv.get(as_string=True, use_monitor=False, timeout=TIMEOUT))

    def pixels(self, name: str) -> np.ndarray:
        """Read an array anew, at the length it has."""
        count = int(self.get(f"{name}.NORD"))  # type: ignore[call-overload]
        return np.asarray(self._pv(name).get(use_monitor=False, count=count, timeout=TIMEOUT))

    def alarm(self, name: str) -> tuple[int, int]:
        """Read severity and status anew."""
        data = self._pv(name).get_with_metadata(form="time", use_monitor=False, timeout=TIMEOUT)
        assert data is not None, f"{name} was not read"
        return int(data["severity"]), int(data["status"])

    def put(self, name: str, value: object) -> float:
        """Write and wait for the put-callback; return the seconds that took."""
        started = time.monotonic()
        done = self.start(name, value, lambda: None)
        assert done.wait(TIMEOUT), f"the put-callback of {name}={value!r} did not come"
        return time.monotonic() - started

    def await_value(self, name: str, value: object) -> None:
        """Read a PV until it has a value."""
        deadline = time.monotonic() + TIMEOUT
        while (seen := self.get(name)) != value:
            assert time.monotonic() < deadline, f"{name} stays {seen}, not {value}"

    def put_plainly(self, name: str, value: object) -> None:
        """Write without asking for the end."""
        self._pv(name).put(value)
        epics.ca.flush_io()

    def start(self, name: str, value: object, ended: Callable[[], None]) -> threading.Event:
        """Write; call ``ended`` when the put-callback comes, and set the returned event."""
        done = threading.Event()

        def complete(**_: object) -> None:
            ended()
            done.set()

        self._pv(name).put(value, callback=complete)
        epics.ca.flush_io()
        return done

    def put_elsewhere(self, name: str, value: object) -> float:
        """Write as another client, which has a circuit of its own; return the seconds it took."""
        seconds = []

        def write() -> None:
            epics.ca.create_context()
            chid = epics.ca.create_channel(self.prefix + name)
            epics.ca.connect_channel(chid, timeout=TIMEOUT)
            started = time.monotonic()
            epics.ca.put(chid, value, wait=True, timeout=TIMEOUT)
            seconds.append(time.monotonic() - started)
            epics.ca.detach_context()

        thread = threading.Thread(target=write)
        thread.start()
        thread.join(2 * TIMEOUT)
        assert seconds, f"the put of {name}={value!r} by another client did not end"
        return seconds[0]

    def close(self) -> None:
        """Let go of all channels."""
        for pv in self._pvs.values():
            pv.disconnect()


class Monitors:
    """Monitors on some PVs of a client; the first event of each, its value, is kept apart.

    Parameters
    ----------
    client : Client
        Whose prefix and circuit they share.
    names : iterable of str
        What to watch.
    """

    def __init__(self, client: Client, names: Iterable[str]) -> None:
        self._client = client
        self._names = tuple(names)
        self._pvs: list[epics.PV] = []
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._started = time.monotonic()
        self.first: dict[str, object] = {}

    def __enter__(self) -> Monitors:
        mask = epics.dbr.DBE_VALUE | epics.dbr.DBE_ALARM

        def hear(pvname: str, value: object, char_value: str, severity: int, cb_info: tuple,
                 **_: object) -> None:  # fmt: skip
            name = pvname.removeprefix(self._client.prefix)
            seen = readable(cb_info[1], value, char_value)
            with self._changed:
                if name in self.first:
                    self._add(name, seen, severity)
                else:
                    self.first[name] = seen
                self._changed.notify_all()

        self._pvs = [
            epics.PV(self._client.prefix + name, callback=hear, auto_monitor=mask, form="ctrl")
            for name in self._names
        ]
        with self._changed:
            ready = self._changed.wait_for(lambda: len(self.first) == len(self._names), TIMEOUT)
        assert ready, f"{set(self._names) - set(self.first)} did not connect"
        return self

    def __exit__(self, *_: object) -> None:
        for pv in self._pvs:
            pv.disconnect()

    def _add(self, name: str, value: object, severity: int = 0) -> None:
        now = time.monotonic() - self._started
        self._events.append(Event(name, value, int(severity), now))

    def restart(self) -> None:
        """Begin to count time here; what came before is forgotten."""
        with self._changed:
            self.first |= {event.name: event.value for event in self._events}
            self._events.clear()
            self._started = time.monotonic()

    def note(self, label: str) -> None:
        """Add the end of a put-callback."""
        with self._changed:
            self._add(f"-- {label}", "")
            self._changed.notify_all()

    def wait(self, condition: Callable[[list[Event]], bool], seconds: float) -> bool:
        """Wait until the events fulfil a condition; say whether they did."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self._events), seconds)

    def events(self) -> list[Event]:
        """Return what has come so far."""
        with self._changed:
            return list(self._events)
