"""NDPluginTransform: rotations and reflections."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from adsupport.sim.arrays.axes import image_axes
from adsupport.sim.arrays.orientation import Orientation, orient
from adsupport.sim.plugins.base import Plugin

if TYPE_CHECKING:
    from adsupport.sim.ndarray import NDArray

_log = logging.getLogger(__name__)


class Transform(Plugin):
    """Turns and mirrors images; arrays of one or of more than three dimensions pass unchanged.

    The sizes of columns and rows change places with a quarter turn. Offsets, binnings and
    reversals do not: they stay with the dimension where they were, as in ADCore.
    """

    tables = (*Plugin.tables, "NDTransform")

    def process(self, array: NDArray) -> None:
        """Turn an image and pass it on."""
        self.begin(array)
        self.emit(self._turned(array, Orientation(self.get("TRANSFORM_TYPE"))))

    def _turned(self, array: NDArray, orientation: Orientation) -> NDArray:
        if orientation is Orientation.NONE:
            return array
        if len(array.dims) not in (2, 3):
            _log.error("%s: only images of two or three dimensions can be turned, not array %d "
                       "of %d", self.name, array.unique_id, len(array.dims))  # fmt: skip
            return array
        y, x, _ = image_axes(array)
        data = orient(array.data, orientation, y, x)
        data.flags.writeable = False
        dims = tuple(
            replace(dim, size=size)
            for dim, size in zip(array.dims, reversed(data.shape), strict=True)
        )
        return replace(array, data=data, dims=dims)
