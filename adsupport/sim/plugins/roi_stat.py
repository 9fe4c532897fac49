"""NDPluginROIStat: statistics of several regions."""

from __future__ import annotations

import dataclasses
import logging
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from adsupport.sim.arrays.extraction import fit_unsigned
from adsupport.sim.arrays.region import RegionStatistics, region_statistics
from adsupport.sim.forwarding import GatedScan, forward
from adsupport.sim.plugins.base import Part, Plugin
from adsupport.sim.port import at_address, on_write

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.ndarray import NDArray
    from adsupport.sim.source import ArraySource

REGIONS = 8
"""Regions, one by asyn address."""

POINTS = 2048
"""Points of a series until TSNumPoints is written."""

VALUES = ("ROISTAT_MIN_VALUE", "ROISTAT_MAX_VALUE", "ROISTAT_MEAN_VALUE", "ROISTAT_TOTAL",
          "ROISTAT_NET")  # fmt: skip
"""Parameters of a region's statistics, in the order of :class:`RegionStatistics`."""

SERIES = ("ROISTAT_TS_MIN_VALUE", "ROISTAT_TS_MAX_VALUE", "ROISTAT_TS_MEAN_VALUE",
          "ROISTAT_TS_TOTAL", "ROISTAT_TS_NET", "ROISTAT_TS_TIMESTAMP")  # fmt: skip
"""Parameters of a region's time series: those of the statistics, and the arrays' time stamps."""

_AXES = ("ROISTAT_DIM0", "ROISTAT_DIM1")

_log = logging.getLogger(__name__)


class Control(IntEnum):
    """Values of parameter ``ROISTAT_TS_CONTROL``."""

    ERASE_START = 0
    START = 1
    STOP = 2
    READ = 3
    ERASE = 4


class ROIStat(Plugin):
    """Computes statistics of the regions in use; arrays are passed on as they are.

    Regions are those of arrays with one or two dimensions; others are an error.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    """

    tables = (*Plugin.tables, "NDROIStat")
    parts = tuple(Part(f"{address + 1}:", ("NDROIStatN",), address) for address in range(REGIONS))

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._series = np.zeros((REGIONS, len(SERIES), POINTS))
        self._point = 0

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Read the series at TSRead's rate while they are acquired."""
        read, control = ioc.records[f"{r}TSRead"], ioc.records[f"{r}TSControl"]
        acquiring = ioc.records[f"{r}TSAcquiring"]
        GatedScan(ioc, read, acquiring, lambda: control.put(read.channel.value))
        forward(read, control)

    # ---- arrays

    def process(self, array: NDArray) -> None:
        """Compute the statistics of each region in use."""
        self.begin(array)
        data = array.data
        if data.ndim not in (1, 2) or not data.size:
            _log.error("%s: array %d has the shape %s; its regions can't be computed",
                       self.name, array.unique_id, data.shape)  # fmt: skip
            return
        with self.lock:
            used = [
                address
                for address in range(REGIONS)
                if self.get(at_address("ROISTAT_USE", address))
            ]
            chosen = {address: self._choose(address, data.shape) for address in used}
            borders = {
                address: self.get(at_address("ROISTAT_BGD_WIDTH", address)) for address in used
            }
            self.call_callbacks()
        found = {
            address: region_statistics(data[chosen[address]], borders[address]) for address in used
        }
        with self.lock:
            for address, statistics in found.items():
                self._show(address, statistics)
            if self.get("ROISTAT_TS_ACQUIRING"):
                self._add(found, array.time_stamp)
            self.call_callbacks()
        self.emit(array)

    def _choose(self, address: int, shape: tuple[int, ...]) -> tuple[slice, ...]:
        """Return where a region is in an array, and show it as cut to the array."""
        spans: list[slice] = []
        for axis, (name, length) in enumerate(zip(_AXES, (*reversed(shape), 0), strict=False)):
            self.set(at_address(f"{name}_MAX_SIZE", address), length)
            if axis >= len(shape):
                break
            first, size = at_address(f"{name}_MIN", address), at_address(f"{name}_SIZE", address)
            window = fit_unsigned(self.get(first), self.get(size), length)
            self.set(first, window.start)
            self.set(size, window.size)
            spans.insert(0, slice(window.start, window.start + window.size))
        return tuple(spans)

    def _show(self, address: int, found: RegionStatistics) -> None:
        for param, value in zip(VALUES, dataclasses.astuple(found), strict=True):
            self.set(at_address(param, address), value)

    # ---- time series

    def _add(self, found: dict[int, RegionStatistics], time_stamp: float) -> None:
        points = self._series.shape[-1]
        if self._point < points:
            for address, statistics in found.items():
                values = (*dataclasses.astuple(statistics), time_stamp)
                self._series[address, :, self._point] = values
            self._point += 1
            self.set("ROISTAT_TS_CURRENT_POINT", self._point)
        if self._point >= points:
            self.set("ROISTAT_TS_ACQUIRING", 0)
            self._publish()

    def _publish(self) -> None:
        for address in range(REGIONS):
            for param, values in zip(SERIES, self._series[address], strict=True):
                self.set(at_address(param, address), values[: self._point].copy())

    def _erase(self) -> None:
        self._point = 0
        self.set("ROISTAT_TS_CURRENT_POINT", 0)
        self._series[...] = 0.0

    @on_write("ROISTAT_TS_CONTROL")
    def _control(self, value: int) -> None:
        match value:
            case Control.ERASE_START:
                self._erase()
                self.set("ROISTAT_TS_ACQUIRING", 1)
            case Control.START:
                if self._point < self._series.shape[-1]:
                    self.set("ROISTAT_TS_ACQUIRING", 1)
            case Control.STOP:
                self.set("ROISTAT_TS_ACQUIRING", 0)
                self._publish()
            case Control.READ:
                self._publish()
            case Control.ERASE:
                self._erase()
                self._publish()

    @on_write("ROISTAT_TS_NUM_POINTS")
    def _resize(self, points: int) -> None:
        self._series = np.zeros((REGIONS, len(SERIES), max(points, 0)))
        self._point = min(self._point, self._series.shape[-1])

    # ---- reset

    @on_write("ROISTAT_RESET", each_address=True)
    def _reset(self, _: int, address: int) -> None:
        self._show(address, RegionStatistics(0.0, 0.0, 0.0, 0.0, 0.0))

    @on_write("ROISTAT_RESETALL")
    def _reset_all(self, _: int) -> None:
        for address in range(REGIONS):
            self._reset(0, address)
