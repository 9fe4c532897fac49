"""Periodic scans: records that are processed at a rate which a client may change."""

from __future__ import annotations

import asyncio
from typing import Protocol

PASSIVE, EVENT, IO_INTR = 0, 1, 2
"""Choices of SCAN that are not periodic."""

ONE_SECOND = 6
"""Number of the choice ``1 second``."""

PERIODS = {3: 10.0, 4: 5.0, 5: 2.0, 6: 1.0, 7: 0.5, 8: 0.2, 9: 0.1}
"""Seconds by the number of the SCAN choice."""


class Scanned(Protocol):
    """A record that can be scanned."""

    def scan(self) -> None:
        """Process the record, if nothing disables it."""


class PeriodicScans:
    """Processes records at their rates.

    Each rate has one clock, which keeps its pace: a scan that comes late does not delay the ones
    after it.
    """

    def __init__(self) -> None:
        self._lists: dict[int, list[Scanned]] = {choice: [] for choice in PERIODS}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: dict[int, float] = {}

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the clocks."""
        self._loop = loop
        for choice, period in PERIODS.items():
            self._due[choice] = loop.time() + period
            loop.call_at(self._due[choice], self._tick, choice)

    def change(self, record: Scanned, choice: int) -> None:
        """Scan a record by another SCAN choice from now on; one that is not periodic ends it."""
        for records in self._lists.values():
            if record in records:
                records.remove(record)
        if choice in self._lists:
            self._lists[choice].append(record)

    def _tick(self, choice: int) -> None:
        if self._loop is None:
            return
        period, now = PERIODS[choice], self._loop.time()
        for record in tuple(self._lists[choice]):
            record.scan()
        self._due[choice] = max(self._due[choice] + period, now)
        self._loop.call_at(self._due[choice], self._tick, choice)
