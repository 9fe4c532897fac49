"""What arrays a plugin has received, and what its source will deliver next."""

from __future__ import annotations

from typing import Any

from ophyd.areadetector import plugins
from ophyd.areadetector.cam import CamBase

from ..signals.reading import read_signals
from .kind import ArrayKind, array_mismatch
from .sources import camera_output, plugin_output

__all__ = [
    "ArrayKind",
    "array_mismatch",
    "delivered_array",
    "is_ready",
    "received_array",
    "source_of",
]

# ophyd's names of the axes differ between its classes; fastest axis first.
_AXES = (
    ("width", "height", "depth"),
    ("x", "y", "z"),
    ("array_size0", "array_size1", "array_size2"),
)


def received_array(plugin: Any) -> ArrayKind | None:
    """Tell the kind of the last array that reached a plugin.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.

    Returns
    -------
    ArrayKind or None
        None when no array has arrived since the IOC started.
    """
    found = read_signals(
        {
            **_size_signals(plugin),
            "n": plugin.ndimensions,
            "type": plugin.data_type,
            "color": plugin.color_mode,
        },
        texts=("type", "color"),
    )
    count = int(found["n"])
    dims = tuple(int(found[axis]) for axis in range(min(max(count, 0), 3)))
    if count == 0 or 0 in dims:
        return None
    return ArrayKind(dims, found["type"], found["color"])


def _size_signals(plugin: Any) -> dict[Any, Any]:
    """List the sizes of the arrays a plugin receives, fastest axis first."""
    # What ophyd's class for ROI calls array_size is what the plugin gives out.
    sizes = plugin.max_size if isinstance(plugin, plugins.ROIPlugin) else plugin.array_size
    names = next(names for names in _AXES if names[0] in sizes.component_names)
    return {axis: getattr(sizes, name) for axis, name in enumerate(names)}


def source_of(plugin: Any) -> Any:
    """Find the camera or plugin that a plugin takes its arrays from.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.

    Returns
    -------
    ophyd.areadetector.base.ADBase or None
        None when no part of the detector has that asyn port.
    """
    return plugin.ad_root.get_plugin_by_asyn_port(plugin.nd_array_port.get())


def delivered_array(plugin: Any) -> ArrayKind | None:
    """Tell what the next array that reaches a plugin will be, where that can be known.

    The settings of the camera and of every plugin between it and this one are read; nothing
    is taken from the arrays that have been before.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.

    Returns
    -------
    ArrayKind or None
        None when a plugin on the way makes arrays of its own kind (FFT), one isn't part of
        the detector, or the camera hasn't told its size yet.
    """
    return _output_of(source_of(plugin), [plugin])


def _output_of(source: Any, seen: list[Any]) -> ArrayKind | None:
    if isinstance(source, CamBase):
        return camera_output(source)
    if source is None or source in seen:
        return None
    received = _output_of(source_of(source), [*seen, source])
    return None if received is None else plugin_output(source, received)


def is_ready(plugin: Any) -> bool:
    """Tell whether the last array that a plugin received is like those that will come.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.

    Returns
    -------
    bool
        False when no array has arrived; what can't be known of the next one doesn't count.
    """
    received = received_array(plugin)
    return received is not None and not array_mismatch(received, delivered_array(plugin))
