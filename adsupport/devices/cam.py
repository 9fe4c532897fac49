"""Cameras: what ADCore added to them since the version that ophyd's classes describe.

ophyd's camera classes carry no version.  Put the mixin of your ADCore first among the
bases::

    class MyCam(CamMixin_V34, PilatusDetectorCam): ...
"""

from __future__ import annotations

from typing import Any

from ophyd import ADComponent, EpicsSignal, EpicsSignalRO
from ophyd.areadetector.base import DDC_SignalWithRBV, EpicsSignalWithRBV
from ophyd.areadetector.cam import CamBase, SimDetectorCam

from .connection.connect import ConnectsAtOnce
from .releases.newer_records import ArrayRecords
from .signals.batched_reading import ReadsAtOnce
from .staging import BoundedStaging

__all__ = ["CamMixin_V34", "CamMixin_V3_1_1", "SimDetectorCam_V34"]

_SINE_PARTS = ("Amplitude", "Frequency", "Phase")


class CamMixin_V3_1_1(ConnectsAtOnce, ReadsAtOnce, BoundedStaging, ArrayRecords, CamBase):
    """Camera of ADCore 3.3 and later.

    The name is the one users know, though the process variables that make the difference came
    with ADCore R3-3 (not R3-1-1), which also removed ``PoolMaxBuffers``.  While staged the camera
    waits for its plugins, so an acquisition is done when the last plugin is.

    For an older release ``class_for``, or ``ad_creator(..., adcore=...)``, makes a camera without
    these: ``acquire_busy``, ``wait_for_plugins`` and ``num_queued_arrays`` are None then.

    Attributes
    ----------
    acquire_busy : ophyd.EpicsSignalRO
        ``AcquireBusy``: 1 until camera (and plugins) are done.
    wait_for_plugins : ophyd.EpicsSignal
        ``WaitForPlugins``: ``"Yes"`` or ``"No"``.
    num_queued_arrays : ophyd.EpicsSignalRO
        ``NumQueuedArrays``: arrays queued or being processed in all plugins.
    ad_core_version : ophyd.EpicsSignalRO
        ``ADCoreVersion_RBV``, such as ``"3.14.0"``.
    driver_version, firmware_version, sdk_version, serial_number : ophyd.EpicsSignalRO
        What the driver says of itself and of the camera.
    empty_free_list : ophyd.EpicsSignal
        ``EmptyFreeList``: put 1 to give the memory of unused arrays back.
    nd_attr_status, nd_attributes_macros : ophyd.EpicsSignal
        ``NDAttributesStatus``: what came of reading the file of attributes; and its macros.
    unique_id, time_stamp, epics_ts_sec, epics_ts_nsec : ophyd.EpicsSignalRO
        Number and times of the last array.
    ndimensions, bayer_pattern : ophyd.EpicsSignalRO
        Number of its axes, and its Bayer pattern.
    """

    _cam_release = "3.1.1"

    pool_max_buffers = None  # removed from ADCore in R3-3
    acquire_busy = ADComponent(EpicsSignalRO, "AcquireBusy")
    wait_for_plugins = ADComponent(EpicsSignal, "WaitForPlugins", string=True)
    num_queued_arrays = ADComponent(EpicsSignalRO, "NumQueuedArrays")
    ad_core_version = ADComponent(EpicsSignalRO, "ADCoreVersion_RBV", string=True)
    driver_version = ADComponent(EpicsSignalRO, "DriverVersion_RBV", kind="omitted", string=True)
    firmware_version = ADComponent(
        EpicsSignalRO, "FirmwareVersion_RBV", kind="omitted", string=True
    )
    sdk_version = ADComponent(EpicsSignalRO, "SDKVersion_RBV", kind="omitted", string=True)
    serial_number = ADComponent(EpicsSignalRO, "SerialNumber_RBV", kind="omitted", string=True)
    empty_free_list = ADComponent(EpicsSignal, "EmptyFreeList", kind="omitted")
    nd_attr_status = ADComponent(EpicsSignal, "NDAttributesStatus", kind="omitted", string=True)
    nd_attributes_macros = ADComponent(
        EpicsSignal, "NDAttributesMacros", kind="omitted", string=True
    )
    unique_id = ADComponent(EpicsSignalRO, "UniqueId_RBV", kind="omitted")
    time_stamp = ADComponent(EpicsSignalRO, "TimeStamp_RBV", kind="omitted")
    epics_ts_sec = ADComponent(EpicsSignalRO, "EpicsTSSec_RBV", kind="omitted")
    epics_ts_nsec = ADComponent(EpicsSignalRO, "EpicsTSNsec_RBV", kind="omitted")
    ndimensions = ADComponent(EpicsSignalRO, "NDimensions_RBV", kind="omitted")
    bayer_pattern = ADComponent(EpicsSignalRO, "BayerPattern_RBV", kind="omitted")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if type(self).wait_for_plugins is not None:
            self.stage_sigs["wait_for_plugins"] = "Yes"

    def validate_asyn_ports(self) -> None:
        """Leave the check of the ports to the detector, which knows all of its parts."""

    @property
    def is_busy(self) -> bool:
        """Whether the camera, or a plugin it waits for, is at work; before R3-3 the camera."""
        busy: Any = self.acquire if type(self).acquire_busy is None else self.acquire_busy
        return bool(busy.get(as_string=False))


class CamMixin_V34(CamMixin_V3_1_1):
    """Camera of ADCore 3.4 and later: the same process variables as :class:`CamMixin_V3_1_1`."""

    _cam_release = "3.4"


class SimDetectorCam_V34(CamMixin_V34, SimDetectorCam):
    """Camera of ADSimDetector R2-9 and later, on ADCore 3.4 and later.

    Attributes
    ----------
    offset : EpicsSignalWithRBV
        ``Offset``: added to each pixel; a parameter of the simulation, since ADSimDetector R2-9.
    x_sine_operation, y_sine_operation : EpicsSignalWithRBV
        ``"Add"`` or ``"Multiply"``: how the two sine waves along an axis are put together.
    x_sine, y_sine : ophyd.Device
        Amplitude, frequency and phase of the two sine waves along an axis, as
        ``amplitude1``, ``frequency1``, ``phase1``, ``amplitude2`` and so on.
    """

    offset = ADComponent(EpicsSignalWithRBV, "Offset")
    x_sine_operation = ADComponent(EpicsSignalWithRBV, "XSineOperation", string=True)
    y_sine_operation = ADComponent(EpicsSignalWithRBV, "YSineOperation", string=True)
    x_sine = DDC_SignalWithRBV(
        *((f"{part.lower()}{n}", f"XSine{n}{part}") for n in (1, 2) for part in _SINE_PARTS),
        doc="Sine waves along X",
    )
    y_sine = DDC_SignalWithRBV(
        *((f"{part.lower()}{n}", f"YSine{n}{part}") for n in (1, 2) for part in _SINE_PARTS),
        doc="Sine waves along Y",
    )
