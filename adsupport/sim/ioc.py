"""An IOC: ports, the records loaded for them, and the process that serves both."""

from __future__ import annotations

import argparse
import asyncio
import collections
import gc
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from adsupport.adcore import Release
from adsupport.sim.ca.server import Database, serve
from adsupport.sim.port import Change, Port, at_address
from adsupport.sim.record import Record, parameter_kind, parameter_value
from adsupport.sim.record_fields import UDF_ALARM
from adsupport.sim.release_tables import NEWEST, OLDEST, ReleaseTables
from adsupport.sim.scan import PeriodicScans
from adsupport.sim.table import RecordRow

SWITCH_INTERVAL = 5e-4
"""Seconds between thread switches: a camera thread must not wait 5 ms for its turn."""


DELIVERY_PAUSE = 1e-3
"""Seconds after which posts that followed many others are handed on."""

MANY_POSTS = 12
"""Posts at once that make it worth to wait for more of them: about one frame in a millisecond."""

DELIVERY_BATCH = 100
"""Posts handed to records before the event loop looks at its clients again."""


class IOC:
    """Records and ports under one prefix.

    Parameters
    ----------
    name : str
        Name for the ready line.
    prefix : str
        Prefix of every record.
    adcore : Release or str
        Release of ADCore whose record tables are loaded, see :class:`ReleaseTables`.

    Attributes
    ----------
    tables : ReleaseTables
        Where record tables are read.
    records : dict of str to Record
        Records by name without the IOC's prefix, such as ``cam1:Acquire``.
    database : Database
        What the server serves.
    scans : list of callables
        Called once a second, in the event loop.
    periodic : PeriodicScans
        Records whose rate clients may change.
    starters, stoppers : list of callables
        Called when the IOC starts, with the event loop, and when it stops.
    """

    def __init__(self, name: str, prefix: str, adcore: Release | str = NEWEST) -> None:
        self.name = name
        self.prefix = prefix
        self.tables = ReleaseTables(adcore)
        self.records: dict[str, Record] = {}
        self.database = Database()
        self.scans: list[Callable[[], None]] = []
        self.periodic = PeriodicScans()
        self.starters: list[Callable[[asyncio.AbstractEventLoop], None]] = []
        self.stoppers: list[Callable[[], None]] = []
        self._ports: list[Port] = []
        self._followers: dict[Port, dict[str, list[Record]]] = {}
        self._posts: collections.deque[tuple[Port, list[Change]]] = collections.deque()
        self._newest_arrays: dict[tuple[Port, str], Change] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._delivery_scheduled = False
        self._delivering = False
        self._tasks: list[asyncio.Task[None]] = []

    def load(
        self,
        tables: Sequence[str],
        r: str,
        port: Port | None = None,
        macros: Mapping[str, str] | None = None,
        address: int = 0,
        *,
        served: bool = True,
    ) -> dict[str, Record]:
        """Load record tables for a port, as ``dbLoadRecords`` does.

        Records that the release of ADCore lacks are left out; their parameters are defined.

        Parameters
        ----------
        tables : sequence of str
            Table names, general first; a later one overrides cells of an earlier one.
        r : str
            Second part of the record names, such as ``cam1:``.
        port : Port, optional
            Port of the records' parameters; it gets its parameters and their initial values.
        macros : mapping, optional
            Values of ``$(NAME)`` in the tables, beside ``P`` (the prefix), ``R``, ``PORT``,
            ``ADDR`` and ``ADCORE_VERSION``.
        address : int
            asyn address of the parameters.
        served : bool
            Whether there are records at all, or only the port's parameters.

        Returns
        -------
        dict of str to Record
            The loaded records by their names without prefix and ``r``.
        """
        standard = {"P": self.prefix, "R": r, "ADDR": str(address)}
        standard |= {"PORT": port.name} if port else {}
        standard |= {"ADCORE_VERSION": self.tables.release.version}
        rows, absent = self.tables.read(tables, standard | dict(macros or {}))
        if not served:
            rows, absent = (), (*rows, *absent)
        if address:
            rows, absent = _at_address(rows, address), _at_address(absent, address)
        loaded: dict[str, Record] = {}
        followers = {} if port is None else self._followers.setdefault(port, {})
        for row in rows:
            record = Record(f"{self.prefix}{r}{row.record}", row, port, self.deliver)
            loaded[row.record] = record
            self.records[r + row.record] = record
            self.database.add(record.name, record.channel)
            if row.param and (row.scan == "I/O Intr" or row.readback):
                followers.setdefault(row.param, []).append(record)
        if port is not None:
            # what read-backs say is what the driver has; a set-point alone also makes a parameter
            bound = [row for row in (*rows, *absent) if row.param]
            for row in sorted(bound, key=lambda row: row.scan != "I/O Intr"):
                undefined = row.stat == UDF_ALARM
                port.define(
                    row.param,
                    parameter_kind(row),
                    parameter_value(row),
                    severity=row.sevr if undefined else 0,
                    status=row.stat if undefined else 0,
                )
            port.sink = self._post
            if port not in self._ports:
                self._ports.append(port)
        return loaded

    # ---- from ports to records

    def _post(self, port: Port, changes: list[Change]) -> None:
        if threading.get_ident() == self._loop_thread:
            # a write may post twice, before and after its record changes: keep that order
            self.deliver()
        for change in changes:
            if isinstance(change.value, np.ndarray):
                self._newest_arrays[port, change.param] = change
        self._posts.append((port, changes))
        if self._loop is None:
            self.deliver()
        else:
            self._schedule_delivery(self._loop)

    def _schedule_delivery(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._delivery_scheduled:
            self._delivery_scheduled = True
            loop.call_soon_threadsafe(self._deliver_scheduled)

    def _deliver_scheduled(self) -> None:
        loop = self._loop
        if self._posts and loop is not None:
            # a bounded batch, so that a fast camera can't keep the loop from its clients
            many = len(self._posts) >= MANY_POSTS
            self._deliver(DELIVERY_BATCH)
            if self._posts or many:
                # a look at what has come meanwhile: to wake the loop for every post costs a fast
                # camera more time than the post itself
                loop.call_later(0.0 if self._posts else DELIVERY_PAUSE, self._deliver_scheduled)
                return
        self._delivery_scheduled = False
        if self._posts and loop is not None:  # posted just before it could know
            self._schedule_delivery(loop)

    def deliver(self) -> None:
        """Hand every post made so far to its records; a call out of a record does nothing."""
        if not self._delivering:
            self._deliver(len(self._posts))

    def _deliver(self, most: int) -> None:
        self._delivering = True
        try:
            for _ in range(min(most, len(self._posts))):
                self._update_records(*self._posts.popleft())
        finally:
            self._delivering = False

    def _update_records(self, port: Port, changes: list[Change]) -> None:
        followers = self._followers[port]
        for change in changes:
            if isinstance(change.value, np.ndarray):
                if self._newest_arrays[port, change.param] is not change:
                    continue  # images overtaken by a newer one are not worth sending
            for record in followers.get(change.param, ()):
                record.update(change)

    # ---- life

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start ports and scans; the server calls it."""
        self._loop = loop
        self._loop_thread = threading.get_ident()
        sys.setswitchinterval(SWITCH_INTERVAL)
        for port in self._ports:
            port.start()
        self.periodic.start(loop)
        for starter in self.starters:
            starter(loop)
        self._tasks.append(loop.create_task(self._scan_each_second()))

    def stop(self) -> None:
        """Stop ports, drivers first, so that files are closed after their last frame."""
        for stopper in self.stoppers:
            stopper()
        for port in sorted(self._ports, key=lambda port: port.depth):
            port.stop()

    async def _scan_each_second(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for scan in self.scans:
                scan()


def _at_address(rows: Iterable[RecordRow], address: int) -> tuple[RecordRow, ...]:
    return tuple(
        replace(row, param=at_address(row.param, address)) if row.param else row for row in rows
    )


def _print_lines(lines: Iterable[str]) -> None:
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _served_release(text: str) -> Release:
    try:
        return ReleaseTables(text).release
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def boot(make: Callable[..., IOC], *, name: str, prefix: str, adcore: bool = False) -> None:
    """Run a boot file's command line.

    Parameters
    ----------
    make : callable
        Takes the prefix, and with ``adcore`` the release too, and returns the IOC.
    name : str
        The IOC's name.
    prefix : str
        Default prefix.
    adcore : bool
        Whether ``make`` is called as ``make(prefix, adcore=release)``, which gives the boot file
        the option ``--adcore``.
    """
    parser = argparse.ArgumentParser(description=f"Simulated EPICS IOC {name}.")
    parser.add_argument("--prefix", default=prefix, help="prefix of every record (%(default)s)")
    if adcore:
        parser.add_argument(
            "--adcore",
            metavar="RELEASE",
            type=_served_release,
            default=NEWEST,
            help=f"release of ADCore, {OLDEST} to {NEWEST}, whose records are served (%(default)s)",
        )
    parser.add_argument("--list-pvs", action="store_true", help="print record names and exit")
    parser.add_argument(
        "--watch-stdin", action="store_true", help="exit when standard input is closed"
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help="begin with a fault, such as 'disk-full HDF1 after=3'; may be repeated",
    )
    parser.add_argument("--list-faults", action="store_true", help="print the faults and exit")
    parser.add_argument(
        "--autosave", metavar="FILE", help="keep set-points there, and restore them at the start"
    )
    parser.add_argument(
        "--log",
        default="WARNING",
        type=str.upper,
        choices=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
        help="log level (%(default)s)",
    )
    options = parser.parse_args()
    logging.basicConfig(level=options.log, format="%(asctime)s %(name)s: %(message)s")
    # these know every kind of port and record, and the records know the IOC
    from adsupport.sim.autosave import Autosave, AutosaveError
    from adsupport.sim.faults.console import Console
    from adsupport.sim.faults.fault import FaultError
    from adsupport.sim.faults.registry import listing

    if options.list_faults:
        _print_lines(listing())
        return
    ioc = make(options.prefix, adcore=options.adcore) if adcore else make(options.prefix)
    gc.freeze()  # records last as long as the process: the collector need not search them
    if options.list_pvs:
        _print_lines(ioc.database)
        return
    if options.autosave:
        try:
            Autosave(ioc, Path(options.autosave))
        except AutosaveError as error:
            sys.exit(f"{name}: {error}")
    console = Console(ioc)

    def start(loop: asyncio.AbstractEventLoop) -> None:
        ioc.start(loop)
        try:
            console.begin_all(options.fault)
        except FaultError:
            stop()
            raise

    def stop() -> None:
        console.end_all()  # what a fault holds up could not stop
        ioc.stop()

    try:
        asyncio.run(
            serve(
                ioc.database,
                name=name,
                label=f"prefix={options.prefix}",
                on_start=start,
                on_stop=stop,
                on_line=console.answer if options.watch_stdin else None,
            )
        )
    except OSError as error:
        sys.exit(f"{name}: {error}")
    except FaultError as error:  # the command line can't be used
        parser.exit(2, f"{name}: {error}\n")
