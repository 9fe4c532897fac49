"""What the beamline has: ophyd classes for area detectors and synApps records."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .cam import CamMixin_V3_1_1, CamMixin_V34, SimDetectorCam_V34
from .connection import connect
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
from .priming import (
    AD_plugin_primed,
    AD_prime_plugin,
    AD_prime_plugin2,
    ensure_AD_plugin_primed,
)
from .releases import class_for
from .swait_setup import (
    setup_gaussian_swait,
    setup_incrementer_swait,
    setup_lorentzian_swait,
    setup_random_number_swait,
)
from .synapps import SwaitRecord, UserCalcsDevice
from .trigger import SingleTrigger_V34

if TYPE_CHECKING:
    from .declaration import load_detectors
    from .introspection import describe_ioc

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

#: What is imported at its first use, and from where.
_LATER = {"describe_ioc": ".introspection", "load_detectors": ".declaration"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name], __name__), name)
