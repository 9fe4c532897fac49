"""NDPluginFFT: Fourier transforms of arrays."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import numpy as np

from adsupport.sim.arrays.spectrum import RunningAverage, Spectrum, axes, transform
from adsupport.sim.ndarray import EPICS_EPOCH, NDArray
from adsupport.sim.plugins.base import Plugin

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.source import ArraySource

_log = logging.getLogger(__name__)


class FFT(Plugin):
    """Transforms series of points and images; emits the absolute values, averaged, as float64.

    What it emits has unique ids of its own, which count from 0, and none of the input's
    attributes (rules of NDPluginFFT). ``FFTDirection`` has no effect, in ADCore neither.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    points : int
        Length of the waveforms; longer ones are cut.
    """

    tables = (*Plugin.tables, "NDFFT")

    def __init__(self, name: str, ports: dict[str, ArraySource], *, points: int = 1024) -> None:
        super().__init__(name, ports)
        self._points = points
        self._average = RunningAverage()
        self._axes: tuple[int, float] | None = None
        self._next_id = 0

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Link the time per point that other records may provide."""
        super().loaded(ioc, r)
        time_per_point = ioc.records[r + "FFTTimePerPoint"]
        ioc.records[r + "FFTTimePerPointLink"].on_process.append(time_per_point.put)

    def process(self, array: NDArray) -> None:
        """Transform an array of one or two dimensions and emit the absolute values."""
        self.begin(array)
        if array.data.ndim not in (1, 2) or not array.data.size:
            _log.error("%s: array %d has shape %s; 1 or 2 dimensions can be transformed",
                       self.name, array.unique_id, array.data.shape)  # fmt: skip
            return
        spectrum = transform(array.data, suppress_dc=bool(self.get("FFT_SUPPRESS_DC")))
        with self.lock:
            number, reset = self.get("FFT_NUM_AVERAGE"), bool(self.get("FFT_RESET_AVERAGE"))
            self.set("FFT_RESET_AVERAGE", 0)
        average = self._average.add(spectrum.absolute, number, reset=reset)
        output = NDArray(
            average,
            unique_id=self._next_id,
            time_stamp=time.time() - EPICS_EPOCH,
            ts_sec=array.ts_sec,
            ts_nsec=array.ts_nsec,
        )
        if self.get("ARRAY_CALLBACKS"):
            self._next_id += 1
        self.emit(output)
        self._show(spectrum, average)

    def _show(self, spectrum: Spectrum, average: np.ndarray) -> None:
        """Show the transform; of an image, its first row."""
        time_per_point = self.get("FFT_TIME_PER_POINT")
        number = spectrum.time_series.size
        with self.lock:
            self.set("FFT_NUM_AVERAGED", self._average.weight)
            if self._axes != (number, time_per_point):
                self._axes = number, time_per_point
                times, frequencies = axes(number, time_per_point)
                self.set("FFT_TIME_AXIS", times[: self._points])
                self.set("FFT_FREQ_AXIS", frequencies[: self._points])
            for param, values in (
                ("FFT_TIME_SERIES", spectrum.time_series),
                ("FFT_REAL", spectrum.real),
                ("FFT_IMAGINARY", spectrum.imaginary),
                ("FFT_ABS_VALUE", average if average.ndim == 1 else average[0]),
            ):
                self.set(param, values[: self._points])
            self.call_callbacks()
