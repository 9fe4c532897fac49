"""What emits arrays: the camera, and every plugin that passes arrays on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from adsupport.sim.attributes import OwnAttributes
from adsupport.sim.port import Port, on_write

if TYPE_CHECKING:
    from adsupport.sim.ndarray import NDArray

Consumer = Callable[..., object]
"""Takes an array. A plugin's can be asked with ``may_refuse=True`` whether it takes it."""


class ArraySource(Port):
    """A port whose arrays plugins listen to (asynNDArrayDriver).

    Attributes
    ----------
    driver : ArraySource
        The driver at the head of the chain: it counts the arrays that are queued or in
        processing in any plugin behind it.
    own_attributes : OwnAttributes
        What ``NDAttributesFile`` adds to the arrays that the port emits.
    """

    def __init__(self, name: str, *, can_block: bool = False) -> None:
        super().__init__(name, can_block=can_block)
        self._consumers: list[tuple[Consumer, int]] = []
        self._consumers_lock = threading.Lock()
        self._queued = 0
        self.own_attributes = OwnAttributes(self)

    @property
    def driver(self) -> ArraySource:
        """The driver that this port's arrays come from."""
        return self

    @property
    def depth(self) -> int:
        """Number of ports between this one and its driver: 0 for a driver."""
        return 0

    @property
    def sources(self) -> tuple[ArraySource, ...]:
        """Ports whose arrays this one passes on: none for a driver."""
        return ()

    def comes_from(self, port: ArraySource) -> bool:
        """Return whether arrays of ``port`` can be among those that this port emits."""
        return self is port or any(source.comes_from(port) for source in set(self.sources))

    @property
    def queued(self) -> int:
        """Arrays of this driver that plugins still hold."""
        return self._queued

    def connect(self, consumer: Consumer, address: int = 0) -> None:
        """Hand every further array of an address to ``consumer``, in the thread that emits it."""
        with self._consumers_lock:
            if (consumer, address) not in self._consumers:
                self._consumers.append((consumer, address))

    def disconnect(self, consumer: Consumer) -> None:
        """Stop handing arrays to ``consumer``."""
        with self._consumers_lock:
            self._consumers = [entry for entry in self._consumers if entry[0] != consumer]

    def consumers(self, address: int = 0) -> tuple[Consumer, ...]:
        """Return who listens to an address, in the order in which they connected."""
        with self._consumers_lock:
            return tuple(consumer for consumer, wanted in self._consumers if wanted == address)

    def emit(self, array: NDArray, address: int = 0) -> None:
        """Hand an array to every plugin that listens to the address, if ArrayCallbacks is on.

        Parameters
        ----------
        array : NDArray
            Must not be changed any more.
        address : int
            asyn address; all but a few plugins use only 0.
        """
        if not self.get("ARRAY_CALLBACKS"):
            return
        for consumer in self.consumers(address):
            consumer(array)

    def count_queued(self, step: int) -> None:
        """Count arrays taken (+1) or given back (-1) by a plugin."""
        with self.lock:
            self._queued += step
            self.set("NUM_QUEUED_ARRAYS", self._queued)
            self._settle_busy()
            self.call_callbacks()

    @on_write("ND_ATTRIBUTES_FILE", "ND_ATTRIBUTES_MACROS")
    def _read_attributes(self, _: str) -> None:
        self.own_attributes.read()

    @on_write("POOL_PRE_ALLOC_BUFFERS")
    def _allocate_buffers(self, _: int) -> None:
        # arrays are allocated as they are needed: done at once, or its busy record waits for ever
        self.set("POOL_PRE_ALLOC_BUFFERS", 0)

    def _follow_acquire(self, acquiring: int) -> None:
        """Let AcquireBusy follow Acquire; it waits for plugins if told to."""
        if acquiring:
            self.set("ACQUIRE_BUSY", 1)
        else:
            self._settle_busy()

    def _settle_busy(self) -> None:
        if "ACQUIRE_BUSY" not in self or self.get("ACQUIRE") or not self.get("ACQUIRE_BUSY"):
            return
        if self.get("WAIT_FOR_PLUGINS") and self._queued > 0:
            return
        self.set("ACQUIRE_BUSY", 0)
