"""Records that process others of their IOC: forward links, output links, sequences and scans."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adsupport.sim.ioc import IOC
from adsupport.sim.record import Record
from adsupport.sim.record_fields import RecordFields
from adsupport.sim.scan import ONE_SECOND


def forward(record: Record, target: Record, value: Any = None) -> None:
    """Make a write of a record write another one too, within the same put-completion.

    Parameters
    ----------
    record : Record
        What a client writes.
    target : Record
        What its link processes.
    value : optional
        What is written there; by default what the client wrote.
    """
    record.on_process.append(lambda written: target.put(written if value is None else value))


def zero(record: Record, targets: Iterable[Record]) -> None:
    """Make a write of a record set others to 0, as a sequence of output links does.

    Parameters
    ----------
    record : Record
        What a client writes.
    targets : iterable of Record
        Numbers that become 0.
    """
    for target in targets:
        forward(record, target, type(target.channel.value)(0))


class GatedScan:
    """A scan, once a second at first, that works while another record isn't 0 (SDIS, DISV=0).

    Parameters
    ----------
    ioc : IOC
        Has the clocks.
    record : Record
        The scanned record; clients may change its ``SCAN``.
    gate : Record
        What has to be 1.
    work : callable
        What a scan does.
    """

    def __init__(self, ioc: IOC, record: Record, gate: Record, work: Callable[[], object]) -> None:
        self._gate = gate
        self._work = work
        fields = record.channel.fields
        assert isinstance(fields, RecordFields)  # noqa: S101  narrowing: each record has them
        fields.rescan = lambda choice: ioc.periodic.change(self, choice)
        ioc.periodic.change(self, ONE_SECOND)

    def scan(self) -> None:
        """Do the work if the gate is open."""
        if self._gate.channel.value:
            self._work()
