"""NDPluginBadPixel: pixels that are replaced."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from adsupport.sim.arrays.axes import image_axes
from adsupport.sim.arrays.bad_pixels import BadPixelMap, Defect
from adsupport.sim.files.bad_pixels import BadPixelFileError, read_bad_pixels
from adsupport.sim.ndarray import Dimension
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.port import PortError, on_write

if TYPE_CHECKING:
    from adsupport.sim.ndarray import NDArray
    from adsupport.sim.source import ArraySource

_log = logging.getLogger(__name__)

_Key = tuple[tuple[Defect, ...], Dimension, Dimension]


class BadPixel(Plugin):
    """Replaces the pixels that a file names; see :mod:`adsupport.sim.files.bad_pixels`.

    A file that cannot be read is reported on the console and by the alarm of ``FileName``; the
    list in use stays, or what could be read of the new one when an entry of it is malformed.
    """

    tables = (*Plugin.tables, "NDBadPixel")

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._pixels: tuple[Defect, ...] = ()
        self._map: tuple[_Key, BadPixelMap] | None = None

    @on_write("BAD_PIXEL_FILE_NAME")
    def _read(self, path: str) -> None:
        if not path:
            return
        try:
            self._pixels = read_bad_pixels(path)
        except BadPixelFileError as error:
            _log.error("%s: bad pixels: %s", self.name, error)
            if error.pixels is not None:
                self._pixels = error.pixels
            raise PortError(f"{self.name}: {error}") from error

    def process(self, array: NDArray) -> None:
        """Replace bad pixels in a copy of an array and pass it on."""
        self.begin(array)
        pixels = self._pixels
        if not pixels:
            self.emit(array)
            return
        data = self._placed(pixels, array).repair(array.data)
        data.flags.writeable = False
        self.emit(replace(array, data=data))

    def _placed(self, pixels: tuple[Defect, ...], array: NDArray) -> BadPixelMap:
        """Return the list's places in arrays such as this one."""
        if len(array.dims) == 1:
            x, y = array.dims[0], Dimension(1)
        else:
            y_axis, x_axis, _ = image_axes(array)
            last = len(array.dims) - 1
            x, y = array.dims[last - x_axis], array.dims[last - y_axis]
        key = pixels, x, y
        if self._map is None or self._map[0] != key:
            try:
                placed = BadPixelMap(*key)
            except ValueError as error:
                _log.error("%s: bad pixels are left as they are: %s", self.name, error)
                placed = BadPixelMap((), x, y)
            self._map = key, placed
        return self._map[1]
