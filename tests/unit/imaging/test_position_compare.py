"""The plan around position-compare hardware, with a fake one that follows ophyd's motor."""

from __future__ import annotations

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky import RunEngine
from ophyd.sim import SynAxis

from adsupport.errors import ConfigurationError
from adsupport.imaging.motion.position_compare import with_position_compare
from adsupport.imaging.motion.window import StageMotion, constant_speed_window

from .fake_compare import FakeController


@pytest.fixture
def motor() -> SynAxis:
    return SynAxis(name="rot", events_per_move=97)


@pytest.mark.parametrize("step", [0.5, -0.5])
def test_a_pulse_for_each_frame(motor, step):
    window = constant_speed_window(20, step, 40, 0.1, StageMotion(0.7))
    triggered: list[float] = []
    fake = FakeController(motor, on_pulse=lambda position, _: triggered.append(position))
    RunEngine({})(with_position_compare(lambda: bps.mv(motor, window.end), fake, motor, window))
    np.testing.assert_allclose([place for place, _ in fake.pulses], window.positions)
    np.testing.assert_allclose(triggered, window.positions)
    times = [time for _, time in fake.pulses]
    assert times == sorted(times)
    assert fake.log == ["program", "arm", "disarm"]


def test_no_pulse_after_it(motor):
    window = constant_speed_window(0, 1, 10, 0.1, StageMotion(0))
    fake = FakeController(motor)
    RE = RunEngine({})
    RE(with_position_compare(lambda: bps.mv(motor, window.end), fake, motor, window))
    RE(bps.mv(motor, -5))
    RE(bps.mv(motor, 20))
    assert len(fake.pulses) == 10


def test_armed_elsewhere_it_counts_from_there(motor):
    window = constant_speed_window(0, 1, 5, 0.1, StageMotion(0))
    fake = FakeController(motor)

    def plan():
        yield from bps.mv(motor, 0.25)
        yield from fake.program(window)
        yield from fake.arm()
        yield from bps.mv(motor, -3)
        yield from bps.mv(motor, 10)

    RunEngine({})(plan())
    np.testing.assert_allclose([place for place, _ in fake.pulses], window.positions + 0.25)


def test_disarmed_when_the_plan_fails(motor):
    window = constant_speed_window(0, 1, 10, 0.1, StageMotion(0))
    fake = FakeController(motor)

    def fails():
        yield from bps.mv(motor, 3.5)
        raise RuntimeError("the camera died")

    RE = RunEngine({})
    with pytest.raises(RuntimeError, match="the camera died"):
        RE(with_position_compare(fails, fake, motor, window))
    assert fake.log[-1] == "disarm"
    RE(bps.mv(motor, 20))
    np.testing.assert_allclose([place for place, _ in fake.pulses], [0, 1, 2, 3])


def test_beyond_the_limits_nothing_moves():
    class Limited(SynAxis):
        limits = (-1, 5)

    motor = Limited(name="rot")
    window = constant_speed_window(0, 1, 10, 0.1, StageMotion(0))
    fake = FakeController(motor)
    with pytest.raises(ConfigurationError, match="rot can't go where its run-down ends at 11"):
        RunEngine({})(with_position_compare(bps.null, fake, motor, window))
    assert fake.log == [] and motor.position == 0
