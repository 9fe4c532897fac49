"""What a camera delivers, and what plugins make of the arrays they get, by ADCore's rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ophyd.areadetector import plugins
from ophyd.areadetector.cam import SimDetectorCam

from ..signals.reading import read_signals
from .kind import ArrayKind, colored

__all__ = ["camera_output", "plugin_output"]

# Plugins whose arrays have the size and type of those they get.  A compressed array (Codec)
# keeps both: they are those of its pixels, in the NDArray as in the file.
_KEEP_THE_KIND = (
    plugins.AttributePlugin,
    plugins.CircularBuffPlugin,
    plugins.CodecPlugin,
    plugins.FilePlugin,
    plugins.ImagePlugin,
    plugins.OverlayPlugin,
    plugins.PvaPlugin,
    plugins.ROIStatPlugin,
    plugins.ScatterPlugin,
    plugins.StatsPlugin,
)
_RGB = ("RGB1", "RGB2", "RGB3")
_QUARTER_TURNS = ("Rot90", "Rot270", "Rot90Mirror", "Rot270Mirror")
# The pixels that NDPluginColorConvert makes colours of.
_BAYER_TYPES = ("Int8", "UInt8", "Int16", "UInt16")


def camera_output(cam: Any) -> ArrayKind | None:
    """Tell the kind of a camera's next frame from its settings.

    Parameters
    ----------
    cam : ophyd.areadetector.cam.CamBase
        The camera.

    Returns
    -------
    ArrayKind or None
        None when it hasn't told its size, or its colour mode is none of Mono, Bayer and RGB.
    """
    simulated = isinstance(cam, SimDetectorCam)
    found = read_signals(
        {
            "color": cam.color_mode,
            "type": cam.data_type,
            **(_region_signals(cam) if simulated else _size_signals(cam)),
        },
        texts=("color", "type"),
    )
    size = _simulated_size(found) if simulated else (int(found["x"]), int(found["y"]))
    color, data_type = found["color"], found["type"]
    if 0 in size:
        return None
    if color in _RGB:
        return colored(*size, 3, data_type, color)
    return ArrayKind(size, data_type, color) if color in ("Mono", "Bayer") else None


def _size_signals(cam: Any) -> dict[str, Any]:
    return {"x": cam.array_size.array_size_x, "y": cam.array_size.array_size_y}


def _region_signals(cam: Any) -> dict[str, Any]:
    return {
        "max_x": cam.max_size.max_size_x,
        "max_y": cam.max_size.max_size_y,
        "min_x": cam.min_x,
        "min_y": cam.min_y,
        "size_x": cam.size.size_x,
        "size_y": cam.size.size_y,
        "bin_x": cam.bin_x,
        "bin_y": cam.bin_y,
    }


def _simulated_size(found: Mapping[str, Any]) -> tuple[int, int]:
    """Predict what the simulated detector makes of its region: it tells after the next frame."""

    def along(axis: str) -> int:
        full, start, size, binning = (
            int(found[f"{what}_{axis}"]) for what in ("max", "min", "size", "bin")
        )
        return min(max(1, size), full - min(max(0, start), full - 1)) // max(1, binning)

    return along("x"), along("y")


def plugin_output(plugin: Any, received: ArrayKind) -> ArrayKind | None:
    """Tell the kind of the arrays that a plugin makes of those it gets.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin, with its settings.
    received : ArrayKind
        What it gets.

    Returns
    -------
    ArrayKind or None
        None for a plugin whose rule isn't known here, such as FFT, and for colours that can't be
        told beforehand.
    """
    if isinstance(plugin, plugins.ROIPlugin) and hasattr(plugin, "collapse_dims"):
        return _region(plugin, received)
    if isinstance(plugin, plugins.TransformPlugin):
        return _turned(plugin, received)
    if isinstance(plugin, plugins.ColorConvPlugin):
        return _converted(plugin, received)
    if isinstance(plugin, plugins.ProcessPlugin):
        return replace(received, data_type=_type_out(plugin, received))
    return received if isinstance(plugin, _KEEP_THE_KIND) else None


def _type_out(plugin: Any, received: ArrayKind) -> str | None:
    out = plugin.data_type_out.get(as_string=True)
    return received.data_type if out == "Automatic" else out


def _region(roi: Any, received: ArrayKind) -> ArrayKind | None:
    """Cut along columns, rows and colours; what asks for too much is cut back (NDPluginROI)."""
    axes = received.image_axes
    if len(axes) not in (2, 3):
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
            for axis in "xyz"[: len(axes)]
        }
    )

    def along(axis: str, full: int) -> int:
        if str(found["enable", axis]) not in ("1", "Enable"):
            return full
        start, size = int(found["min", axis]), int(found["size", axis])
        # unsigned there: a negative start is far beyond the end, a negative size is huge
        room = 1 if start < 0 else full - min(start, full - 1)
        wanted = full if int(found["auto", axis]) or size < 0 else max(1, size)
        size = min(wanted, room)
        return size // min(max(1, int(found["bin", axis])), size)

    dims = list(received.dims)
    for name, axis in zip("xyz", axes, strict=False):
        dims[axis] = along(name, dims[axis])
    color, collapses = received.color_mode, roi.collapse_dims.get(as_string=True) == "Enable"
    if received.has_colors and dims[axes[2]] != 3:
        color, collapses = "Mono", collapses or dims[axes[2]] == 1
    kept = [size for size in dims if size != 1] if collapses else dims
    return ArrayKind(tuple(kept), _type_out(roi, received), color) if kept else None


def _turned(transform: Any, received: ArrayKind) -> ArrayKind:
    """Let columns and rows change places with a quarter turn (NDPluginTransform)."""
    turn = transform.type_.get(as_string=True)
    axes = received.image_axes
    if turn not in _QUARTER_TURNS or len(axes) not in (2, 3):
        return received
    dims = list(received.dims)
    columns, rows = axes[:2]
    dims[columns], dims[rows] = dims[rows], dims[columns]
    return replace(received, dims=tuple(dims))


def _converted(convert: Any, received: ArrayKind) -> ArrayKind | None:
    """Change the colour mode; what can't be converted passes unchanged (NDPluginColorConvert)."""
    mode = convert.color_mode_out.get(as_string=True)
    if received.has_colors:
        columns, rows, colors = (received.dims[axis] for axis in received.image_axes)
        if colors != 3:
            return received
        if mode == "Mono":
            return ArrayKind((columns, rows), received.data_type, mode)
        return colored(columns, rows, 3, received.data_type, mode) if mode in _RGB else received
    if mode not in _RGB or len(received.dims) != 2:
        return received
    if received.color_mode == "Bayer" and received.data_type not in _BAYER_TYPES:
        return None
    if received.color_mode not in ("Mono", "Bayer"):
        return received
    return colored(*received.dims, 3, received.data_type, mode)
