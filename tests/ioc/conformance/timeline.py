"""Recorded time lines: reading them, and comparing what an IOC does with them.

A line is ``milliseconds name = value [severity]``, or ``milliseconds -- label`` for the end of a
put-callback. Events within one burst may come in any order, as they do on the real IOC, whose
records and callbacks share threads; each PV's own values, and the bursts, come in order.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from .client import Event

BURST_GAP = 0.02
"""Seconds without events between two bursts."""

EARLY = 0.03
"""Seconds an event may come before its time: the recording's own scatter."""

LATE = 0.5
"""Seconds an event may come late, beside a quarter of its time: the machine may be busy."""

_LINE = re.compile(r"([\d.]+)\s+(--\s\S+|[\w:.]+)(?:\s*=\s*(.*?)(?:\s+\[(\d)\])?)?")


@dataclass(frozen=True)
class Recorded:
    """One line of a time line."""

    name: str
    value: str
    severity: int
    time: float


def parse(text: str) -> list[Recorded]:
    """Read a recorded time line.

    Raises
    ------
    ValueError
        With the line that is none.
    """
    events = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"not a line of a time line: {line!r}")
        milliseconds, name, value, severity = match.groups()
        events.append(
            Recorded(name, (value or "").strip("'"), int(severity or 0), float(milliseconds) / 1e3)
        )
    return events


def same(observed: object, expected: object) -> bool:
    """Whether a value is the expected one, which may be given as text."""
    if isinstance(observed, (int, float)):
        try:
            return abs(observed - float(expected)) <= 1e-6 * max(1.0, abs(observed))  # type: ignore[arg-type]
        except ValueError:
            return False
    return str(observed) == str(expected)


def show(name: str, value: object, severity: int) -> str:
    """Return an event as a line shows it."""
    if name.startswith("--"):
        return name
    return f"{name}={value}" + (f" [{severity}]" if severity else "")


def by_name(events: list) -> dict[str, list]:
    """Group events by PV, in order."""
    groups: dict[str, list] = defaultdict(list)
    for event in events:
        groups[event.name].append(event)
    return groups


def without_repetition(events: list, first: dict[str, object]) -> list:
    """Drop events that only repeat the value that the recording began with."""
    kept, begun = [], set()
    for event in events:
        if event.name in first and event.name not in begun and same(event.value, first[event.name]):
            continue
        begun.add(event.name)
        kept.append(event)
    return kept


def complete(observed: list[Event], recorded: list[Recorded]) -> bool:
    """Whether as many events of each PV have come as were recorded."""
    found, wanted = by_name(observed), by_name(recorded)
    return all(len(found[name]) >= len(events) for name, events in wanted.items())


def differences(
    observed: list[Event], recorded: list[Recorded], *, any_time: bool = False
) -> list[tuple[str, str]]:
    """Compare with a recording.

    Parameters
    ----------
    observed : list of Event
        What came, in order of arrival.
    recorded : list of Recorded
        What is expected.
    any_time : bool
        Compare values and order alone: how long the steps take depends on the machine.

    Returns
    -------
    list of tuple
        (observed, expected) of everything that differs; empty when they agree.
    """
    found, wanted = by_name(observed), by_name(recorded)
    wrong = []
    for name, events in wanted.items():
        seen = [show(name, event.value, event.severity) for event in found[name]]
        expected = [show(name, event.value, event.severity) for event in events]
        equal = len(seen) == len(expected) and all(
            same(one.value, other.value) and one.severity == other.severity
            for one, other in zip(found[name], events, strict=True)
        )
        if not equal:
            wrong.append((", ".join(seen) or f"no {name}", ", ".join(expected)))
    return wrong or _disorder(found, wanted, recorded) or _untimely(found, wanted, any_time)


def _bursts(recorded: list[Recorded]) -> list[int]:
    numbers, last = [], 0.0
    for event in recorded:
        previous = numbers[-1] if numbers else 0
        numbers.append(previous + (event.time - last > BURST_GAP))
        last = event.time
    return numbers


def _disorder(
    found: dict[str, list[Event]], wanted: dict[str, list[Recorded]], recorded: list[Recorded]
) -> list[tuple[str, str]]:
    """Return the first pair of events that came in the wrong order of bursts."""
    burst_of = dict(zip(map(id, recorded), _bursts(recorded), strict=True))
    pairs = [
        (event.time, burst_of[id(other)], show(name, event.value, event.severity))
        for name, events in wanted.items()
        for event, other in zip(found[name], events, strict=True)
    ]
    pairs.sort()
    for (_, burst, text), (_, next_burst, next_text) in zip(pairs, pairs[1:], strict=False):
        if next_burst < burst:
            return [(f"{text}, then {next_text}", f"{next_text}, then {text}")]
    return []


def _untimely(
    found: dict[str, list[Event]], wanted: dict[str, list[Recorded]], any_time: bool
) -> list[tuple[str, str]]:
    wrong = []
    for name, events in () if any_time else wanted.items():
        for event, other in zip(found[name], events, strict=True):
            if not other.time - EARLY <= event.time <= 1.25 * other.time + LATE:
                text = show(name, event.value, event.severity)
                wrong.append((f"{text} after {event.time:.3f} s", f"after {other.time:.3f} s"))
    return wrong
