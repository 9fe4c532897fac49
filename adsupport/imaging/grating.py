"""Grating interferometry: a grating is stepped through its periods, without and with the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .arguments import finite, positive, whole
from .beam import BeamSource
from .beamtime import Beamtime
from .cleanup import Plan
from .config import ImagingConfig
from .experiment import Experiment
from .exposures import FrameDetector
from .sample import SampleStage, check_limits

__all__ = ["GratingConfig", "grating_interferometry_stepping"]


@dataclass(frozen=True)
class GratingConfig(ImagingConfig):
    """Frames at steps of a grating.

    Parameters
    ----------
    grating_period : float
        In the stepping motor's units (µm as a rule).
    periods : int
        How many periods are stepped through.
    steps_per_period : int
        Frames in each period, at least 3: three unknowns are looked for.
    start_position : float
        Of the stepping motor, in its units.
    flats : int
        Without any there is no reference stepping; else it has as many frames as that with the
        sample, whatever the number.
    exposure, period, darks, flat_exposure, order
        See :class:`ImagingConfig`.
    """

    grating_period: float = 1.0
    periods: int = 1
    steps_per_period: int = 16
    start_position: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("grating_period", positive("grating_period", self.grating_period, "um"))
        self._set("periods", whole("periods", self.periods, 1))
        self._set("steps_per_period", whole("steps_per_period", self.steps_per_period, 3))
        self._set("start_position", finite("start_position", self.start_position, "um"))
        self._set("flats", len(self.positions) if self.flats else 0)

    @property
    def positions(self) -> list[float]:
        """Of the stepping motor, for each frame: the end of the last period isn't among them."""
        step = self.grating_period / self.steps_per_period
        count = self.periods * self.steps_per_period
        return [self.start_position + index * step for index in range(count)]


def grating_interferometry_stepping(
    camera: FrameDetector,
    stepper: Any,
    config: GratingConfig,
    *,
    source: BeamSource,
    sample: SampleStage | None = None,
    devices: Sequence[Any] = (),
    **options: Any,
) -> Experiment:
    """Make a grating stepping experiment.

    Parameters
    ----------
    camera, source, sample, devices, **options
        See :func:`~adsupport.imaging.tomography`.
    stepper : bluesky Movable and Readable
        Moves the grating.
    config : GratingConfig
        What is asked for.

    Returns
    -------
    Experiment
        Its run has the streams ``darks``, ``flats`` (the reference stepping, without the sample)
        and ``primary`` (with it), of the last two an event for each step.
    """
    beamtime = Beamtime(camera, config, source, sample, [stepper, *devices])
    places = [(stepper, position) for position in config.positions]

    def primary() -> Plan:
        yield from beamtime.steps("primary", places, config.exposure)

    def flats() -> Plan:
        yield from beamtime.steps("flats", places, beamtime.flat_exposure)

    def check() -> None:
        ends = {"the first step is": places[0][1], "the last step is": places[-1][1]}
        check_limits(stepper, ends)

    md = {
        "hints": {"dimensions": [[[stepper.name], "primary"]]},
        "motors": [stepper.name],
        **options.pop("md", {}),
    }
    return beamtime.experiment(
        "grating_interferometry_stepping", primary, len(places), flats=flats, check=check, md=md,
        **options,
    )  # fmt: skip
