"""Fly scans: frames while a stage moves at constant speed, each with the position it was at."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.utils import short_uid
from ophyd.status import Status

from ...errors import PutError
from ..beamline.exposures import FrameDetector
from ..beamline.light import Light
from ..beamline.staging import staged
from ..stubs.cleanup import Plan, Step, with_cleanup
from ..stubs.events import read_event, trigger_all
from ..stubs.moves import set_and_wait
from ..stubs.moves_in_time import move_within_time
from .axis import FlyAxis, Track
from .blur import warn_of_blur
from .flight import not_resumed
from .frame_positions import positions_key
from .legs import Leg, planned_legs
from .pace import check_pace, check_period, try_period, warn_of_steps
from .position_compare import with_position_compare
from .pulsed import on_pulses, trigger_and_then
from .standstill import halt, stop_well

__all__ = ["FlyAxis", "Track", "check_flight", "fly", "positions_key"]

#: For what the camera and the stage may need more than they should, in seconds.
_GRACE = 30.0


class _Passing:
    """Looks like a device: its trigger ends when the motor passes a place."""

    parent = None

    def __init__(self, axis: FlyAxis, place: float, direction: int, timeout: float) -> None:
        self.name = f"{axis.motor.name} passing {place:g}"
        self._begin: Callable[[], Status] = lambda: axis.log.passing(place, direction, timeout)

    def trigger(self) -> Status:
        """Wait for it."""
        return self._begin()


def fly(
    camera: FrameDetector,
    tracks: Sequence[Track],
    stream: str,
    frames: int,
    exposure: float,
    period: float,
    others: Sequence[Any],
    light: Light,
) -> Plan:
    """Take frames while stages move, all in one event, with the positions of each.

    The stages go to where their run-ups begin, get their speeds, start together, and the camera
    is triggered when the first of them passes its first position.  They're stopped after the last
    frame, or stop where the room for a slow camera ends.  With ``position_compare`` of the first
    axis the camera is started before the stages, and waits for a pulse for each frame.

    What is recorded is where they were in the middle of each exposure, by their read-backs and the
    frames' own timestamps.  It's recorded also when the flight turns out to be bad: the error comes
    after the event.

    Parameters
    ----------
    camera : FrameDetector
        The detector; has to tell the times of its frames.
    tracks : sequence of Track
        What moves, the one that triggers first.
    stream : str
        Of the event.
    frames : int
        How many.
    exposure, period : float
        Of a frame, and from frame to frame, in seconds.
    others : sequence of bluesky Readable
        Read into the same event.
    light : Light
        Opens the source before the stages start, and closes it after the last frame.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    ConfigurationError
        A stage can't move so, and nothing has been moved; or the camera didn't keep the period,
        and a stage had slowed down before the last frame.
    PutError
        The exposures were at times of which no read-back is known; their positions are NaN.
    AcquireTimeoutError
        Not each frame has got a pulse, or the camera doesn't end.
    InterruptedFlightError
        It was paused in the flight, and resumed; see :func:`.flight.not_resumed`.
    """
    legs = yield from planned_legs(tracks, frames, period)
    along = [track.axis.positions for track in tracks]
    for track in tracks:
        track.axis.positions.units = yield from track.axis.units()
    group = short_uid("fly")
    lead = max(leg.window.time_to_first for leg in legs)
    grace = max(leg.window.duration for leg in legs) + frames * period + _GRACE

    compare, pulse_mode = tracks[0].axis.position_compare, tracks[0].axis.pulse_mode

    def body() -> Plan:
        for track in tracks:
            yield from track.axis.remember()
        if compare is None:
            yield from approach()
            return
        pulsed = partial(on_pulses, camera.device, pulse_mode, approach)
        yield from with_position_compare(pulsed, compare, tracks[0].axis.motor, legs[0].window)

    def approach() -> Plan:
        yield from move_within_time({leg.track.axis.motor: leg.start for leg in legs})
        for leg in legs:
            yield from set_and_wait(leg.track.axis.velocity, leg.window.speed, 10.0)
        prepare = partial(camera.prepare, stream, frames, exposure, period)
        yield from staged(camera, prepare, one_go)

    def one_go() -> Plan:
        names = " and ".join(track.axis.motor.name for track in tracks)
        yield from check_period(camera.device, frames, period, legs)
        yield from light.during(lambda: not_resumed(move(), f"the flight of {names}"))

    def move() -> Plan:
        for track in tracks:
            track.axis.log.start()
        if compare is None:
            yield from start()
            first = legs[0].window
            passing: Any = _Passing(tracks[0].axis, first.first, first.direction, lead + _GRACE)
            yield from bps.trigger(passing, wait=True)
            limit = getattr(camera, "trigger_timeout", None)
            yield from trigger_all([camera.device], camera.device, limit)
        else:
            yield from trigger_and_then(camera.device, start, grace)
        yield from light.off()
        for leg in legs:  # what is left of their way is for slower cameras
            yield from stop_well(leg.track.axis.motor)
        yield from bps.wait(group, timeout=grace)
        for leg in legs:
            yield from halt(leg.track.axis.motor)
        times = np.asarray((yield from camera.frame_times(frames)))
        unknown = _take_positions(legs, times - exposure / 2)
        yield from read_event([camera.device, *along, *light.seen(others)], stream)
        if unknown is not None:
            raise unknown
        for leg in legs:
            check_pace(times, exposure, leg, camera.device)
        warn_of_steps(tracks[0], camera.device)

    def start() -> Plan:
        for leg in legs:
            yield from bps.abs_set(leg.track.axis.motor, leg.end, group=group)

    def end() -> list[Step]:
        found: list[Step] = []
        for track in tracks:
            motor = track.axis.motor
            found += [
                (f"halt {motor.name}", partial(halt, motor)),
                (f"listen no more to {motor.name}", track.axis.log.stop),
                (f"restore the speed of {motor.name}", track.axis.restore),
            ]
        return found

    yield from with_cleanup(body(), end)
    yield from bps.checkpoint()  # a deferred pause has waited for this


def check_flight(
    camera: FrameDetector, tracks: Sequence[Track], frames: int, exposure: float, period: float
) -> Plan:
    """Make sure that stages and camera can do a fly scan, before the source is opened.

    Of a rotation that smears the frames there's a warning: see :func:`.blur.warn_of_blur`.

    Parameters
    ----------
    camera, tracks, frames, exposure, period
        See :func:`fly`; the first track is the rotation.

    Yields
    ------
    Msg
        Messages for the RunEngine: the camera's times are set and put back, nothing moves.

    Raises
    ------
    ConfigurationError
        A stage can't move so, or the camera doesn't take the exposure and the period.
    """
    legs = yield from planned_legs(tracks, frames, period)
    yield from try_period(camera.device, frames, exposure, period, legs)
    yield from warn_of_blur(camera.device, legs[0].window.speed, exposure)


def _take_positions(legs: Sequence[Leg], times: np.ndarray) -> PutError | None:
    """Note where the stages were; NaN, and an error, when that isn't known."""
    unknown = None
    for leg in legs:
        axis = leg.track.axis
        try:
            axis.positions.positions = axis.log.at(times, standing=True)
        except PutError as error:
            axis.positions.positions = np.full(len(times), math.nan)
            unknown = unknown or error
    return unknown
