"""NDPluginStats: statistics, centroid, profiles and histogram of arrays."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from adsupport.sim.arrays.centroid import Centroid, centroid
from adsupport.sim.arrays.histogram import bin_values, histogram
from adsupport.sim.arrays.profiles import Sums, cuts, sums
from adsupport.sim.arrays.statistics import statistics
from adsupport.sim.forwarding import forward, zero
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.series_control import add_series
from adsupport.sim.plugins.signals import emit_signals
from adsupport.sim.port import on_write
from adsupport.sim.region_links import link_display_limits

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.ndarray import NDArray

SERIES = (
    "MinValue", "MinX", "MinY", "MaxValue", "MaxX", "MaxY", "MeanValue", "Sigma", "Total", "Net",
    "CentroidTotal", "CentroidX", "CentroidY", "SigmaX", "SigmaY", "SigmaXY", "SkewX", "SkewY",
    "KurtosisX", "KurtosisY", "Eccentricity", "Orientation", "Timestamp",
)  # fmt: skip
"""What becomes a time series, by its asyn address there; the records are named ``TSMinValue``..."""

STATISTICS = ("MIN_VALUE", "MIN_X", "MIN_Y", "MAX_VALUE", "MAX_X", "MAX_Y", "MEAN_VALUE",
              "SIGMA_VALUE", "TOTAL", "NET")  # fmt: skip
"""Parameters of the statistics, in the order of the series."""

CENTROID = ("CENTROID_TOTAL", "CENTROIDX_VALUE", "CENTROIDY_VALUE", "SIGMAX_VALUE",
            "SIGMAY_VALUE", "SIGMAXY_VALUE", "SKEWX_VALUE", "SKEWY_VALUE", "KURTOSISX_VALUE",
            "KURTOSISY_VALUE", "ECCENTRICITY_VALUE", "ORIENTATION_VALUE")  # fmt: skip
"""Parameters of the centroid, in the order of the series and of :class:`Centroid`."""

RESETS = {
    "Reset": ("MinValue", "MinX", "MinY", "MaxValue", "MaxX", "MaxY", "MeanValue", "SigmaValue",
              "Total", "Net"),
    "Reset1": ("CentroidTotal", "CentroidX", "CentroidY", "SigmaX", "SigmaY", "SigmaXY", "SkewX",
               "SkewY", "KurtosisX", "KurtosisY"),
    "Reset2": ("Eccentricity", "Orientation", "HistEntropy", "HistBelow", "HistAbove"),
}  # fmt: skip
"""Records that each sequence sets to 0."""

MOST_BINS = 65_536
"""Bins that are given to the histogram's records, which hold fewer."""


class Stats(Plugin):
    """Computes what its switches ask for; arrays are passed on as they are.

    Values of what is switched off stay as they are. Centroid and profiles are those of arrays
    with one or two dimensions; of others they are 0.
    """

    tables = (*Plugin.tables, "NDStats")

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Link the records, and add the port of the time series, which listens to address 1."""
        for name, targets in RESETS.items():
            zero(ioc.records[r + name], [ioc.records[r + target] for target in targets])
        forward(ioc.records[f"{r}Reset"], ioc.records[f"{r}Reset1"])
        forward(ioc.records[f"{r}Reset1"], ioc.records[f"{r}Reset2"])
        for axis, size in (("X", "ArraySize0_RBV"), ("Y", "ArraySize1_RBV")):
            if f"{r}ProcessPlugin" in ioc.records:
                forward(ioc.records[f"{r}Cursor{axis}"], ioc.records[f"{r}ProcessPlugin"], 1)
            link_display_limits(
                ioc.records[r + size],
                (ioc.records[f"{r}MaxSize{axis}"], ioc.records[f"{r}Set{axis}HOPR"]),
                (ioc.records[f"{r}Cursor{axis}"],),
            )
        series = add_series(ioc, r, self, len(SERIES))
        for address, name in enumerate(SERIES):
            ioc.load(("NDTimeSeriesN",), r, series, {"NAME": f"TS{name}"}, address=address)

    def process(self, array: NDArray) -> None:
        """Compute, show the results, and pass them and the array on."""
        self.begin(array)
        results: dict[str, Any] = {}
        if self.get("COMPUTE_STATISTICS"):
            results |= self._statistics(array)
        image = _image(array.data)
        if image is None:
            results |= self._without_image(array)
        else:
            results |= self._shapes(image)
        if self.get("COMPUTE_HISTOGRAM"):
            results |= self._histogram(array)
        signals = [results.get(param, 0.0) for param in (*STATISTICS, *CENTROID)]
        emit_signals(self, [*signals, array.time_stamp], array)
        with self.lock:
            for param, value in results.items():
                self.set(param, value)
            self.call_callbacks()
        self.emit(array)

    def _statistics(self, array: NDArray) -> dict[str, Any]:
        found = statistics(array.data, self.get("BGD_WIDTH"))
        columns = max(array.info.x_size, 1)
        min_y, min_x = divmod(found.minimum_at, columns)
        max_y, max_x = divmod(found.maximum_at, columns)
        values = (found.minimum, min_x, min_y, found.maximum, max_x, max_y, found.mean,
                  found.sigma, found.total, found.net)  # fmt: skip
        return dict(zip(STATISTICS, values, strict=True))

    def _shapes(self, image: np.ndarray) -> dict[str, Any]:
        """Return centroid and profiles, as far as they are switched on."""
        with_centroid = self.get("COMPUTE_CENTROID")
        with_profiles = self.get("COMPUTE_PROFILES")
        results = _sizes(image.shape) if with_centroid or with_profiles else {}
        added, found = None, Centroid()
        if with_centroid:
            added = sums(image, self.get("CENTROID_THRESHOLD"))
            found = centroid(added)
            results |= zip(CENTROID, dataclasses.astuple(found), strict=True)
        if with_profiles:
            results |= self._profiles(image, added, found)
        return results

    def _profiles(self, image: np.ndarray, added: Sums | None, found: Centroid) -> dict[str, Any]:
        height, width = image.shape
        nothing = np.zeros(width), np.zeros(height)  # only the centroid adds them up
        average_x, average_y = nothing if added is None else added.means
        above_x, above_y = nothing if added is None else added.means_above
        centre = _within(found.x + 0.5, width), _within(found.y + 0.5, height)
        # a cursor below 0 becomes the last pixel: the plugin takes it as an unsigned number
        cursor_x, cursor_y = (
            size - 1 if place < 0 else min(place, size - 1)
            for place, size in ((self.get("CURSOR_X"), width), (self.get("CURSOR_Y"), height))
        )
        centroid_x, centroid_y = cuts(image, *centre)
        at_cursor_x, at_cursor_y = cuts(image, cursor_x, cursor_y)
        return {
            "PROFILE_AVERAGE_X": average_x,
            "PROFILE_AVERAGE_Y": average_y,
            "PROFILE_THRESHOLD_X": above_x,
            "PROFILE_THRESHOLD_Y": above_y,
            "PROFILE_CENTROID_X": centroid_x,
            "PROFILE_CENTROID_Y": centroid_y,
            "PROFILE_CURSOR_X": at_cursor_x,
            "PROFILE_CURSOR_Y": at_cursor_y,
            "CURSOR_VAL": at_cursor_x[cursor_x],
        }

    def _without_image(self, array: NDArray) -> dict[str, Any]:
        """Return the zeros that the plugin shows for arrays that are no images."""
        results: dict[str, Any] = {}
        sizes = [dim.size for dim in array.dims] + [1, 1]
        if self.get("COMPUTE_CENTROID"):
            results |= _sizes((sizes[1], sizes[0])) | dict.fromkeys(CENTROID, 0.0)
        if self.get("COMPUTE_PROFILES"):
            results |= _sizes((sizes[1], sizes[0])) | {"CURSOR_VAL": 0.0}
            for kind in ("AVERAGE", "THRESHOLD", "CENTROID", "CURSOR"):
                for axis, size in zip("XY", sizes, strict=False):
                    results[f"PROFILE_{kind}_{axis}"] = np.zeros(size)
        return results

    def _histogram(self, array: NDArray) -> dict[str, Any]:
        with self.lock:
            limits = self.get("HIST_SIZE"), self.get("HIST_MIN"), self.get("HIST_MAX")
        found = histogram(array.data, *limits, MOST_BINS)
        return {
            "HIST_ENTROPY": found.entropy,
            "HIST_BELOW": found.below,
            "HIST_ABOVE": found.above,
            "HIST_ARRAY": found.counts,
        }

    @on_write("HIST_SIZE", "HIST_MIN", "HIST_MAX")
    def _show_bins(self, _: float) -> None:
        limits = self.get("HIST_SIZE"), self.get("HIST_MIN"), self.get("HIST_MAX")
        self.set("HIST_X_ARRAY", bin_values(*limits, MOST_BINS))


def _image(data: np.ndarray) -> np.ndarray | None:
    """Return an array as ``[y, x]``, or None when it has more dimensions or no pixels."""
    if not data.size or data.ndim > 2:
        return None
    return np.atleast_2d(data)


def _sizes(shape: tuple[int, ...]) -> dict[str, Any]:
    return {"PROFILE_SIZE_X": shape[1], "PROFILE_SIZE_Y": shape[0]}


def _within(position: float, size: int) -> int:
    """Return the pixel at a position, the nearest one when that is outside."""
    return int(min(max(position, 0.0), size - 1)) if position == position else 0
