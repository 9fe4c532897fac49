"""Series of samples: what overlaps, failures, pauses, aborts."""

from __future__ import annotations

import threading

import bluesky.plan_stubs as bps
import pytest
from bluesky import RunEngine
from bluesky.utils import FailedStatus, Msg
from ophyd.sim import SynAxis, det
from ophyd.status import Status

from adsupport.errors import AdsupportError, ConfigurationError
from adsupport.imaging import PreparedCamera, RadiographyConfig, SampleStage, radiography
from adsupport.imaging.sequences import overlap
from adsupport.imaging.sequences.series import SeriesError, series
from adsupport.imaging.stubs import moves_in_time
from adsupport.plans.in_thread import in_thread

from .beamline import Beamline, Movable
from .fakes import SAMPLES, Axis, Documents, FakeExperiment, preparing, told


@pytest.fixture(name="RE")
def run_engine() -> RunEngine:
    return RunEngine({}, call_returns_result=True)


@pytest.fixture
def changer() -> Axis:
    return Axis(name="changer")


@pytest.fixture
def messages(RE) -> list[Msg]:
    found: list[Msg] = []
    RE.msg_hook = found.append
    return found


def test_a_run_for_each_sample(RE, changer, messages):
    docs = Documents(RE)
    where = []
    experiment = FakeExperiment(det)
    RE.subscribe(lambda *_: where.append(changer.position), "start")
    result = RE(series(SAMPLES, preparing(changer), experiment, md={"proposal": 7}))
    starts = docs.of("start")
    assert [each["sample"] for each in starts] == SAMPLES
    assert [each["series"]["index"] for each in starts] == [0, 1, 2]
    assert {each["series"]["uid"] for each in starts} == {starts[0]["series"]["uid"]}
    assert {(each["series"]["samples"], each["proposal"]) for each in starts} == {(3, 7)}
    assert result.plan_result == tuple(each["uid"] for each in starts)
    assert [each["exit_status"] for each in docs.of("stop")] == ["success"] * 3
    assert where == [1, 2, 3]
    # the next sample is on its way before the run of the one before is closed
    first, second, third = (f"changer={each}" for each in (1, 2, 3))
    assert told(messages) == [
        first,
        "open",
        second,
        "close",
        "open",
        third,
        "close",
        "open",
        "close",
    ]


def test_moves_go_on_while_the_experiment_ends(RE, changer):
    seen = []

    def ending():
        yield from bps.sleep(0.1)
        seen.append(changer.position)

    RE(series(SAMPLES[:2], preparing(changer), FakeExperiment(det, ending=ending)))
    assert seen == [2, 2]


def test_move_after_move(RE, messages):
    x, y = Axis(name="x", delay=0.001), Axis(name="y", delay=0.001)

    def prepare(sample):
        yield from bps.checkpoint()
        yield from bps.mv(x, 1)
        yield from bps.mv(y, x.position + 1, x, 3)

    def ending():
        for _ in range(3):
            yield from bps.sleep(0.02)

    RE(series([1, 2], prepare, FakeExperiment(det, ending=ending)))
    words = told(messages)
    assert words[:4] == ["x=1", "y=2", "x=3", "open"]
    assert words[4:] == ["x=1", "y=2", "x=3", "close", "open", "close"]


def test_moves_while_the_experiment_waits_for_something_else(RE, messages):
    """As for its consumers: all moves are made until these are done."""
    x, y = Axis(name="x", delay=0.01), Axis(name="y", delay=0.01)
    done, results = threading.Event(), []

    def prepare(sample):
        yield from bps.mv(x, 1)
        yield from bps.mv(y, 2)
        done.set()

    def ending():
        yield from bps.null()
        results.append((yield from in_thread(lambda: done.wait(10))))

    def experiment(sample):
        return FakeExperiment(det, ending=ending if sample == 1 else None)

    plan = series([1, 2], prepare, experiment)
    RE.subscribe(lambda *_: done.clear(), "start")
    RE(plan)
    assert results == [True]
    assert told(messages) == ["x=1", "y=2", "open", "x=1", "y=2", "close", "open", "close"]


@pytest.mark.parametrize("part", ["itself", "its velocity"])
def test_devices_of_the_experiment_are_left_alone(RE, changer, messages, part):
    moved = changer if part == "itself" else changer.velocity
    moved.name = "moved"

    def prepare(sample):
        yield from bps.mv(moved, 5)

    RE(series([1, 2], prepare, FakeExperiment(det, changer)))
    assert told(messages) == ["moved=5", "open", "close", "moved=5", "open", "close"]


def test_anything_but_moves_waits_for_the_end(RE, changer, messages):
    def prepare(sample):
        yield from bps.abs_set(changer, 1, group="there")
        yield from bps.sleep(0)
        yield from bps.wait("there")
        yield from bps.mv(changer, 2)

    RE(series([1, 2], prepare, FakeExperiment(det)))
    order = [m.command for m in messages if m.command in ("set", "sleep", "close_run")]
    assert order == ["set", "sleep", "set", "set", "close_run", "sleep", "set", "close_run"]


def test_experiment_that_uses_a_device_late(RE, changer, messages):
    """It waits for the move to end, moves the device itself, and it's put where it's to be."""
    seen = []

    def ending():
        yield from bps.mv(changer, 99)
        seen.append(changer.position)

    where = []
    RE.subscribe(lambda *_: where.append(changer.position), "start")
    RE(series(SAMPLES[:2], preparing(changer), FakeExperiment(det, ending=ending)))
    assert told(messages) == [
        *("changer=1", "open", "changer=2", "changer=99", "close"),
        *("changer=2", "open", "changer=99", "close"),
    ]
    assert seen == [99, 99] and where == [1, 2]


def test_first_failure_ends_the_series(RE, changer):
    docs, experiment = Documents(RE), FakeExperiment(det)
    experiment.fails_for = {"wood"}
    with pytest.raises(RuntimeError, match="no frames of wood") as caught:
        RE(series(SAMPLES, preparing(changer), experiment))
    assert [each["exit_status"] for each in docs.of("stop")] == ["success", "fail"]
    (note,) = caught.value.__notes__
    assert note == (
        "This was experiment of sample 2 of 3, 'wood'; 1 sample had been measured, and the series "
        "ended."
    )


def test_skip_tells_all_failures(RE, changer):
    docs, experiment = Documents(RE), FakeExperiment(det)
    experiment.fails_for = {"bone"}
    changer.fails = [2]
    with pytest.raises(SeriesError) as caught:
        RE(series(SAMPLES, preparing(changer), experiment, on_failure="skip"))
    error = caught.value
    assert isinstance(error, AdsupportError) and isinstance(error, RuntimeError)
    assert [(each.sample, each.stage) for each in error.failures] == [
        ("bone", "experiment"),
        ("wood", "prepare"),
    ]
    assert "2 of 3 samples failed" in str(error)
    assert "sample 1 ('bone'), experiment: RuntimeError: no frames of bone" in str(error)
    assert str(error).splitlines()[-1].startswith("The others were measured. Run the series again")
    assert error.__cause__ is error.failures[0].error
    assert isinstance(error.failures[1].error, FailedStatus)
    assert [each["sample"] for each in docs.of("start")] == ["bone", "foam"]
    assert error.results == (None, None, docs.of("start")[1]["uid"])


@pytest.mark.parametrize("policy", ["stop", "skip"])
def test_failed_move_doesnt_disturb_the_experiment(RE, changer, policy):
    """The changer stalls while the experiment before is reading out."""
    docs, experiment = Documents(RE), FakeExperiment(det, ending=lambda: bps.sleep(0.1))
    changer.fails = [2]
    with pytest.raises(FailedStatus if policy == "stop" else SeriesError) as caught:
        RE(series(SAMPLES, preparing(changer), experiment, on_failure=policy))
    expected = ["bone"] if policy == "stop" else ["bone", "foam"]
    assert [each["sample"] for each in docs.of("start")] == expected
    assert {each["exit_status"] for each in docs.of("stop")} == {"success"}
    cause = caught.value if policy == "stop" else caught.value.__cause__
    assert "changer stalled" in str(cause.__cause__)


def test_target_that_the_device_refuses(RE):
    class Limited(SynAxis):
        def set(self, value):
            if value > 1:
                raise ValueError("beyond the limits")
            return super().set(value)

    docs, changer = Documents(RE), Limited(name="changer")
    with pytest.raises(ValueError, match="beyond the limits"):
        RE(series(SAMPLES, preparing(changer), FakeExperiment(det)))
    assert [each["exit_status"] for each in docs.of("stop")] == ["success"]


def test_prepare_can_mend_its_failure(RE, changer):
    def prepare(sample):
        try:
            yield from bps.mv(changer, 2)
        except FailedStatus:
            yield from bps.mv(changer, 7)

    changer.way = 0.001
    experiment = FakeExperiment(det, ending=lambda: bps.sleep(0.05))
    plan = series([1, 2], prepare, experiment)

    def stall(name, doc):
        changer.fails = [2]

    RE.subscribe(stall, "start")
    RE(plan)
    assert changer.targets == [2, 2, 7] and changer.position == 7


def test_without_a_run_engine(changer):
    commands = [m.command for m in series(SAMPLES, preparing(changer), FakeExperiment(det))]
    assert commands.count("open_run") == commands.count("close_run") == 3
    assert changer.targets == []


def test_experiment_by_sample(RE, changer):
    docs = Documents(RE)
    made = {}

    def experiment(sample):
        made[sample] = FakeExperiment(det)
        return made[sample]

    RE(series(SAMPLES, preparing(changer), experiment))
    assert list(made) == SAMPLES and len(docs.of("stop")) == 3


def test_radiographs_of_each_sample(RE, changer, messages):
    """The sample's own stage belongs to the experiment, the changer doesn't."""
    docs, beamline = Documents(RE), Beamline()
    config = RadiographyConfig(projections=5, exposure=0.01, darks=2, flats=2)
    experiment = radiography(
        PreparedCamera(beamline.camera, lambda *settings: settings),
        config,
        source=beamline.source,
        sample=beamline.sample,
    )

    def prepare(sample):
        yield from bps.mv(changer, 1 + SAMPLES.index(sample))
        yield from bps.mv(beamline.stage, 3)

    RE(series(SAMPLES, prepare, experiment))
    assert [each["sample"] for each in docs.of("start")] == SAMPLES
    assert [each["exit_status"] for each in docs.of("stop")] == ["success"] * 3
    assert beamline.is_safe()
    words = told(messages)
    for sample in ("changer=2", "changer=3"):
        at = words.index(sample)
        assert words[at:].index("stage=3") > words[at:].index("close") > 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"samples": []}, "samples is empty"),
        ({"samples": "bone"}, "samples must be a list"),
        ({"samples": 3}, "samples must be a list"),
        ({"prepare": iter([])}, "prepare must be a function"),
        ({"experiment": 1}, "experiment must be an Experiment"),
        ({"experiment": threading.Thread()}, "has no run"),
        ({"on_failure": "ignore"}, 'on_failure must be "stop" or "skip"'),
    ],
)
def test_arguments_that_cant_be(RE, changer, messages, changed, message):
    arguments = {
        "samples": SAMPLES,
        "prepare": preparing(changer),
        "experiment": FakeExperiment(det),
    }
    with pytest.raises(ConfigurationError, match=message):
        RE(series(**(arguments | changed)))
    assert messages == []


def test_a_sample_that_is_stuck_on_its_way(RE, monkeypatch):
    """While the experiment ends it isn't looked at; afterwards it isn't waited for without end."""
    monkeypatch.setattr(moves_in_time, "_STANDS", 0.1)
    monkeypatch.setattr(overlap, "_AFTER_FAILURE", 0.2)

    class Stuck(Movable):
        def set(self, value):
            return Status() if value == 0.0 else super().set(value)

    docs, stage = Documents(RE), Stuck("stage")
    sample = SampleStage({stage: (0.0, 6.0)})

    def prepare(name):
        yield from (sample.move_in() if name == "wood" else sample.move_out())

    with pytest.raises(SeriesError, match=r"1 of 3 samples failed:\n.*stage was sent to 0\.0, and"):
        RE(series(SAMPLES, prepare, FakeExperiment(det), on_failure="skip"))
    assert [each["sample"] for each in docs.of("start")] == ["bone", "foam"]
