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

from .connection import ConnectsAtOnce
from .staging import BoundedStaging

__all__ = ["CamMixin_V34", "CamMixin_V3_1_1", "SimDetectorCam_V34"]

_SINE_PARTS = ("Amplitude", "Frequency", "Phase")


class CamMixin_V3_1_1(ConnectsAtOnce, BoundedStaging, CamBase):
    """Camera of ADCore 3.3 and later.

    The name is the one users know; the process variables it adds came with ADCore R3-3,
    which also removed ``PoolMaxBuffers``.  While staged the camera waits for its plugins,
    so an acquisition is done when the last plugin is.

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
    """

    _cam_release = "3.1.1"

    pool_max_buffers = None  # removed from ADCore in R3-3
    acquire_busy = ADComponent(EpicsSignalRO, "AcquireBusy")
    wait_for_plugins = ADComponent(EpicsSignal, "WaitForPlugins", string=True)
    num_queued_arrays = ADComponent(EpicsSignalRO, "NumQueuedArrays")
    ad_core_version = ADComponent(EpicsSignalRO, "ADCoreVersion_RBV", string=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stage_sigs["wait_for_plugins"] = "Yes"

    @property
    def is_busy(self) -> bool:
        """Whether the camera, or a plugin it waits for, is at work."""
        return bool(self.acquire_busy.get(as_string=False))


class CamMixin_V34(CamMixin_V3_1_1):
    """Camera of ADCore 3.4 and later: the same process variables as :class:`CamMixin_V3_1_1`."""

    _cam_release = "3.4"


class SimDetectorCam_V34(CamMixin_V34, SimDetectorCam):
    """Camera of ADSimDetector R2-10 and later, on ADCore 3.4 and later.

    Attributes
    ----------
    nd_attr_status : ophyd.EpicsSignal
        ``NDAttributesStatus``: what came of reading the file of attributes.
    offset : EpicsSignalWithRBV
        ``Offset``: added to each pixel; a parameter of the simulation.
    x_sine_operation, y_sine_operation : EpicsSignalWithRBV
        ``"Add"`` or ``"Multiply"``: how the two sine waves along an axis are put together.
    x_sine, y_sine : ophyd.Device
        Amplitude, frequency and phase of the two sine waves along an axis, as
        ``amplitude1``, ``frequency1``, ``phase1``, ``amplitude2`` and so on.
    """

    nd_attr_status = ADComponent(EpicsSignal, "NDAttributesStatus", kind="omitted", string=True)
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
