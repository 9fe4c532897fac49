"""Records of an IOC under test, by their names without the prefix."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import epics

TIMEOUT = 30.0
"""Seconds after which a test gives up; everything should take far less."""


class Records:
    """Writes and reads records.

    Parameters
    ----------
    prefix : str
        What all names begin with.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def name(self, record: str) -> str:
        """Return a record's full name."""
        return self.prefix + record

    def search(self, records: Iterable[str]) -> None:
        """Search for records at once, which takes as long as for one."""
        for record in records:
            epics.get_pv(self.name(record))

    def pv(self, record: str) -> epics.PV:
        """Return a record's PV, connected."""
        pv = epics.get_pv(self.name(record))
        assert pv.wait_for_connection(TIMEOUT), f"{pv.pvname} does not answer"
        if epics.dbr.Name(pv.ftype) == "unknown":
            # The PV found its type out while it wasn't connected, and set it after it was.
            pv.force_connect()
        return pv

    def write(self, values: Mapping[str, object]) -> None:
        """Write records in their order; ends when all have been processed.

        One circuit and one port keep that order: only the last record of each plugin is waited for.
        """
        self.search(values)
        last = {record.rpartition(":")[0]: record for record in values}
        for record, value in values.items():
            wait = record == last[record.rpartition(":")[0]]
            done = self.pv(record).put(value, wait=wait, timeout=TIMEOUT)
            assert done == 1, f"{record} took no {value!r}"

    def get(self, record: str, **options: Any) -> Any:
        """Read a record anew."""
        value = self.pv(record).get(use_monitor=False, timeout=TIMEOUT, **options)
        assert value is not None, f"{self.prefix}{record} was not read"
        return value

    def alarm(self, record: str) -> tuple[int, int]:
        """Return severity and status."""
        facts = self.pv(record).get_with_metadata(form="time", use_monitor=False, timeout=TIMEOUT)
        assert facts is not None, f"{self.prefix}{record} was not read"
        return facts["severity"], facts["status"]

    def wait_until(self, record: str, value: object) -> None:
        """Read a record until it has a value."""
        until = time.monotonic() + TIMEOUT
        while (now := self.get(record)) != value:
            assert time.monotonic() < until, f"{record} is {now!r}, not {value!r}"


class BorrowedRecords(Records):
    """Records that have their old values again after :meth:`restore`."""

    def __init__(self, prefix: str) -> None:
        super().__init__(prefix)
        self._before: dict[str, object] = {}

    def write(self, values: Mapping[str, object]) -> None:
        """Write records, and note what they held before."""
        self.search(values)
        for record, value in values.items():
            if record not in self._before:
                text = isinstance(value, str) and self.pv(record).type.endswith("char")
                self._before[record] = self.get(record, as_string=text)
        super().write(values)

    def restore(self) -> None:
        """Give the records their old values, the last one written first."""
        super().write(dict(reversed(self._before.items())))
        self._before.clear()
