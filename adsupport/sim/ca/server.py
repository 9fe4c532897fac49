"""The Channel Access server of a simulated IOC: binds, says when it is ready, ends cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from caproto import DEFAULT_PROTOCOL_VERSION, Beacon, CaprotoError

from adsupport.sim.ca.channel import Channel
from adsupport.sim.ca.circuit import Circuit
from adsupport.sim.ca.network import Network
from adsupport.sim.ca.search import SearchContext
from adsupport.sim.long_text import LongText

LOOPBACK = "127.0.0.1"
FIRST_BEACON_PERIOD = 0.02
BEACON_PERIOD = 15.0
"""Seconds between beacons, at first and at most: what the protocol recommends."""

log = logging.getLogger(__name__)


class Database(Mapping[str, Channel]):
    """Channels by record name; ``record.FIELD`` and ``record.FIELD$`` are found through it.

    Attributes
    ----------
    network : Network
        The way to the clients that are served.
    """

    def __init__(self) -> None:
        self.network = Network()
        self._records: dict[str, Channel] = {}
        self._fields: dict[str, Channel] = {}

    def add(self, name: str, channel: Channel) -> None:
        """Add a record.

        Raises
        ------
        ValueError
            When the name is taken.
        """
        if name in self._records:
            raise ValueError(f"record {name} is loaded twice; give the second another prefix")
        self._records[name] = channel

    def __getitem__(self, name: str) -> Channel:
        try:
            return self._records[name]
        except KeyError:
            pass
        if name in self._fields:
            return self._fields[name]
        record, dot, rest = name.partition(".")
        # channel filters ({...}, [...]) are not simulated: such a name is not found
        if not dot or "{" in rest or "[" in rest:
            raise KeyError(name)
        field = rest.removesuffix("$") or "VAL"
        if rest.endswith("$"):
            channel: Channel = LongText(self[f"{record}.{field}"], field)
        else:
            channel = self._records[record].get_field(field)
        self._fields[name] = channel
        return channel

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)


class Server(SearchContext):
    """caproto's server with our circuits and database."""

    CircuitClass = Circuit

    def __getitem__(self, pvname: str) -> Channel:
        return self.pvdb[pvname]

    async def broadcast_beacon_loop(self) -> None:
        """Send beacons ever more slowly; that no CA repeater listens to them is no error."""
        period = FIRST_BEACON_PERIOD
        while True:
            for interface, sock in self.beacon_socks.values():
                beacon = Beacon(DEFAULT_PROTOCOL_VERSION, self.port, self.beacon_count, interface)
                try:
                    await sock.send(self.broadcaster.send(beacon))
                except OSError as error:
                    log.debug("no repeater for beacons: %s", error)
            self.beacon_count += 1
            await asyncio.sleep(period)
            period = min(2 * period, BEACON_PERIOD)

    @property
    def pvdb_with_fields(self) -> dict[str, Any]:
        """Records have no caproto start-up hooks; ports are started by the IOC."""
        return {}


def _interfaces() -> list[str]:
    listed = os.environ.get("EPICS_CAS_INTF_ADDR_LIST", "").split()
    return listed or [LOOPBACK]


def _watch_stdin(
    loop: asyncio.AbstractEventLoop, stop: asyncio.Event, answer: Callable[[str], str]
) -> None:
    # not sys.stdin: a thread blocked in its buffer makes the interpreter abort as it exits
    descriptor = sys.stdin.fileno()

    def hear(line: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # the parent is about to go: the end follows
            print(answer(line.decode("utf-8", "replace")), flush=True)

    def wait() -> None:
        heard = b""
        while data := os.read(descriptor, 4096):
            *lines, heard = (heard + data).split(b"\n")
            for line in lines:
                if line.strip():
                    loop.call_soon_threadsafe(hear, line)
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, name="watch-stdin", daemon=True).start()


async def _explain(
    running: asyncio.Future[Any], port: int, interfaces: list[str], name: str
) -> None:
    """Raise what a server ended with before it was ready, with the place it was to serve."""
    try:
        await running
    except (OSError, CaprotoError) as error:
        raise OSError(
            f"can't serve port {port} on {', '.join(interfaces)}: {error.__cause__ or error}."
            f" Choose a free port (adsupport ioc {name} --port, or EPICS_CA_SERVER_PORT) and"
            " interfaces of this computer (EPICS_CAS_INTF_ADDR_LIST)"
        ) from error


async def serve(
    database: Database,
    *,
    name: str,
    on_start: Callable[[asyncio.AbstractEventLoop], None],
    on_stop: Callable[[], None],
    on_line: Callable[[str], str] | None = None,
    label: str = "",
) -> None:
    """Serve a database until SIGINT, SIGTERM or, if asked, the end of standard input.

    Parameters
    ----------
    database : Database
        What to serve.
    name : str
        The IOC's name, for its ready line.
    on_start : callable
        Called with the event loop before clients can connect: ports and scans start.
    on_stop : callable
        Called after the last client was served: ports stop, files are closed.
    on_line : callable, optional
        Called in the event loop with each line of standard input, returns the line to print as
        an answer. Given one, the server ends when standard input does, so that an IOC does not
        outlive its parent.
    label : str
        Shown in the ready line, usually ``prefix=...``.

    Raises
    ------
    OSError
        When the port is taken: Channel Access clients would find another IOC instead.  When an
        interface isn't this computer's, or the environment makes no sense.
    """
    loop = asyncio.get_running_loop()
    os.environ.setdefault("EPICS_CAS_AUTO_BEACON_ADDR_LIST", "NO")
    os.environ.setdefault("EPICS_CAS_BEACON_ADDR_LIST", LOOPBACK)
    try:
        server = Server(database, _interfaces())
    except CaprotoError as error:  # a variable of the environment that can't be
        raise OSError(f"can't be set up: {error}") from error
    wanted = int(server.ca_server_port)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    on_start(loop)
    ready = asyncio.Event()

    async def announce(_: Any) -> None:
        ready.set()

    running = asyncio.ensure_future(server.run(startup_hook=announce))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        readying = asyncio.ensure_future(ready.wait())
        await asyncio.wait([running, readying], return_when=asyncio.FIRST_COMPLETED)
        readying.cancel()
        if running.done():
            await _explain(running, wanted, server.interfaces, name)
        if server.port != wanted:
            raise OSError(
                f"port {wanted} on {', '.join(server.interfaces)} is taken: another IOC runs "
                f"there. Choose a free port (adsupport ioc {name} --port, or EPICS_CA_SERVER_PORT),"
                " and put both ports in the clients' EPICS_CA_ADDR_LIST"
            )
        addresses = ",".join(server.interfaces)
        print(
            f"IOC ready: {name} {label} {addresses}:{server.port} ({len(database)} records)",
            flush=True,
        )
        if on_line is not None:
            _watch_stdin(loop, stop, on_line)
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await running
    finally:
        stopping.cancel()
        running.cancel()
        await asyncio.wait([running], timeout=5)
        await loop.run_in_executor(None, on_stop)
