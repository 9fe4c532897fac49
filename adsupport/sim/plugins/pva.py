"""NDPluginPva: the newest image for pvAccess clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adsupport.sim.plugins.base import Plugin
from adsupport.sim.pva.server import ImageChannel, pva_server

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.ndarray import NDArray
    from adsupport.sim.source import ArraySource


class PvaPlugin(Plugin):
    """Serves arrays as an NTNDArray under the name that ``PvName_RBV`` shows.

    Compressed arrays are served as they are, for the viewer to decompress. Without p4p the
    plugin counts arrays alone.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    """

    tables = (*Plugin.tables, "NDPva")
    takes_compressed = True

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._channel: ImageChannel | None = None

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Have the image served when the IOC starts."""
        super().loaded(ioc, r)
        self._channel = ImageChannel(self.get("PV_NAME"))
        pva_server(ioc).channels.append(self._channel)

    def process(self, array: NDArray) -> None:
        """Serve the array, unless that exceeds MaxByteRate; it is not passed on."""
        with self.lock:
            if self._is_throttled(array.data.nbytes):
                # described but not counted: it has not been served
                self.set("DROPPED_OUTPUT_ARRAYS", self.get("DROPPED_OUTPUT_ARRAYS") + 1)
                self.show(array)
                self.call_callbacks()
                return
        self.begin(array)
        if self._channel is not None:
            self._channel.post(array)
