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
from adsupport.imaging.sequences.mosaic import mosaic

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
    # an axis that stands right isn't moved
    assert y.targets == [10, 20, -0.5]


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
    assert "move x back to 0.25" in caught.value.__notes__[0]
    assert y.position == -0.5


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
