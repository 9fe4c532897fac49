"""NDPluginStdArrays: the newest image as a waveform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adsupport.sim.plugins.base import Plugin
from adsupport.sim.source import ArraySource

if TYPE_CHECKING:
    from adsupport.sim.ndarray import NDArray


class StdArrays(Plugin):
    """Serves the image in the waveform's type, cast and cut as the waveform demands.

    Of a compressed image it serves the codec's bytes, for a viewer to decompress.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    dtype : numpy.dtype
        Element type of the waveform; wider pixels are cast to it.
    elements : int
        Length of the waveform; longer images are cut.
    """

    tables = (*Plugin.tables, "NDStdArrays")
    takes_compressed = True

    def __init__(
        self,
        name: str,
        ports: dict[str, ArraySource],
        *,
        dtype: np.dtype | type = np.uint8,
        elements: int = 12_000_000,
    ) -> None:
        super().__init__(name, ports)
        self._dtype = np.dtype(dtype)
        self._elements = elements

    def process(self, array: NDArray) -> None:
        """Post the image's pixels, first axis fastest."""
        self.begin(array)
        pixels = np.ascontiguousarray(array.data).reshape(-1)[: self._elements]
        if array.is_compressed:
            whole = len(pixels) - len(pixels) % self._dtype.itemsize
            pixels = pixels[:whole].view(self._dtype)
        elif pixels.dtype.itemsize == 1 and self._dtype.itemsize == 1:
            pixels = pixels.view(self._dtype)
        elif pixels.dtype != self._dtype:
            # through int64: a float that does not fit must wrap, not saturate
            if pixels.dtype.kind == "f":
                pixels = pixels.astype(np.int64)
            pixels = pixels.astype(self._dtype)
        with self.lock:
            self.set("STD_ARRAY_DATA", pixels)
            self.call_callbacks()
