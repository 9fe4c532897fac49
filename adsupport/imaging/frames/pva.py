"""Frames over pvAccess: the NTNDArray that a detector's Pva plugin serves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ...devices.connection.connect import connect
from ...devices.signals.monitors import Monitors
from ...errors import ConfigurationError, ConnectionTimeoutError
from .arrival import Arrival
from .frame import StreamAbout
from .live import LiveFrames
from .plugin_pvs import camera_of, frame_counter, prefix_of

__all__ = ["PVASource", "understood"]


class PVASource:
    """Frames of ``<prefix>Pva1:Image``; needs p4p: ``pip install "adsupport[pva]"``.

    The detector isn't held up, and frames that come faster than they are fetched are lost: the
    unique ids tell which.  The end of an acquisition waits until addons of policy ``block`` have
    taken what waits here; slow ones should ``drop``, or take the frames of the file.

    Parameters
    ----------
    plugin : str or ophyd.Device
        The Pva plugin, or its prefix, such as ``"im:Pva1:"``.  It must be enabled.
    camera : str or ophyd.Device, optional
        The camera, or its prefix; by default the one beside the plugin in an ophyd detector.
        Its counter tells which frame is the first one: without it no frame has its angle from
        the plan.
    pv : str, optional
        Name of the image, by default ``<prefix>Image``.
    queue : int
        Frames that wait here at most when addons are slow.
    settle : float
        Seconds without a frame after which no more are waited for.
    timeout : float
        Seconds to wait for the process variables.

    Raises
    ------
    ImportError
        p4p isn't installed.
    ConnectionTimeoutError
        A process variable is missing.
    """

    def __init__(
        self,
        plugin: Any,
        camera: Any = None,
        *,
        pv: str | None = None,
        queue: int = 64,
        settle: float = 1.0,
        timeout: float = 10.0,
    ) -> None:
        try:
            from p4p.client.thread import Context
        except ImportError:
            raise ImportError(
                "p4p is needed for frames over pvAccess: pip install 'adsupport[pva]'."
            ) from None
        self.pv = f"{prefix_of(plugin)}Image" if pv is None else pv
        self._live = LiveFrames(self.pv, queue, settle)
        cam = camera_of(plugin, camera)
        self._counter = frame_counter(cam) if cam else None
        self._count: Monitors | None = None
        if self._counter is not None:
            connect(self._counter, timeout=timeout)
        self._context_of = Context
        self._queue, self._timeout = queue, timeout
        self._connected = threading.Event()
        self._context: Any = None
        self._subscription: Any = None
        self._connect()

    def _connect(self) -> None:
        self._connected.clear()
        self._context = self._context_of("pva", nt=False)
        self._subscription = self._context.monitor(  # it ends when nobody keeps it
            self.pv,
            self._note,
            request=f"record[queueSize={self._queue}]field()",
            notify_disconnect=True,
        )
        if not self._connected.wait(self._timeout):
            self.close()
            raise ConnectionTimeoutError(
                f"{self.pv} isn't served over pvAccess: waited {self._timeout:g} s.",
                {self.pv: "image"},
                remedy="Start the plugin's server, and let EPICS_PVA_ADDR_LIST name its computer.",
            )

    def begin(self, about: StreamAbout, take: Callable[[Arrival], None]) -> None:
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`."""
        if self._context is None:
            self._connect()
        self._uncount()
        counter = self._counter
        number = None if counter is None else int(counter.get(use_monitor=False))
        self._live.begin(about, take, number)
        if counter is not None:  # staging may set it back
            self._count = Monitors(
                {"counter": counter}, lambda _, value: self._live.counted(int(value))
            )
            self._count.start(self._timeout)

    def end(self, expected: int | None, timeout: float) -> int:
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`; fewer frames are no error."""
        self._uncount()
        return self._live.end(expected, timeout)

    def close(self) -> None:
        """Let go of the connection, until another acquisition begins."""
        self._uncount()
        self._live.stop()
        context, self._context = self._context, None
        if context is not None:
            self._subscription.close()
            context.close()

    def _uncount(self) -> None:
        count, self._count = self._count, None
        if count is not None:
            count.stop()

    def _note(self, value: Any) -> None:
        if isinstance(value, Exception):
            return  # a connection that is gone, which comes again
        try:
            if not self._connected.is_set():
                self._connected.set()  # the image of before
            elif self._live.wanted:
                self._live.put(*understood(value, self.pv))
        except Exception as error:
            self._live.fail(error)


def understood(value: Any, pv: str) -> tuple[np.ndarray, int, float, dict[str, Any]]:
    """Take out of an NTNDArray what a frame has.

    Parameters
    ----------
    value : p4p.Value
        The structure.
    pv : str
        Its name, for the message.

    Returns
    -------
    numpy.ndarray
        Pixels.
    int
        Unique id.
    float
        Seconds since 1970.
    dict of str to object
        Attributes.

    Raises
    ------
    ConfigurationError
        The pixels are compressed.
    """
    codec = value.codec.name
    if codec:
        raise ConfigurationError(
            f"{pv} has images compressed by {codec}; expected plain ones.",
            remedy="Let the Pva plugin take its arrays from in front of the codec plugin.",
        )
    shape = tuple(int(each.size) for each in reversed(value.dimension))
    pixels = np.array(value.value).reshape(shape)
    time = value.timeStamp
    facts = {str(each.name): each.value for each in value.attribute}
    return (
        pixels,
        int(value.uniqueId),
        float(time.secondsPastEpoch) + 1e-9 * time.nanoseconds,
        facts,
    )
