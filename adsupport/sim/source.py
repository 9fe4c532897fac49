"""What emits arrays: the camera, and every plugin that passes arrays on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adsupport.sim.port import Port, on_write

if TYPE_CHECKING:
    from adsupport.sim.ndarray import NDArray

Consumer = Callable[["NDArray"], None]


class ArraySource(Port):
    """A port whose arrays plugins listen to (asynNDArrayDriver).

    Attributes
    ----------
    driver : ArraySource
        The driver at the head of the chain: it counts the arrays that are queued or in
        processing in any plugin behind it.
    """

    def __init__(self, name: str, *, can_block: bool = False) -> None:
        super().__init__(name, can_block=can_block)
        self._consumers: list[Consumer] = []
        self._consumers_lock = threading.Lock()
        self._queued = 0

    @property
    def driver(self) -> ArraySource:
        """The driver that this port's arrays come from."""
        return self

    @property
    def queued(self) -> int:
        """Arrays of this driver that plugins still hold."""
        return self._queued

    def connect(self, consumer: Consumer) -> None:
        """Hand every further array to ``consumer``, in the thread that emits it."""
        with self._consumers_lock:
            if consumer not in self._consumers:
                self._consumers.append(consumer)

    def disconnect(self, consumer: Consumer) -> None:
        """Stop handing arrays to ``consumer``."""
        with self._consumers_lock:
            if consumer in self._consumers:
                self._consumers.remove(consumer)

    def emit(self, array: NDArray) -> None:
        """Hand an array to every connected plugin, if ArrayCallbacks is on."""
        if not self.get("ARRAY_CALLBACKS"):
            return
        with self._consumers_lock:
            consumers = tuple(self._consumers)
        for consumer in consumers:
            consumer(array)

    def count_queued(self, step: int) -> None:
        """Count arrays taken (+1) or given back (-1) by a plugin."""
        with self.lock:
            self._queued += step
            self.set("NUM_QUEUED_ARRAYS", self._queued)
            self._settle_busy()
            self.call_callbacks()

    @on_write("POOL_PRE_ALLOC_BUFFERS")
    def _allocate_buffers(self, _: int) -> None:
        # arrays are allocated as they are needed: done at once, or its busy record waits for ever
        self.set("POOL_PRE_ALLOC_BUFFERS", 0)

    def set(self, param: str, value: Any, *, severity: int = 0, status: int = 0) -> None:
        """Change a parameter; AcquireBusy follows Acquire, and waits for plugins if told to."""
        super().set(param, value, severity=severity, status=status)
        if param == "ACQUIRE" and "ACQUIRE_BUSY" in self:
            if value:
                super().set("ACQUIRE_BUSY", 1)
            else:
                self._settle_busy()

    def _settle_busy(self) -> None:
        if "ACQUIRE_BUSY" not in self or self.get("ACQUIRE") or not self.get("ACQUIRE_BUSY"):
            return
        if self.get("WAIT_FOR_PLUGINS") and self._queued > 0:
            return
        super().set("ACQUIRE_BUSY", 0)
