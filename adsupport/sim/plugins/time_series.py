"""NDPluginTimeSeries: several signals over time, each array a point of all."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from adsupport.sim.arrays.series import Series, time_axis
from adsupport.sim.forwarding import GatedScan, forward
from adsupport.sim.ndarray import EPICS_EPOCH, NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.port import PortError, at_address, on_write
from adsupport.sim.source import ArraySource

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC

POINTS = 2048
"""Points of a series until TSNumPoints is written."""

MOST_BYTES = 256 * 2**20
"""Size of the buffer above which a number of points is refused."""

MOST_TIMES = 65_536
"""Elements of the time axis that are given to its record, which holds fewer."""

_MOST_AVERAGED = 2**31 - 1

_log = logging.getLogger(__name__)


class Control(IntEnum):
    """Values of parameter ``TS_CONTROL``, by which old releases control a plugin's series."""

    ERASE_START = 0
    START = 1
    STOP = 2
    READ = 3


class TimeSeries(Plugin):
    """Keeps series of the numbers in one- and two-dimensional arrays.

    The fast axis of an array is the signals, the slow one time. Complete series, or those so far
    when TSRead asks for them, go to one waveform per signal, and as arrays to the plugins that
    listen: one-dimensional ones to the address of each signal, and one of all to the address
    after the last.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    signals : int
        Series that are kept, one by asyn address.
    """

    tables = (*Plugin.tables, "NDTimeSeries")

    def __init__(self, name: str, ports: dict[str, ArraySource], *, signals: int = 8) -> None:
        super().__init__(name, ports)
        self.signals = signals
        self._signals_in = 0
        self._dtype = np.dtype(np.float64)
        self._series = Series(signals, POINTS, self._dtype)
        self._requested_time: float | None = None
        self._started = time.monotonic()
        self._emitted = 0

    @property
    def macros(self) -> Mapping[str, str]:
        """Macros of the record tables: megabytes of the buffer for the series."""
        return {"POOL_USED_MEM": str(self.signals * POINTS * 8 / 2**20)}

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Link TSTimePerPointLink, and read the series at TSRead's rate while they're acquired."""
        read = ioc.records[f"{r}TSRead"]
        GatedScan(ioc, read, ioc.records[f"{r}TSAcquiring"], lambda: read.put(1))
        forward(ioc.records[f"{r}TSTimePerPointLink"], ioc.records[f"{r}TSTimePerPoint"])

    # ---- arrays

    def process(self, array: NDArray) -> None:
        """Add an array's numbers to the series, if they are acquired."""
        self.begin(array)
        if array.data.ndim not in (1, 2):
            _log.error("%s: array %d has %d dimensions; a time series takes those of 1 or 2",
                       self.name, array.unique_id, array.data.ndim)  # fmt: skip
            return
        leaving: list[NDArray] = []
        with self.lock:
            signals_in, dtype = array.data.shape[-1], array.data.dtype
            if (signals_in, dtype) != (self._signals_in, self._dtype):
                self._signals_in, self._dtype = signals_in, dtype
                self._allocate()
            if self.get("TS_ACQUIRE") and signals_in:
                leaving = self._add(np.atleast_2d(array.data))
            self.call_callbacks()
        self._hand_out(leaving)

    def _add(self, times: np.ndarray) -> list[NDArray]:
        """Add points; return the arrays to be emitted if the series is complete now."""
        leaving: list[NDArray] = []
        for values in times[:, : self.signals]:
            self._series.append(values)
            if self._series.is_full:
                self.set("TS_ACQUIRE", 0)
                leaving = self._publish()
                break
        self.set("TS_CURRENT_POINT", self._series.point)
        self.set("TS_ELAPSED_TIME", time.monotonic() - self._started)
        return leaving

    def _publish(self) -> list[NDArray]:
        """Show the series; return them as arrays, by the address that they are emitted to."""
        for address, values in enumerate(self._series.taken()):
            param = at_address("TS_TIME_SERIES", address)
            if param in self:
                self.set(param, values.astype(np.float64))
        if not self.get("ARRAY_CALLBACKS"):
            return []
        number, self._emitted = self._emitted, self._emitted + 1
        if not any(self.consumers(address) for address in range(self._series.signals + 1)):
            return []
        whole = self._series.whole()
        now = time.time() - EPICS_EPOCH
        seconds, nanoseconds = int(now), int(now % 1.0 * 1e9)
        return [
            NDArray(data, unique_id=number, time_stamp=now, ts_sec=seconds, ts_nsec=nanoseconds)
            for data in (*whole, whole)
        ]

    def _hand_out(self, arrays: list[NDArray]) -> None:
        for address, array in enumerate(arrays):
            for consumer in self.consumers(address):
                consumer(array)

    def _publish_on_command(self) -> None:
        # not handed out here: a client's write holds the lock that the plugins behind may need
        self._workers.put(partial(self._hand_out, self._publish()))

    # ---- settings

    @on_write("TS_ACQUIRE")
    def _acquire(self, value: int) -> None:
        if value:
            self._clear()
        else:
            self._publish_on_command()

    @on_write("TS_CONTROL")
    def _control(self, value: int) -> None:
        match value:
            case Control.ERASE_START:
                self.set("TS_ACQUIRE", 1)
                self._clear()
            case Control.START:
                self.set("TS_ACQUIRE", not self._series.is_full)
            case Control.STOP:
                self.set("TS_ACQUIRE", 0)
                self._publish_on_command()
            case Control.READ:
                self._publish_on_command()

    @on_write("TS_READ")
    def _read(self, _: int) -> None:
        if self.get("TS_ACQUIRE"):  # else its record is disabled
            self._publish_on_command()

    @on_write("TS_NUM_POINTS")
    def _resize(self, points: int) -> None:
        size = max(points, 1) * self.signals * self._dtype.itemsize
        if size > MOST_BYTES:
            message = (
                f"{self.name}: TS_NUM_POINTS {points} needs {size >> 20} MB; a simulated time "
                f"series has {MOST_BYTES >> 20} MB at most"
            )
            _log.error(message)
            raise PortError(message)
        self._allocate()

    @on_write("TS_ACQUIRE_MODE")
    def _change_mode(self, _: int) -> None:
        self._allocate()

    @on_write("TS_TIME_PER_POINT")
    def _change_time_per_point(self, _: float) -> None:
        self._compute_average()

    @on_write("TS_AVERAGING_TIME")
    def _change_averaging_time(self, seconds: float) -> None:
        self._requested_time = seconds
        self._compute_average()

    def _compute_average(self) -> None:
        """Average as many points as come closest to the requested time."""
        requested = self._requested_time
        if requested is None:
            requested = self.get("TS_AVERAGING_TIME")
        step, number = self.get("TS_TIME_PER_POINT"), 1
        if step:
            ratio = requested / step + 0.5
            number = int(min(max(ratio, 1.0), _MOST_AVERAGED)) if math.isfinite(ratio) else 1
            requested = step * number
        self._series.average_of = number
        self._series.restart_average()
        self.set("TS_AVERAGING_TIME", requested)
        self.set("TS_NUM_AVERAGE", number)
        self._show_times()

    # ---- buffer

    def _allocate(self) -> None:
        """Make the buffer anew for the present input, number of points and mode."""
        signals = min(self._signals_in or self.signals, self.signals)
        average_of = self._series.average_of
        self._series = Series(
            signals,
            max(self.get("TS_NUM_POINTS"), 1),
            self._dtype,
            circular=self.get("TS_ACQUIRE_MODE") == 1,
        )
        self._series.average_of = average_of
        self._show_times()
        self._clear()

    def _clear(self) -> None:
        self._series.clear()
        self._started = time.monotonic()
        self.set("TS_CURRENT_POINT", 0)

    def _show_times(self) -> None:
        points, step = max(self.get("TS_NUM_POINTS"), 1), self.get("TS_AVERAGING_TIME")
        circular = self.get("TS_ACQUIRE_MODE") == 1
        self.set("TS_TIME_AXIS", time_axis(points, step, MOST_TIMES, circular=circular))
