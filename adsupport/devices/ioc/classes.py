"""Which class stands for a part of an IOC, told from what the part says about itself."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ophyd.areadetector import cam as ophyd_cams
from ophyd.areadetector import plugins as ophyd_plugins

from .. import plugins
from ..cam import CamMixin_V34, SimDetectorCam_V34
from ..file_writers import (
    AD_EpicsFileNameHDF5Plugin,
    AD_EpicsFileNameJPEGPlugin,
    AD_EpicsFileNameTIFFPlugin,
)

__all__ = [
    "CAMERAS",
    "PROCESSING",
    "RECORDING",
    "Camera",
    "GenericPlugin",
    "IdleHDF5Plugin",
    "IdleJPEGPlugin",
    "IdleMagickPlugin",
    "IdleNetCDFPlugin",
    "IdleNexusPlugin",
    "IdlePlugin",
    "IdleTIFFPlugin",
    "Mar345Cam",
    "PerkinElmerCam",
    "PilatusCam",
    "TimeSeriesPlugin",
    "URLCam",
    "camera_class",
    "is_file_type",
    "plugin_class",
    "type_name",
]


class GenericPlugin(plugins.NonBlockingPlugin, ophyd_plugins.PluginBase_V34):
    """A plugin of a type that isn't known here: what all plugins have in common."""


class TimeSeriesPlugin(plugins.NonBlockingPlugin, ophyd_plugins.PluginBase_V34):
    """NDPluginTimeSeries, what it has in common with all plugins."""

    _plugin_type = "NDPluginTimeSeries"


class IdlePlugin(plugins.NonBlockingPlugin):
    """A file plugin that belongs to a detector and doesn't record with it.

    Staging leaves it as it is: enabled with ``AutoSave`` it would write files unasked.

    Parameters
    ----------
    write_path_template, read_path_template : str, optional
        Directory as the IOC and as this computer sees it, kept for its user.
    """

    def __init__(
        self,
        *args: Any,
        write_path_template: str | None = None,
        read_path_template: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.write_path_template = write_path_template
        self.read_path_template = read_path_template
        for key in ("enable", "blocking_callbacks", "parent.cam.array_callbacks"):
            self.stage_sigs.pop(key, None)


class IdleHDF5Plugin(IdlePlugin, plugins.HDF5Plugin):
    """NDFileHDF5 that doesn't record, see :class:`IdlePlugin`."""

    def stage(self) -> list[object] | None:
        """Leave the plugin as it is.

        Returns
        -------
        list or None
            What was staged.
        """
        # ophyd's class refuses a plugin that has seen no array, but it writes no file here.
        return super(ophyd_plugins.HDF5Plugin, self).stage()


class IdleJPEGPlugin(IdlePlugin, plugins.JPEGPlugin):
    """NDFileJPEG that doesn't record, see :class:`IdlePlugin`."""


class IdleMagickPlugin(IdlePlugin, plugins.MagickPlugin):
    """NDFileMagick that doesn't record, see :class:`IdlePlugin`."""


class IdleNetCDFPlugin(IdlePlugin, plugins.NetCDFPlugin):
    """NDFileNetCDF that doesn't record, see :class:`IdlePlugin`."""


class IdleNexusPlugin(IdlePlugin, ophyd_plugins.NexusPlugin_V34):
    """NDFileNexus that doesn't record, see :class:`IdlePlugin`."""

    _plugin_type = "NDFileNexus"  # ophyd's class expects another, so could never be staged


class IdleTIFFPlugin(IdlePlugin, plugins.TIFFPlugin):
    """NDFileTIFF that doesn't record, see :class:`IdlePlugin`."""


class Mar345Cam(CamMixin_V34, ophyd_cams.Mar345DetectorCam):
    """mar345 image plate."""


class PerkinElmerCam(CamMixin_V34, ophyd_cams.PerkinElmerDetectorCam):
    """Perkin Elmer flat panel."""


class PilatusCam(CamMixin_V34, ophyd_cams.PilatusDetectorCam):
    """Dectris Pilatus."""


class URLCam(CamMixin_V34, ophyd_cams.URLDetectorCam):
    """Images from a URL."""


class Camera(NamedTuple):
    """How to know a camera's driver.

    Attributes
    ----------
    manufacturer, model : str
        Patterns of ``Manufacturer_RBV`` and ``Model_RBV``, as the driver's source sets them.
    proof : str
        A record that no other driver has, because drivers are copied with their names.
    cls : type
        The class for it.
    """

    manufacturer: str
    model: str
    proof: str
    cls: type


#: The drivers that can be told for certain.  The others get :class:`CamMixin_V34`, the records
#: that all cameras have.
CAMERAS: tuple[Camera, ...] = (
    Camera("Simulated detector", "Basic simulator", "SimMode_RBV", SimDetectorCam_V34),
    Camera("Dectris", "Pilatus*", "ThresholdEnergy_RBV", PilatusCam),
    Camera("MAR", "345", "EraseMode_RBV", Mar345Cam),
    Camera("Perkin Elmer", "XRD*", "PEAcquireOffset", PerkinElmerCam),
    Camera("URL Driver", "GraphicsMagick", "URL_RBV", URLCam),
)

#: Classes of the plugins that write no files, by ``PluginType_RBV``.
PROCESSING: dict[str, type] = {
    "NDPluginAttribute": plugins.AttributePlugin,
    "NDPluginBadPixel": plugins.BadPixelPlugin,
    "NDPluginCircularBuff": plugins.CircularBuffPlugin,
    "NDPluginCodec": plugins.CodecPlugin,
    "NDPluginColorConvert": plugins.ColorConvPlugin,
    "NDPluginFFT": plugins.FFTPlugin,
    "NDPluginGather": plugins.GatherPlugin,
    "NDPluginOverlay": plugins.OverlayPlugin,
    "NDPluginProcess": plugins.ProcessPlugin,
    "NDPluginPva": plugins.PvaPlugin,
    "NDPluginROI": plugins.ROIPlugin,
    "NDPluginROIStat": plugins.ROIStatPlugin,
    "NDPluginScatter": plugins.ScatterPlugin,
    "NDPluginStats": plugins.StatsPlugin,
    "NDPluginStdArrays": plugins.ImagePlugin,
    "NDPluginTimeSeries": TimeSeriesPlugin,
    "NDPluginTransform": plugins.TransformPlugin,
}

#: Classes of the file plugins that record with their detector.
RECORDING: dict[str, type] = {
    "NDFileHDF5": AD_EpicsFileNameHDF5Plugin,
    "NDFileJPEG": AD_EpicsFileNameJPEGPlugin,
    "NDFileTIFF": AD_EpicsFileNameTIFFPlugin,
}

_IDLE: dict[str, type] = {
    "NDFileHDF5": IdleHDF5Plugin,
    "NDFileJPEG": IdleJPEGPlugin,
    "NDFileMagick": IdleMagickPlugin,
    "NDFileNetCDF": IdleNetCDFPlugin,
    "NDFileNexus": IdleNexusPlugin,
    "NDFileTIFF": IdleTIFFPlugin,
}


def type_name(plugin_type: str) -> str:
    """Take the version of a library off a plugin's type.

    Parameters
    ----------
    plugin_type : str
        ``PluginType_RBV``, such as ``"NDFileHDF5 ver1.10.8"``.

    Returns
    -------
    str
        The type alone, such as ``"NDFileHDF5"``.
    """
    return plugin_type.partition(" ver")[0].strip()


def is_file_type(plugin_type: str) -> bool:
    """Tell whether a plugin of this type writes files.

    Parameters
    ----------
    plugin_type : str
        ``PluginType_RBV``.

    Returns
    -------
    bool
        True for those known here.
    """
    return type_name(plugin_type) in _IDLE


def plugin_class(plugin_type: str, records: bool = False) -> type:
    """Choose the class for a plugin.

    Parameters
    ----------
    plugin_type : str
        ``PluginType_RBV``.
    records : bool
        For a file plugin, whether its files are part of the runs.

    Returns
    -------
    type
        The class; :class:`GenericPlugin` for a type that isn't known.
    """
    name = type_name(plugin_type)
    if records and name in RECORDING:
        return RECORDING[name]
    return PROCESSING.get(name) or _IDLE.get(name) or GenericPlugin


def camera_class(manufacturer: str, model: str, proofs: frozenset[str] | set[str]) -> type:
    """Choose the class for a camera.

    Parameters
    ----------
    manufacturer, model : str
        ``Manufacturer_RBV`` and ``Model_RBV``.
    proofs : set of str
        Which of the records that prove a driver the camera has.

    Returns
    -------
    type
        The class; :class:`CamMixin_V34`, what all cameras have, when the driver isn't known.
    """
    for camera in CAMERAS:
        if (
            fnmatchcase(manufacturer, camera.manufacturer)
            and fnmatchcase(model, camera.model)
            and camera.proof in proofs
        ):
            return camera.cls
    return CamMixin_V34
