"""Arguments that can't be: refused when the experiment is made, by name, and nothing moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.plan_stubs import null

from adsupport.errors import ConfigurationError
from adsupport.imaging import (
    Acquisition,
    ADCamera,
    DirectoryWalker,
    Experiment,
    FlyAxis,
    GratingConfig,
    PreparedCamera,
    RadiographyConfig,
    SampleStage,
    Source,
    SpiralConfig,
    TomographyConfig,
    grating_interferometry_stepping,
    mosaic,
    radiography,
    series,
    spiral_tomography,
    tomography,
)

from .beamline import Beamline, Movable

CONFIG = TomographyConfig(exposure=0.1, darks=1, flats=1, projections=2)


def make(beamline: Beamline, **changed: Any) -> Experiment:
    given = {
        "camera": PreparedCamera(beamline.camera, lambda *settings: settings),
        "rotation": beamline.rotation, "config": CONFIG, "source": beamline.source,
        "sample": beamline.sample,
    }  # fmt: skip
    given.update(changed)
    places = [given.pop(name) for name in ("camera", "rotation", "config")]
    return tomography(*places, **given)


@pytest.mark.parametrize(
    ("argument", "wrong", "said"),
    [
        ("camera", None, "camera: None has no device"),
        ("camera", Movable("det"), r"camera: .* has no device.*Give ADCamera\(detector\)"),
        ("rotation", "m1", "rotation: 'm1' has no name"),
        ("rotation", 3.0, "rotation: 3.0 has no name"),
        ("config", {"exposure": 1}, "config must be a TomographyConfig"),
        ("config", RadiographyConfig(0.1), "config must be a TomographyConfig"),
        ("source", Movable("shutter"), r"source: .* has no device.*Give Source\(shutter\)"),
        ("sample", Movable("stage"), r"sample: .* has no devices.*Give SampleStage"),
        ("devices", Movable("lone"), "devices=.*expected a list of devices"),
        ("devices", "m1", "devices='m1': expected a list"),
        ("devices", [Movable("good"), "m1"], r"devices\[.\]: 'm1' has no name"),
        ("walker", "/data", r"walker: '/data' has no scan.*DirectoryWalker\(path\)"),
        ("files", "dxx", "dxx isn't a file format"),
        ("files", ["dx", None], "files: None is no name of a format"),
        ("files", 3, "files=3: expected a list of formats"),
        ("md", [1], r"md must be a dictionary, got \[1\]"),
        ("prepare", "home", "prepare must be a function, got 'home'"),
        ("finish", 3, "finish must be a function, got 3"),
        ("check", 3, "check must be a function, got 3"),
        ("frames", "HDF1:", "frames: 'HDF1:' has no begin"),
        ("frames_timeout", float("nan"), "frames_timeout must be a finite number"),
        ("frames_timeout", 0, "frames_timeout must be above 0"),
        ("addons", 3, "addons=3: expected a list of addons"),
        ("cleanup", ["home"], "cleanup: a step is a text and a function"),
    ],
)
def test_an_argument_that_cannot_be(argument: str, wrong: Any, said: str) -> None:
    beamline = Beamline()
    with pytest.raises(ConfigurationError, match=f"(?s){said}"):
        make(beamline, **{argument: wrong})
    assert beamline.shutter.history == [0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"projections": 10**9}, "projections must be at most 10000000, got 1e"),
        ({"darks": 10**40}, "darks must be at most"),
        ({"exposure": True}, "exposure must be a finite number"),
        ({"order": 3}, "order=3: expected a list of streams"),
        ({"angles": 3, "projections": None}, "angles=3: expected a list of numbers"),
        ({"angles": [0, "x"], "projections": None}, r"angles\[1\] must be a finite number"),
        ({"mode": np.array([1, 2])}, "mode=array"),
    ],
)
def test_a_configuration_that_cannot_be(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        TomographyConfig(**{"exposure": 0.1, "projections": 2, **wrong})


def test_more_steps_than_can_be() -> None:
    with pytest.raises(ConfigurationError, match="periods times steps_per_period must be at most"):
        GratingConfig(0.1, periods=10**6, steps_per_period=10**6)


@pytest.mark.parametrize(("shift", "height"), [(1e-320, 1.0), (1.0, 1e308), (1e-6, 10.0)])
def test_a_spiral_of_more_turns_than_can_be(shift: float, height: float) -> None:
    with pytest.raises(ConfigurationError, match="sample_height=.* with vertical_shift="):
        SpiralConfig(0.1, projections=10, vertical_shift=shift, sample_height=height)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"frames": -1}, "'darks': frames must be a whole number, at least 0"),
        ({"frames": [2, 0.5]}, "'darks': frames must be a whole number"),
        ({"frames": 2, "angles": [0, float("inf")]}, "'darks': angles must be a finite number"),
        ({"frame_time": -1}, "'darks': frame_time must be at least 0"),
    ],
)
def test_an_acquisition_that_cannot_be(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Acquisition("darks", null, **wrong)


def test_numbers_of_numpy_are_numbers() -> None:
    count: Any = np.int64(3)
    assert Acquisition("darks", null, frames=count).frames_of(0) == 3
    config = TomographyConfig(np.float32(0.5), projections=np.int64(3), darks=np.uint8(0))  # type: ignore[arg-type]
    assert (config.exposure, config.count) == (0.5, 3)
    assert type(config.metadata()["darks"]) is int


def test_an_experiment_of_other_things() -> None:
    with pytest.raises(ConfigurationError, match="acquisition must be a Acquisition, got 'darks'"):
        Experiment(["darks"])  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="name must be a text"):
        Experiment([], name="")
    made = Experiment([Acquisition("darks", null)])
    with pytest.raises(ConfigurationError, match="order=3: expected a list"):
        made.order = 3  # type: ignore[assignment]
    with pytest.raises(ConfigurationError, match="no acquisition 3"):
        made.remove(3)  # type: ignore[arg-type]


class Frames:
    """A source without frames."""

    def begin(self, about: Any, take: Any) -> None: ...

    def end(self, expected: int | None, timeout: float) -> None: ...

    def close(self) -> None: ...


def test_an_addon_for_an_acquisition_that_is_not_there() -> None:
    class Addon:
        def begin(self, about: Any) -> None: ...

        def frame(self, frame: Any) -> None: ...

        def end(self, ended: Any) -> None: ...

    made = make(Beamline(), frames=Frames())
    with pytest.raises(ConfigurationError, match="no acquisition 'primry'"):
        made.attach(Addon(), ["primry"])
    with pytest.raises(ConfigurationError, match="addon: 3 has no begin"):
        made.attach(3)
    made.attach(Addon(), "primary")
    assert len(made.addons) == 1


def test_one_motor_is_not_two() -> None:
    beamline = Beamline()
    config = SpiralConfig(0.1, projections=2, vertical_shift=1, sample_height=1)
    with pytest.raises(ConfigurationError, match="rotation and vertical are both rotation"):
        spiral_tomography(
            PreparedCamera(beamline.camera, lambda *settings: settings), beamline.rotation,
            beamline.rotation, config, source=beamline.source, sample=beamline.sample,
        )  # fmt: skip


def test_devices_may_come_from_a_generator() -> None:
    beamline, documents = Beamline(), []
    made = make(beamline, devices=(Movable(name) for name in ("one", "two")))
    engine = RunEngine({})
    engine.subscribe(lambda name, document: documents.append((name, document)))
    engine(made.run())
    engine(made.run())
    events = [document["data"] for name, document in documents if name == "event"]
    assert all("two" in data for data in events)


class Fast(Movable):
    """Has the signals of a motor, and read-backs."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.velocity, self.acceleration = Movable("velocity", 1.0), Movable("acceleration", 0.1)

    def subscribe(self, *_: Any, **__: Any) -> None: ...


@pytest.mark.parametrize("mode", ["step", "fly"])
def test_hooks_of_the_user_go_with_every_mode(mode: str) -> None:
    """What the mode itself looks at comes besides."""
    beamline, seen = Beamline(), []
    motor = Fast("fast")

    class EnoughError(Exception):
        """Ends the run."""

    def prepare() -> Any:
        seen.append("prepare")
        raise EnoughError

    config = TomographyConfig(
        0.1,
        period=0.2,
        darks=0,
        flats=0,
        projections=2,
        mode=mode,  # type: ignore[arg-type]
    )
    made = tomography(
        PreparedCamera(beamline.camera, lambda *settings: settings), FlyAxis(motor), config,
        source=beamline.source, prepare=prepare, check=lambda: seen.append("check"),
    )  # fmt: skip
    with pytest.raises(EnoughError):
        RunEngine({})(made.run())
    assert seen == ["check", "prepare"]
    assert motor.history == [0.0]


def test_a_stepper_and_a_configuration_of_another_kind() -> None:
    beamline = Beamline()
    other: Any = CONFIG
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    with pytest.raises(ConfigurationError, match="config must be a GratingConfig"):
        grating_interferometry_stepping(
            camera,
            beamline.rotation,
            other,
            source=beamline.source,
        )
    with pytest.raises(ConfigurationError, match="config must be a RadiographyConfig"):
        radiography(camera, other, source=beamline.source)
    with pytest.raises(ConfigurationError, match="source: timeout must be above 0"):
        Source(beamline.shutter, timeout=0)


@pytest.mark.parametrize(("mode", "still"), [("step", 0), ("fly", 0), ("step", 1), ("fly", 1)])
def test_a_motor_without_speed_is_not_waited_for(mode: str, still: int) -> None:
    beamline, documents = Beamline(), []
    motors = [Fast("rotation"), Fast("stage")]
    motors[still].velocity.value = 0.0
    config: Any = {"exposure": 0.1, "period": 0.2, "darks": 1, "flats": 1, "projections": 2}
    made = tomography(
        PreparedCamera(beamline.camera, lambda *settings: settings, times=np.arange),
        motors[0], TomographyConfig(**config, mode=mode),  # type: ignore[arg-type]
        source=beamline.source, sample=SampleStage({motors[1]: (0.0, 6.0)}),
    )  # fmt: skip
    engine = RunEngine({})
    engine.subscribe(lambda name, _: documents.append(name))
    with pytest.raises(ConfigurationError, match=f"{motors[still].name} can't get anywhere: .* 0"):
        engine(made.run())
    assert [each.history for each in motors] == [[0.0], [0.0]]
    assert 1 not in beamline.shutter.history
    assert beamline.is_safe()


class Detector:
    """Has a cam."""

    name, cam = "det", object()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"file_name": None}, r"file_name=None has no '\{stream\}'"),
        ({"file_path": 3}, "file_path=3: expected a text"),
        ({"trigger_mode": 0}, "trigger_mode=0: expected the name of a mode"),
        ({"writer": "HDF1:"}, "writer: 'HDF1:' has no plan_file"),
    ],
)
def test_a_camera_that_cannot_be(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ADCamera(Detector(), **wrong)


def test_a_prepared_camera_and_a_sample_that_cannot_be() -> None:
    beamline = Beamline()
    wrong: Any = "1"
    with pytest.raises(ConfigurationError, match="info must be a function, got '1'"):
        PreparedCamera(beamline.camera, wrong)
    with pytest.raises(ConfigurationError, match="times must be a function, got '1'"):
        PreparedCamera(beamline.camera, lambda *_: (), wrong)
    with pytest.raises(ConfigurationError, match=r"stage can't stand at \(0, '1'\)"):
        SampleStage({beamline.stage: (0, wrong)})


def test_a_walker_of_other_things() -> None:
    for argument in ("root", "path_map"):
        wrong: Any = {argument: 3.0}
        with pytest.raises(ConfigurationError, match=f"{argument} must be a .*, got 3.0"):
            DirectoryWalker(**wrong)


def test_axes_and_metadata_of_a_mosaic_and_a_series() -> None:
    wrong: Any = "m1"
    x, y, made = Movable("x"), Movable("y"), make(Beamline())
    with pytest.raises(ConfigurationError, match="x: 'm1' has no name"):
        list(mosaic(made, wrong, [1], y, [1]))
    with pytest.raises(ConfigurationError, match="md must be a dictionary, got 'm1'"):
        list(mosaic(made, x, [1], y, [1], md=wrong))
    with pytest.raises(ConfigurationError, match="md must be a dictionary, got 'm1'"):
        list(series(["bone"], lambda _: null(), made, md=wrong))
