"""A stage's constant-speed window: against its trapezoid, the formula, and what can't be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.errors import ConfigurationError
from adsupport.imaging.motion.window import StageMotion, check_travel, constant_speed_window

steps = st.floats(1e-3, 10) | st.floats(-10, -1e-3)


def moved(time: np.ndarray, window, stage: StageMotion) -> tuple[np.ndarray, np.ndarray]:
    """Distance from the start, and speed, of a stage that accelerates, moves and brakes."""
    total, brake = window.duration, window.duration - stage.acceleration_time
    base, speed = min(stage.base_speed, window.speed), window.speed
    knots = [0, stage.acceleration_time, brake, total]
    speeds = np.interp(time, knots, [base, speed, speed, base])
    way = np.concatenate([[0], np.cumsum(np.diff(time) * (speeds[1:] + speeds[:-1]) / 2)])
    return way, speeds


def test_half_a_turn():
    window = constant_speed_window(0, 0.12, 1500, 0.02, StageMotion(acceleration_time=0.5))
    assert window.speed == pytest.approx(6)
    # 1.5 degrees of acceleration are 12.5 steps: 13 with half a step to spare
    assert window.run_up == pytest.approx(13 * 0.12)
    assert window.start == pytest.approx(-1.56)
    assert window.end == pytest.approx(180 + 1.56)
    assert window.last == pytest.approx(179.88)
    assert window.duration == pytest.approx(30 + 2 * (0.5 + 0.06 / 6))
    assert window.remarks == () and window.counts_per_step is None


def test_the_other_way_is_its_mirror():
    stage = StageMotion(0.5)
    there = constant_speed_window(10, 0.5, 100, 0.1, stage)
    back = constant_speed_window(-10, -0.5, 100, 0.1, stage)
    assert (back.start, back.end) == (-there.start, -there.end)
    np.testing.assert_allclose(back.positions, -there.positions)
    np.testing.assert_allclose(back.middles(0.08), -there.middles(0.08))
    assert (back.direction, there.direction) == (-1, 1)
    assert back.speed == there.speed > 0


@given(
    first=st.floats(-360, 360),
    step=steps,
    frames=st.integers(1, 3000),
    period=st.floats(1e-3, 10),
    time=st.floats(0, 5),
    base=st.floats(0, 1),
)
def test_full_speed_from_first_to_last_frame(first, step, frames, period, time, base):
    stage = StageMotion(time, base_speed=base)
    window = constant_speed_window(first, step, frames, period, stage)
    acceleration = (window.speed + min(base, window.speed)) / 2 * time
    taxi = math.ceil(acceleration / abs(step) + 0.5) * abs(step)
    assert window.run_up == window.run_down == pytest.approx(taxi)
    # at full speed half a step before, and half a step behind the last period
    assert window.run_up - acceleration >= 0.5 * abs(step) * (1 - 1e-6)
    assert window.direction * (first - window.start) == pytest.approx(taxi, rel=1e-9, abs=1e-9)
    past = window.direction * (window.end - (first + frames * step))
    assert past == pytest.approx(taxi, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("step", [0.3, -0.3])
@pytest.mark.parametrize(("time", "base"), [(0.7, 0), (0.7, 1.2), (0, 0), (0.01, 50)])
def test_frames_stand_where_the_stage_is(step, time, base):
    stage = StageMotion(time, base_speed=base)
    window = constant_speed_window(5, step, 40, 0.1, stage)
    clock = np.linspace(0, window.duration, 200_001)
    way, speeds = moved(clock, window, stage)
    frames = window.time_to_first + np.arange(40) * 0.1
    where = window.start + window.direction * np.interp(frames, clock, way)
    np.testing.assert_allclose(where, window.positions, atol=1e-4)
    during = (clock >= frames[0]) & (clock <= frames[-1] + 0.1)
    np.testing.assert_allclose(speeds[during], window.speed, rtol=1e-9)
    assert window.start + window.direction * way[-1] == pytest.approx(window.end, abs=1e-3)


def test_whole_counts():
    stage = StageMotion(0.5, resolution=-0.001, name="rot")
    window = constant_speed_window(0, 180 / 1601, 1601, 0.02, stage)
    assert window.counts_per_step == 112
    assert window.step == pytest.approx(0.112)
    assert window.speed == pytest.approx(5.6)
    (remark,) = window.remarks
    assert remark == (
        "rot: a step of 0.11243 is 112.4297 encoder counts; with 112 the last frame begins at "
        "179.2 instead of 179.888."
    )


def test_step_of_whole_counts_needs_no_remark():
    window = constant_speed_window(0, -0.12, 1500, 0.02, StageMotion(0.5, resolution=0.0001))
    assert window.counts_per_step == 1200 and window.remarks == ()
    assert window.step == pytest.approx(-0.12)


def test_step_below_a_count():
    with pytest.raises(ConfigurationError, match="less than half an encoder count of rot"):
        constant_speed_window(0, 0.0004, 10, 1, StageMotion(0, resolution=0.001, name="rot"))


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        ((0, 360), "where its run-up begins at -1.56: its limits are 0 and 360"),
        ((-10, 180), "where its run-down ends at 181.56"),
        ((0, 180), "where its run-up begins at -1.56 and its run-down ends at 181.56"),
    ],
)
def test_beyond_the_limits(limits, what):
    stage = StageMotion(0.5, limits=limits, name="rot")
    with pytest.raises(ConfigurationError) as caught:
        constant_speed_window(0, 0.12, 1500, 0.02, stage)
    assert what in str(caught.value)
    assert "Nothing has been moved" in caught.value.remedy


def test_equal_limits_are_none():
    constant_speed_window(0, 0.12, 1500, 0.02, StageMotion(0.5, limits=(0, 0)))
    check_travel({"it stands": 5}, None, "m")
    with pytest.raises(ConfigurationError) as caught:
        check_travel({"it stands": 5}, (0, 1), "m")
    assert caught.value.remedy == (
        "Nothing has been moved. Choose another range, or change the limits."
    )


def test_too_fast():
    with pytest.raises(ConfigurationError, match="speed of 6, and the highest is 5") as caught:
        constant_speed_window(0, 0.12, 10, 0.02, StageMotion(0.5, max_speed=5))
    assert "0.024 s or more" in caught.value.remedy
    # As EPICS has it: 0 is no limit.
    constant_speed_window(0, 0.12, 10, 0.02, StageMotion(0.5, max_speed=0))


def test_exposure_longer_than_the_period():
    window = constant_speed_window(0, 1, 10, 0.1, StageMotion(0))
    with pytest.raises(ConfigurationError, match="longer than the period"):
        window.middles(0.11)
    np.testing.assert_allclose(window.middles(0.1), np.arange(10) + 0.5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"frames": 0}, "frames must be a whole number"),
        ({"step": 0}, "wouldn't move"),
        ({"period": 0}, "period must be above 0"),
        ({"first": math.nan}, "first must be a finite number"),
    ],
)
def test_arguments_that_cant_be(changed, message):
    given_ = {"first": 0, "step": 1, "frames": 10, "period": 1, "stage": StageMotion(0)} | changed
    with pytest.raises(ConfigurationError, match=message):
        constant_speed_window(**given_)


@pytest.mark.parametrize(
    "wrong",
    [{"acceleration_time": -1}, {"base_speed": -1}, {"max_speed": math.inf}, {"resolution": 0}],
)
def test_stages_that_cant_be(wrong):
    with pytest.raises(ConfigurationError, match=f"rot: {next(iter(wrong))}"):
        StageMotion(**({"acceleration_time": 1, "name": "rot"} | wrong))
