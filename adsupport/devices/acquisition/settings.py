"""One acquisition on its way: what it was asked for, how long that may take, what it waits for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import ConfigurationError
from ...wording import counted
from ..signals.reading import pv_name, read_signals
from .status import AcquireStatus

__all__ = [
    "Acquisition",
    "acquire_settings",
    "frame_time",
    "frames_per_trigger",
    "is_endless",
    "progress_of",
    "unfinished",
]

_SINGLE, _CONTINUOUS = 0, 2  # of ImageMode
_ENDING = ("Single", "Multiple")
_SETTINGS = ("acquire_time", "acquire_period", "num_images", "num_exposures", "image_mode")


@dataclass
class Acquisition:
    """One acquisition on its way.

    Attributes
    ----------
    status : AcquireStatus
        What the caller of the trigger waits for.
    before : dict
        The counters before it.
    frame_time : float
        Time from frame to frame that the camera's settings tell, in seconds.
    put_done : threading.Event
        Set when the put of ``Acquire`` is answered.
    proven : threading.Event
        Set when the monitors have shown that it's complete.
    news : queue.SimpleQueue
        Numbers of frames taken so far; None when there's nothing more to wait for.
    ended : bool
        Whether somebody has undertaken to end the status.
    asking : bool
        Whether the counters are being read: what monitors show doesn't count any more.
    """

    status: AcquireStatus
    before: dict[Any, Any]
    frame_time: float
    put_done: threading.Event = field(default_factory=threading.Event)
    proven: threading.Event = field(default_factory=threading.Event)
    news: queue.SimpleQueue[int | None] = field(default_factory=queue.SimpleQueue)
    ended: bool = False
    asking: bool = False

    def end(self, lock: threading.RLock) -> bool:
        """Undertake to end the status, which only one may.

        Parameters
        ----------
        lock : threading.RLock
            Held for a moment.

        Returns
        -------
        bool
            False when somebody else has.
        """
        with lock:
            first, self.ended = not self.ended, True
        return first

    def end_wait(self) -> None:
        """Say that there's nothing more to wait for."""
        self.news.put(None)


def acquire_settings(cam: Any) -> dict[tuple[str, str], Any]:
    """List the settings that decide on frames and time.

    Parameters
    ----------
    cam : ophyd.areadetector.cam.CamBase
        The camera.

    Returns
    -------
    dict
        Signals by ("set", name), to be read together with the counters.
    """
    return {("set", attr): getattr(cam, attr) for attr in _SETTINGS}


def is_endless(found: Mapping[Any, Any]) -> bool:
    """Tell whether an acquisition would never end.

    Parameters
    ----------
    found : mapping
        Values of :func:`acquire_settings`.

    Returns
    -------
    bool
        True in Continuous mode.
    """
    return int(found["set", "image_mode"]) == _CONTINUOUS


def frames_per_trigger(cam: Any, found: Mapping[Any, Any]) -> int:
    """Tell how many frames one acquisition makes.

    Parameters
    ----------
    cam : ophyd.areadetector.cam.CamBase
        The camera.
    found : mapping
        Values of :func:`acquire_settings`.

    Returns
    -------
    int
        At least 1: with ``NumImages`` 0 a camera takes one frame.

    Raises
    ------
    ConfigurationError
        The camera is in Continuous mode, whether that's asked for or not.
    """
    if int(found["set", "image_mode"]) == _SINGLE:
        return 1
    if is_endless(found):
        if (staged := _staged_mode(cam)) is not None:
            raise ConfigurationError(
                f"{pv_name(cam.image_mode)} is Continuous, and was staged as {staged}: the "
                "acquisition would never end",
                remedy="Its IOC was restarted, or somebody has set it. Let the run end, and begin "
                "anew: the other settings may be gone, too.",
            )
        raise ConfigurationError(
            f"{pv_name(cam.image_mode)} is Continuous: the acquisition would never end. Set "
            "stage_sigs['cam.image_mode'] of the detector to 1 (Multiple)."
        )
    return max(1, int(found["set", "num_images"]))


def _staged_mode(cam: Any) -> str | None:
    """Tell which mode that ends a camera, which is staged, was staged with; None for no such."""
    asked = str(getattr(cam.parent, "stage_sigs", {}).get("cam.image_mode"))
    return next((each for n, each in enumerate(_ENDING) if asked in (each, str(n))), None)


def frame_time(found: Mapping[Any, Any]) -> float:
    """Tell the time from frame to frame, as far as the settings tell it.

    Parameters
    ----------
    found : mapping
        Values of :func:`acquire_settings`.

    Returns
    -------
    float
        The period, or the exposures of one frame when these are longer, in seconds.
    """
    exposure = max(0.0, float(found["set", "acquire_time"]))
    period = max(0.0, float(found["set", "acquire_period"]))
    return max(period, exposure * max(1, int(found["set", "num_exposures"])))


def progress_of(cam: Any) -> tuple[int, int]:
    """Read how far an acquisition is.

    Parameters
    ----------
    cam : ophyd.areadetector.cam.CamBase
        The camera.

    Returns
    -------
    tuple of int
        Frames taken, and arrays waiting in the plugins' queues.
    """
    found = read_signals({"frames": cam.num_images_counter, **_queue(cam)})
    return int(found["frames"]), int(found.get("queued", 0))


def _queue(cam: Any) -> dict[str, Any]:
    queued = getattr(cam, "num_queued_arrays", None)
    return {} if queued is None else {"queued": queued}


def unfinished(cam: Any, frames: int, elapsed: float, detector: str, late: str = "") -> str:
    """Say that an acquisition didn't end.

    Parameters
    ----------
    cam : ophyd.areadetector.cam.CamBase
        The camera.
    frames : int
        Frames asked for.
    elapsed : float
        Time waited, in seconds.
    detector : str
        Name of the detector, whose ``acquire_timeout`` can be changed.
    late : str
        Which plugins haven't done with their frames, in a sentence.

    Returns
    -------
    str
        What was waited for, what was seen, what to do.
    """
    found = read_signals(
        {
            "count": cam.num_images_counter,
            "total": cam.array_counter,
            "acquire": cam.acquire,
            "period": cam.acquire_period,
            "exposure": cam.acquire_time,
            **_queue(cam),
        }
    )
    state = cam.detector_state.get(as_string=True)
    mode = cam.trigger_mode.get(as_string=True)
    if int(found["acquire"]) == 0:
        which = late.rstrip(".") or "look at QueueUse and WriteStatus"
        hint = f"The camera is done, but a plugin isn't: {which}"
    elif mode != "Internal":
        hint = f"TriggerMode is {mode}: does the camera get its triggers"
    else:
        hint = "Look at the camera's StatusMessage and at its power and cabling"
    queued = f", NumQueuedArrays {found['queued']}" if "queued" in found else ""
    return (
        f"{pv_name(cam.acquire, setpoint=True)}: the put of 1 wasn't completed within "
        f"{elapsed:.1f} s: waited for {counted(frames)} of AcquireTime {found['exposure']:g} s, "
        f"AcquirePeriod {found['period']:g} s; NumImagesCounter {found['count']}, ArrayCounter "
        f"{found['total']}, DetectorState {state}{queued}. The camera was stopped. {hint}; if "
        f"it only needs longer, set {detector}.acquire_timeout."
    )
