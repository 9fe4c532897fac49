"""Darks, flats and projections: what source and sample have to be for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import ensure_generator

from ..errors import ConfigurationError
from .acquisition import Acquisition
from .asked.config import ImagingConfig
from .asked.given import function, having, listed, mapping, readables
from .beamline.beam import BeamSource
from .beamline.camera_state import CameraState
from .beamline.exposures import FrameDetector
from .beamline.light import Light
from .beamline.sample import SampleStage
from .beamline.staging import staged, take_event
from .beamline.starts import Starts
from .experiment import Experiment
from .motion.limits import check_limits, check_places
from .motion.speeds import check_speed
from .motion.standstill import halt
from .stubs.arrival import check_arrival, half_a_step
from .stubs.cleanup import Plan, Step, with_cleanup
from .stubs.moves_in_time import AgainAfterPause, move_within_time

__all__ = ["Beamtime"]

_CAMERA = ("device", "prepare", "remember", "restore", "frame_times")
_SOURCE = ("device", "open", "close")
_SAMPLE = ("devices", "check", "move_in", "move_out", "bring_in")


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

    Attributes
    ----------
    light : Light
        Opens the source for frames; for plans that don't take them with :meth:`steps` or
        :meth:`series`.
    travel : dict
        Of all devices that move besides the sample's: positions that are needed, by what is
        there, as far as they're known.  Positions and speeds are looked at before anything moves.
    near : dict
        Of devices that move by :meth:`steps`: how far from its place each may stand; by default
        half of its smallest step.
    rotations : set
        Those of them that may stand whole turns from their places: some begin anew at 360 degrees.

    Raises
    ------
    ConfigurationError
        Camera, source, sample or a device is something else.
    """

    def __init__(
        self,
        camera: FrameDetector,
        config: ImagingConfig,
        source: BeamSource,
        sample: SampleStage | None,
        devices: Sequence[Any] = (),
    ) -> None:
        having("camera", camera, _CAMERA, "Give ADCamera(detector) or PreparedCamera(detector).")
        having("source", source, _SOURCE, "Give Source(shutter).")
        if sample is not None:
            having("sample", sample, _SAMPLE, "Give SampleStage({motor: (in, out)}).")
        self.camera, self.config, self.source, self.sample = camera, config, source, sample
        axes = [] if sample is None else sample.devices
        self.readables = [*readables("devices", devices), source.device, *axes]
        self.travel: dict[Any, dict[str, float]] = {}
        self.near: dict[Any, float] = {}
        self.rotations: set[Any] = set()
        self.light = Light(source)

    def experiment(
        self,
        name: str,
        primary: Callable[[], Any],
        frames: int | Sequence[int],
        /,  # frames= is a source of frames, of the options
        *,
        order: Sequence[str] | None = None,
        begin: Callable[[], None] = lambda: None,
        check: Callable[[], Any] | None = None,
        ahead: Callable[[], Any] | None = None,
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
            Of the kind of experiment, and of the plan unless the options have a ``name``.
        primary : callable
            Gives the plan that takes the projections, with the sample in the beam; what takes the
            frames opens the source, and closes it right after them.
        frames : int or sequence of int
            How many projections that gives, or each time that it's run.
        order : sequence of str, optional
            Of acquisitions; that of the configuration by default.
        begin : callable
            Called at the start of each run, before anything moves.
        check : callable, optional
            The user's, called then, too.
        ahead : callable, optional
            Gives a plan that looks, before anything moves, whether all can be done.
        prepare : callable, optional
            Gives a plan of the user's that runs before the first acquisition.
        flats : callable, optional
            Gives the plan that takes the flats, with the sample out of the beam; by default they
            come all in one event.
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

        Raises
        ------
        ConfigurationError
            Flats are asked for, and nothing takes the sample out; or an option can't be.
        """
        config = self.config
        camera: Any = self.camera
        function("prepare", prepare)
        function("check", check)
        pace, flat_pace = (
            max(config.period, exposure) for exposure in (config.exposure, self.flat_exposure)
        )
        tells_ids = hasattr(camera.device, "frame_reports")
        stepped = flats is not None or getattr(config, "mode", "") == "step"
        known = {
            "darks": Acquisition("darks", self._darks, frames=config.darks, frame_time=pace),
            "flats": Acquisition(
                "flats", lambda: self._flats(flats), frames=config.flats, frame_time=flat_pace,
                per_event=1 if flats is not None and tells_ids else None,
            ),
            "primary": Acquisition(
                "primary", lambda: self._primary(primary), frames=frames, angles=angles,
                frame_time=pace, per_event=1 if stepped and tells_ids else None,
            ),
        }  # fmt: skip
        order = config.steps if order is None else order
        if "flats" in order and self.sample is None:
            raise ConfigurationError(
                "flats are asked for, and nothing takes the sample out of the beam",
                remedy="Give sample=SampleStage({motor: (in, out)}), or flats=0.",
            )

        def check_all() -> Plan:
            go_there()
            starts.forget()
            if self.sample is not None:
                self.sample.check()
            for device, places in self.travel.items():
                check_limits(device, places)
            begin()
            looking = None if check is None else check()
            if isinstance(looking, Generator):
                yield from looking
            if self.sample is not None:
                yield from self.sample.ask()
            for device, places in self.travel.items():
                yield from check_places(device, places)
            axes = [] if self.sample is None else self.sample.devices
            for device in dict.fromkeys([*self.travel, *axes]):
                yield from check_speed(device)

        def prepare_all() -> Plan:
            for plan in (ahead, prepare):
                made = None if plan is None else plan()
                if made is not None:
                    yield from ensure_generator(made)
            if returns:
                yield from starts.remember(self.travel)
            yield from camera.remember()

        starts = Starts()
        returns = getattr(config, "return_to_start", False)
        walker = options.get("walker")
        asked = "missing" in options

        def go_there() -> None:
            if hasattr(camera, "walker"):
                camera.walker = walker  # of this experiment, if the camera has others, too
            if not asked:
                policy = getattr(camera.device, "frame_policy", "raise")
                made.missing = "raise" if policy == "raise" else "drop"

        made = Experiment(
            [each for key, each in known.items() if key in order],
            name=options.pop("name", name),
            check=check_all,
            prepare=prepare_all,
            cleanup=[
                ("close the source", self.source.close),
                *listed("cleanup", cleanup, "steps"),
                *([] if self.sample is None else [("move the sample in", self.sample.bring_in)]),
                ("restore the camera's settings", camera.restore),
                *([("return to the start", starts.go_back)] if returns else []),
            ],
            devices=self.readables,
            md={
                "imaging": {"experiment": name, **config.metadata()},
                **mapping("md", options.pop("md", None)),
            },
            **options,
        )
        made.order = order
        part = getattr(camera.device, "cam", None) or getattr(camera.device, "driver", None)
        made.settings = () if part is None else (CameraState(part),)
        made.moves = (*self.travel, *([] if self.sample is None else self.sample.devices))
        self.light.then = made.frames_taken
        return made

    def steps(self, stream: str, motor_positions: Sequence[Sequence[Any]], exposure: float) -> Plan:
        """Take a frame at each of some places, an event for each.

        The beam is on from the first place on, until the last frame has been taken.

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

        Raises
        ------
        PutError
            A device is stuck, or stands elsewhere than it was sent to: somebody has stopped it.
        """
        prepare = partial(self.camera.prepare, stream, 1, exposure, self.config.period)
        ways = [dict(zip(each[::2], each[1::2], strict=True)) for each in motor_positions]
        near = {**(usual := _near(ways)), **self.near}
        first = ways[0] if ways else {}
        again = AgainAfterPause(first)

        def go(places: dict[Any, Any], move: Plan) -> Plan:
            yield from move
            for device, place in places.items():
                turn = 360.0 if device in self.rotations else math.inf
                yield from check_arrival(device, place, near[device], turn=turn)

        def walk() -> Plan:
            for places in ways:
                yield from bps.checkpoint()  # after a pause none is taken twice
                move = again.move() if places is first else move_within_time(places)
                yield from go(places, move)
                yield from take_event(self.camera, stream, self.readables)
            yield from bps.checkpoint()

        halts = [(f"halt {motor.name}", partial(halt, motor)) for motor in usual]
        whole = False

        def walk_all() -> Plan:
            nonlocal whole
            yield from bps.checkpoint()
            yield from again.listen()
            yield from go(first, move_within_time(first))
            yield from staged(self.camera, prepare, partial(self.light.during, walk))
            whole = True

        yield from with_cleanup(walk_all(), lambda: [] if whole else halts)

    def series(self, stream: str, frames: int, exposure: float, *, beam: bool = True) -> Plan:
        """Take frames of one kind, all in one event.

        Parameters
        ----------
        stream : str
            Their stream.
        frames : int
            How many.
        exposure : float
            Of each, in seconds.
        beam : bool
            Whether the source is opened for them; else it stays as it is.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        prepare = partial(self.camera.prepare, stream, frames, exposure, self.config.period)

        def take() -> Plan:
            yield from bps.checkpoint()
            yield from take_event(self.camera, stream, self.readables)
            yield from bps.checkpoint()  # a pause from now on takes none again
            if not beam:
                self.light.then()

        yield from staged(self.camera, prepare, partial(self.light.during, take) if beam else take)

    @property
    def flat_exposure(self) -> float:
        """Of flats, in seconds."""
        return self.config.flat_exposure or self.config.exposure

    def _darks(self) -> Plan:
        yield from self.source.close()
        yield from self.series("darks", self.config.darks, self.config.exposure, beam=False)

    def _flats(self, plan: Callable[[], Any] | None) -> Plan:
        if self.sample is not None:
            yield from self.sample.move_out()
        if plan is None:
            yield from self.series("flats", self.config.flats, self.flat_exposure)
        else:
            yield from plan()

    def _primary(self, plan: Callable[[], Any]) -> Plan:
        if self.sample is not None:
            yield from self.sample.move_in()
        yield from plan()


def _near(ways: Sequence[Mapping[Any, Any]]) -> dict[Any, float]:
    """Tell of each device how far from its places it may stand."""
    places: dict[Any, list[Any]] = {}
    for each in ways:
        for device, place in each.items():
            places.setdefault(device, []).append(place)
    return {device: half_a_step(each) for device, each in places.items()}
