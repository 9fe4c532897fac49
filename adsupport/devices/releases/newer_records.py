"""Components for the records that plugins got after ADCore R3-4.

ophyd's classes end there, or at R3-5.  An IOC may lack any of these, so none is read, configured
or needed unless its user says so: ``plugin.codec.kind = "config"``.
"""

from __future__ import annotations

from ophyd import ADComponent, EpicsSignal, EpicsSignalRO
from ophyd.areadetector.base import DDC_SignalWithRBV, EpicsSignalWithRBV
from ophyd.device import Device
from ophyd.ophydobj import Kind

__all__ = ["ArrayRecords", "FilePluginRecords", "HDF5PluginRecords", "PluginRecords"]

_OMITTED = Kind.omitted


class ArrayRecords(Device):
    """Records of cameras and plugins.

    Attributes
    ----------
    codec, compressed_size : ophyd.EpicsSignalRO
        ``Codec_RBV``, ``CompressedSize_RBV`` (R3-5): how the last array was compressed, and its
        size in bytes.
    num_pre_alloc_buffers : EpicsSignalWithRBV
        ``NumPreAllocBuffers`` (R3-14): how many buffers to allocate beforehand.
    pre_alloc_buffers : ophyd.EpicsSignal
        ``PreAllocBuffers`` (R3-14): put 1 to allocate them.
    pool_poll_stats : ophyd.EpicsSignal
        ``PoolPollStats`` (R3-14): processing it updates the counts of buffers.
    """

    codec = ADComponent(EpicsSignalRO, "Codec_RBV", string=True, kind=_OMITTED)
    compressed_size = ADComponent(EpicsSignalRO, "CompressedSize_RBV", kind=_OMITTED)
    num_pre_alloc_buffers = ADComponent(EpicsSignalWithRBV, "NumPreAllocBuffers", kind=_OMITTED)
    pre_alloc_buffers = ADComponent(EpicsSignal, "PreAllocBuffers", kind=_OMITTED)
    pool_poll_stats = ADComponent(EpicsSignal, "PoolPollStats", kind=_OMITTED)


class PluginRecords(ArrayRecords):
    """Records of every plugin: NDPluginDriver became a driver of its own in R3-9.

    Attributes
    ----------
    acquire : EpicsSignalWithRBV
        ``Acquire`` (R3-9): only for plugins that produce arrays of their own.
    acquire_busy : ophyd.EpicsSignalRO
        ``AcquireBusy`` (R3-9): 1 until the plugin, and those it waits for, are done.
    wait_for_plugins : ophyd.EpicsSignal
        ``WaitForPlugins`` (R3-9): ``"Yes"`` or ``"No"``.
    manufacturer, model, serial_number, firmware_version, sdk_version : ophyd.EpicsSignalRO
        What the plugin says of itself (R3-9).
    """

    acquire = ADComponent(EpicsSignalWithRBV, "Acquire", kind=_OMITTED)
    acquire_busy = ADComponent(EpicsSignalRO, "AcquireBusy", kind=_OMITTED)
    wait_for_plugins = ADComponent(EpicsSignal, "WaitForPlugins", string=True, kind=_OMITTED)
    manufacturer = ADComponent(EpicsSignalRO, "Manufacturer_RBV", string=True, kind=_OMITTED)
    model = ADComponent(EpicsSignalRO, "Model_RBV", string=True, kind=_OMITTED)
    serial_number = ADComponent(EpicsSignalRO, "SerialNumber_RBV", string=True, kind=_OMITTED)
    firmware_version = ADComponent(EpicsSignalRO, "FirmwareVersion_RBV", string=True, kind=_OMITTED)
    sdk_version = ADComponent(EpicsSignalRO, "SDKVersion_RBV", string=True, kind=_OMITTED)


class FilePluginRecords(Device):
    """Records of every file plugin.

    Attributes
    ----------
    free_capture : ophyd.EpicsSignal
        ``FreeCapture`` (R3-13): put 1 to free the memory of Capture mode.
    """

    free_capture = ADComponent(EpicsSignal, "FreeCapture", kind=_OMITTED)


class HDF5PluginRecords(Device):
    """Records of the HDF5 plugin.

    Attributes
    ----------
    flush_now : ophyd.EpicsSignal
        ``FlushNow`` (R3-5): put 1 to flush the file (SWMR mode).
    chunk_size_auto : EpicsSignalWithRBV
        ``ChunkSizeAuto`` (R3-7): ``"Yes"`` makes each chunk one frame.
    chunk_size : ophyd.Device
        ``ChunkSize2`` to ``ChunkSize9`` (R3-7) as ``dim2`` to ``dim9``: the chunks along the
        axes beyond rows and columns.
    jpeg_quality : EpicsSignalWithRBV
        ``JPEGQuality`` (R3-7): 1 to 100, for JPEG compression.
    """

    flush_now = ADComponent(EpicsSignal, "FlushNow", string=True, kind=_OMITTED)
    chunk_size_auto = ADComponent(EpicsSignalWithRBV, "ChunkSizeAuto", string=True, kind=_OMITTED)
    chunk_size = DDC_SignalWithRBV(
        *((f"dim{n}", f"ChunkSize{n}") for n in range(2, 10)), doc="Chunks along further axes"
    )
    jpeg_quality = ADComponent(EpicsSignalWithRBV, "JPEGQuality", kind=_OMITTED)
