"""Faults between an IOC and its clients: lost monitors, late answers, a slow network."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest

from adsupport.launch import IOCProcess

GAIN, GAIN_RBV, OFFSET = "cam1:Gain", "cam1:Gain_RBV", "cam1:Offset"


@pytest.fixture
def put(adsim: IOCProcess, caput: Callable):
    def put(name: str, value: object) -> float:
        return caput(adsim.prefix + name, value)

    for name, value in {"AcquireTime": 0.001, "AcquirePeriod": 0.0, "WaitForPlugins": 0}.items():
        put(f"cam1:{name}", value)  # whatever other tests have left
    yield put
    put(GAIN, 1.0)
    put(OFFSET, 0.0)


def put_numbers(put: Callable, numbers: range) -> None:
    """Write Gain, then Offset as the last word: its event comes behind those of Gain."""
    for number in numbers:
        put(GAIN, float(number))
    put(OFFSET, float(numbers[-1]))


@pytest.mark.parametrize("pattern", ["cam1:Gain*", "{}cam1:Gain*", "cam1:Gain_RBV.VAL"])
def test_lost_monitors_leave_the_value_readable(
    adsim: IOCProcess, put: Callable, caget: Callable, watch: type, pattern: str
) -> None:
    with adsim.fault("drop-monitors", pattern.format(adsim.prefix)):
        with watch(adsim.prefix, GAIN_RBV, OFFSET) as seen:  # the first value comes
            put_numbers(put, range(2, 6))
            seen.wait_for(OFFSET, 5.0)
        assert seen.values(GAIN_RBV) == []
        assert caget(adsim.prefix + GAIN_RBV) == 5.0


def test_every_third_monitor_is_lost(adsim: IOCProcess, put: Callable, watch: type) -> None:
    with (
        adsim.fault("drop-monitors", GAIN_RBV, every=3),
        watch(adsim.prefix, GAIN_RBV, OFFSET) as seen,
        watch(adsim.prefix, GAIN_RBV, OFFSET) as another,
    ):
        put_numbers(put, range(2, 9))
        seen.wait_for(OFFSET, 8.0)
        another.wait_for(OFFSET, 8.0)
    assert seen.values(GAIN_RBV) == another.values(GAIN_RBV) == [2, 3, 5, 6, 8]


def test_a_put_callback_ends_late_and_its_work_does_not(
    adsim: IOCProcess, put: Callable, watch: type
) -> None:
    with (
        adsim.fault("delay-completion", "cam1:Acquire", seconds=1.5),
        watch(adsim.prefix, "cam1:AcquireBusy") as seen,
    ):
        put("cam1:ImageMode", 0)
        assert put("cam1:Acquire", 1) >= 1.5
        assert put(GAIN, 3.0) < 1.4
        assert seen.time_of("cam1:AcquireBusy", 0) < 1.4
    assert put("cam1:Acquire", 1) < 1.4
    put("cam1:ImageMode", 2)


def test_latency_delays_every_message(adsim: IOCProcess, put: Callable, caget: Callable) -> None:
    put(GAIN, 2.0)
    with adsim.fault("latency", seconds=1.5):
        begun = time.monotonic()
        assert caget(adsim.prefix + GAIN) == 2.0
        assert time.monotonic() - begun >= 1.5
        assert put(GAIN, 3.0) >= 1.5
    begun = time.monotonic()
    assert caget(adsim.prefix + GAIN) == 3.0
    assert time.monotonic() - begun < 1.5


def test_jitter_keeps_the_order(adsim: IOCProcess, put: Callable, watch: type) -> None:
    names = (GAIN_RBV, GAIN, OFFSET)
    numbers = range(2, 12)
    with adsim.fault("latency", seconds=0.01, jitter=0.1, seed=4):
        with watch(adsim.prefix, *names) as seen:
            put_numbers(put, numbers)
            seen.wait_for(OFFSET, 11.0)
    assert seen.values(GAIN_RBV) == list(numbers)
    times = [event.time for event in seen.events if event.field == GAIN_RBV]
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(steps) - min(steps) > 0.02, "not all take the same time"


def test_a_field_of_a_motor(gp: IOCProcess, caput: Callable, watch: type) -> None:
    with gp.fault("drop-monitors", "m3.RBV"), watch(gp.prefix, "m3.RBV", "m3.DMOV") as seen:
        caput(f"{gp.prefix}m3", 0.1)
        seen.wait_for("m3.DMOV", 1)
    assert seen.values("m3.RBV") == []
    caput(f"{gp.prefix}m3", 0.0)
