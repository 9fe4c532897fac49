"""What all plugins do: listen to a source, queue, drop, count and time (NDPluginDriver)."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from adsupport.sim.port import PortError, on_write
from adsupport.sim.source import ArraySource

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.ndarray import NDArray

MAX_DIMENSIONS = 10
"""Dimensions an NDArray can have."""

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
    """

    tables: ClassVar[tuple[str, ...]] = ("NDArrayBase", "NDPluginBase")
    parts: ClassVar[tuple[Part, ...]] = ()
    takes_compressed: ClassVar[bool] = False

    def __init__(
        self, name: str, ports: dict[str, ArraySource], *, can_block: bool = False
    ) -> None:
        super().__init__(name, can_block=can_block)
        self._ports: Mapping[str, ArraySource] = ports
        ports[name] = self
        self._source: ArraySource | None = None
        self._queue: queue.Queue[tuple[NDArray, ArraySource] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._last_callback = 0.0
        self._last_output_id: int | None = None
        self._throttle_bytes = 0.0
        self._throttle_time = 0.0
        self._process_lock = threading.RLock()
        self.last_array: NDArray | None = None

    @property
    def driver(self) -> ArraySource:
        """The driver at the head of the chain of plugins."""
        return self if self._source is None else self._source.driver

    @property
    def depth(self) -> int:
        """Number of ports between this one and its driver."""
        return 0 if self._source is None else self._source.depth + 1

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
        """Start the plugin's thread and listen to its source."""
        super().start()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()
        self._connect()

    def stop(self) -> None:
        """Process what is queued, then end the thread."""
        self._disconnect()
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=10)
            self._thread = None
        super().stop()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            with self.lock:
                self._show_queue()
                self.call_callbacks()
            try:
                self._process_and_give_back(*item)
            except Exception:  # one array is lost; without this thread all later ones were
                _log.exception("%s: an array could not be processed", self.name)

    # ---- source

    def _connect(self) -> None:
        name = self.get("NDARRAY_PORT")
        source = self._ports.get(name)
        if source is None or source.driver is self:
            # the console alone tells of it, as on the real one: the name stands, without an alarm
            _log.error("%s: cannot take arrays from port %s", self.name, name)
            return
        if self.get("ENABLE_CALLBACKS"):
            source.connect(self._take, self.get("NDARRAY_ADDR"))
        self._source = source

    def _disconnect(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.disconnect(self._take)

    @on_write("ENABLE_CALLBACKS", "NDARRAY_PORT", "NDARRAY_ADDR")
    def _reconnect(self, _: object) -> None:
        self._disconnect()
        self._connect()

    @on_write("QUEUE_SIZE")
    def _resize_queue(self, _: int) -> None:
        self._show_queue()

    @on_write("PROCESS_PLUGIN")
    def _process_again(self, _: int) -> None:
        if self.last_array is None:
            raise PortError(f"{self.name} has no array to process")
        # never here, even when callbacks block: a client's write holds the port's lock, which
        # the array in process may be waiting for
        self._enqueue(self.last_array)

    def _show_queue(self) -> None:
        self.set("QUEUE_FREE", max(self.get("QUEUE_SIZE") - self._queue.qsize(), 0))

    # ---- arrays

    def _take(self, array: NDArray) -> None:
        """Accept an array from the source, in the source's thread."""
        if array.is_compressed and not self.takes_compressed:
            _log.error("%s: array %d is compressed, which the plugin cannot process; it is dropped",
                       self.name, array.unique_id)  # fmt: skip
            self._drop()
            return
        now = time.monotonic()
        if now - self._last_callback < self.get("MIN_CALLBACK_TIME"):
            return
        self._last_callback = now
        if self.get("BLOCKING_CALLBACKS"):
            driver = self.driver
            driver.count_queued(+1)
            self._process_and_give_back(array, driver)
        else:
            self._enqueue(array)

    def _enqueue(self, array: NDArray) -> None:
        """Leave an array to the plugin's thread, or drop it when the queue is full."""
        driver = self.driver
        with self.lock:
            if self._queue.qsize() >= self.get("QUEUE_SIZE"):
                self._drop()
                return
            driver.count_queued(+1)
            self._queue.put((array, driver))
            self._show_queue()
            self.call_callbacks()

    def _drop(self) -> None:
        with self.lock:
            self.set("DROPPED_ARRAYS", self.get("DROPPED_ARRAYS") + 1)
            self.call_callbacks()

    def _process_and_give_back(self, array: NDArray, driver: ArraySource) -> None:
        started = time.perf_counter()
        try:
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
        dimensions = np.zeros(MAX_DIMENSIONS, np.int32)
        dimensions[: len(sizes)] = sizes
        if not np.array_equal(dimensions, self.get("ARRAY_DIMENSIONS")):
            self.set("ARRAY_DIMENSIONS", dimensions)
        self.set("DATA_TYPE", int(array.data_type))
        self.set("COLOR_MODE", int(array.color_mode))
        self.set("UNIQUE_ID", array.unique_id)
        self.set("TIME_STAMP", array.time_stamp)
        self.set("EPICS_TS_SEC", array.ts_sec)
        self.set("EPICS_TS_NSEC", array.ts_nsec)
        self.set("CODEC", array.codec.name)
        self.set("COMPRESSED_SIZE", array.data.nbytes)

    # ---- output

    def emit(self, array: NDArray, address: int = 0) -> None:
        """Pass an array on, unless MaxByteRate forbids it; count what is out of order.

        Parameters
        ----------
        array : NDArray
            Must not be changed any more.
        address : int
            asyn address.
        """
        if not self.get("ARRAY_CALLBACKS"):
            return
        with self.lock:
            if self._is_throttled(array.data.nbytes):
                self.set("DROPPED_OUTPUT_ARRAYS", self.get("DROPPED_OUTPUT_ARRAYS") + 1)
                self.call_callbacks()
                return
            last, self._last_output_id = self._last_output_id, array.unique_id
            if last is not None and array.unique_id not in (last, last + 1):
                self.set("DISORDERED_ARRAYS", self.get("DISORDERED_ARRAYS") + 1)
                self.call_callbacks()
        super().emit(array, address)

    def _is_throttled(self, size: int) -> bool:
        """Whether an output of that many bytes exceeds MaxByteRate; it is counted if not.

        A second's worth of bytes may go out at once; then they are given out at the rate.
        """
        rate = self.get("MAX_BYTE_RATE")
        if rate <= 0:
            return False
        now = time.monotonic()
        self._throttle_bytes += (now - self._throttle_time) * rate
        self._throttle_time = now
        self._throttle_bytes = min(self._throttle_bytes, rate)
        if self._throttle_bytes < size:
            return True
        self._throttle_bytes -= size
        return False
