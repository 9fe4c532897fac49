"""NDPluginROI: a region of the array, binned, reversed, scaled, in another data type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from adsupport.sim.arrays.axes import has_colors, image_axes
from adsupport.sim.arrays.color import with_color_mode
from adsupport.sim.arrays.extraction import collapse, extract, fit_unsigned
from adsupport.sim.arrays.window import Window
from adsupport.sim.ndarray import ColorMode, DataType, NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.region_links import link_display_limits

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.source import ArraySource

_AXES = (0, 1, 2)
"""x, y and z, as parameters count them."""


@dataclass(frozen=True, slots=True)
class _Settings:
    """What does not depend on the array's size.

    Attributes
    ----------
    dtype : numpy.dtype
        Type of the output.
    scale : float
        Divides the output; 1 for no scaling.
    collapses : bool
        Whether dimensions of size 1 are left out.
    """

    dtype: np.dtype
    scale: float
    collapses: bool


class ROI(Plugin):
    """Cuts a region out of arrays.

    What asks for too much is corrected when an array is processed: read-backs change then,
    set-points stay, and the next array is cut according to the set-points again; only a binning
    that was corrected stays so. X, Y and Z are columns, rows and colours of a colour image.
    """

    tables = (*Plugin.tables, "NDROI")

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._asked: dict[str, int] = {}

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Let set-points show the input's size as their upper display limit."""
        for axis in "XY":
            link_display_limits(
                ioc.records[f"{r}MaxSize{axis}_RBV"],
                (ioc.records[f"{r}Max{axis}"], ioc.records[f"{r}Set{axis}HOPR"]),
                (ioc.records[f"{r}Min{axis}"], ioc.records[f"{r}Size{axis}"]),
            )

    def start(self) -> None:
        """Remember the region that set-points ask for, and start."""
        for axis in _AXES:
            for what in ("MIN", "SIZE"):
                self._asked[f"DIM{axis}_{what}"] = self.get(f"DIM{axis}_{what}")
        super().start()

    def written(self, param: str, value: Any) -> None:
        """Act on a parameter that a client has just written."""
        if param in self._asked:
            self._asked[param] = value
        super().written(param, value)

    def process(self, array: NDArray) -> None:
        """Cut the region out, show its size, and pass it on."""
        self.begin(array)
        if not array.data.size:
            self.emit(array)
            return
        order = _dims_of_axes(array)
        with self.lock:
            windows = [Window(0, dim.size) for dim in array.dims]
            for axis in _AXES:
                limit = array.dims[order[axis]].size if axis < len(order) else 0
                self.set(f"DIM{axis}_MAX_SIZE", limit)
                if limit:
                    windows[order[axis]] = self._fit(axis, limit)
            number = self.get("ROI_DATA_TYPE")
            settings = _Settings(
                dtype=(DataType(number) if number < len(DataType) else array.data_type).dtype,
                scale=(self.get("SCALE_VALUE") if self.get("ENABLE_SCALE") else 1.0) or 1.0,
                collapses=bool(self.get("COLLAPSE_DIMS")),
            )
            self.call_callbacks()
        region = _cut(array, windows, settings)
        with self.lock:
            sizes = region.info
            self.set("ARRAY_SIZE_X", sizes.x_size)
            self.set("ARRAY_SIZE_Y", sizes.y_size)
            self.set("ARRAY_SIZE_Z", sizes.color_size)
            self.call_callbacks()
        self.emit(region)

    def _fit(self, axis: int, limit: int) -> Window:
        """Return the region along an axis, and correct the parameters that ask for too much."""
        # not only an enabled axis is reversed
        reverse = bool(self.get(f"DIM{axis}_REVERSE"))
        if not self.get(f"DIM{axis}_ENABLE"):
            return Window(0, limit, reverse=reverse)
        window = fit_unsigned(
            self._asked[f"DIM{axis}_MIN"],
            limit if self.get(f"DIM{axis}_AUTO_SIZE") else self._asked[f"DIM{axis}_SIZE"],
            limit,
            self.get(f"DIM{axis}_BIN"),
        )
        self.set(f"DIM{axis}_MIN", window.start)
        self.set(f"DIM{axis}_SIZE", window.size)
        self.set(f"DIM{axis}_BIN", window.binning)
        return replace(window, reverse=reverse)


def _dims_of_axes(array: NDArray) -> tuple[int, ...]:
    """Return the positions of x, y and z among an array's dimensions, as many as it has."""
    count = len(array.dims)
    if count != len(_AXES):
        return _AXES[:count]
    y, x, z = image_axes(array)
    return tuple(count - 1 - axis for axis in (x, y, z) if axis is not None)


def _cut(array: NDArray, windows: list[Window], settings: _Settings) -> NDArray:
    """Return the region of an array; an array of one colour becomes a gray one."""
    if settings.scale == 1:
        data, dims = extract(array.data, array.dims, settings.dtype, windows)
    else:
        # through floats, lest a sum of bins wraps around before it is divided
        data, dims = extract(array.data, array.dims, np.dtype(np.float64), windows)
        whole = [Window(0, dim.size) for dim in dims]
        with np.errstate(all="ignore"):
            data, dims = extract(data / settings.scale, dims, settings.dtype, whole)
    mode, attributes, collapses = array.color_mode, array.attributes, settings.collapses
    if has_colors(array):
        colors = dims[_dims_of_axes(array)[2]].size
        if colors != 3:
            mode, attributes = ColorMode.MONO, with_color_mode(attributes, ColorMode.MONO)
        collapses = collapses or colors == 1
    if collapses:
        dims = collapse(dims)
        data = data.reshape([dim.size for dim in reversed(dims)])
    return replace(array, data=data, dims=dims, color_mode=mode, attributes=attributes)
