"""Tomography: projections at many angles, with darks and flats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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

__all__ = ["tomography"]


def tomography(
    camera: FrameDetector,
    rotation: Any,
    config: TomographyConfig,
    *,
    source: BeamSource,
    sample: SampleStage | None = None,
    devices: Sequence[Any] = (),
    **options: Any,
) -> Experiment:
    """Make a tomography experiment: ``RE(tomography(...).run())``.

    Parameters
    ----------
    camera : FrameDetector
        Such as ``ADCamera(det)``.
    rotation : bluesky Movable and Readable, or FlyAxis
        Turns the sample; degrees.  In mode ``"fly"`` it needs a velocity and an acceleration, as
        an EpicsMotor has, or those of a :class:`~adsupport.imaging.FlyAxis`.
    config : TomographyConfig
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
        Its run has the streams ``darks``, ``flats`` and ``primary``: of the last an event for
        each angle in mode ``"step"``, and one with all frames and the angle of each in mode
        ``"fly"``.
    """
    kind("config", config, TomographyConfig)
    motor = rotation.motor if isinstance(rotation, FlyAxis) else rotation
    devices = [movable("rotation", motor), *listed("devices", devices, "devices")]
    if config.mode == "fly":
        return _fly_tomography(camera, rotation, config, source, sample, devices, options)
    rotation = motor
    beamtime = Beamtime(camera, config, source, sample, devices)
    blocks = _Blocks(config.set_points, config.flats_every)

    def primary() -> Plan:
        places = [(rotation, angle) for angle in blocks.next()]
        yield from beamtime.steps("primary", places, config.exposure)

    angles = config.set_points
    beamtime.travel[rotation] = {"the lowest angle is": min(angles), "the highest is": max(angles)}
    beamtime.rotations.add(rotation)
    beamtime.near[rotation] = half_a_step(angles)  # a block may be of one angle
    hints = {"dimensions": [[[rotation.name], "primary"]]}
    md = {"hints": hints, "motors": [rotation.name], **mapping("md", options.pop("md", None))}
    return beamtime.experiment(
        "tomography",
        primary,
        blocks.sizes,
        order=blocks.order(config),
        angles=angles,
        begin=blocks.begin,
        md=md,
        **options,
    )


def _fly_tomography(
    camera: FrameDetector, rotation: Any, config: TomographyConfig, source: BeamSource,
    sample: SampleStage | None, devices: Sequence[Any], options: dict[str, Any],
) -> Experiment:  # fmt: skip
    axis = rotation if isinstance(rotation, FlyAxis) else FlyAxis(rotation)
    beamtime = Beamtime(camera, config, source, sample, devices)
    beamtime.travel[axis.motor] = {}  # its places depend on its acceleration: see check_flight
    tracks = [Track(axis, config.start_angle, config.angular_range / config.count)]

    def ahead() -> Plan:
        yield from check_flight(
            camera, tracks, config.count, config.exposure, config.period
        )  # fmt: skip

    def primary() -> Plan:
        yield from fly(
            camera, tracks, "primary", config.count, config.exposure, config.period,
            beamtime.readables, beamtime.light,
        )  # fmt: skip

    key = positions_key(axis.motor)
    md = {
        "hints": {"dimensions": [[[key], "primary"]]},
        "motors": [axis.motor.name],
        **mapping("md", options.pop("md", None)),
    }
    return beamtime.experiment("tomography", primary, config.count, md=md, ahead=ahead, **options)


class _Blocks:
    """The angles, in as many blocks as flats are taken between them."""

    def __init__(self, angles: list[float], every: int | None) -> None:
        size = every or len(angles)
        self._blocks = [angles[start : start + size] for start in range(0, len(angles), size)]
        self._place = 0

    @property
    def sizes(self) -> list[int]:
        """How many angles each block has."""
        return [len(each) for each in self._blocks]

    def begin(self) -> None:
        """Begin anew, with the first block."""
        self._place = 0

    def next(self) -> list[float]:
        """Give the next block's angles; after the last the first again."""
        found = self._blocks[self._place % len(self._blocks)]
        self._place += 1
        return found

    def order(self, config: TomographyConfig) -> list[str]:
        """Put flats between the blocks, whether there are others or not."""
        between = ["flats"] if config.flats else []
        blocks = (["primary", *between] * len(self._blocks))[: -len(between) or None]
        return [each for step in config.steps for each in (blocks if step == "primary" else [step])]
