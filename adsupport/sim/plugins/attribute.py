"""NDPluginAttribute: values of arrays' attributes, now and over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adsupport.sim.plugins.base import Part, Plugin
from adsupport.sim.plugins.series_control import add_series
from adsupport.sim.plugins.signals import emit_signals
from adsupport.sim.port import at_address, on_write

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.ndarray import NDArray

ATTRIBUTES = 8
"""Attributes that are followed, one by asyn address."""


class AttributePlugin(Plugin):
    """Shows the numbers that arrays carry as attributes, and adds them up.

    Names are those of attributes, in which case matters, or of four properties that every array
    has: ``NDArrayUniqueId``, ``NDArrayTimeStamp``, ``NDArrayEpicsTSSec`` and
    ``NDArrayEpicsTSnSec``. Arrays themselves are not passed on.
    """

    tables = (*Plugin.tables, "NDAttribute")
    parts = tuple(
        Part(f"{address + 1}:", ("NDAttributeN",), address) for address in range(ATTRIBUTES)
    )

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Add the port of the time series, which takes its points from address 1 of this one."""
        series = add_series(ioc, r, self, ATTRIBUTES)
        for part in self.parts:
            macros = {"NAME": "TSArrayValue"}
            ioc.load(("NDTimeSeriesN",), r + part.r, series, macros, address=part.address)

    def process(self, array: NDArray) -> None:
        """Show the attributes' values; one that the array has not keeps its last."""
        self.begin(array)
        with self.lock:
            for address in range(ATTRIBUTES):
                value = number_of(array, self.get(at_address("ATTR_ATTRNAME", address)))
                if value is None:
                    continue
                self.set(at_address("ATTR_VAL", address), value)
                total = at_address("ATTR_VAL_SUM", address)
                self.set(total, self.get(total) + value)
            values = [self.get(at_address("ATTR_VAL", address)) for address in range(ATTRIBUTES)]
            self.call_callbacks()
        emit_signals(self, values, array)

    @on_write("ATTR_RESET")
    def _reset(self, _: int) -> None:
        for address in range(ATTRIBUTES):
            self.set(at_address("ATTR_VAL", address), 0.0)
            self.set(at_address("ATTR_VAL_SUM", address), 0.0)


def number_of(array: NDArray, name: str) -> float | None:
    """Return an array's attribute or property as a number.

    Parameters
    ----------
    array : NDArray
        Has the attributes.
    name : str
        Name of an attribute, or of one of the properties of :class:`AttributePlugin`.

    Returns
    -------
    float or None
        None when there is no such attribute, or when it is text.
    """
    match name:
        case "NDArrayUniqueId":
            return float(array.unique_id)
        case "NDArrayTimeStamp":
            return array.time_stamp
        case "NDArrayEpicsTSSec":
            return float(array.ts_sec)
        case "NDArrayEpicsTSnSec":
            return float(array.ts_nsec)
    attribute = array.attribute(name) if name else None
    return None if attribute is None else attribute.number
