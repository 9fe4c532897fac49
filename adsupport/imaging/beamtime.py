"""Darks, flats and projections: what source and sample have to be for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps

from ..errors import ConfigurationError
from .acquisition import Acquisition
from .beam import BeamSource
from .cleanup import Plan, Step, with_cleanup
from .config import ImagingConfig
from .experiment import Experiment
from .exposures import FrameDetector, staged, take_event
from .motion.standstill import halt
from .sample import SampleStage

__all__ = ["Beamtime"]


class Beamtime:
    """What the experiments with an imaging detector have in common.

    Parameters
    ----------
    camera : FrameDetector
        Takes the frames.
    config : ImagingConfig
        What is asked for.
    source : BeamSource
        Lets the beam to the sample.
    sample : SampleStage, optional
        Takes the sample out for flats; needed when there are flats.
    devices : sequence of bluesky Readable
        Read with each event, besides source and sample, and before and after the experiment.

    Raises
    ------
    ConfigurationError
        Flats are asked for, and nothing takes the sample out.
    """

    def __init__(
        self,
        camera: FrameDetector,
        config: ImagingConfig,
        source: BeamSource,
        sample: SampleStage | None,
        devices: Sequence[Any] = (),
    ) -> None:
        if "flats" in config.steps and sample is None:
            raise ConfigurationError(
                "flats are asked for, and nothing takes the sample out of the beam",
                remedy="Give sample=SampleStage({motor: (in, out)}), or flats=0.",
            )
        self.camera, self.config, self.source, self.sample = camera, config, source, sample
        axes = [] if sample is None else sample.devices
        self.readables = [*devices, source.device, *axes]

    def experiment(
        self,
        name: str,
        primary: Callable[[], Any],
        frames: int | Sequence[int],
        /,  # frames= is a source of frames, of the options
        *,
        order: Sequence[str] | None = None,
        check: Callable[[], None] = lambda: None,
        prepare: Callable[[], Any] | None = None,
        flats: Callable[[], Any] | None = None,
        angles: Sequence[float] = (),
        cleanup: Sequence[Step] = (),
        **options: Any,
    ) -> Experiment:
        """Make the experiment.

        Parameters
        ----------
        name : str
            Of the plan.
        primary : callable
            Gives the plan that takes the projections, with the beam on and the sample in it.
        frames : int or sequence of int
            How many projections that gives, or each time that it's run.
        order : sequence of str, optional
            Of acquisitions; that of the configuration by default.
        check : callable
            Called before anything moves.
        prepare : callable, optional
            Gives a plan that runs before the first acquisition.
        flats : callable, optional
            Gives the plan that takes the flats, with the beam on and the sample out of it; by
            default they come all in one event.
        angles : sequence of float
            Of the projections, in degrees, where they're known before.
        cleanup : sequence of Step
            What is to be put back besides source, sample and camera.
        **options
            Of :class:`Experiment`.

        Returns
        -------
        Experiment
            With the acquisitions ``darks``, ``flats`` and ``primary``.
        """
        config = self.config
        camera: Any = self.camera
        pace, flat_pace = (
            max(config.period, exposure) for exposure in (config.exposure, self.flat_exposure)
        )
        known = {
            "darks": Acquisition("darks", self._darks, frames=config.darks, frame_time=pace),
            "flats": Acquisition(
                "flats", lambda: self._flats(flats), frames=config.flats, frame_time=flat_pace
            ),
            "primary": Acquisition(
                "primary", lambda: self._primary(primary), frames=frames, angles=angles,
                frame_time=pace,
            ),
        }  # fmt: skip
        order = config.steps if order is None else order

        def check_all() -> None:
            go_there()
            if self.sample is not None:
                self.sample.check()
            check()

        def prepare_all() -> Plan:
            if prepare is not None:
                yield from prepare()
            yield from camera.remember()

        walker = options.get("walker")

        def go_there() -> None:
            if hasattr(camera, "walker"):
                camera.walker = walker  # of this experiment, if the camera has others, too

        made = Experiment(
            [each for key, each in known.items() if key in order],
            name=name,
            check=check_all,
            prepare=prepare_all,
            cleanup=[
                ("close the source", self.source.close),
                *cleanup,
                *([] if self.sample is None else [("move the sample in", self.sample.bring_in)]),
                ("restore the camera's settings", camera.restore),
            ],
            devices=self.readables,
            md={"imaging": {"experiment": name, **config.metadata()}, **options.pop("md", {})},
            **options,
        )
        made.order = order
        return made

    def steps(self, stream: str, motor_positions: Sequence[Sequence[Any]], exposure: float) -> Plan:
        """Take a frame at each of some places, an event for each.

        Parameters
        ----------
        stream : str
            Their stream.
        motor_positions : sequence of sequence
            For each frame devices and positions in turn, as ``bps.mv`` takes them.
        exposure : float
            Of each, in seconds.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from self.camera.prepare(stream, 1, exposure, self.config.period)

        def walk() -> Plan:
            for places in motor_positions:
                yield from bps.checkpoint()  # after a pause none is taken twice
                yield from bps.mv(*places)
                yield from take_event(self.camera, stream, self.readables)

        motors = dict.fromkeys(each for places in motor_positions for each in places[::2])
        halts = [(f"halt {motor.name}", partial(halt, motor)) for motor in motors]
        whole = False

        def walk_all() -> Plan:
            nonlocal whole
            yield from staged(self.camera, walk)
            whole = True

        yield from with_cleanup(walk_all(), lambda: [] if whole else halts)

    def series(self, stream: str, frames: int, exposure: float) -> Plan:
        """Take frames of one kind, all in one event.

        Parameters
        ----------
        stream : str
            Their stream.
        frames : int
            How many.
        exposure : float
            Of each, in seconds.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        period = self.config.period
        yield from self.camera.prepare(stream, frames, exposure, period)

        def take() -> Plan:
            yield from bps.checkpoint()
            yield from take_event(self.camera, stream, self.readables)

        yield from staged(self.camera, take)

    @property
    def flat_exposure(self) -> float:
        """Of flats, in seconds."""
        return self.config.flat_exposure or self.config.exposure

    def _darks(self) -> Plan:
        yield from self.source.close()
        yield from self.series("darks", self.config.darks, self.config.exposure)

    def _flats(self, plan: Callable[[], Any] | None) -> Plan:
        if self.sample is not None:
            yield from self.sample.move_out()
        yield from self.source.open()
        if plan is None:
            yield from self.series("flats", self.config.flats, self.flat_exposure)
        else:
            yield from plan()

    def _primary(self, plan: Callable[[], Any]) -> Plan:
        if self.sample is not None:
            yield from self.sample.move_in()
        yield from self.source.open()
        yield from plan()
