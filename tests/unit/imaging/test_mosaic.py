"""Tiles of a mosaic: order, documents, and axes that go back in each case."""

from __future__ import annotations

import itertools

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import pytest
from bluesky import RunEngine
from bluesky.utils import FailedStatus, Msg, RunEngineInterrupted
from ophyd.sim import det

from adsupport.errors import ConfigurationError
from adsupport.imaging import (
    PreparedCamera,
    RadiographyConfig,
    SpiralConfig,
    radiography,
    spiral_tomography,
)
from adsupport.imaging.sequences.failures import SeriesError
from adsupport.imaging.sequences.mosaic import mosaic

from .beamline import Beamline, Movable
from .fakes import Axis, Documents, FakeExperiment


@pytest.fixture(name="RE")
def run_engine() -> RunEngine:
    return RunEngine({}, call_returns_result=True)


@pytest.fixture
def axes() -> tuple[Axis, Axis]:
    return Axis(name="x", delay=0, value=0.25), Axis(name="y", delay=0, value=-0.5)


def positions(docs: Documents) -> list[tuple[float, float]]:
    return [(each["data"]["x"], each["data"]["y"]) for each in docs.of("event")]


@pytest.mark.parametrize("snake", [True, False])
def test_tiles(RE, axes, snake):
    docs, (x, y) = Documents(RE), axes
    experiment = FakeExperiment(det, x, y)
    result = RE(mosaic(experiment, x, [1, 2, 3], y, [10, 20], snake=snake, md={"part": "head"}))
    second = [(3, 20), (2, 20), (1, 20)]
    tiles = [(1, 10), (2, 10), (3, 10), *(second if snake else second[::-1])]
    assert positions(docs) == tiles
    starts = docs.of("start")
    assert [(each["mosaic"]["x"], each["mosaic"]["y"]) for each in starts] == tiles
    assert [each["mosaic"]["index"] for each in starts] == list(range(6))
    for each in (start["mosaic"] for start in starts):
        assert ([1, 2, 3][each["column"]], [10, 20][each["row"]]) == (each["x"], each["y"])
        assert (each["rows"], each["columns"]) == (2, 3)
    assert {each["part"] for each in starts} == {"head"}
    assert result.plan_result == tuple(each["uid"] for each in starts)
    assert (x.position, y.position) == (0.25, -0.5)
    # also when it stands there: the experiment may have moved it
    assert y.targets == [10, 10, 10, 20, 20, 20, -0.5]


def test_back_when_the_experiment_fails(RE, axes):
    x, y = axes
    experiment = FakeExperiment(det, ending=lambda: (_ for _ in ()).throw(RuntimeError("no beam")))
    with pytest.raises(RuntimeError, match="no beam"):
        RE(mosaic(experiment, x, [1, 2], y, [10]))
    assert (x.position, y.position) == (0.25, -0.5)


def test_back_when_an_axis_fails(RE, axes):
    x, y = axes
    x.fails = [2]
    with pytest.raises(FailedStatus):
        RE(mosaic(FakeExperiment(det), x, [1, 2], y, [10]))
    assert (x.position, y.position) == (0.25, -0.5)


def test_one_axis_that_doesnt_go_back_is_noted(RE, axes):
    x, y = axes
    x.fails = [0.25, 0.25]
    experiment = FakeExperiment(det, ending=lambda: (_ for _ in ()).throw(RuntimeError("no beam")))
    with pytest.raises(RuntimeError, match="no beam") as caught:
        RE(mosaic(experiment, x, [1], y, [10]))
    assert "move x back to 0.25" in caught.value.__notes__[-1]
    assert y.position == -0.5


def broken_at(*places: tuple[float, float], x: Axis, y: Axis) -> FakeExperiment:
    def ending():
        if (x.position, y.position) in places:
            raise RuntimeError("no beam")
        yield from bps.null()

    return FakeExperiment(det, x, y, ending=ending)


def test_first_failure_ends_the_mosaic(RE, axes):
    docs, (x, y) = Documents(RE), axes
    with pytest.raises(RuntimeError, match="no beam") as caught:
        RE(mosaic(broken_at((2, 20), x=x, y=y), x, [1, 2, 3], y, [10, 20]))
    assert caught.value.__notes__ == [
        "This was experiment of tile 5 of 6, row 1, column 1, at 2, 20; 4 tiles had been measured, "
        "and the mosaic ended."
    ]
    assert [each["exit_status"] for each in docs.of("stop")] == ["success"] * 4 + ["fail"]


def test_skip_measures_the_other_tiles_and_tells_all_failures(RE, axes):
    docs, (x, y) = Documents(RE), axes
    x.fails = [3]  # once: the axis stands somewhere then
    experiment = broken_at((1, 10), x=x, y=y)
    with pytest.raises(SeriesError, match="2 of 6 tiles failed") as caught:
        RE(mosaic(experiment, x, [1, 2, 3], y, [10, 20], on_failure="skip"))
    error = caught.value
    assert [(each.index, each.row, each.column, each.stage) for each in error.failures] == [
        (0, 0, 0, "experiment"),
        (2, 0, 2, "move"),
    ]
    assert "tile 1 (row 0, column 0, at 1, 10), experiment: RuntimeError: no beam" in str(error)
    assert error.__cause__ is error.failures[0].error
    assert [each["exit_status"] for each in docs.of("stop")] == ["fail"] + ["success"] * 4
    assert error.results == (
        None, docs.of("start")[1]["uid"], None, *(each["uid"] for each in docs.of("start")[2:])
    )  # fmt: skip
    assert positions(docs)[1:] == [(2, 10), (3, 20), (2, 20), (1, 20)]
    assert (x.position, y.position) == (0.25, -0.5)


@pytest.mark.parametrize("how", ["abort", "stop"])
def test_an_abort_is_no_failure_to_skip(RE, axes, how):
    docs, (x, y) = Documents(RE), axes

    def ending():
        yield from bps.pause()

    experiment = FakeExperiment(det, ending=ending)
    with pytest.raises(RunEngineInterrupted):
        RE(mosaic(experiment, x, [1, 2], y, [10], on_failure="skip"))
    getattr(RE, how)()
    assert len(docs.of("start")) == 1
    assert (x.position, y.position) == (0.25, -0.5)


@pytest.mark.parametrize("how", ["abort", "stop", "resume"])
def test_pause_and_then(RE, axes, how):
    x, y = axes
    paused = iter([True])

    def ending():
        if next(paused, False):
            yield from bps.pause()

    with pytest.raises(RunEngineInterrupted):
        RE(mosaic(FakeExperiment(det, ending=ending), x, [1, 2], y, [10]))
    assert (x.position, y.position) == (1, 10)
    getattr(RE, how)()
    assert (x.position, y.position) == (0.25, -0.5)
    assert x.targets[-2:] == ([2, 0.25] if how == "resume" else [1, 0.25])


def test_error_at_each_message(RE, axes):
    x, y = axes
    for place in itertools.count(1):
        count, error, replaced = itertools.count(1), RuntimeError(f"at {place}"), []

        def here(message, count=count, error=error, replaced=replaced, place=place):
            if next(count) != place:
                return None, None
            replaced.append(message)

            def fails():
                raise error
                yield

            return fails(), None

        try:
            RE(bpp.plan_mutator(mosaic(FakeExperiment(det), x, [1, 2], y, [10]), here))
        except RuntimeError as raised:
            assert raised is error
        else:
            break
        for axis, before in ((x, 0.25), (y, -0.5)):
            lost = replaced[0].command == "set" and replaced[0].args == (before,)
            assert lost or axis.position == before, place
            axis.set(before).wait(5)
    assert place > 20


def test_beyond_the_limits_nothing_moves(RE, axes):
    x, y = axes
    messages: list[Msg] = []
    RE.msg_hook = messages.append

    class Limited(Axis):
        limits = (0, 15)

    y = Limited(name="y")
    with pytest.raises(ConfigurationError, match="y can't go where row 1 is at 20"):
        RE(mosaic(FakeExperiment(det), x, [1], y, [10, 20]))
    assert messages == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x_positions": []}, "x_positions must be a list of at least one position of x"),
        ({"y_positions": 3}, "y_positions must be a list"),
        ({"y_positions": [1, "b"]}, r"y_positions\[1\] must be a finite number"),
        ({"experiment": print}, "experiment must be an Experiment"),
    ],
)
def test_arguments_that_cant_be(RE, axes, changed, message):
    x, y = axes
    arguments = {"experiment": FakeExperiment(det), "x": x, "y": y}
    arguments |= {"x_positions": [1], "y_positions": [1]} | changed
    with pytest.raises(ConfigurationError, match=message):
        RE(mosaic(**arguments))
    with pytest.raises(ConfigurationError, match="x and y are both x"):
        RE(mosaic(FakeExperiment(det), x, [1], x, [1]))


def test_without_a_run_engine(axes):
    x, y = axes
    commands = [m.command for m in mosaic(FakeExperiment(det), x, [1, 2], y, [1, 2])]
    assert commands.count("open_run") == 4 and x.targets == []


@pytest.mark.parametrize("which", ["sample", "rotation", "vertical"])
def test_an_axis_that_the_experiment_moves_itself_is_refused(RE, which):
    beamline, other = Beamline(), Movable("other")
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    config = SpiralConfig(
        exposure=0.1, darks=0, flats=1, projections=2, vertical_shift=1, sample_height=1
    )
    vertical = Movable("vertical")
    axis = {"sample": beamline.stage, "rotation": beamline.rotation, "vertical": vertical}[which]
    places = {"source": beamline.source, "sample": beamline.sample}
    experiment = spiral_tomography(camera, beamline.rotation, vertical, config, **places)
    said = f"{axis.name} is moved by spiral_tomography itself"
    with pytest.raises(ConfigurationError, match=f"x: {said}"):
        RE(mosaic(experiment, axis, [0, 1], other, [0]))
    with pytest.raises(ConfigurationError, match=f"y: {said}"):
        RE(mosaic(experiment, other, [0], axis, [0, 1]))
    assert axis.history == other.history == [0.0]


def test_tiles_of_a_real_experiment_are_where_they_say(RE):
    docs, beamline = Documents(RE), Beamline()
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    x, y = Movable("x"), Movable("y")

    def home():
        yield from bps.mv(x, 5.0)  # what an experiment does besides, nobody can know

    experiment = radiography(
        camera, RadiographyConfig(exposure=0.1, darks=0, flats=1, projections=1),
        source=beamline.source, sample=beamline.sample, devices=[x, y], finish=home,
    )  # fmt: skip
    RE(mosaic(experiment, x, [1.0], y, [1.0, 2.0, 3.0]))
    starts = {each["uid"]: each["mosaic"] for each in docs.of("start")}
    descriptors = {each["uid"]: each for each in docs.of("descriptor")}
    stood = [
        (starts[descriptors[each["descriptor"]]["run_start"]], each["data"])
        for each in docs.of("event")
        if descriptors[each["descriptor"]]["name"] == "primary"
    ]
    assert len(stood) == 3
    assert all((told["x"], told["y"]) == (data["x"], data["y"]) for told, data in stood)
