"""Grating interferometry: a grating is stepped through its periods, without and with the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .asked.arguments import finite, positive, whole, yes_or_no
from .asked.config import ImagingConfig
from .asked.given import kind, listed, mapping, movable
from .beamline.beam import BeamSource
from .beamline.exposures import FrameDetector
from .beamline.sample import SampleStage
from .beamtime import Beamtime
from .experiment import Experiment
from .stubs.cleanup import Plan

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
    return_to_start : bool
        Whether it goes back in the end to where it was before the experiment, on every way out.
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
    return_to_start: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("grating_period", positive("grating_period", self.grating_period, "um"))
        self._set("periods", whole("periods", self.periods, 1))
        self._set("steps_per_period", whole("steps_per_period", self.steps_per_period, 3))
        self._set("return_to_start", yes_or_no("return_to_start", self.return_to_start))
        self._set("start_position", finite("start_position", self.start_position, "um"))
        count = self.periods * self.steps_per_period
        whole("periods times steps_per_period", count)
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
    kind("config", config, GratingConfig)
    every = [movable("stepper", stepper), *listed("devices", devices, "devices")]
    beamtime = Beamtime(camera, config, source, sample, every)
    places = [(stepper, position) for position in config.positions]

    def primary() -> Plan:
        yield from beamtime.steps("primary", places, config.exposure)

    def flats() -> Plan:
        yield from beamtime.steps("flats", places, beamtime.flat_exposure)

    beamtime.travel[stepper] = {
        "the first step is": places[0][1],
        "the last step is": places[-1][1],
    }
    md = {
        "hints": {"dimensions": [[[stepper.name], "primary"]]},
        "motors": [stepper.name],
        **mapping("md", options.pop("md", None)),
    }
    return beamtime.experiment(
        "grating_interferometry_stepping", primary, len(places), flats=flats, md=md,
        **options,
    )  # fmt: skip
