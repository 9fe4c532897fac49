"""Clients that ask for more than they read: the IOC keeps little for them, and goes on."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

TIMEOUT = 30.0
MIB = 2**20
FRAMES = 60
"""Images of 1 MiB that a client does not read."""

VERSION, EVENT_ADD, READ_NOTIFY, CREATE_CHANNEL, CLIENT_NAME, HOST_NAME = 0, 1, 15, 18, 20, 21
CHAR, LONG, DBE_VALUE = 4, 5, 1


class RawClient:
    """Channel Access by hand: a library would read whatever comes."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._buffer = b""
        self.received = 0
        self.send(VERSION, count=13)
        self.send(CLIENT_NAME, b"nobody\0")
        self.send(HOST_NAME, b"nowhere\0")

    def send(self, command: int, payload: bytes = b"", kind=0, count=0, first=0, second=0) -> None:
        payload += bytes(-len(payload) % 8)
        header = struct.pack(">4H2I", command, len(payload), kind, count, first, second)
        self._socket.sendall(header + payload)

    def receive(self) -> tuple[int, int, bytes]:
        """Return command, second parameter and payload of the next message."""
        command, size, _, count, _, second = struct.unpack(">4H2I", self._take(16))
        if size == 0xFFFF and count == 0:
            size, _ = struct.unpack(">2I", self._take(8))
        return command, second, self._take(size)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            part = self._socket.recv(MIB)
            assert part, "the IOC has closed the connection"
            self.received += len(part)
            self._buffer += part
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def channel(self, name: str, number: int) -> int:
        self.send(CREATE_CHANNEL, name.encode() + b"\0", first=number, second=13)
        while (message := self.receive())[0] != CREATE_CHANNEL:
            pass
        return message[1]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def client(adsim, caput) -> Iterator[RawClient]:
    """A client of an IOC that has an image."""
    caput("ad:image1:EnableCallbacks", 1)
    for name, value in {"ImageMode": 1, "AcquireTime": 0.001, "AcquirePeriod": 0.002}.items():
        caput(f"ad:cam1:{name}", value)
    for name, value in {"WaitForPlugins": 1, "DataType": 1, "ColorMode": 0, "NumImages": 1}.items():
        caput(f"ad:cam1:{name}", value)
    for axis in "XY":
        for name, value in {"Min": 0, "Size": 1024, "Bin": 1}.items():
            caput(f"ad:cam1:{name}{axis}", value)
    caput("ad:cam1:Acquire", 1)
    client = RawClient(adsim.port)
    yield client
    client.close()


def memory(pid: int) -> int:
    """Return the resident memory of a process in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])


def test_reads_that_are_not_fetched(adsim, client, caget):
    image = client.channel("ad:image1:ArrayData", 1)
    before = memory(adsim.pid)
    for number in range(FRAMES):
        client.send(READ_NOTIFY, kind=CHAR, first=image, second=number)
    for _ in range(5):
        caget("ad:cam1:ArrayCounter_RBV")
    assert memory(adsim.pid) - before < FRAMES * MIB / 3
    for number in range(FRAMES):
        command, answered, data = client.receive()
        assert (command, answered, len(data)) == (READ_NOTIFY, number, MIB)


def test_monitors_that_are_not_fetched(adsim, client, caget: Callable, caput):
    image = client.channel("ad:image1:ArrayData", 1)
    counter = client.channel("ad:cam1:ArrayCounter_RBV", 2)
    before = memory(adsim.pid)
    for number, (sid, kind) in enumerate(((image, CHAR), (counter, LONG))):
        mask = struct.pack(">3fHH", 0, 0, 0, DBE_VALUE, 0)
        client.send(EVENT_ADD, mask, kind=kind, count=0, first=sid, second=number)
    caput("ad:cam1:NumImages", FRAMES)
    caput("ad:cam1:Acquire", 1)
    assert memory(adsim.pid) - before < FRAMES * MIB / 3
    newest = caget("ad:cam1:ArrayCounter_RBV")
    counts = []
    while newest not in counts:
        _, number, data = client.receive()
        if number == 1:
            counts.append(struct.unpack(">i", data[:4])[0])
    assert counts == sorted(counts)
    assert client.received < FRAMES * MIB / 3
