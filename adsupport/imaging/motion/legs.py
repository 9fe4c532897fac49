"""From the tracks of a fly scan to where its stages start, slow down and stop."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import ConfigurationError
from ..stubs.cleanup import Plan
from .axis import Track
from .geometry import run_up_distance
from .limits import check_places
from .window import ConstantSpeedWindow, StageMotion, constant_speed_window

__all__ = ["DRIFT", "TRIGGER_TIME", "Leg", "planned_legs"]

logger = logging.getLogger(__name__)

#: For what the camera may take until it has got its trigger, in seconds at full speed.
TRIGGER_TIME = 0.3
#: By how much of the period the frames may come slower, as far as the stage's limits allow.  It's
#: stopped when the last frame is there, so this costs no time.
DRIFT = 0.5


@dataclass(frozen=True, eq=False)
class Leg:
    """What a stage does in a flight, from where it starts to where it stops.

    Parameters
    ----------
    track : Track
        The stage, and where its frames are to be.
    window : ConstantSpeedWindow
        The motion at constant speed.
    start, end : float
        Positions, in the stage's units: it starts early enough for the others' run-ups, and would
        go on a little, as the camera may be slower than it was asked to be.
    braking : float
        Way that it takes to stop, in units, not below 0.
    """

    track: Track
    window: ConstantSpeedWindow
    start: float
    end: float
    braking: float

    @property
    def slows_down(self) -> float:
        """Position from which on it may not have its speed any more."""
        return self.end - self.window.direction * self.braking

    @property
    def spare_time(self) -> float:
        """By how much the last frame may be late, in seconds."""
        way = self.window.direction * (self.slows_down - self.window.first)
        return way / self.window.speed - self.window.frames * self.window.period


def planned_legs(tracks: Sequence[Track], frames: int, period: float) -> Plan:
    """Compute a fly scan's motions, and make sure that the stages can do them.

    Parameters
    ----------
    tracks : sequence of Track
        What moves.
    frames : int
        How many.
    period : float
        From frame to frame, in seconds.

    Yields
    ------
    Msg
        Messages for the RunEngine: readings, nothing moves.

    Returns
    -------
    list of Leg
        The motion of each.

    Raises
    ------
    ConfigurationError
        One can't; nothing has been moved.
    """
    found = []
    compare = tracks[0].axis.position_compare
    for track in tracks:
        stage = yield from track.axis.motion()
        window = constant_speed_window(track.first, track.step, frames, period, stage)
        if window.speed < stage.base_speed * (1 - 1e-9):
            raise ConfigurationError(
                f"{stage.name}: {abs(track.step):g} in {period:g} s is a speed of "
                f"{window.speed:g}, and the lowest (VBAS) is {stage.base_speed:g}",
                remedy="Take a shorter period or larger steps, or set VBAS to 0.",
            )
        if compare is not None and track is tracks[0]:
            compare.check(window)
        for remark in window.remarks:
            logger.warning("%s", remark)
        found.append((track, window, stage))
    lead = max(window.time_to_first for _, window, _ in found)
    legs = []
    refused: ConfigurationError | None = None
    for track, window, stage in found:
        early = (lead - window.time_to_first) * window.speed
        start = window.start - window.direction * early
        for end in _ends(window, stage):
            places = {"its run-up begins": start, "it stops": end}
            try:
                yield from check_places(track.axis.motor, places)
                break
            except ConfigurationError as error:
                refused = error
        else:
            raise refused or ConfigurationError(stage.name)
        braking = run_up_distance(window.speed, stage.acceleration_time, stage.base_speed)
        legs.append(Leg(track, window, start, end, braking))
    return legs


def _ends(window: ConstantSpeedWindow, stage: StageMotion) -> tuple[float, float]:
    """Tell where a stage stops: with all the drift that its limits allow, and without any."""
    least = window.end + window.direction * window.speed * TRIGGER_TIME
    most = least + window.direction * DRIFT * window.frames * window.period * window.speed
    if stage.limits is not None and stage.limits[0] < stage.limits[1]:
        most = min(max(most, stage.limits[0]), stage.limits[1])
    return most if window.direction * (most - least) > 0 else least, least
