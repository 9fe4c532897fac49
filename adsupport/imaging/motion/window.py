"""How a stage moves through a fly scan: where it has its speed, where it starts and stops.

Positions are in the stage's own units: degrees for a rotation, as a rule mm for a translation.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from ...errors import ConfigurationError
from ..asked.arguments import finite, positive, whole
from .geometry import fly_speed, run_up_distance

__all__ = ["ConstantSpeedWindow", "StageMotion", "check_travel", "constant_speed_window"]

#: Part of a step that may be lost by rounding to encoder counts without a remark.
_COUNT_TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class StageMotion:
    """What a stage can do.

    Parameters
    ----------
    acceleration_time : float
        Time from ``base_speed`` to any speed, and back, in seconds: ``ACCL`` of an EPICS motor.
    base_speed : float
        Speed with which it starts, in units per second: ``VBAS``.
    max_speed : float, optional
        In units per second: ``VMAX``; None or 0 when there is no such limit, as in EPICS.
    limits : (float, float), optional
        Lowest and highest position, in units; None or two equal numbers when there are none,
        as in EPICS.
    resolution : float, optional
        Units per count of the encoder, when steps are to be whole counts; the sign doesn't
        matter.
    name : str
        Of the motor, for messages.

    Raises
    ------
    ConfigurationError
        One of these can't be.
    """

    acceleration_time: float
    base_speed: float = 0.0
    max_speed: float | None = None
    limits: tuple[float, float] | None = None
    resolution: float | None = None
    name: str = "motor"

    def __post_init__(self) -> None:
        positive(f"{self.name}: acceleration_time", self.acceleration_time, "s", zero=True)
        positive(f"{self.name}: base_speed", self.base_speed, zero=True)
        if self.max_speed is not None:
            positive(f"{self.name}: max_speed", self.max_speed, zero=True)
        if self.resolution is not None and not finite(f"{self.name}: resolution", self.resolution):
            raise ConfigurationError(f"{self.name}: resolution is 0 units per count.")


@dataclasses.dataclass(frozen=True)
class ConstantSpeedWindow:
    """A stage's motion through frames that are taken at equal times at a constant speed.

    Attributes
    ----------
    first : float
        Position where the exposure of the first frame begins, in the stage's units.
    step : float
        From frame to frame, in units; below 0 when the stage moves to lower positions.
    frames : int
        How many.
    period : float
        From frame to frame, in seconds.
    speed : float
        In units per second, never below 0.
    start, end : float
        Where the stage stands before and after, in units.
    run_up, run_down : float
        Distance from ``start`` to the first frame, and from the end of the last frame's period to
        ``end``, in units, never below 0: whole steps, and half a step or more at full speed.
    time_to_first : float
        Time from the start of the motion to the first frame, in seconds.
    duration : float
        Time from ``start`` to ``end``, in seconds.
    counts_per_step : int or None
        Encoder counts from frame to frame, never below 0; None without an encoder.
    remarks : tuple of str
        What isn't quite as it was asked for.
    """

    first: float
    step: float
    frames: int
    period: float
    speed: float
    start: float
    end: float
    run_up: float
    run_down: float
    time_to_first: float
    duration: float
    counts_per_step: int | None = None
    remarks: tuple[str, ...] = ()

    @property
    def direction(self) -> int:
        """1 to higher positions, -1 to lower ones."""
        return 1 if self.step > 0 else -1

    @property
    def last(self) -> float:
        """Position where the exposure of the last frame begins, in units."""
        return self.first + (self.frames - 1) * self.step

    @property
    def positions(self) -> np.ndarray:
        """Positions where exposures begin, in units: shape (frames,), float64."""
        return self.first + np.arange(self.frames) * self.step

    def middles(self, exposure: float) -> np.ndarray:
        """Compute the positions in the middle of exposures.

        Parameters
        ----------
        exposure : float
            In seconds.

        Returns
        -------
        numpy.ndarray
            Shape (frames,), float64, in units.

        Raises
        ------
        ConfigurationError
            The exposure is below 0, or longer than the period.
        """
        exposure = positive("exposure", exposure, "s", zero=True)
        if exposure > self.period * (1 + 1e-9):
            raise ConfigurationError(
                f"exposure: {exposure:g} s is longer than the period of {self.period:g} s"
            )
        return self.positions + self.direction * self.speed * exposure / 2


def constant_speed_window(
    first: float, step: float, frames: int, period: float, stage: StageMotion
) -> ConstantSpeedWindow:
    """Compute how a stage is to move so that it has its speed during all frames.

    The run-up is the distance of acceleration, up to the next whole step with half a step to
    spare: ``ceil(acceleration / step + 1/2) * step``, as in tomoscan.  The run-down is as long,
    counted from the end of the last frame's period: an exposure may be as long as a period.

    Parameters
    ----------
    first : float
        Position where the exposure of the first frame begins, in the stage's units.
    step : float
        From frame to frame, in units; below 0 to move to lower positions.
    frames : int
        How many, at least 1.
    period : float
        From frame to frame, in seconds (:func:`.frame_time`).
    stage : StageMotion
        What the stage can do.

    Returns
    -------
    ConstantSpeedWindow
        The motion.  With an encoder its step is a whole number of counts, and a remark says what
        that changes.

    Raises
    ------
    ConfigurationError
        The stage can't move so: it's too fast, goes beyond a limit, or the step is less than
        half a count of the encoder.
    """
    first, step = finite("first", first), finite("step", step)
    frames, period = whole("frames", frames), positive("period", period, "s")
    if not step:
        raise ConfigurationError(
            f"step: {stage.name} wouldn't move from frame to frame", remedy="Take still frames."
        )
    step, counts, remarks = _in_counts(first, step, frames, stage)
    speed = fly_speed(step, period)
    if stage.max_speed and speed > stage.max_speed:
        raise ConfigurationError(
            f"{stage.name}: {abs(step):g} in {period:g} s is a speed of {speed:g}, and the highest "
            f"is {stage.max_speed:g}",
            remedy=f"Take a period of {abs(step) / stage.max_speed:.6g} s or more, or smaller "
            "steps.",
        )
    acceleration = run_up_distance(speed, stage.acceleration_time, stage.base_speed)
    size, direction = abs(step), math.copysign(1, step)
    run = math.ceil(acceleration / size + 0.5) * size
    time_to_first = stage.acceleration_time + (run - acceleration) / speed
    window = ConstantSpeedWindow(
        first=first,
        step=step,
        frames=frames,
        period=period,
        speed=speed,
        start=first - direction * run,
        end=first + frames * step + direction * run,
        run_up=run,
        run_down=run,
        time_to_first=time_to_first,
        duration=frames * period + 2 * time_to_first,
        counts_per_step=counts,
        remarks=remarks,
    )
    check_travel(
        {"its run-up begins": window.start, "its run-down ends": window.end},
        stage.limits,
        stage.name,
        "Choose another range, a lower speed or a shorter acceleration time",
    )
    return window


def check_travel(
    places: dict[str, float],
    limits: tuple[float, float] | None,
    name: str,
    remedy: str = "Choose another range",
) -> None:
    """Make sure that a stage doesn't have to leave its limits.

    Parameters
    ----------
    places : dict of str to float
        Positions in the stage's units, by what happens there, such as ``"its run-up begins"``.
    limits : (float, float), optional
        Lowest and highest position; None or two equal numbers when there are none.
    name : str
        Of the motor, for the message.
    remedy : str
        What else can be done than change the limits.

    Raises
    ------
    ConfigurationError
        A position is beyond a limit; all of these are named.
    """
    if limits is None or limits[0] >= limits[1]:
        return
    low, high = limits
    beyond = [f"{what} at {place:g}" for what, place in places.items() if not low <= place <= high]
    if beyond:
        raise ConfigurationError(
            f"{name} can't go where {' and '.join(beyond)}: its limits are {low:g} and {high:g}",
            remedy=f"Nothing has been moved. {remedy}, or change the limits.",
        )


def _in_counts(
    first: float, step: float, frames: int, stage: StageMotion
) -> tuple[float, int | None, tuple[str, ...]]:
    """Round a step to whole counts of the encoder, if there is one."""
    if stage.resolution is None:
        return step, None, ()
    count = abs(stage.resolution)
    wanted = abs(step) / count
    counts = round(wanted)
    if not counts:
        raise ConfigurationError(
            f"step: {abs(step):g} is less than half an encoder count of {stage.name}, which is "
            f"{count:g}",
            remedy="Take fewer frames in the range.",
        )
    rounded = math.copysign(counts * count, step)
    if abs(wanted - counts) <= _COUNT_TOLERANCE:
        return rounded, counts, ()
    ends = (first + (frames - 1) * each for each in (rounded, step))
    remark = (
        f"{stage.name}: a step of {abs(step):g} is {wanted:.4f} encoder counts; with {counts} the "
        "last frame begins at {:.6g} instead of {:.6g}.".format(*ends)
    )
    return rounded, counts, (remark,)
