"""Random and hostile Channel Access traffic: the IOC goes on, and grows by little."""

from __future__ import annotations

import os
import random
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from adsupport.launch import boot_file

MIB = 2**20
WRITE, EVENT_ADD, EVENT_CANCEL, SEARCH, CLEAR, READ_NOTIFY, CREATE, WRITE_NOTIFY, ECHO = (
    4, 1, 2, 6, 12, 15, 18, 19, 23,
)  # fmt: skip
COMMANDS = (0, WRITE, EVENT_ADD, EVENT_CANCEL, 3, 5, SEARCH, 8, 9, 10, 11, CLEAR, 13, READ_NOTIFY,
            CREATE, WRITE_NOTIFY, 20, 21, 22, ECHO, 24, 25, 26, 27, 28)  # fmt: skip
STRING, INT, FLOAT, ENUM, CHAR, LONG, DOUBLE = range(7)
UNTOUCHED = ("FilePath", "FileName", "NDAttributesFile", "XMLFileName", "FileTemplate")
"""What names files: it gets names that stay in the IOC's directory."""

MEMORY = ("NumCapture", "NumPoints", "QueueSize", "SortSize", "HistSize", "PreCount")
"""What clients may ask memory for: they get it, so these ask for little."""

PATIENCE = 0.5
"""Seconds that a client waits for an answer."""

NUMBERS = (0, 1, -1, 2, 7, 100, 2**15, -(2**31), 2**31 - 1, 1e300, -1e300, float("nan"))


@dataclass
class Fuzzer:
    """Sends what no client should send, and much of what clients may send, in any order.

    One seed gives one sequence, apart from timing.
    """

    port: int
    names: list[str]
    random: random.Random
    make_client: Callable
    sent: int = 0

    def run(self, seconds: float) -> None:
        """Send for that long."""
        deadline = time.monotonic() + seconds
        actions = (self.garbage, self.headers, self.datagrams, self.session, self.session)
        while time.monotonic() < deadline:
            try:
                self.random.choice(actions)()
            except (BrokenPipeError, ConnectionResetError, AssertionError, TimeoutError):
                # the server may end a circuit that makes no sense, and lets a circuit wait that
                # puts to a busy record again
                continue

    def garbage(self) -> None:
        """Bytes without any sense, on a circuit."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as circuit:
            circuit.sendall(self.random.randbytes(self.random.randrange(1, 4096)))
            self.sent += 1

    def datagrams(self) -> None:
        """Searches, and what is none."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for _ in range(20):
                name = self.random.choice(self.names).encode() + b"\0"
                name += bytes(-len(name) % 8)
                search = struct.pack(">4H2I", SEARCH, len(name), 5, 13, 1, 1) + name
                data = bytearray(self.random.choice((search, os.urandom(40), b"")))
                if data and self.random.random() < 0.5:
                    data[self.random.randrange(len(data))] ^= 0xFF
                udp.sendto(data, ("127.0.0.1", self.port))
                self.sent += 1

    def headers(self) -> None:
        """Messages whose form is right and whose content is not."""
        client = self.make_client(self.port)
        try:
            for _ in range(50):
                numbers = [self.random.choice((0, 1, 2, 39, 65535, 2**31, 2**32 - 1))] * 2
                client.send(
                    self.random.choice(COMMANDS),
                    self.random.randbytes(self.random.randrange(64)),
                    kind=self.random.randrange(45),
                    count=self.random.choice((0, 1, 2, 13, 65535)),
                    first=numbers[0],
                    second=self.random.choice((0, 1, numbers[1])),
                )
                self.sent += 1
        finally:
            client.close()

    def session(self) -> None:
        """Put, get and watch records of all kinds, and leave without a word."""
        client = self.make_client(self.port, PATIENCE)
        try:
            for number in range(self.random.randrange(1, 12)):
                name = self.random.choice(self.names)
                sid = client.channel(name, number)
                for _ in range(self.random.randrange(1, 6)):
                    self.use(client, name, sid)
        finally:
            client.close()

    def use(self, client, name: str, sid: int) -> None:
        """Do one thing with a channel."""
        self.sent += 1
        what = self.random.random()
        kind = self.random.randrange(7)
        if what < 0.15:
            client.send(READ_NOTIFY, kind=self.random.randrange(35), first=sid, second=1)
        elif what < 0.3:
            mask = struct.pack(">3fHH", 0, 0, 0, self.random.randrange(16), 0)
            client.send(EVENT_ADD, mask, kind=self.random.randrange(35), first=sid, second=7)
        else:
            command = self.random.choice((WRITE, WRITE_NOTIFY))
            if name.endswith(UNTOUCHED):
                kind, count, data = CHAR, 6, b"fuzz/\0"
            else:
                count, data = self.value(kind, name)
            client.send(command, data, kind=kind, count=count, first=sid, second=3)

    def value(self, kind: int, name: str) -> tuple[int, bytes]:
        """Return element count and bytes of a value."""
        if kind == STRING:
            text = self.random.choice((b"", b"1", b"Yes", b"-3.5e9", b"SIM1", b"nonsense", b"%s%n"))
            return 1, text.ljust(40, b"\0")
        if kind == CHAR:
            data = self.random.randbytes(self.random.choice((1, 2, 300)))
            return len(data), data
        number = self.random.choice((1, 3) if name.endswith(MEMORY) else NUMBERS)
        if kind in (FLOAT, DOUBLE):
            form = ">f" if kind == FLOAT else ">d"
            return 1, struct.pack(form, min(max(number, -1e38), 1e38))
        number = int(number) if number == number and abs(number) < 1e18 else 3
        if kind == LONG:
            return 1, struct.pack(">i", min(max(number, -(2**31)), 2**31 - 1))
        return 1, struct.pack(">h", min(max(number, -(2**15)), 2**15 - 1))


@pytest.fixture
def fuzzed(start_fresh, raw_client, tmp_path, monkeypatch) -> Iterator[tuple]:
    """An IOC in a directory of its own, and a fuzzer of it."""
    monkeypatch.chdir(tmp_path)
    ioc = start_fresh("adsim")
    names = names_of(ioc)
    yield ioc, Fuzzer(ioc.port, names, random.Random(20), raw_client)


def names_of(ioc) -> list[str]:
    """Return the names of the IOC's records."""
    command = [sys.executable, str(boot_file("adsim")), "--prefix", ioc.prefix, "--list-pvs"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    listing = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return listing.stdout.split()


def check(ioc, caget, caput) -> None:
    """The IOC answers, and takes an image."""
    cam = f"{ioc.prefix}cam1:"
    caput(cam + "Acquire", 0)
    for name, value in {"DataType": 1, "ColorMode": 0, "ImageMode": 0, "WaitForPlugins": 0}.items():
        caput(cam + name, value)
    for name, value in {"AcquireTime": 0.001, "AcquirePeriod": 0.002, "ArrayCounter": 0}.items():
        caput(cam + name, value)
    caput(cam + "Acquire", 1)
    assert caget(cam + "ArrayCounter_RBV") == 1
    assert caget(cam + "DetectorState_RBV", as_string=True) == "Idle"


def calm(ioc, fuzzer, memory, caput) -> int:
    """Let every plugin hold one small array and no file; return the memory then, in bytes."""
    names = set(fuzzer.names)
    switches = sorted(name for name in names if name.endswith(":EnableCallbacks"))
    plugin_settings = {"NDArrayPort": "SIM1", "BlockingCallbacks": 0, "QueueSize": 20}
    for switch in switches:
        plugin = switch.removesuffix("EnableCallbacks")
        if f"{plugin}Capture" in names:
            caput(f"{plugin}Capture", 0)
        for field, value in plugin_settings.items():
            caput(plugin + field, value)
        caput(switch, 1)
    proc, cameras = f"{ioc.prefix}Proc1:", [f"{ioc.prefix}cam{number}:" for number in (1, 2)]
    small = {"MinX": 0, "MinY": 0, "SizeX": 16, "SizeY": 16, "WaitForPlugins": 1, "ImageMode": 0}
    for cam in cameras:
        caput(cam + "Acquire", 0)
        for field, value in small.items():
            caput(cam + field, value)
        caput(cam + "Acquire", 1)
    for field in ("SaveBackground", "SaveFlatField", "ResetFilter"):
        caput(proc + field, 1)
    caput(cameras[0] + "Acquire", 1)
    for switch in switches:
        caput(switch, 0)
    return memory(ioc.pid)


def test_the_ioc_survives_random_traffic(fuzzed, caget, caput):
    ioc, fuzzer = fuzzed
    fuzzer.run(10)
    check(ioc, caget, caput)
    assert fuzzer.sent > 200


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_minutes_of_random_traffic_cost_little_memory(fuzzed, memory, caget, caput):
    ioc, fuzzer = fuzzed
    # until every record has been touched once, and images of all types have had their memory
    fuzzer.run(120)
    check(ioc, caget, caput)
    before = calm(ioc, fuzzer, memory, caput)
    fuzzer.run(300)
    check(ioc, caget, caput)
    assert calm(ioc, fuzzer, memory, caput) - before < 20 * MIB
