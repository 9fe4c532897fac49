"""Which plugins of a detector take part in the account."""

from __future__ import annotations

from typing import Any

from ophyd import Device
from ophyd.areadetector.plugins import PluginBase

__all__ = ["is_enabled", "plugins_of"]


def is_enabled(value: Any) -> bool:
    """Tell whether a value of ``EnableCallbacks`` means enabled.

    Parameters
    ----------
    value : object
        Number or string.

    Returns
    -------
    bool
        False for ``Disable``, which as a string would count as true.
    """
    return str(value) in ("1", "Enable")


def plugins_of(detector: Device) -> list[Any]:
    """List the plugins of a detector.

    Parameters
    ----------
    detector : ophyd.areadetector.DetectorBase
        The detector.

    Returns
    -------
    list of ophyd.areadetector.plugins.PluginBase
        In the detector's order, those inside of others too.
    """
    return [device for _, device in detector.walk_subdevices() if isinstance(device, PluginBase)]
