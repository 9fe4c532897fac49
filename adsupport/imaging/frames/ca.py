"""Frames over Channel Access: the waveform of a detector's image plugin."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
from epics import ca, dbr
from ophyd import EpicsSignalRO

from ...devices.connection.connect import connect
from ...devices.signals.monitors import Monitors
from ...devices.signals.reading import pv_name
from ...errors import ConfigurationError
from .arrival import Arrival
from .frame import StreamAbout
from .live import LiveFrames
from .plugin_pvs import prefix_of

__all__ = ["CASource"]

_SIZES = ("ArraySize0_RBV", "ArraySize1_RBV", "ArraySize2_RBV")
_KINDS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8")


class CASource:
    """Frames of ``<prefix>image1:ArrayData``, for looking at: the slowest and least certain way.

    The waveform has the type of its record: as ADCore's usual start-up files declare it, 8 bits,
    and wider pixels are cast, which keeps their lowest 8 bits only.  Frames have no unique id and
    no time, because those are other records, which can't be read in the same moment.  Frames that
    come faster than they are fetched are lost.

    Parameters
    ----------
    plugin : str or ophyd.Device
        The image plugin, or its prefix, such as ``"im:image1:"``.  It must be enabled.
    queue : int
        Frames that wait here at most when addons are slow.
    settle : float
        Seconds without a frame after which no more are waited for.
    timeout : float
        Seconds to wait for the process variables.

    Raises
    ------
    ConnectionTimeoutError
        A process variable is missing.
    """

    def __init__(
        self, plugin: Any, *, queue: int = 64, settle: float = 1.0, timeout: float = 10.0
    ) -> None:
        prefix = prefix_of(plugin)
        self.pv = f"{prefix}ArrayData"
        self._live = LiveFrames(self.pv, queue, settle)
        pixels = EpicsSignalRO(self.pv, name="ArrayData")
        kinds = {
            name: EpicsSignalRO(prefix + name, name=name)
            for name in ("NDimensions_RBV", "DataType_RBV", *_SIZES)
        }
        connect(pixels, *kinds.values(), timeout=timeout)
        self._pixels, self._timeout = pixels, timeout
        self._kinds = Monitors(kinds)
        self._subscription: Any = None
        self._connect()

    def _connect(self) -> None:
        # not by Monitors: a waveform that never had an image sends no first value
        channel = self._pixels.cl.get_pv(pv_name(self._pixels)).chid
        self._subscription = ca.create_subscription(
            channel, mask=dbr.DBE_VALUE, callback=self._note
        )
        try:
            self._kinds.start(self._timeout)  # when these have come, the image of before has, too
        except BaseException:
            self.close()
            raise

    def begin(self, about: StreamAbout, take: Callable[[Arrival], None]) -> None:
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`."""
        if self._subscription is None:
            self._connect()
        self._kinds.latest()  # raises when the IOC is gone
        self._live.begin(about, take, None)

    def end(self, expected: int | None, timeout: float) -> int:
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`; fewer frames are no error."""
        return self._live.end(expected, timeout)

    def close(self) -> None:
        """Let go of the process variables, until another acquisition begins."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with contextlib.suppress(ca.CASeverityException):  # its channel is gone, and so is it
                ca.clear_subscription(subscription[-1])
            self._kinds.stop()
        self._live.stop()

    def _note(self, value: Any = None, **_: Any) -> None:
        if not self._live.wanted:
            return
        try:
            self._live.put(self._shaped(np.array(value)))
        except Exception as error:
            self._live.fail(error)

    def _shaped(self, values: np.ndarray) -> np.ndarray:
        known = self._kinds.snapshot()
        axes = [int(known[name]) for name in _SIZES][: int(known["NDimensions_RBV"])]
        pixels = int(np.prod(axes))
        if not axes or values.size < pixels:
            raise ConfigurationError(
                f"{self.pv} has {values.size} elements; expected {pixels} for {axes} pixels.",
                remedy="Let the record and EPICS_CA_MAX_ARRAY_BYTES have room for an image.",
            )
        kind = np.dtype(_KINDS[int(known["DataType_RBV"])])
        if kind.itemsize == values.itemsize and kind.kind in "iu" and values.dtype.kind in "iu":
            values = values.view(kind)  # Channel Access knows no sign of its own
        return values[:pixels].reshape(axes[::-1]).copy()
