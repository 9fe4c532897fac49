"""Channel Access by hand, for tests of the server with clients that misbehave."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

TIMEOUT = 30.0
MIB = 2**20
VERSION, CREATE_CHANNEL, CLIENT_NAME, HOST_NAME = 0, 18, 20, 21


class RawClient:
    """Channel Access by hand: a library would read whatever comes."""

    def __init__(self, port: int, timeout: float = TIMEOUT) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
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
def raw_client() -> type[RawClient]:
    """The class of clients that speak Channel Access by hand; takes a TCP port."""
    return RawClient


@pytest.fixture
def memory() -> Callable[[int], int]:
    """Reads the resident memory of a process, given by its id, in bytes."""

    def resident(pid: int) -> int:
        status = Path(f"/proc/{pid}/status").read_text()
        return 1024 * int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])

    return resident
