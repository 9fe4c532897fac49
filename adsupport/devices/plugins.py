"""Plugins as ADCore R3-14 serves them.

Each class stands on ophyd's of the same name, minus what this release no longer serves,
plus what took its place and what came since.  None of the latter is needed, so the classes work
from R3-4 on; :func:`~adsupport.devices.releases.fitting.class_for` makes those that fit a release.
All of them leave the camera free while staged: their callbacks don't block, and the camera waits
for them at the end of the acquisition instead.
"""

from __future__ import annotations

import logging
import os
from typing import Any

import numpy as np
from ophyd import ADComponent, EpicsSignal, EpicsSignalRO
from ophyd.areadetector import plugins as ophyd_plugins
from ophyd.areadetector.base import DDC_SignalWithRBV, EpicsSignalWithRBV, NDDerivedSignal

from .connection.connect import ConnectsAtOnce
from .connection.settle import CHANNEL_ERRORS
from .files.compression import CompressionSignal
from .releases.newer_records import FilePluginRecords, HDF5PluginRecords, PluginRecords
from .signals.batched_reading import ReadsAtOnce
from .staging import BoundedStaging

__all__ = [
    "AttributePlugin",
    "BadPixelPlugin",
    "CircularBuffPlugin",
    "CodecPlugin",
    "ColorConvPlugin",
    "FFTPlugin",
    "GatherPlugin",
    "HDF5Plugin",
    "ImagePlugin",
    "JPEGPlugin",
    "MagickPlugin",
    "NetCDFPlugin",
    "NonBlockingPlugin",
    "OverlayPlugin",
    "ProcessPlugin",
    "PvaPlugin",
    "ROIPlugin",
    "ROIStatPlugin",
    "ScatterPlugin",
    "StatsPlugin",
    "TIFFPlugin",
    "TransformPlugin",
]

logger = logging.getLogger(__name__)

#: Pixels and size don't match; or the IOC goes while ophyd asks for the size.
_NO_IMAGE = (RuntimeError, TimeoutError, *CHANNEL_ERRORS)

_Attribute = ophyd_plugins.AttributeNPlugin_V26


class NonBlockingPlugin(
    ConnectsAtOnce, ReadsAtOnce, BoundedStaging, PluginRecords, ophyd_plugins.PluginBase
):
    """What all plugins here have in common.

    While staged a plugin is enabled and doesn't block the camera: arrays wait in its queue.
    ``ensure_blocking()`` brings back ophyd's default.

    ``_plugin_type`` is what ``PluginType_RBV`` must begin with for the plugin to be staged;
    where a class below states it, ophyd's version classes lose it among their bases.
    ``_template`` names ADCore's database template where ophyd's class doesn't tell.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ensure_nonblocking()

    def validate_asyn_ports(self) -> None:
        """Leave the check of the ports to the detector, which knows all of its parts."""


class ShapedImage(NDDerivedSignal):
    """The pixels in the shape of the image.

    Size and pixels arrive in monitors of their own: before the first array, and for a
    moment when the size changes, they don't match.  ``get()`` raises RuntimeError then;
    subscribers are not called.
    """

    def inverse(self, value: Any) -> np.ndarray:
        """Shape the pixels.

        Parameters
        ----------
        value : array_like
            Pixels, shape (n,).

        Returns
        -------
        numpy.ndarray
            Pixels, shape (height, width), with colour (depth, height, width).

        Raises
        ------
        RuntimeError
            The plugin hasn't had an array yet, or pixels and size don't match.
        """
        if np.ndim(value) == 0:
            raise RuntimeError(f"{self.name}: no array has come yet; acquire an image first.")
        return super().inverse(value)

    def _derived_value_callback(self, value: Any, **kwargs: Any) -> None:
        try:
            super()._derived_value_callback(value, **kwargs)
        except _NO_IMAGE as error:
            logger.debug("%s: %s", self.name, error)

    def _array_shape_callback(self, **kwargs: Any) -> None:
        try:
            super()._array_shape_callback(**kwargs)
        except _NO_IMAGE as error:
            logger.debug("%s: %s", self.name, error)


class ImagePlugin(NonBlockingPlugin, ophyd_plugins.ImagePlugin_V34):
    """NDPluginStdArrays: the last image over Channel Access."""

    shaped_image = ADComponent(
        ShapedImage,
        derived_from="array_data",
        shape=("array_size.depth", "array_size.height", "array_size.width"),
        num_dimensions="ndimensions",
        kind="omitted",
    )


class PvaPlugin(NonBlockingPlugin, ophyd_plugins.PvaPlugin_V34):
    """NDPluginPva: the last image over PV Access."""

    _plugin_type = "NDPluginPva"


class AttributePlugin(NonBlockingPlugin, ophyd_plugins.AttributePlugin_V35):
    """NDPluginAttribute: values of the arrays' attributes.

    ADCore R3-5 moved the time series to a plugin of their own (``TS:``).
    """

    _plugin_type = "NDPluginAttribute"

    ts_acquiring = None
    ts_control = None
    ts_current_point = None
    ts_num_points = None
    ts_read = None

    attribute1 = ADComponent(_Attribute, "1:", kind="omitted")
    attribute2 = ADComponent(_Attribute, "2:", kind="omitted")
    attribute3 = ADComponent(_Attribute, "3:", kind="omitted")
    attribute4 = ADComponent(_Attribute, "4:", kind="omitted")
    attribute5 = ADComponent(_Attribute, "5:", kind="omitted")
    attribute6 = ADComponent(_Attribute, "6:", kind="omitted")
    attribute7 = ADComponent(_Attribute, "7:", kind="omitted")
    attribute8 = ADComponent(_Attribute, "8:", kind="omitted")


class BadPixelPlugin(NonBlockingPlugin, ophyd_plugins.PluginBase_V34):
    """NDPluginBadPixel: replaces bad pixels, as a JSON file lists them.

    Attributes
    ----------
    file_name : ophyd.EpicsSignal
        ``FileName``: the JSON file, as the IOC sees it.
    """

    # ophyd's class expects another type than the IOC reports, so could never be staged.
    _plugin_type = "NDPluginBadPixel"
    _template = "NDBadPixel"
    _default_suffix = "BadPix1:"
    _suffix_re = r"BadPix\d:"

    file_name = ADComponent(EpicsSignal, "FileName", string=True)


class CircularBuffPlugin(NonBlockingPlugin, ophyd_plugins.CircularBuffPlugin_V34):
    """NDPluginCircularBuff: arrays from before and after a trigger."""

    _plugin_type = "NDPluginCircularBuff"


class CodecPlugin(NonBlockingPlugin, ophyd_plugins.CodecPlugin_V34):
    """NDPluginCodec: compresses or decompresses arrays."""

    _plugin_type = "NDPluginCodec"


class ColorConvPlugin(NonBlockingPlugin, ophyd_plugins.ColorConvPlugin_V34):
    """NDPluginColorConvert: converts between colour modes."""


class FFTPlugin(NonBlockingPlugin, ophyd_plugins.FFTPlugin_V34):
    """NDPluginFFT: Fourier transforms of the arrays."""

    _plugin_type = "NDPluginFFT"


class GatherPlugin(NonBlockingPlugin, ophyd_plugins.PluginBase_V34):
    """NDPluginGather: brings arrays from up to eight ports together.

    Attributes
    ----------
    gather_array_port, gather_array_address : ophyd.Device
        Where the arrays come from: ``port1`` to ``port8``, ``address1`` to ``address8``.
    """

    _plugin_type = "NDPluginGather"
    _template = "NDGather"
    _default_suffix = "Gather1:"
    _suffix_re = r"Gather\d:"

    gather_array_port = DDC_SignalWithRBV(
        *((f"port{n}", f"NDArrayPort_{n}") for n in range(1, 9)), string=True, doc="Source ports"
    )
    gather_array_address = DDC_SignalWithRBV(
        *((f"address{n}", f"NDArrayAddress_{n}") for n in range(1, 9)), doc="Source addresses"
    )


class OverlayPlugin(NonBlockingPlugin, ophyd_plugins.OverlayPlugin_V34):
    """NDPluginOverlay: draws on the arrays."""


class ProcessPlugin(NonBlockingPlugin, ophyd_plugins.ProcessPlugin_V34):
    """NDPluginProcess: background, flat field, clipping and recursive filter.

    ADCore R3-13 replaced each clip limit by a threshold and a value; with ``adcore="auto"``, or
    an older release, ``ad_creator`` brings ``high_clip`` and ``low_clip`` back.
    """

    high_clip = None
    low_clip = None
    high_clip_threshold = ADComponent(EpicsSignalWithRBV, "HighClipThresh")
    high_clip_value = ADComponent(EpicsSignalWithRBV, "HighClipValue")
    low_clip_threshold = ADComponent(EpicsSignalWithRBV, "LowClipThresh")
    low_clip_value = ADComponent(EpicsSignalWithRBV, "LowClipValue")


class ROIPlugin(NonBlockingPlugin, ophyd_plugins.ROIPlugin_V34):
    """NDPluginROI: a region of the arrays, binned, reversed or scaled."""


class ROIStatPlugin(NonBlockingPlugin, ophyd_plugins.ROIStatPlugin_V34):
    """NDPluginROIStat: statistics of many regions."""


class ScatterPlugin(NonBlockingPlugin, ophyd_plugins.ScatterPlugin_V34):
    """NDPluginScatter: deals the arrays out to several plugins in turn."""

    _plugin_type = "NDPluginScatter"


class StatsPlugin(NonBlockingPlugin, ophyd_plugins.StatsPlugin_V34):
    """NDPluginStats: statistics, centroid, profiles and histogram.

    Attributes
    ----------
    cursor_val : ophyd.EpicsSignalRO
        ``CursorVal`` (R3-11): the pixel under the cursor.
    """

    cursor_val = ADComponent(EpicsSignalRO, "CursorVal", kind="omitted")


class TransformPlugin(NonBlockingPlugin, ophyd_plugins.TransformPlugin_V34):
    """NDPluginTransform: turns and mirrors the arrays."""


class HDF5Plugin(
    NonBlockingPlugin, FilePluginRecords, HDF5PluginRecords, ophyd_plugins.HDF5Plugin_V34
):
    """NDFileHDF5, without documents for bluesky: see ``file_writers`` for those.

    Attributes
    ----------
    compression : CompressionSignal
        ``Compression``: one of the choices of the installed release, in any of its spellings.
    """

    compression = ADComponent(CompressionSignal, "Compression", string=True)


class JPEGPlugin(NonBlockingPlugin, FilePluginRecords, ophyd_plugins.JPEGPlugin_V34):
    """NDFileJPEG, without documents for bluesky."""


class TIFFPlugin(NonBlockingPlugin, FilePluginRecords, ophyd_plugins.TIFFPlugin_V34):
    """NDFileTIFF, without documents for bluesky."""


class PathTemplates(NonBlockingPlugin, FilePluginRecords):
    """A file plugin that makes no documents, and keeps its path templates for its user.

    Parameters
    ----------
    write_path_template, read_path_template : str, optional
        Directory as the IOC and as this computer sees it, with ``strftime`` codes.
    """

    def __init__(
        self,
        *args: Any,
        write_path_template: str | os.PathLike[str] | None = None,
        read_path_template: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.write_path_template = _text(write_path_template)
        self.read_path_template = _text(read_path_template)


def _text(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)


class MagickPlugin(PathTemplates, ophyd_plugins.MagickPlugin_V34):
    """NDFileMagick: many image formats."""


class NetCDFPlugin(PathTemplates, ophyd_plugins.NetCDFPlugin_V34):
    """NDFileNetCDF: netCDF 3 files."""
