"""Devices that read all they are asked for in one round trip to their IOC, not one a signal."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from ophyd import Device, Kind, Signal
from ophyd.areadetector.plugins import PluginBase
from ophyd.device import Staged
from ophyd.signal import EpicsSignalBase

from .reading import read_with_times

__all__ = ["ReadsAtOnce"]


# Names in ophyd's order; the signals that are read together, and what reads itself, by name.
Found = tuple[list[str], dict[str, Any], dict[str, Any]]


class ReadsAtOnce(Device):
    """Mixin: readings and configuration as ophyd's devices give them, but together.

    What belongs to the readings is looked up once a run, with its descriptor, while the device is
    staged.
    """

    _reading: Found | None = None

    def stage(self) -> list[object]:
        """Stage the device; its readings are looked up anew.

        Returns
        -------
        list
            The devices staged.
        """
        self._reading = None
        return super().stage()

    def describe(self) -> Any:
        """Describe what :meth:`read` returns; a run does so once, and it's looked up anew.

        Returns
        -------
        dict
            Data keys by name.
        """
        self._reading = None
        return super().describe()

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
        return _together(self, Kind.config, "read_configuration")


def _together(device: Any, kind: Kind, method: str) -> OrderedDict[str, dict[str, Any]]:
    staged = device._staged is Staged.yes  # noqa: SLF001
    found_before = device._reading if staged and kind is Kind.normal else None  # noqa: SLF001
    order, plain, others = found_before or _find(device, kind, method)
    if kind is Kind.normal:
        device._reading = order, plain, others  # noqa: SLF001
    found = read_with_times(plain) if plain else {}
    readings: OrderedDict[str, dict[str, Any]] = OrderedDict()
    for name in order:
        if name in found:
            readings[name] = found[name]
        else:
            readings.update(getattr(others[name], method)())
    return readings


def _find(device: Any, kind: Kind, method: str) -> Found:
    plain: dict[str, Any] = {}
    others: dict[str, Any] = {}
    order = list(_leaves(device, kind, method, plain, others))
    return order, plain, others


def _leaves(
    device: Any, kind: Kind, method: str, plain: dict[str, Any], others: dict[str, Any]
) -> Iterator[str]:
    """Name what is to be read, in ophyd's order, and sort it by how that is done."""
    for attr in device.component_names:
        part = getattr(device, attr)
        if not part.kind & kind:
            continue
        if getattr(type(part), method) is getattr(ReadsAtOnce, method):
            yield from _leaves(part, kind, method, plain, others)
        else:
            (plain if _is_plain(part) else others)[part.name] = part
            yield part.name
    if kind is Kind.config and isinstance(device, PluginBase):
        source: Any = device.source_plugin
        # often the camera, which is a part of the detector and has been named before
        if source is not None and not _named_already(source, plain):
            others[source.name] = source
            yield source.name


def _named_already(device: Any, plain: dict[str, Any]) -> bool:
    """Tell whether all of a device's configuration is among what will be read."""
    parts = [getattr(device, attr) for attr in device.component_names]
    return all(part.name in plain for part in parts if part.kind & Kind.config)


def _is_plain(part: Any) -> bool:
    """Tell whether a part's reading is the value of its process variable and nothing more."""
    cls = type(part)
    return (
        issubclass(cls, EpicsSignalBase)
        and cls.read is Signal.read
        and cls.read_configuration is Signal.read_configuration
        and cls.get is EpicsSignalBase.get
    )
