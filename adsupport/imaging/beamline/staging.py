"""Taking frames with a detector that is prepared and staged, and unstaged on every way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import short_uid

from ...errors import ConfigurationError
from ..asked.arguments import positive, whole
from ..asked.given import having, readables
from ..stubs.cleanup import Plan, Step, with_cleanup
from ..stubs.events import trigger_event
from ..stubs.under_way import end_what
from .exposures import FrameDetector

__all__ = ["staged", "take_event", "take_frames"]


def staged(detector: FrameDetector, prepare: Callable[[], Any], plan: Callable[[], Any]) -> Plan:
    """Run a plan with the detector prepared and staged, and unstage it on every way out.

    A detector of ophyd-async goes on with what it was told last, unstaged or not: a plan that is
    interrupted while it's prepared or triggered ends that first.

    Parameters
    ----------
    detector : FrameDetector
        The detector.
    prepare : callable
        Gives the plan that prepares it; run before it's staged, or after that if it wants so.
    plan : callable
        Gives the plan.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    any
        What the plan returns.
    """
    device, last = detector.device, detector.staged_first

    def body() -> Plan:
        yield from bps.stage(device, group=short_uid("stage"), wait=True)
        if last:
            yield from prepare()
        return (yield from plan())

    def unstage() -> Plan:  # the group that bluesky takes may have a failure of staging in it
        yield from bps.unstage(device, group=short_uid("unstage"), wait=True)

    def end() -> Iterable[Step]:
        return [
            (f"end what {device.name} does", lambda: end_what(device)),
            (f"unstage {device.name}", unstage),
        ]

    if not last:
        yield from prepare()
    return (yield from with_cleanup(body(), end))


def take_frames(
    camera: FrameDetector,
    stream: str,
    frames: int,
    exposure: float,
    *,
    period: float = 0.0,
    devices: Sequence[Any] = (),
) -> Plan:
    """Take frames, all in one event: for producers of one's own.

    The camera is prepared for them and staged, and unstaged on every way out.  It opens no source.
    An ``ADCamera`` must have been told to :meth:`~adsupport.imaging.ADCamera.remember`, once an
    experiment, and a run be open.

    Parameters
    ----------
    camera : FrameDetector
        Takes them.
    stream : str
        Of the event, and of the file.
    frames : int
        How many.
    exposure, period : float
        Of each, and from frame to frame, in seconds; 0 is as fast as the camera goes.
    devices : sequence of bluesky Readable
        Read into the same event.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    ConfigurationError
        An argument can't be; nothing has been done.

    Examples
    --------
    >>> flats = Acquisition("flats", lambda: take_frames(camera, "flats", 10, 0.05), frames=10)
    ... # doctest: +SKIP
    """
    having("camera", camera, ("device", "prepare"), "Give ADCamera(...) or PreparedCamera(...).")
    if not isinstance(stream, str) or not stream:
        raise ConfigurationError(f"stream must be a text that isn't empty, got {stream!r}.")
    frames, exposure = whole("frames", frames), positive("exposure", exposure, "s")
    period = positive("period", period, "s", zero=True)
    devices = readables("devices", devices)

    def take() -> Plan:
        yield from bps.checkpoint()
        yield from take_event(camera, stream, devices)
        yield from bps.checkpoint()  # a pause from now on takes none again

    prepare = partial(camera.prepare, stream, frames, exposure, period)
    yield from staged(camera, prepare, take)


def take_event(detector: FrameDetector, stream: str, others: Sequence[Any]) -> Plan:
    """Trigger the detector, and read it with other devices into one event.

    Parameters
    ----------
    detector : FrameDetector
        Staged.
    stream : str
        Of the event.
    others : sequence of bluesky Readable
        What tells how the frames came about.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    AcquireTimeoutError
        It, or one of the others, takes too long.
    """
    limit = getattr(detector, "trigger_timeout", None)
    yield from trigger_event([detector.device, *others], stream, detector.device, limit)
