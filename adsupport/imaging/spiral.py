"""Spiral tomography: the sample rises while it turns, for samples taller than the beam."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError
from .asked.arguments import MOST, finite
from .asked.config import TomographyConfig
from .asked.given import kind, listed, mapping, movable
from .beamline.beam import BeamSource
from .beamline.exposures import FrameDetector
from .beamline.sample import SampleStage
from .beamtime import Beamtime
from .experiment import Experiment
from .motion.fly import FlyAxis, Track, check_flight, fly, positions_key
from .stubs.arrival import half_a_step
from .stubs.cleanup import Plan

__all__ = ["SpiralConfig", "spiral_tomography"]

#: How far from its height a sample may stand, as part of the way from tomogram to tomogram.
_NEAR = 0.01


@dataclass(frozen=True)
class SpiralConfig(TomographyConfig):
    """Projections at many angles and heights.

    Parameters
    ----------
    vertical_shift : float
        From tomogram to tomogram, in the vertical motor's units (mm as a rule); negative goes to
        lower positions.
    sample_height : float
        That the spiral has to cover, in the same units, above 0.
    start_vertical : float
        Position of the first projection, in the same units.
    projections : int
        Of each tomogram, which is ``angular_range``.
    return_to_start : bool
        Of both motors, see :class:`TomographyConfig`.
    exposure, period, darks, flats, flat_exposure, order, angular_range, start_angle, mode
        See :class:`TomographyConfig`; ``angles`` and ``flats_every`` can't be had.
    """

    vertical_shift: float = 0.0
    sample_height: float = 0.0
    start_vertical: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("vertical_shift", "sample_height", "start_vertical"):
            self._set(name, finite(name, getattr(self, name), "mm"))
        if not self.vertical_shift or self.sample_height <= 0:
            raise ConfigurationError(
                f"vertical_shift={self.vertical_shift:g} and sample_height={self.sample_height:g}: "
                "expected a shift that isn't 0, and a height above 0."
            )
        if self.sample_height / abs(self.vertical_shift) * self.count > MOST:
            raise ConfigurationError(
                f"sample_height={self.sample_height:g} with vertical_shift={self.vertical_shift:g} "
                f"and projections={self.count}: more than {MOST} projections in all"
            )
        for name in ("angles", "flats_every"):
            if getattr(self, name) is not None:
                raise ConfigurationError(f"{name} can't be had with a spiral.")

    @property
    def tomograms(self) -> int:
        """How often the sample turns through the range: whole turns that cover its height.

        ``ceil(height / |shift|) + 1``: one more than the height has shifts, as the first and the
        last aren't whole in height.  Source: concert, with whole numbers.
        """
        shifts = self.sample_height / abs(self.vertical_shift)
        return math.ceil(shifts - 1e-9) + 1

    @property
    def total(self) -> int:
        """How many projections there are in all."""
        return self.tomograms * self.count

    @property
    def steps_of_both(self) -> tuple[float, float]:
        """From projection to projection: degrees, and units of the vertical motor."""
        return self.angular_range / self.count, self.vertical_shift / self.count

    @property
    def places(self) -> list[tuple[float, float]]:
        """Angle and vertical position of each projection."""
        turn, rise = self.steps_of_both
        return [
            (self.start_angle + index * turn, self.start_vertical + index * rise)
            for index in range(self.total)
        ]


def spiral_tomography(
    camera: FrameDetector,
    rotation: Any,
    vertical: Any,
    config: SpiralConfig,
    *,
    source: BeamSource,
    sample: SampleStage | None = None,
    devices: Sequence[Any] = (),
    **options: Any,
) -> Experiment:
    """Make a spiral tomography experiment.

    Parameters
    ----------
    camera, source, sample, devices, **options
        See :func:`~adsupport.imaging.tomography`.
    rotation, vertical : bluesky Movable and Readable, or FlyAxis
        Turn and lift the sample.
    config : SpiralConfig
        What is asked for.

    Returns
    -------
    Experiment
        Its run has the streams ``darks``, ``flats`` and ``primary``: in mode ``"step"`` with an
        event for each projection; in mode ``"fly"`` with one that has all, and angle and height
        of each.
    """
    kind("config", config, SpiralConfig)
    turning = movable("rotation", _motor(rotation))
    lifting = movable("vertical", _motor(vertical))
    if turning is lifting:
        raise ConfigurationError(f"rotation and vertical are both {turning.name}.")
    every = [turning, lifting, *listed("devices", devices, "devices")]
    beamtime = Beamtime(camera, config, source, sample, every)
    angles, heights = zip(*config.places, strict=True)
    beamtime.travel[turning] = {"the lowest angle is": min(angles), "the highest is": max(angles)}
    beamtime.rotations.add(turning)
    beamtime.travel[lifting] = {
        "the spiral is lowest": min(heights),
        "it is highest": max(heights),
    }
    if config.mode == "fly":
        turn, rise = config.steps_of_both
        tracks = [
            Track(_axis(rotation), config.start_angle, turn),
            Track(_axis(vertical), config.start_vertical, rise),
        ]

        def primary() -> Plan:
            yield from fly(
                camera, tracks, "primary", config.total, config.exposure, config.period,
                beamtime.readables, beamtime.light,
            )  # fmt: skip

        def ahead() -> Plan:
            yield from check_flight(
                camera, tracks, config.total, config.exposure, config.period
            )  # fmt: skip

        key = positions_key(turning)
    else:

        def primary() -> Plan:
            places = [(turning, angle, lifting, height) for angle, height in config.places]
            yield from beamtime.steps("primary", places, config.exposure)

        def ahead() -> Plan:
            yield from ()

        # its steps are smaller than they need to be
        beamtime.near[lifting] = max(half_a_step(heights), _NEAR * abs(config.vertical_shift))
        key = turning.name

    md = {
        "hints": {"dimensions": [[[key], "primary"]]},
        "motors": [turning.name, lifting.name],
        "spiral": {
            "tomograms": config.tomograms,
            "projections": config.total,
            "vertical": lifting.name,
        },
        **mapping("md", options.pop("md", None)),
    }
    known = angles if config.mode == "step" else []
    return beamtime.experiment(
        "spiral_tomography", primary, config.total, ahead=ahead, md=md,
        angles=known, **options,
    )  # fmt: skip


def _motor(given: Any) -> Any:
    return given.motor if isinstance(given, FlyAxis) else given


def _axis(given: Any) -> FlyAxis:
    return given if isinstance(given, FlyAxis) else FlyAxis(given)
