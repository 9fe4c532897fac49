"""Closed loops: good at once, later, never; runs in them, and failures."""

from __future__ import annotations

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted
from hypothesis import given
from hypothesis import strategies as st
from ophyd.sim import SynAxis, det

from adsupport.errors import ConfigurationError
from adsupport.imaging.sequences.closed_loop import closed_loop

from .fakes import Documents, FakeExperiment


@pytest.fixture(name="RE")
def run_engine() -> RunEngine:
    return RunEngine({}, call_returns_result=True)


class Tilt:
    """A tilt that is halved by each correction."""

    def __init__(self, tilt: float) -> None:
        self.motor = SynAxis(name="tilt", value=tilt)
        self.measured: list[float] = []

    def measure(self):
        found = yield from bps.rd(self.motor)
        self.measured.append(found)
        return found

    def compare(self, found: float):
        return abs(found) < 0.1

    def control(self, found: float):
        yield from bps.mv(self.motor, found / 2)


def test_converges(RE):
    tilt = Tilt(1.0)
    result = RE(closed_loop(tilt.measure, tilt.compare, tilt.control))
    assert result.plan_result is True
    assert tilt.measured == [1, 0.5, 0.25, 0.125, 0.0625]


def test_good_at_once_nothing_is_moved(RE):
    tilt = Tilt(0.05)
    assert RE(closed_loop(tilt.measure, tilt.compare, tilt.control, 1)).plan_result is True
    assert tilt.measured == [0.05] and tilt.motor.position == 0.05


def test_false_at_the_end(RE):
    tilt = Tilt(1.0)
    assert RE(closed_loop(tilt.measure, tilt.compare, tilt.control, 3)).plan_result is False
    # what was measured last is how it stands
    assert tilt.measured == [1, 0.5, 0.25] and tilt.motor.position == 0.25


@given(needed=st.integers(1, 20), allowed=st.integers(1, 20))
def test_how_often(needed, allowed):
    done = {"measure": 0, "control": 0}

    def measure():
        done["measure"] += 1
        yield from bps.null()
        return done["measure"]

    def control(found):
        done["control"] += 1
        yield from bps.null()

    plan = closed_loop(measure, lambda found: found >= needed, control, allowed)
    with pytest.raises(StopIteration) as end:
        while True:
            next(plan)
    assert end.value.value is (needed <= allowed)
    assert done == {"measure": min(needed, allowed), "control": min(needed, allowed) - 1}


def test_a_run_for_each_measurement_and_a_plan_that_compares(RE):
    docs, tilt = Documents(RE), Tilt(0.3)
    experiment = FakeExperiment(det, tilt.motor)

    def compare(uid):
        yield from bps.null()
        return np.abs(docs.of("event")[-1]["data"]["tilt"]) < 0.1

    def control(uid):
        yield from bps.mv(tilt.motor, 0.0)

    assert RE(closed_loop(experiment.run, compare, control)).plan_result is True
    assert [each["exit_status"] for each in docs.of("stop")] == ["success"] * 2


def test_failure_comes_out(RE):
    tilt = Tilt(1.0)

    def control(found):
        raise RuntimeError("the leg is stuck")
        yield

    with pytest.raises(RuntimeError, match="the leg is stuck"):
        RE(closed_loop(tilt.measure, tilt.compare, control))
    assert RE.state == "idle"


@pytest.mark.parametrize("how", ["resume", "abort"])
def test_pause(RE, how):
    tilt, paused = Tilt(0.3), iter([True])

    def control(found):
        if next(paused, False):
            yield from bps.pause()
        yield from tilt.control(found)

    with pytest.raises(RunEngineInterrupted):
        RE(closed_loop(tilt.measure, tilt.compare, control))
    result = getattr(RE, how)()
    if how == "resume":
        assert result.plan_result is True and tilt.motor.position == 0.075
    assert RE.state == "idle"


def test_comparison_without_a_result(RE):
    tilt = Tilt(1.0)
    with pytest.raises(ConfigurationError, match=r"compare returned None for 1\.0"):
        RE(closed_loop(tilt.measure, lambda found: None, tilt.control))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"max_iterations": 0}, "max_iterations must be a whole number"),
        ({"measure": None}, "measure must be a function"),
        ({"control": iter([])}, "control must be a function"),
    ],
)
def test_arguments_that_cant_be(changed, message):
    tilt = Tilt(1.0)
    arguments = {"measure": tilt.measure, "compare": tilt.compare, "control": tilt.control}
    with pytest.raises(ConfigurationError, match=message):
        next(closed_loop(**(arguments | changed)))
