"""NDPluginColorConvert: colour modes."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from adsupport.sim.arrays.axes import COLOR_AXES, has_colors, image_axes
from adsupport.sim.arrays.color import (
    BayerPattern,
    FalseColor,
    demosaic,
    mean_of_colors,
    paint,
    place_colors,
    spread_gray,
    with_color_mode,
)
from adsupport.sim.ndarray import ColorMode, Dimension
from adsupport.sim.plugins.base import Plugin

if TYPE_CHECKING:
    from adsupport.sim.ndarray import NDArray

_log = logging.getLogger(__name__)

_RGB = (ColorMode.RGB1, ColorMode.RGB2, ColorMode.RGB3)


class ColorConvert(Plugin):
    """Converts between gray, Bayer and the three layouts of colour images.

    Whatever else is asked for, YUV modes among them, passes unchanged. False colours are for
    gray images of 8 bits.
    """

    tables = (*Plugin.tables, "NDColorConvert")

    def process(self, array: NDArray) -> None:
        """Convert an array and pass it on."""
        self.begin(array)
        mode = ColorMode(self.get("COLOR_MODE_OUT"))
        data = self._convert(array, mode, FalseColor(self.get("FALSE_COLOR")))
        if data is None:
            self.emit(array)
            return
        data.flags.writeable = False
        last = len(array.dims) - 1
        dims_in = [array.dims[last - axis] for axis in image_axes(array) if axis is not None]
        # in the order of COLOR_AXES: rows, columns, colours
        rows_columns_colors = (*dims_in, Dimension(3))
        axes = COLOR_AXES[mode]
        dims = tuple(rows_columns_colors[axes.index(axis)] for axis in reversed(range(data.ndim)))
        attributes = with_color_mode(array.attributes, mode)
        self.emit(replace(array, data=data, dims=dims, color_mode=mode, attributes=attributes))

    def _convert(self, array: NDArray, mode: ColorMode, colors: FalseColor) -> np.ndarray | None:
        """Return an array's pixels in another colour mode; None when they stay as they are."""
        data = array.data
        if has_colors(array):
            color_axis = COLOR_AXES[array.color_mode][2]
            if color_axis is None or data.shape[color_axis] != 3 or mode is array.color_mode:
                return None
            if mode is ColorMode.MONO:
                return mean_of_colors(data, color_axis)
            return place_colors(data, color_axis, mode) if mode in _RGB else None
        if data.ndim != 2 or mode not in _RGB:
            return None
        if array.color_mode is ColorMode.MONO:
            if colors is not FalseColor.NONE and data.dtype.itemsize == 1:
                return place_colors(paint(data, colors), 2, mode)
            return spread_gray(data, mode)
        if array.color_mode is ColorMode.BAYER:
            return self._demosaic(array, mode)
        return None

    def _demosaic(self, array: NDArray, mode: ColorMode) -> np.ndarray | None:
        if array.data.dtype.kind not in "iu" or array.data.dtype.itemsize > 2:
            _log.error("%s: Bayer images of type %s cannot be converted, array %d passes as it is",
                       self.name, array.data.dtype, array.unique_id)  # fmt: skip
            return None
        said = array.attribute("BayerPattern")
        number = said.value if said is not None else 0
        known = isinstance(number, (int, np.integer)) and 0 <= number < len(BayerPattern)
        pattern = BayerPattern(int(number)) if known else BayerPattern.RGGB
        x, y = array.dims
        return place_colors(demosaic(array.data, pattern, (y.offset, x.offset)), 2, mode)
