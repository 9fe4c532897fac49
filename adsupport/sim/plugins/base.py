"""What all plugins do: listen to a source, queue, drop, count and time (NDPluginDriver)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from adsupport.sim.hook import Hook
from adsupport.sim.plugins.sorting import OutputOrder, Sorter
from adsupport.sim.plugins.throttle import Throttle
from adsupport.sim.plugins.workers import Workers
from adsupport.sim.port import PortError, at_address, on_write
from adsupport.sim.source import ArraySource, Consumer

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.ndarray import NDArray

MAX_DIMENSIONS = 10
"""Dimensions an NDArray can have."""

MOST_QUEUED = 4 * 2**30
"""Bytes that may wait in a queue, whatever QueueSize is; more are dropped."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """Records of one asyn address of a plugin, such as ``Over1:3:``.

    Attributes
    ----------
    r : str
        What their names have after the plugin's, such as ``3:``.
    tables : tuple of str
        Record tables, the most general first.
    address : int
        asyn address of their parameters, see :func:`adsupport.sim.port.at_address`.
    macros : mapping of str to str
        Macros of these records, beside those of the plugin.
    """

    r: str
    tables: tuple[str, ...]
    address: int = 0
    macros: Mapping[str, str] = field(default_factory=dict)


class Plugin(ArraySource):
    """A plugin: takes arrays from the port named by ``NDArrayPort``.

    A subclass names its record tables and overrides :meth:`process`.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : mapping of str to ArraySource
        Ports by name, in which the source is looked up; the plugin adds itself.
    can_block : bool
        See :class:`adsupport.sim.port.Port`.

    Attributes
    ----------
    last_array : NDArray or None
        The array most recently taken from the source.
    tables : tuple of str
        Record tables of the plugin, the most general first.
    parts : tuple of Part
        Records beside those, with names and an asyn address of their own.
    takes_compressed : bool
        Whether compressed arrays can be processed; others drop them.
    before_taking : Hook
        Called with an array that arrives; if any function returns true, it is dropped.
    before_processing : Hook
        Called with an array before it is processed, in the thread that will.
    """

    tables: ClassVar[tuple[str, ...]] = ("NDArrayBase", "NDPluginBase")
    parts: ClassVar[tuple[Part, ...]] = ()
    takes_compressed: ClassVar[bool] = False
    source_addresses: ClassVar[tuple[int, ...]] = (0,)

    def __init__(
        self, name: str, ports: dict[str, ArraySource], *, can_block: bool = False
    ) -> None:
        super().__init__(name, can_block=can_block)
        self._ports: Mapping[str, ArraySource] = ports
        ports[name] = self
        self._links: list[tuple[ArraySource, int]] = []
        self._consumers_of_links: list[Consumer] = []
        self._workers = Workers(name)
        self._last_callback = 0.0
        self._order = OutputOrder()
        self._sorter = Sorter(self, self._order, super().emit)
        self._throttle = Throttle()
        self._process_lock = threading.RLock()
        # sizes that ARRAY_DIMENSIONS shows, and the array that shows them
        self._shown: tuple[list[int], np.ndarray | None] = [], None
        self.last_array: NDArray | None = None
        self.before_taking = Hook()
        self.before_processing = Hook()

    @property
    def sources(self) -> tuple[ArraySource, ...]:
        """Ports that the plugin listens to, or would if EnableCallbacks were on."""
        return tuple(source for source, _ in self._links)

    @property
    def driver(self) -> ArraySource:
        """The driver at the head of the chain of plugins."""
        return self._links[0][0].driver if self._links else self

    @property
    def depth(self) -> int:
        """Number of ports between this one and its driver."""
        return max((source.depth + 1 for source in self.sources), default=0)

    @property
    def macros(self) -> Mapping[str, str]:
        """Macros of the record tables that a plugin knows of itself."""
        return {}

    # ---- life

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Link the plugin's records, or add ports that belong to it.

        Parameters
        ----------
        ioc : AreaDetectorIOC
            Has just loaded the plugin's records.
        r : str
            Second part of their names.
        """

    def start(self) -> None:
        """Start the plugin's threads and listen to its source."""
        super().start()
        self._throttle.reset(self.get("MAX_BYTE_RATE"), time.monotonic())
        self._workers.resize(self.get("NUM_THREADS"))
        self._connect()

    def stop(self) -> None:
        """Process what is queued, then end the threads."""
        self._disconnect()
        self._workers.stop()
        self._sorter.stop()
        super().stop()

    # ---- source

    def _connect(self) -> None:
        """Look up the sources; without every one of them the plugin gets no arrays at all."""
        links = []
        for address in self.source_addresses:
            name = self.get(at_address("NDARRAY_PORT", address))
            if not name and len(self.source_addresses) > 1:
                continue
            source = self._ports.get(name)
            if source is None or source.comes_from(self):
                # the console alone tells of it, as on the real one: the name stands, without alarm
                _log.error("%s: cannot take arrays from port %s", self.name, name)
                return
            links.append((source, self.get(at_address("NDARRAY_ADDR", address))))
        self._links = links
        if not self.get("ENABLE_CALLBACKS"):
            return
        for source, address in links:
            consumer = partial(self._take, source)
            self._consumers_of_links.append(consumer)
            source.connect(consumer, address)

    def _disconnect(self) -> None:
        for source in set(self.sources):
            for consumer in self._consumers_of_links:
                source.disconnect(consumer)
        self._links = []
        self._consumers_of_links = []

    @on_write("ENABLE_CALLBACKS", "NDARRAY_PORT", "NDARRAY_ADDR", each_address=True)
    def _reconnect(self, _value: object, _address: int) -> None:
        self._disconnect()
        self._connect()

    # ---- queue

    @on_write("QUEUE_SIZE")
    def _resize_queue(self, size: int) -> None:
        self.set("QUEUE_SIZE", max(size, 1))
        self._show_queue()
        if size < 1:
            raise PortError(f"{self.name}: a queue of size {size} becomes one of 1", value=1)

    @on_write("NUM_THREADS")
    def _resize_threads(self, number: int) -> None:
        most = self.get("MAX_THREADS")
        allowed = min(max(number, 1), most)
        self._workers.resize(allowed)
        if number != allowed:
            raise PortError(f"{self.name}: {number} threads are not in 1..{most}", value=allowed)

    @on_write("SORT_MODE")
    def _set_sort_mode(self, sorted_: int) -> None:
        if sorted_:
            self._sorter.start()

    @on_write("MAX_BYTE_RATE")
    def _set_byte_rate(self, rate: float) -> None:
        self._throttle.reset(rate, time.monotonic())

    @on_write("PROCESS_PLUGIN")
    def _process_again(self, _: int) -> None:
        if self.last_array is None:
            raise PortError(f"{self.name} has no array to process")
        # never here, even when callbacks block: a client's write holds the port's lock, which
        # the array in process may be waiting for
        self._enqueue(self.last_array, self.driver)

    def _show_queue(self) -> None:
        self.set("QUEUE_FREE", max(self.get("QUEUE_SIZE") - self._workers.waiting, 0))

    # ---- arrays

    def _take(self, source: ArraySource, array: NDArray, *, may_refuse: bool = False) -> bool:
        """Accept an array from a source, in the source's thread.

        Returns False when another consumer may have it: MinCallbackTime is not over, or the
        queue is full and ``may_refuse`` is set, in which case it is not counted as dropped.
        """
        if array.is_compressed and not self.takes_compressed:
            _log.error("%s: array %d is compressed, which the plugin cannot process; it is dropped",
                       self.name, array.unique_id)  # fmt: skip
            self._drop()
            return True
        now = time.monotonic()
        if now - self._last_callback < self.get("MIN_CALLBACK_TIME"):
            return False
        self._last_callback = now
        if self.before_taking(array):
            self._drop()
            return True
        driver = source.driver
        if not self.get("BLOCKING_CALLBACKS"):
            return self._enqueue(array, driver, may_refuse=may_refuse)
        driver.count_queued(+1)
        self._process_and_give_back(array, driver)
        return True

    def _enqueue(self, array: NDArray, driver: ArraySource, *, may_refuse: bool = False) -> bool:
        """Leave an array to the plugin's threads, or drop it when the queue is full."""
        with self.lock:
            waiting = self._workers.waiting
            if waiting >= self.get("QUEUE_SIZE") or waiting * array.data.nbytes > MOST_QUEUED:
                if not may_refuse:
                    self._drop()
                return False
            driver.count_queued(+1)
            self._workers.put(partial(self._process_queued, array, driver))
            self._show_queue()
            self.call_callbacks()
        return True

    def when_processed(self) -> Future[None]:
        """Return a future that ends when the plugin has done with the arrays in its queue.

        With more than one thread, others may still be at work on arrays that they have taken.
        """
        done: Future[None] = Future()
        self._workers.put(lambda: done.set_result(None))
        return done

    def _drop(self) -> None:
        with self.lock:
            self.set("DROPPED_ARRAYS", self.get("DROPPED_ARRAYS") + 1)
            self.call_callbacks()

    def _process_queued(self, array: NDArray, driver: ArraySource) -> None:
        with self.lock:
            self._show_queue()
            self.call_callbacks()
        self._process_and_give_back(array, driver)

    def _process_and_give_back(self, array: NDArray, driver: ArraySource) -> None:
        started = time.perf_counter()
        try:
            self.before_processing(array)
            with self._process_lock:
                self.last_array = array
                self.process(array)
        finally:
            with self.lock:
                self.set("EXECUTION_TIME", (time.perf_counter() - started) * 1e3)
                self.call_callbacks()
            driver.count_queued(-1)

    def process(self, array: NDArray) -> None:
        """Do the plugin's work on an array; runs without the port's lock.

        Here that is to count it and pass it on, which those that show or write arrays don't.

        Parameters
        ----------
        array : NDArray
            Shared with other plugins: it must not be changed.
        """
        self.begin(array)
        self.emit(array)

    def begin(self, array: NDArray) -> None:
        """Count an array and show its dimensions, type and time stamps."""
        with self.lock:
            self.set("ARRAY_COUNTER", self.get("ARRAY_COUNTER") + 1)
            self.show(array)
            self.call_callbacks()

    def show(self, array: NDArray) -> None:
        """Set the parameters that describe an array."""
        sizes = [dim.size for dim in array.dims]
        self.set("ARRAY_NDIMENSIONS", len(sizes))
        shown, dimensions = self._shown
        if sizes != shown or self.get("ARRAY_DIMENSIONS") is not dimensions:
            dimensions = np.zeros(MAX_DIMENSIONS, np.int32)
            dimensions[: len(sizes)] = sizes
            self.set("ARRAY_DIMENSIONS", dimensions)
            self._shown = sizes, dimensions
        self.set("DATA_TYPE", int(array.data_type))
        self.set("COLOR_MODE", int(array.color_mode))
        self.set("UNIQUE_ID", array.unique_id)
        self.set("TIME_STAMP", array.time_stamp)
        self.set("EPICS_TS_SEC", array.ts_sec)
        self.set("EPICS_TS_NSEC", array.ts_nsec)
        self.set("CODEC", array.codec.name)
        self.set("COMPRESSED_SIZE", array.data.nbytes)

    # ---- output

    def with_own_attributes(self, array: NDArray) -> NDArray:
        """Return an array with the attributes of the plugin's own NDAttributesFile, too."""
        attributes = self.own_attributes.after(array.attributes)
        if attributes is array.attributes:
            return array
        return replace(array, attributes=attributes)

    def emit(self, array: NDArray, address: int = 0) -> None:
        """Pass an array on in its turn, unless MaxByteRate forbids it.

        Parameters
        ----------
        array : NDArray
            Must not be changed any more.
        address : int
            asyn address.
        """
        if not self.get("ARRAY_CALLBACKS"):
            return
        array = self.with_own_attributes(array)
        with self.lock:
            is_sorted = self.get("SORT_MODE")
            if self._is_throttled(array.data.nbytes) or (
                is_sorted and not self._sorter.add(array, address)
            ):
                self.set("DROPPED_OUTPUT_ARRAYS", self.get("DROPPED_OUTPUT_ARRAYS") + 1)
                self.call_callbacks()
                return
            if not is_sorted and self._order.note(array.unique_id):
                self.set("DISORDERED_ARRAYS", self.get("DISORDERED_ARRAYS") + 1)
            self.call_callbacks()
        if not is_sorted:
            super().emit(array, address)

    def _is_throttled(self, size: int) -> bool:
        """Whether an output of that many bytes exceeds MaxByteRate; it is counted if not."""
        return not self._throttle.takes(size, time.monotonic())
