"""The way from a server to its clients: how long messages take."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Callable


class Network:
    """What lies between a server and all of its clients: nothing, unless a fault is attached.

    Attributes
    ----------
    delays : list of callables
        Each returns how long the next message takes, seconds; their sum counts.
    """

    def __init__(self) -> None:
        self.delays: list[Callable[[], float]] = []


class Wire:
    """The way to one client. Messages arrive in the order in which they were sent.

    Parameters
    ----------
    network : Network
        What it is a part of.
    arrive : callable
        Hands bytes to the client.
    """

    def __init__(self, network: Network, arrive: Callable[[bytes], None]) -> None:
        self._network = network
        self._arrive = arrive
        self._travelling: collections.deque[bytes] = collections.deque()
        self._last_due = 0.0

    def send(self, data: bytes) -> None:
        """Send bytes; runs in the event loop."""
        delays = self._network.delays
        if not delays and not self._travelling:
            self._arrive(data)
            return
        loop = asyncio.get_running_loop()
        # a message that is faster than the one before it arrives right behind it
        self._last_due = max(self._last_due, loop.time() + sum(delay() for delay in delays))
        self._travelling.append(data)
        loop.call_at(self._last_due, self._deliver)

    def _deliver(self) -> None:
        if self._travelling:
            self._arrive(self._travelling.popleft())

    def cut(self) -> None:
        """Lose what is on its way."""
        self._travelling.clear()
