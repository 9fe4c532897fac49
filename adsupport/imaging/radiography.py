"""Radiography: frames of a sample that stands still, with darks and flats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .asked.config import RadiographyConfig
from .asked.given import kind
from .beamline.beam import BeamSource
from .beamline.exposures import FrameDetector
from .beamline.sample import SampleStage
from .beamtime import Beamtime
from .experiment import Experiment

__all__ = ["radiography"]


def radiography(
    camera: FrameDetector,
    config: RadiographyConfig,
    *,
    source: BeamSource,
    sample: SampleStage | None = None,
    devices: Sequence[Any] = (),
    **options: Any,
) -> Experiment:
    """Make an experiment that takes radiographs: ``RE(radiography(...).run())``.

    Parameters
    ----------
    camera : FrameDetector
        Such as ``ADCamera(det)``.
    config : RadiographyConfig
        What is asked for.
    source : BeamSource
        Such as ``Source(shutter)``.
    sample : SampleStage, optional
        Takes the sample out for flats.
    devices : sequence of bluesky Readable
        Read with each event, and before and after the experiment.
    **options
        Of :class:`~adsupport.imaging.Experiment`.

    Returns
    -------
    Experiment
        Its run has the streams ``darks``, ``flats`` and ``primary``, an event with all frames
        each time.
    """
    kind("config", config, RadiographyConfig)
    beamtime = Beamtime(camera, config, source, sample, devices)
    return beamtime.experiment(
        "radiography",
        lambda: beamtime.series("primary", config.projections, config.exposure),
        config.projections,
        **options,
    )
