"""The plugins of an area detector: what commonPlugins.cmd of ADCore configures."""

from __future__ import annotations

from adsupport.sim.area_detector import AreaDetectorIOC
from adsupport.sim.plugins.attribute import AttributePlugin
from adsupport.sim.plugins.bad_pixel import BadPixel
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.circular_buffer import CircularBuffer
from adsupport.sim.plugins.codec import CodecPlugin
from adsupport.sim.plugins.color_convert import ColorConvert
from adsupport.sim.plugins.fft import FFT
from adsupport.sim.plugins.gather import Gather
from adsupport.sim.plugins.hdf5 import HDF5Plugin
from adsupport.sim.plugins.jpeg import JPEGPlugin
from adsupport.sim.plugins.netcdf import NetCDFPlugin
from adsupport.sim.plugins.nexus import NexusPlugin
from adsupport.sim.plugins.overlay import Overlay
from adsupport.sim.plugins.process import Process
from adsupport.sim.plugins.pva import PvaPlugin
from adsupport.sim.plugins.roi import ROI
from adsupport.sim.plugins.roi_stat import ROIStat
from adsupport.sim.plugins.scatter import Scatter
from adsupport.sim.plugins.stats import Stats
from adsupport.sim.plugins.std_arrays import StdArrays
from adsupport.sim.plugins.tiff import TIFFPlugin
from adsupport.sim.plugins.transform import Transform
from adsupport.sim.source import ArraySource

COMMON_PLUGINS: tuple[tuple[str, type[Plugin], str], ...] = (
    ("image1:", StdArrays, "Image1"),
    ("image2:", StdArrays, "Image2"),
    ("netCDF1:", NetCDFPlugin, "FileNetCDF1"),
    ("TIFF1:", TIFFPlugin, "FileTIFF1"),
    ("JPEG1:", JPEGPlugin, "FileJPEG1"),
    ("Nexus1:", NexusPlugin, "FileNexus1"),
    ("HDF1:", HDF5Plugin, "FileHDF1"),
    ("ROI1:", ROI, "ROI1"),
    ("ROI2:", ROI, "ROI2"),
    ("ROI3:", ROI, "ROI3"),
    ("ROI4:", ROI, "ROI4"),
    ("ROIStat1:", ROIStat, "ROISTAT1"),
    ("Proc1:", Process, "PROC1"),
    # background and flat field can be read from TIFF files
    ("Proc1:TIFF:", TIFFPlugin, "PROC1TIFF"),
    ("Scatter1:", Scatter, "SCATTER1"),
    ("Gather1:", Gather, "GATHER1"),
    ("Stats1:", Stats, "STATS1"),
    ("Stats2:", Stats, "STATS2"),
    ("Stats3:", Stats, "STATS3"),
    ("Stats4:", Stats, "STATS4"),
    ("Stats5:", Stats, "STATS5"),
    ("Trans1:", Transform, "TRANS1"),
    ("Over1:", Overlay, "OVER1"),
    ("CC1:", ColorConvert, "CC1"),
    ("CC2:", ColorConvert, "CC2"),
    ("CB1:", CircularBuffer, "CB1"),
    ("Attr1:", AttributePlugin, "ATTR1"),
    ("FFT1:", FFT, "FFT1"),
    ("Codec1:", CodecPlugin, "CODEC1"),
    ("Codec2:", CodecPlugin, "CODEC2"),
    ("BadPix1:", BadPixel, "BADPIX1"),
    ("Pva1:", PvaPlugin, "PVA1"),
)
"""Record name, class and asyn port name of each plugin."""


def add_common_plugins(ioc: AreaDetectorIOC, camera: ArraySource) -> None:
    """Add the plugins of :data:`COMMON_PLUGINS` that the release has, listening to one camera.

    Parameters
    ----------
    ioc : AreaDetectorIOC
        Gets them.
    camera : ArraySource
        Their source until a client changes ``NDArrayPort``.
    """
    for r, plugin, name in COMMON_PLUGINS:
        if ioc.has_plugin(plugin):
            ioc.add_plugin(r, plugin, name, camera)
