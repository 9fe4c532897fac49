"""The motor record without Channel Access: whatever a client writes, the motor comes to rest."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.sim.ca.channel import PutRefusedError
from adsupport.sim.motor.axis import PERIOD, SimulatedAxis
from adsupport.sim.motor.record import MotorRecord
from adsupport.sim.motor.states import Mip

MACROS = {"P": "t:", "R": "m1", "N": "1", "ADDR": "0"}


def make() -> MotorRecord:
    return MotorRecord("t:m1", SimulatedAxis(), MACROS)


def tick(motor: MotorRecord, number: int = 1) -> None:
    for _ in range(number):
        motor.axis.tick(PERIOD)
        motor.follow()


def settle(motor: MotorRecord) -> None:
    for _ in range(30_000):
        if motor["DMOV"] and motor.axis.status.done:
            return
        tick(motor)
    raise AssertionError(f"still moving: MIP={motor['MIP']} RBV={motor['RBV']}")


TARGETS = st.floats(-150, 150, allow_nan=False)
WRITES = st.one_of(
    st.tuples(st.just("VAL"), TARGETS),
    st.tuples(st.just("DVAL"), TARGETS),
    st.tuples(st.just("RVAL"), st.integers(-15_000, 15_000)),
    st.tuples(st.just("RLV"), st.floats(-5, 5)),
    st.tuples(st.sampled_from(["TWF", "TWR", "STOP"]), st.just(1)),
    st.tuples(st.sampled_from(["JOGF", "JOGR"]), st.integers(0, 1)),
    st.tuples(st.just("SPMG"), st.integers(0, 3)),
    st.tuples(st.sampled_from(["VELO", "VMAX", "VBAS", "JVEL"]), st.floats(0.5, 50)),
    st.tuples(st.just("ACCL"), st.floats(0, 2)),
    st.tuples(st.just("tick"), st.integers(1, 20)),
)


@settings(max_examples=150)
@given(st.lists(WRITES, max_size=12))
def test_always_comes_to_rest_where_it_says(writes):
    motor = make()
    motor.put("VELO", 20.0)
    given_up = False
    for field, value in writes:
        # a retry that is stopped leaves the targets as they are, as in the real record's code
        given_up |= field in ("STOP", "SPMG") and bool(motor.mip & Mip.RETRY)
        if field == "tick":
            tick(motor, value)
        else:
            motor.put(field, value)
    for button in ("JOGF", "JOGR"):
        motor.put(button, 0)
    motor.put("VBAS", 1.0)
    motor.put("VMAX", 0.0)
    motor.put("VELO", 50.0)
    tick(motor, 3)
    motor.put("SPMG", 3)
    settle(motor)
    motor.put("SPMG", 3)
    settle(motor)
    assert motor["MIP"] == 0
    assert motor["DMOV"] == 1
    assert motor["LLM"] <= motor["RBV"] <= motor["HLM"]
    # a refused target restores the one before, without going there
    if not (motor["LVIO"] or given_up):
        assert abs(motor["VAL"] - motor["RBV"]) <= 0.5001 * motor["MRES"]
    assert motor["RBV"] == pytest.approx(motor["DRBV"] * motor.sign + motor["OFF"])
    assert motor["VBAS"] <= motor["VELO"]


def test_stop_ends_a_jog_that_the_limits_have_kept_from_starting():
    motor = make()
    for field, value in (("SPMG", 0), ("VAL", 100.0), ("JOGF", 1), ("SPMG", 3), ("STOP", 1)):
        motor.put(field, value)
    settle(motor)
    assert (motor["MIP"], motor["DMOV"], motor["VAL"]) == (0, 1, 0.0)


@given(st.integers(0, 1), st.floats(-50, 50), st.floats(-10, 10))
def test_user_and_dial_agree(direction, offset, target):
    motor = make()
    motor.put("VELO", 100.0)
    motor.put("DIR", direction)
    motor.put("OFF", offset)
    motor.put("VAL", offset + target)
    settle(motor)
    assert motor["DRBV"] == pytest.approx(target * motor.sign, abs=0.0051)
    assert motor["RBV"] == pytest.approx(offset + target, abs=0.0051)
    low, high = motor.limits("VAL")
    assert (high - low) == pytest.approx(200)
    assert motor.to_dial(motor.to_user(1.25)) == pytest.approx(1.25)


def test_a_locked_motor_refuses_and_the_lock_itself_does_not():
    motor = make()
    motor.put("DISP", 1)
    with pytest.raises(PutRefusedError, match="DISP=1"):
        motor.put("VAL", 1.0)
    assert motor["DMOV"] == 1
    motor.put("DISP", 0)
    motor.put("VAL", 1.0)
    settle(motor)
    assert motor["RBV"] == 1.0


def test_a_second_home_search_is_refused():
    motor = make()
    motor.put("VAL", -1.0)
    settle(motor)
    motor.put("HOMF", 1)
    with pytest.raises(PutRefusedError, match="home already"):
        motor.put("HOMR", 1)


def test_home_away_from_the_switch_ends_at_the_limit_switch():
    motor = make()
    motor.put("VELO", 100.0)
    motor.put("VAL", 90.0)
    settle(motor)
    motor.put("HVEL", 10.0)
    motor.put("HOMF", 1)
    tick(motor, 2)
    settle(motor)
    assert motor["HLS"] == 1
    assert motor["HOMF"] == 0
    motor.put("VAL", 0.0)
    settle(motor)
    assert (motor["RBV"], motor["HLS"]) == (0.0, 0)


def test_limit_alarm():
    motor = make()
    motor.put("HLSV", 2)
    motor.put("VELO", 100.0)
    motor.put("VAL", 100.0)
    settle(motor)
    assert motor["HLS"] == 1
    assert (motor.severity, motor.status) == (2, 4)


def test_put_callbacks_end_in_turn():
    async def run() -> list[str]:
        motor = make()
        ended: list[str] = []
        first = motor.put("VAL", 0.5, notify=True)
        second = motor.put("VAL", 0.2, notify=True)
        none = motor.put("VELO", 2.0)
        assert first is not None
        assert second is not None
        assert none is None
        first.add_done_callback(lambda _: ended.append(f"first at {motor['RBV']}"))
        second.add_done_callback(lambda _: ended.append(f"second at {motor['RBV']}"))
        for _ in range(40):
            tick(motor)
            await asyncio.sleep(0)
        return ended

    assert asyncio.run(run()) == ["first at 0.5", "second at 0.2"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("field", ["VAL", "VELO", "MRES", "OFF"])
def test_what_is_no_number_is_refused(field, value):
    motor = make()
    before = motor[field]
    with pytest.raises(PutRefusedError, match=f"t:m1.{field} takes finite numbers"):
        motor.put(field, value)
    assert (motor[field], motor["DMOV"]) == (before, 1)


@given(
    st.sampled_from(["VAL", "MRES", "UREV", "VELO", "ACCL", "HLM", "DLLM", "OFF", "JAR", "BDST"]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_number_is_survived(field, value, target):
    motor = make()
    motor.put("HLM", 0.0)
    motor.put("LLM", 0.0)  # no soft limits
    motor.put(field, value)
    motor.put("VAL", target)
    tick(motor, 5)
    motor.put("STOP", 1)
    tick(motor, 5)
    assert abs(motor["RRBV"]) <= 2**31
