"""Which of ADCore's database templates a class of ophyd's stands for."""

from __future__ import annotations

from ophyd.areadetector import cam as ophyd_cam
from ophyd.areadetector import plugins as ophyd_plugins

__all__ = ["is_of_another_kind", "template_of"]

_TEMPLATES: dict[type, str] = {
    ophyd_cam.CamBase: "ADBase",
    ophyd_plugins.AttributePlugin: "NDAttribute",
    ophyd_plugins.BadPixelPlugin: "NDBadPixel",
    ophyd_plugins.CircularBuffPlugin: "NDCircularBuff",
    ophyd_plugins.CodecPlugin: "NDCodec",
    ophyd_plugins.ColorConvPlugin: "NDColorConvert",
    ophyd_plugins.FFTPlugin: "NDFFT",
    ophyd_plugins.GatherPlugin: "NDGather",
    ophyd_plugins.HDF5Plugin: "NDFileHDF5",
    ophyd_plugins.ImagePlugin: "NDStdArrays",
    ophyd_plugins.JPEGPlugin: "NDFileJPEG",
    ophyd_plugins.MagickPlugin: "NDFileMagick",
    ophyd_plugins.NetCDFPlugin: "NDFileNetCDF",
    ophyd_plugins.NexusPlugin: "NDFileNexus",
    ophyd_plugins.OverlayPlugin: "NDOverlay",
    ophyd_plugins.ProcessPlugin: "NDProcess",
    ophyd_plugins.PvaPlugin: "NDPva",
    ophyd_plugins.ROIPlugin: "NDROI",
    ophyd_plugins.ROIStatPlugin: "NDROIStat",
    ophyd_plugins.ScatterPlugin: "NDScatter",
    ophyd_plugins.StatsPlugin: "NDStats",
    ophyd_plugins.TIFFPlugin: "NDFileTIFF",
    ophyd_plugins.TransformPlugin: "NDTransform",
}
# What all plugins have in common, for those of which no more is known: these templates add
# nothing that has ever changed.
_COMMON: dict[type, str] = {
    ophyd_plugins.FilePlugin: "NDFileNetCDF",
    ophyd_plugins.PluginBase: "NDStdArrays",
}


def template_of(cls: type) -> str | None:
    """Tell which of ADCore's database templates a class describes.

    Parameters
    ----------
    cls : type
        Any class.

    Returns
    -------
    str or None
        Its ``_template``, or that of the base class from ophyd; of plugins of another kind one
        that has what all plugins have.  None when it's no camera or plugin.
    """
    for known in (_TEMPLATES, _COMMON):
        for base in cls.__mro__:
            if "_template" in vars(base):
                return vars(base)["_template"]
            if base in known:
                return known[base]
    return None


def is_of_another_kind(cls: type) -> bool:
    """Tell whether all that is known of a plugin is what all plugins have.

    Parameters
    ----------
    cls : type
        Class of a plugin.

    Returns
    -------
    bool
        False for cameras, for the plugins of ADCore, and for classes with a ``_template``.
    """
    return not any(base in _TEMPLATES or "_template" in vars(base) for base in cls.__mro__)
