"""Devices that read all they are asked for in one round trip to their IOC, not one a signal."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from ophyd import Device, Kind, Signal
from ophyd.areadetector.plugins import PluginBase
from ophyd.signal import EpicsSignalBase

from .signal_io import read_with_times

__all__ = ["ReadsAtOnce"]


class ReadsAtOnce(Device):
    """Mixin: readings and configuration as ophyd's devices give them, but together."""

    def read(self) -> OrderedDict[str, dict[str, Any]]:
        """Read what belongs into the events.

        Returns
        -------
        dict
            ``value`` and ``timestamp`` by name.
        """
        return _together(self, Kind.normal, "read")

    def read_configuration(self) -> OrderedDict[str, dict[str, Any]]:
        """Read what belongs into the configuration; a plugin adds that of its source.

        Returns
        -------
        dict
            ``value`` and ``timestamp`` by name.
        """
        readings = _together(self, Kind.config, "read_configuration")
        source: Any = self.source_plugin if isinstance(self, PluginBase) else None
        if source is not None:
            readings.update(source.read_configuration())
        return readings


def _together(device: Any, kind: Kind, method: str) -> OrderedDict[str, dict[str, Any]]:
    parts = [part for part in _parts(device) if part.kind & kind]
    found = read_with_times({part.name: part for part in parts if _is_plain(part)})
    readings: OrderedDict[str, dict[str, Any]] = OrderedDict()
    for part in parts:
        if part.name in found:
            readings[part.name] = found[part.name]
        else:
            readings.update(getattr(part, method)())
    return readings


def _parts(device: Any) -> Iterable[Any]:
    return (getattr(device, name) for name in device.component_names)


def _is_plain(part: Any) -> bool:
    """Tell whether a part's reading is the value of its process variable and nothing more."""
    cls = type(part)
    return (
        issubclass(cls, EpicsSignalBase)
        and cls.read is Signal.read
        and cls.read_configuration is Signal.read_configuration
        and cls.get is EpicsSignalBase.get
    )
