"""The motors of the beamline: a rotation stage, the sample on it, the stage that carries both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adsupport.sim.beamline.projection import Pose
from adsupport.sim.ioc import IOC
from adsupport.sim.motor.group import MotorGroup

POLL_PERIOD = 0.02
"""Seconds between two looks at the axes, and so between read-backs."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How one motor is set up.

    Attributes
    ----------
    description, units : str
        Fields DESC and EGU.
    step : float
        Size of one motor step, in units.
    travel : float
        Distance of either limit switch and soft limit from 0, in units.
    speed : float
        Units per second.
    """

    description: str
    units: str
    step: float
    travel: float
    speed: float

    @property
    def fields(self) -> Mapping[str, float | str]:
        """Fields of the motor record, in the order in which they are to be written."""
        return {
            "DESC": self.description,
            "EGU": self.units,
            "PREC": 4,
            "MRES": self.step,
            "RDBD": self.step,
            "DHLM": self.travel,
            "DLLM": -self.travel,
            "VBAS": 0.0,
            "VELO": self.speed,
            "ACCL": 0.1,
            "JVEL": self.speed / 2,
            "HVEL": self.speed / 2,
        }


STAGES = (
    Stage("rotation", "degrees", 0.001, 3600.0, 90.0),
    Stage("sample x", "mm", 0.0005, 5.0, 4.0),
    Stage("sample y", "mm", 0.0005, 20.0, 4.0),
    Stage("sample z", "mm", 0.0005, 5.0, 4.0),
    Stage("stage across the beam", "mm", 0.001, 50.0, 20.0),
)
"""Motors m1 to m5."""


class SampleStages:
    """The motors ``m1`` to ``m5`` of an IOC.

    Parameters
    ----------
    ioc : IOC
        Gets the records.
    """

    def __init__(self, ioc: IOC) -> None:
        self._group = MotorGroup(ioc, len(STAGES), period=POLL_PERIOD)
        for motor, stage in zip(self._group.motors, STAGES, strict=True):
            motor.axis.limit_switch = stage.travel / stage.step
            for field, value in stage.fields.items():
                motor.put(field, value)

    def pose_at(self, moment: float) -> Pose:
        """Tell where the sample is, by the dials: another name of a place doesn't move it.

        Parameters
        ----------
        moment : float
            A time of :func:`time.monotonic`, about now.
        """
        return Pose(*self._group.positions_at(moment))
