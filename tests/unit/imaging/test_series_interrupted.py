"""Series that are paused, ended, or fail at any message."""

from __future__ import annotations

import itertools
import threading

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
import pytest
from bluesky import RunEngine
from bluesky.utils import FailedStatus, Msg, RunEngineInterrupted
from ophyd.sim import det

from adsupport.imaging.sequences.series import SeriesError, series
from adsupport.plans.in_thread import in_thread

from .fakes import SAMPLES, Axis, Documents, FakeExperiment, preparing


@pytest.fixture(name="RE")
def run_engine() -> RunEngine:
    return RunEngine({}, call_returns_result=True)


@pytest.fixture
def changer() -> Axis:
    return Axis(name="changer")


def test_pause_while_the_experiment_waits_for_something_else(RE, changer):
    docs, done, where = Documents(RE), threading.Event(), []
    changer.way = 0.2

    def ending():
        if changer.targets[-1] == 2:
            threading.Timer(0.05, RE.request_pause).start()
            yield from in_thread(lambda: done.wait(10))

    RE.subscribe(lambda *_: where.append(changer.position), "start")
    with pytest.raises(RunEngineInterrupted):
        RE(series(SAMPLES, preparing(changer), FakeExperiment(det, ending=ending)))
    done.set()
    RE.resume()
    assert where == [1, 2, 3]
    assert [each["exit_status"] for each in docs.of("stop")] == ["success"] * 3


def test_pause_while_both_go_on(RE, changer):
    """The changer is stopped halfway, and goes on at resume."""
    docs, where = Documents(RE), []
    changer.way = 0.2

    def ending():
        if changer.targets[-1] == 2:
            yield from bps.checkpoint()  # the move isn't in the RunEngine's memory any more
            yield from bps.pause()

    RE.subscribe(lambda *_: where.append(changer.position), "start")
    with pytest.raises(RunEngineInterrupted):
        RE(series(SAMPLES, preparing(changer), FakeExperiment(det, ending=ending)))
    assert changer.position == 1.5
    RE.resume()
    assert where == [1, 2, 3]
    assert changer.targets == [1, 2, 2, 3]
    assert [each["exit_status"] for each in docs.of("stop")] == ["success"] * 3


def test_pause_while_it_waits_for_the_changer(RE, changer):
    where = []
    changer.way = 0.3
    RE.subscribe(lambda *_: where.append(changer.position), "start")
    runs = iter([1])

    def pause_soon(*_):  # behind the first run, while the changer is on its way
        if next(runs, None):
            threading.Timer(0.05, RE.request_pause).start()

    RE.subscribe(pause_soon, "stop")
    with pytest.raises(RunEngineInterrupted):
        RE(series(SAMPLES[:2], preparing(changer), FakeExperiment(det)))
    assert changer.position == 1.5
    RE.resume()
    assert where == [1, 2]


@pytest.mark.parametrize("how", ["abort", "stop", "halt"])
def test_end_while_both_go_on(RE, changer, how):
    docs, experiment = Documents(RE), FakeExperiment(det)
    ended, at_rest = [], Axis(name="light")

    def prepare(sample):
        def end():
            ended.append(sample)
            yield from bps.mv(at_rest, 0)

        yield from bpp.finalize_wrapper(bps.mv(changer, 1 + SAMPLES.index(sample), at_rest, 1), end)

    def ending():
        yield from bps.checkpoint()
        yield from bps.pause()

    experiment.ending = ending
    RE.subscribe(lambda *_: setattr(changer, "way", 30), "start")
    with pytest.raises(RunEngineInterrupted):
        RE(series(SAMPLES, prepare, experiment))
    getattr(RE, how)()
    assert RE.state == "idle"
    assert ended == (["bone"] if how == "halt" else ["bone", "wood"])
    (stop,) = docs.of("stop")
    assert stop["exit_status"] == ("success" if how == "stop" else "abort")


def inject(plan, place: int, error: Exception, replaced: list[Msg]):
    """Throw an error in place of a message."""
    count = itertools.count(1)

    def fails():
        raise error
        yield

    def here(message):
        if next(count) != place:
            return None, None
        replaced.append(message)
        return fails(), None

    return bpp.plan_mutator(plan, here)


def test_error_at_each_message(RE):
    """The error comes out, the runs are closed, and what prepares has cleaned up."""
    docs, experiment = Documents(RE), FakeExperiment(det)
    light, changer = Axis(name="light", delay=0), Axis(name="changer", delay=0)

    def prepare(sample):
        yield from bpp.finalize_wrapper(
            bps.mv(light, 1, changer, 1 + SAMPLES.index(sample)), lambda: bps.mv(light, 0)
        )

    for place in itertools.count(1):
        light.targets.clear()
        replaced: list[Msg] = []
        error = RuntimeError(f"at message {place}")
        try:
            RE(inject(series(SAMPLES[:2], prepare, experiment), place, error, replaced))
        except RuntimeError as raised:
            assert raised is error
        else:
            break
        lost = replaced[0].command == "set" and replaced[0].args == (0,)
        assert lost or light.targets[-1:] in ([], [0]), place
        assert len(docs.of("start")) == len(docs.of("stop")), place
    assert not replaced and place > 30


@pytest.mark.parametrize("policy", ["stop", "skip"])
def test_experiments_device_fails_while_both_go_on(RE, changer, policy):
    """It's the experiment's failure; the next sample is prepared, or its preparation ends."""
    docs, shutter, ended = Documents(RE), Axis(name="shutter", delay=0.03), []
    changer.way = 0.1
    shutter.fails = [0]

    def prepare(sample):
        yield from bpp.finalize_wrapper(
            preparing(changer)(sample), lambda: (ended.append(sample), (yield from bps.null()))
        )

    def ending():
        yield from bps.abs_set(shutter, 0, group="shut")
        yield from bps.sleep(0.2)

    experiment = FakeExperiment(det, ending=ending)
    plan = series(SAMPLES, prepare, experiment, on_failure=policy)
    with pytest.raises(FailedStatus if policy == "stop" else SeriesError) as caught:
        RE(plan)
    measured = ["bone"] if policy == "stop" else SAMPLES
    assert [each["sample"] for each in docs.of("start")] == measured
    statuses = ["fail", "success", "success"][: len(measured)]
    assert [each["exit_status"] for each in docs.of("stop")] == statuses
    assert ended == (["bone", "wood"] if policy == "stop" else SAMPLES)
    if policy == "skip":
        assert [str(each.stage) for each in caught.value.failures] == ["experiment"]
    else:
        assert "experiment of sample 1 of 3" in caught.value.__notes__[0]


def test_abort_in_the_middle_of_a_wait(RE, changer):
    docs = Documents(RE)
    changer.way = 30

    def prepare(sample):
        if sample != "bone":
            yield from preparing(changer)(sample)
        else:
            yield from bps.null()

    def ending():
        threading.Timer(0.05, RE.abort).start()
        yield from bps.sleep(30)

    with pytest.raises(RunEngineInterrupted):
        RE(series(SAMPLES, prepare, FakeExperiment(det, ending=ending)))
    assert [each["exit_status"] for each in docs.of("stop")] == ["abort"]
    assert changer.position == 1  # halfway: it has been stopped
