"""What arrays a plugin has received, and what its source will deliver next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ophyd.areadetector import plugins
from ophyd.areadetector.cam import CamBase, SimDetectorCam

from .signal_io import read_signals

__all__ = [
    "ArrayKind",
    "array_mismatch",
    "delivered_array",
    "is_ready",
    "received_array",
    "source_of",
]

# Plugins that hand on the arrays they get as they are.
_PASS_ON = (
    plugins.AttributePlugin,
    plugins.FilePlugin,
    plugins.ImagePlugin,
    plugins.PvaPlugin,
    plugins.ROIStatPlugin,
    plugins.StatsPlugin,
)
# ophyd's names of the axes differ between its classes; fastest axis first.
_AXES = (
    ("width", "height", "depth"),
    ("x", "y", "z"),
    ("array_size0", "array_size1", "array_size2"),
)
_COLOR_AXIS = {"RGB1": 0, "RGB2": 1, "RGB3": 2}


@dataclass(frozen=True)
class ArrayKind:
    """Size and type of an NDArray.

    Attributes
    ----------
    dims : tuple of int
        Sizes, fastest axis first, as in ``ArraySize0_RBV`` and so on.
    data_type : str or None
        ADCore's name such as ``UInt16``; None when not known.
    color_mode : str or None
        ADCore's name such as ``Mono`` or ``RGB1``; None when not known.
    """

    dims: tuple[int, ...]
    data_type: str | None = None
    color_mode: str | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the numpy array, slowest axis first: (Y, X) or with the colour."""
        return self.dims[::-1]

    @property
    def dtype(self) -> np.dtype | None:
        """The numpy data type, None when not known."""
        return None if self.data_type is None else np.dtype(self.data_type.lower())


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
    found = read_signals({**_size_signals(plugin), "n": plugin.ndimensions})
    count = int(found["n"])
    dims = tuple(int(found[axis]) for axis in range(min(max(count, 0), 3)))
    if count == 0 or 0 in dims:
        return None
    return ArrayKind(
        dims, plugin.data_type.get(as_string=True), plugin.color_mode.get(as_string=True)
    )


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

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.

    Returns
    -------
    ArrayKind or None
        None when the source computes arrays of its own kind (Process, ColorConvert, FFT),
        isn't part of the detector, or hasn't told the size yet.
    """
    seen: list[Any] = []
    source = source_of(plugin)
    while isinstance(source, _PASS_ON) and source not in seen:
        seen.append(source)
        source = source_of(source)
    if isinstance(source, CamBase):
        return _from_camera(source)
    if isinstance(source, plugins.ROIPlugin) and hasattr(source, "collapse_dims"):
        return _from_roi(source)
    return None


def _from_camera(cam: Any) -> ArrayKind | None:
    color = cam.color_mode.get(as_string=True)
    size = _sim_detector_size(cam) if isinstance(cam, SimDetectorCam) else _camera_size(cam)
    if 0 in size:
        return None
    dims = list(size)
    if color in _COLOR_AXIS:
        dims.insert(_COLOR_AXIS[color], 3)
    elif color not in ("Mono", "Bayer"):
        return None
    return ArrayKind(tuple(dims), cam.data_type.get(as_string=True), color)


def _camera_size(cam: Any) -> tuple[int, int]:
    found = read_signals({"x": cam.array_size.array_size_x, "y": cam.array_size.array_size_y})
    return int(found["x"]), int(found["y"])


def _sim_detector_size(cam: Any) -> tuple[int, int]:
    """Predict what the simulated detector makes of its region: it tells after the next frame."""
    found = read_signals(
        {
            "max_x": cam.max_size.max_size_x,
            "max_y": cam.max_size.max_size_y,
            "min_x": cam.min_x,
            "min_y": cam.min_y,
            "size_x": cam.size.size_x,
            "size_y": cam.size.size_y,
            "bin_x": cam.bin_x,
            "bin_y": cam.bin_y,
        }
    )

    def along(axis: str) -> int:
        full, start, size, binning = (
            int(found[f"{what}_{axis}"]) for what in ("max", "min", "size", "bin")
        )
        return _clip(full, start, size) // max(1, binning)

    return along("x"), along("y")


def _clip(full: int, start: int, size: int) -> int:
    """Tell what is left of a region along an axis, as ADCore and its simulated camera clip it."""
    return min(max(1, size), full - min(max(0, start), full - 1))


def _from_roi(roi: Any) -> ArrayKind | None:
    """Predict what a region plugin makes of images without colour."""
    upstream = delivered_array(roi)
    if upstream is None or len(upstream.dims) != 2:
        return None
    found = read_signals(
        {
            (what, axis): getattr(signals, prefix + axis)
            for what, signals, prefix in (
                ("enable", roi.roi_enable, ""),
                ("auto", roi.auto_size, ""),
                ("min", roi.min_xyz, "min_"),
                ("size", roi.size, ""),
                ("bin", roi.bin_, ""),
            )
            for axis in "xy"
        }
    )

    def along(axis: str, full: int) -> int:
        if str(found["enable", axis]) not in ("1", "Enable"):
            return full
        wanted = full if int(found["auto", axis]) else int(found["size", axis])
        size = _clip(full, int(found["min", axis]), wanted)
        return size // min(max(1, int(found["bin", axis])), size)

    dims = along("x", upstream.dims[0]), along("y", upstream.dims[1])
    if 1 in dims and roi.collapse_dims.get(as_string=True) == "Enable":
        return None
    out = roi.data_type_out.get(as_string=True)
    return ArrayKind(dims, upstream.data_type if out == "Automatic" else out, upstream.color_mode)


def array_mismatch(received: ArrayKind, delivered: ArrayKind | None) -> str:
    """Say in words how two kinds of arrays differ; what isn't known doesn't count.

    Parameters
    ----------
    received : ArrayKind
        What the plugin is prepared for.
    delivered : ArrayKind or None
        What it will get.

    Returns
    -------
    str
        Empty when they agree.
    """
    if delivered is None:
        return ""
    parts = []
    for what in ("dims", "data_type", "color_mode"):
        old, new = getattr(received, what), getattr(delivered, what)
        if None not in (old, new) and old != new:
            name = {"dims": "size", "data_type": "data type", "color_mode": "colour mode"}[what]
            shown = [" x ".join(map(str, v)) if isinstance(v, tuple) else v for v in (old, new)]
            parts.append(f"{name} {shown[0]}, the next array will have {shown[1]}")
    return "; ".join(parts)


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
