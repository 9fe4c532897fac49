"""The order in which arrays leave a plugin: SortMode, SortTime, SortSize, DisorderedArrays."""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adsupport.sim.ndarray import NDArray
    from adsupport.sim.port import Port

SHORTEST_WAIT = 1e-3
"""Seconds between two looks at the waiting arrays, however short SortTime is."""

LONGEST_WAIT = 0.5
"""Seconds after which a SortTime that was shortened takes effect."""


class OutputOrder:
    """Knows which array left last (rules of NDPluginDriver)."""

    def __init__(self) -> None:
        self._last: int | None = None

    def is_next(self, unique_id: int) -> bool:
        """Return whether an array is the last one again, or the one after it."""
        return self._last is not None and unique_id in (self._last, self._last + 1)

    def note(self, unique_id: int) -> bool:
        """Take an array that leaves as the last one; return whether that is out of order.

        The first array of all is in order.
        """
        disordered = self._last is not None and not self.is_next(unique_id)
        self._last = unique_id
        return disordered


class Sorter:
    """Holds arrays back until it is their turn, or until they have waited for SortTime.

    A thread looks at them every SortTime: those that follow the one that left last go at once,
    others when they are older than SortTime, in the order of their unique ids (rules of
    NDPluginDriver).

    Parameters
    ----------
    port : Port
        The plugin, for its parameters; its lock guards the sorter.
    order : OutputOrder
        Which array left last.
    deliver : callable
        Hands array and asyn address to the plugin's consumers; called without the port's lock.
    """

    def __init__(
        self, port: Port, order: OutputOrder, deliver: Callable[[NDArray, int], None]
    ) -> None:
        self._port = port
        self._order = order
        self._deliver = deliver
        self._waiting: list[tuple[int, int, float, NDArray, int]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def add(self, array: NDArray, address: int) -> bool:
        """Keep an array for its turn; return False when SortSize arrays wait already.

        Parameters
        ----------
        array : NDArray
            An output of the plugin.
        address : int
            Its asyn address.
        """
        self._show_free()
        if len(self._waiting) >= self._port.get("SORT_SIZE"):
            return False
        # equal ids leave in the order in which they came
        entry = (array.unique_id, next(self._numbers), time.monotonic(), array, address)
        heapq.heappush(self._waiting, entry)
        return True

    def start(self) -> None:
        """Start to look at the waiting arrays; does nothing when that has begun."""
        if self._thread is None:
            name = f"{self._port.name}_sort"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Let all arrays go that still wait, and end."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    def _run(self) -> None:
        looked = time.monotonic()
        while not self._ended.wait(self._pause()):
            elapsed, pause = time.monotonic() - looked, self._port.get("SORT_TIME")
            if elapsed < pause - SHORTEST_WAIT:
                continue
            looked += elapsed
            self._release(pause)
        self._release(-math.inf)

    def _pause(self) -> float:
        """Return for how long to wait; a client may write numbers that nobody can wait for."""
        return min(max(SHORTEST_WAIT, self._port.get("SORT_TIME")), LONGEST_WAIT)

    def _release(self, age: float) -> None:
        now = time.monotonic()
        with self._port.lock:
            leaving = []
            while self._waiting:
                unique_id, _, came, array, address = self._waiting[0]
                if not self._order.is_next(unique_id) and now - came <= age:
                    break
                heapq.heappop(self._waiting)
                leaving.append((array, address))
                if self._order.note(unique_id):
                    count = self._port.get("DISORDERED_ARRAYS")
                    self._port.set("DISORDERED_ARRAYS", count + 1)
            self._show_free()
            self._port.call_callbacks()
        for array, address in leaving:
            self._deliver(array, address)

    def _show_free(self) -> None:
        self._port.set("SORT_FREE", self._port.get("SORT_SIZE") - len(self._waiting))
