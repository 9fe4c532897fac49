"""Kinematics of the simulated motors: properties, and the recorded read-backs."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adsupport.sim.motor.axis import PERIOD, SimulatedAxis, nearest_step
from adsupport.sim.motor.motion import move, rest, run

POSITIONS = st.floats(-1e4, 1e4)
SPEEDS = st.floats(0.1, 1e3)
FRACTIONS = st.floats(0, 1)


@given(POSITIONS, POSITIONS, SPEEDS, SPEEDS)
def test_ends_exactly_at_the_target_at_rest(start, target, speed, acceleration):
    motion = move(start, target, speed, acceleration)
    assert motion.position(0) == pytest.approx(start, abs=1e-6)
    assert motion.position(motion.duration) == target
    assert motion.velocity(motion.duration) == 0


@given(POSITIONS, POSITIONS, SPEEDS, SPEEDS, FRACTIONS)
def test_never_overshoots_from_rest(start, target, speed, acceleration, fraction):
    motion = move(start, target, speed, acceleration)
    position = motion.position(fraction * motion.duration)
    assert min(start, target) - 1e-6 <= position <= max(start, target) + 1e-6


@given(POSITIONS, POSITIONS, SPEEDS, SPEEDS, FRACTIONS, FRACTIONS)
def test_goes_one_way_from_rest(start, target, speed, acceleration, one, other):
    motion = move(start, target, speed, acceleration)
    early, late = sorted((one, other))
    covered = motion.position(late * motion.duration) - motion.position(early * motion.duration)
    assert covered * math.copysign(1, target - start) >= -1e-6


@given(POSITIONS, POSITIONS, SPEEDS, SPEEDS, FRACTIONS)
def test_keeps_to_the_speed(start, target, speed, acceleration, fraction):
    motion = move(start, target, speed, acceleration)
    assert abs(motion.velocity(fraction * motion.duration)) <= speed * (1 + 1e-9)


@given(POSITIONS, POSITIONS, SPEEDS, SPEEDS)
def test_duration_formula(start, target, speed, acceleration):
    distance = abs(target - start)
    if distance >= speed**2 / acceleration:
        expected = distance / speed + speed / acceleration
    else:
        expected = 2 * math.sqrt(distance / acceleration)
    motion = move(start, target, speed, acceleration)
    assert motion.duration == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(POSITIONS, POSITIONS, SPEEDS, SPEEDS, st.floats(-500, 500), FRACTIONS)
def test_is_continuous_from_any_velocity(start, target, speed, acceleration, velocity, fraction):
    motion = move(start, target, speed, acceleration, velocity)
    assume(motion.duration > 0)
    time, step = fraction * motion.duration, motion.duration * 1e-6
    fastest = max(speed, abs(velocity))
    moved = abs(motion.position(time + step) - motion.position(time))
    assert moved <= fastest * step * 1.01 + 1e-6
    end = motion.position(motion.duration * (1 - 1e-12))
    assert end == pytest.approx(target, abs=1e-3 + 1e-6 * abs(target))


@given(POSITIONS, SPEEDS, st.floats(-500, 500))
def test_stop_takes_the_braking_distance(start, acceleration, velocity):
    motion = run(start, 0.0, acceleration, velocity)
    assert motion.duration == pytest.approx(abs(velocity) / acceleration)
    braking = velocity * abs(velocity) / (2 * acceleration)
    assert motion.position(motion.duration) == pytest.approx(start + braking, abs=1e-6)


def test_a_run_goes_on():
    motion = run(0.0, -2.0, 1.0)
    assert motion.duration == math.inf
    assert motion.velocity(1e6) == -2.0
    assert motion.position(12.0) == pytest.approx(-2.0 - 20.0)


def test_rest_stays():
    assert rest(3.0).position(99.0) == 3.0
    assert rest(3.0).duration == 0


@pytest.mark.parametrize(("speed", "acceleration"), [(0, 1), (1, 0), (-1, 1), (1, math.nan)])
def test_refuses_what_never_arrives(speed, acceleration):
    with pytest.raises(ValueError, match="above 0"):
        move(0, 1, speed, acceleration)


# Read-backs of a real axis, VELO 1/s, VBAS 0.1/s, ACCL 0.2 s, 0.01 a step, looked at every 0.1 s.
SPEED, ACCELERATION = 100.0, 450.0
RECORDED_MOVE = [2, 9, 19, 29, 39, 49, 59, 69, 79, 89, 97, 100, 100]


def _ticks(axis, number=400):
    positions = []
    for _ in range(number):
        status = axis.tick(PERIOD)
        positions.append(status.position)
        if status.done:
            break
    return positions


def test_recorded_read_backs_of_a_move():
    axis = SimulatedAxis()
    assert axis.move_to(100, SPEED, ACCELERATION)
    assert not axis.status.done
    assert _ticks(axis) == RECORDED_MOVE
    assert _ticks(axis) == [100]


def test_recorded_read_backs_of_a_stop():
    axis = SimulatedAxis()
    axis.move_to(500, SPEED, ACCELERATION)
    for _ in range(10):
        position = axis.tick(PERIOD).position
    axis.stop()
    assert [read - position for read in _ticks(axis)] == [8, 11, 11]


def test_home_from_below_returns_to_the_switch():
    axis = SimulatedAxis()
    axis.move_to(-100, SPEED, ACCELERATION)
    _ticks(axis)
    axis.find_home(10.0, 0.0)
    ticks = _ticks(axis)
    assert ticks[-1] == 0
    assert 100 <= len(ticks) <= 110
    assert axis.status.homed
    assert axis.status.at_home


def test_home_away_from_the_switch_runs_to_the_limit():
    axis = SimulatedAxis()
    axis.move_to(9500, 5000, 50000)
    _ticks(axis)
    axis.find_home(1000, 5000)
    assert _ticks(axis)[-1] == 10000
    assert axis.status.high_limit
    assert not axis.move_to(10001, 100, 100)
    assert axis.move_to(9999, 100, 100)


def test_status_word():
    axis = SimulatedAxis()
    assert axis.status.bits == 130  # recorded: done, at home
    axis.move_to(100, SPEED, ACCELERATION)
    axis.tick(PERIOD)
    assert axis.status.bits == 0x401  # moving, up


def test_loaded_position_counts():
    axis = SimulatedAxis()
    axis.load_position(500)
    assert axis.status.position == 500
    axis.move_to(600, SPEED, ACCELERATION)
    assert _ticks(axis)[-1] == 600


@given(st.integers(-1000, 1000), st.floats(-0.49, 0.49))
def test_rounding(whole, part):
    assert nearest_step(whole + part) == whole
    assert nearest_step(2.5) == 3
    assert nearest_step(-2.5) == -3
    assert nearest_step(1e300) == 2**31 - 1
    assert nearest_step(-math.inf) == -(2**31)
    assert nearest_step(math.nan) == 0
