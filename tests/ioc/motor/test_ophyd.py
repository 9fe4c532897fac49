"""ophyd's EpicsMotor and bluesky plans on the simulated motors: what a beamline does with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from bluesky import RunEngine
from bluesky import plans as bp
from ophyd import EpicsMotor, EpicsSignalRO
from ophyd.utils import LimitError

TIMEOUT = 30.0


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def limits(motor: EpicsMotor) -> tuple[float, float]:
    """Return a motor's limits, which ophyd is made to read anew.

    By itself it reads them at a change of either one, and may take the answer to a request that
    another thread sent before the change: then they stay old until the next change.
    """
    motor.user_setpoint.get(form="ctrl")
    return motor.limits


@pytest.fixture(scope="module")
def only_motor(gp):
    """Return the one motor of all tests: others would go on reading limits, see above."""
    motor = EpicsMotor("gp:m8", name="motor")
    motor.wait_for_connection(timeout=TIMEOUT)
    return motor
    # not destroyed: pyepics may take a channel that comes later for one that it has cleared


@pytest.fixture
def motor(only_motor, caput):
    """Return a motor at 0, at full speed."""
    for field, value in (("VELO", 10), ("OFF", 0), ("LLM", -100), ("HLM", 100)):
        caput(f"gp:m8.{field}", value)
    until(lambda: limits(only_motor) == (-100, 100))
    until(lambda: only_motor.motor_done_move.get(use_monitor=False))
    only_motor.move(0, timeout=TIMEOUT)
    # a late pulse of DMOV ends a move too early, and would so end the next one
    until(lambda: only_motor.position == 0 and not only_motor._moving)
    yield only_motor
    for field, value in (("VELO", 1), ("LLM", -100), ("HLM", 100)):
        caput(f"gp:m8.{field}", value)


def test_everything_connects_and_describes_itself(motor):
    assert motor.connected
    described = motor.describe()["motor"]
    assert (described["units"], described["precision"]) == ("degrees", 5)
    assert (described["lower_ctrl_limit"], described["upper_ctrl_limit"]) == (-100, 100)
    assert motor.describe()["motor_user_setpoint"]["upper_ctrl_limit"] == 100
    assert motor.egu == "degrees"
    assert motor.limits == (-100, 100)
    configuration = motor.read_configuration()
    assert configuration["motor_acceleration"]["value"] == 0.2
    assert configuration["motor_velocity"]["value"] == 10


@pytest.mark.parametrize("target", [0.37, -0.5, 3.0])
def test_move_and_wait(motor, target):
    status = motor.move(target, wait=True, timeout=TIMEOUT)
    assert status.success
    assert motor.position == pytest.approx(target)
    assert not motor.moving


def test_a_null_move_completes(motor):
    assert motor.move(0, wait=True, timeout=5).success
    assert motor.move(0, wait=True, timeout=5).success


def test_stop(motor):
    motor.velocity.put(1, wait=True)
    status = motor.move(20, wait=False)
    until(lambda: motor.position > 0.3)
    assert motor.moving
    motor.stop()
    until(lambda: status.done and not motor.moving)
    assert 0.3 < motor.position < 15
    assert motor.user_setpoint.get() == pytest.approx(motor.position)


def test_set_current_position(motor):
    motor.move(0.5, timeout=TIMEOUT)
    motor.set_current_position(7.0)
    until(lambda: motor.position == 7.0)  # the monitor may come after the put's end
    until(lambda: motor.user_offset.get() == 6.5)
    until(lambda: limits(motor) == (-93.5, 106.5))
    # ophyd may take the DMOV pulse of setting the position for the end of this move
    motor.move(7.2, timeout=TIMEOUT)
    until(lambda: motor.position == pytest.approx(7.2))


def test_limits_are_checked_before_and_by_the_record(motor):
    with pytest.raises(LimitError):
        motor.move(101, timeout=5)
    motor.set_lim(-1, 2)
    until(lambda: limits(motor) == (-1, 2))
    with pytest.raises(LimitError):
        motor.move(2.5, timeout=5)
    assert motor.move(1.9, timeout=TIMEOUT).success


def test_home(motor):
    motor.move(-0.01, timeout=TIMEOUT)
    assert motor.home("forward", wait=True, timeout=TIMEOUT).success
    assert motor.position == 0


def test_read_backs_come_while_moving(motor):
    motor.velocity.put(1, wait=True)
    seen: list[float] = []
    enough = threading.Event()

    def keep(value, **_):
        seen.append(value)
        if len(seen) > 3:
            enough.set()

    subscription = motor.user_readback.subscribe(keep, run=False)
    motor.move(0.8, timeout=TIMEOUT)
    assert enough.wait(TIMEOUT)
    motor.user_readback.unsubscribe(subscription)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(0.8)


def test_scan_with_a_random_number_sensor(motor, caput):
    caput("gp:userCalcEnable", "Enable")
    caput("gp:userCalc10.CALC", "RNDM")
    caput("gp:userCalc10.SCAN", ".1 second")
    sensor = EpicsSignalRO("gp:userCalc10.VAL", name="sensor")
    sensor.wait_for_connection(timeout=TIMEOUT)
    documents: list[tuple[str, dict]] = []
    run_engine = RunEngine()
    run_engine(
        bp.scan([sensor], motor, -0.5, 0.5, 5), lambda name, doc: documents.append((name, doc))
    )
    events = [doc["data"] for name, doc in documents if name == "event"]
    assert [event["motor"] for event in events] == pytest.approx([-0.5, -0.25, 0, 0.25, 0.5])
    assert all(0 <= event["sensor"] <= 1 for event in events)
    assert len({event["sensor"] for event in events}) > 1
    assert documents[-1][1]["exit_status"] == "success"
    caput("gp:userCalc10.SCAN", "Passive")
