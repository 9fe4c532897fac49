"""A viewer without a browser."""

from __future__ import annotations

import http.client
import json
import struct
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from websockets.sync.client import ClientConnection, connect

TIMEOUT = 20.0


def answer(
    page: Any, path: str = "/", method: str = "GET", where: str = "127.0.0.1", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask the page's server for something, as a browser would or wouldn't."""
    connection = http.client.HTTPConnection(where, page.port, timeout=TIMEOUT)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Host": urlsplit(page.address).netloc} | names)
        found = connection.getresponse()
        return found.status, dict(found.getheaders()), found.read()
    finally:
        connection.close()


class Watcher:
    """Talks to the page's server as the page does."""

    def __init__(self, address: str, **look: Any) -> None:
        origin = address.rstrip("/")
        self._open = ExitStack()
        self.socket: ClientConnection = self._open.enter_context(
            connect(
                f"{origin.replace('http', 'ws')}/pictures",
                origin=origin,  # type: ignore[arg-type]
                max_size=None,
                proxy=None,
                open_timeout=TIMEOUT,
            )
        )
        self.wanted = {
            "do": "look",
            "channel": "",
            "limits": None,
            "region": None,
            "size": [4096, 4096],
            "profile": None,
            "cursor": None,
            "paused": False,
        }
        self.states: list[dict[str, Any]] = []
        self.look(**look)

    def send(self, message: Any) -> None:
        self.socket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    def look(self, **changed: Any) -> None:
        """Say what is to be seen."""
        self.wanted |= changed
        self.send(self.wanted)

    def next(self, timeout: float = TIMEOUT) -> tuple[dict[str, Any], np.ndarray | None]:
        """Wait for a message, and say that it's drawn."""
        data = self.socket.recv(timeout)
        if isinstance(data, str):
            message = json.loads(data)
            if message["kind"] == "state":
                self.states.append(message)
            return message, None
        (length,) = struct.unpack("<I", data[:4])
        header = json.loads(data[4 : 4 + length])
        self.send({"do": "shown", "serial": header["serial"]})
        levels = np.frombuffer(data, np.uint8, offset=4 + length).reshape(header["size"])
        return header, levels

    def wait(self, kind: str, condition: Any = lambda message: True) -> tuple[dict[str, Any], Any]:
        """Wait for a message that fulfils a condition."""
        while True:
            message, levels = self.next()
            if message["kind"] == kind and condition(message):
                return message, levels

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()
