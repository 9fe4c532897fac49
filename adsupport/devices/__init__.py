"""What the beamline has: ophyd classes for area detectors and synApps records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..later import imported_later
from .acquisition.trigger import SingleTrigger_V34
from .cam import CamMixin_V3_1_1, CamMixin_V34, SimDetectorCam_V34
from .connection.connect import connect
from .factory import ad_class_factory, ad_creator
from .file_writers import (
    AD_EpicsFileNameHDF5Plugin,
    AD_EpicsFileNameJPEGPlugin,
    AD_EpicsFileNameTIFFPlugin,
    AD_full_file_name_local,
    HDF5FileWriterPlugin,
)
from .frame_type import AD_FrameType_schemes, AD_setup_FrameType
from .plugin_defaults import PLUGIN_DEFAULTS
from .plugins import BadPixelPlugin
from .preflight import CheckReport, Finding, PlannedRun, check
from .priming.prime import (
    AD_plugin_primed,
    AD_prime_plugin,
    AD_prime_plugin2,
    ensure_AD_plugin_primed,
)
from .releases.fitting import class_for
from .synapps.records import SwaitRecord, UserCalcsDevice
from .synapps.setup import (
    setup_gaussian_swait,
    setup_incrementer_swait,
    setup_lorentzian_swait,
    setup_random_number_swait,
)

if TYPE_CHECKING:
    from .declared.load import load_detectors
    from .ioc.introspection import describe_ioc

__all__ = [
    "AD_EpicsFileNameHDF5Plugin",
    "AD_EpicsFileNameJPEGPlugin",
    "AD_EpicsFileNameTIFFPlugin",
    "AD_FrameType_schemes",
    "AD_full_file_name_local",
    "AD_plugin_primed",
    "AD_prime_plugin",
    "AD_prime_plugin2",
    "AD_setup_FrameType",
    "BadPixelPlugin",
    "CamMixin_V34",
    "CamMixin_V3_1_1",
    "CheckReport",
    "Finding",
    "HDF5FileWriterPlugin",
    "PLUGIN_DEFAULTS",
    "PlannedRun",
    "SimDetectorCam_V34",
    "SingleTrigger_V34",
    "SwaitRecord",
    "UserCalcsDevice",
    "ad_class_factory",
    "ad_creator",
    "check",
    "class_for",
    "connect",
    "describe_ioc",
    "ensure_AD_plugin_primed",
    "load_detectors",
    "setup_gaussian_swait",
    "setup_incrementer_swait",
    "setup_lorentzian_swait",
    "setup_random_number_swait",
]

__getattr__ = imported_later(
    __name__,
    {"ioc.introspection": ["describe_ioc"], "declared.load": ["load_detectors"]},
)
