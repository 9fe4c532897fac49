"""Faults of the camera, and the end of the whole IOC."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator

import epics
import pytest

from adsupport.launch import IOCProcess

ACQUIRE, IDLE, ABORTED = 1, 0, 10


@pytest.fixture
def camera(adsim: IOCProcess, caput: Callable) -> Iterator[Callable]:
    """Write records of a camera that is set up for five frames."""

    def put(wait: bool = True, **values: object) -> float:
        return sum(caput(f"{adsim.prefix}cam1:{name}", v, wait) for name, v in values.items())

    put(Acquire=0, ImageMode=1, NumImages=5, AcquireTime=0.001, AcquirePeriod=0.01)
    yield put
    put(Acquire=0, ImageMode=2, NumImages=100, AcquirePeriod=0.005)


@pytest.fixture
def shown(adsim: IOCProcess, caget: Callable) -> Callable:
    """Read a record of the camera."""
    return lambda name: caget(f"{adsim.prefix}cam1:{name}")


def watched(adsim: IOCProcess, watch: type, *names: str):
    return watch(f"{adsim.prefix}cam1:", *names)


def test_a_stalled_camera_hangs_in_an_exposure_until_it_is_stopped(
    adsim: IOCProcess, camera: Callable, shown: Callable, watch: type
) -> None:
    with adsim.fault("camera-stalls", "cam1", after=3):
        with watched(adsim, watch, "NumImagesCounter_RBV", "DetectorState_RBV", "Acquire") as seen:
            camera(wait=False, Acquire=1)
            seen.wait_for("NumImagesCounter_RBV", 3)
            seen.wait_for("DetectorState_RBV", ACQUIRE, times=4)
            time.sleep(0.2)  # twenty periods: a fourth frame would be here by now
            assert seen.values("NumImagesCounter_RBV")[-1] == 3
            assert shown("DetectorState_RBV") == ACQUIRE
            assert shown("Acquire") == shown("AcquireBusy") == 1
            camera(Acquire=0)
            seen.wait_for("Acquire", 0)
        assert shown("DetectorState_RBV") == ABORTED
        assert shown("NumImagesCounter_RBV") == 3
    assert camera(Acquire=1) < 10
    assert shown("NumImagesCounter_RBV") == 5


def test_a_stalled_camera_goes_on_when_its_fault_ends(
    adsim: IOCProcess, camera: Callable, shown: Callable, watch: type
) -> None:
    fault = adsim.fault("camera-stalls", "cam1")
    with watched(adsim, watch, "DetectorState_RBV", "Acquire") as seen:
        camera(wait=False, Acquire=1)
        seen.wait_for("DetectorState_RBV", ACQUIRE)
        assert shown("NumImagesCounter_RBV") == 0
        fault.end()
        seen.wait_for("Acquire", 0)
    assert shown("NumImagesCounter_RBV") == 5
    assert shown("DetectorState_RBV") == IDLE


def test_a_camera_that_stops_early_says_nothing_of_it(
    adsim: IOCProcess, camera: Callable, shown: Callable
) -> None:
    with adsim.fault("camera-stops-early", "cam1", frames=3):
        for _ in range(2):  # each acquisition
            camera(Acquire=1)
            assert shown("NumImagesCounter_RBV") == 3
            assert shown("NumImages_RBV") == 5
            assert shown("DetectorState_RBV") == IDLE
            assert shown("Acquire") == shown("AcquireBusy") == 0
    camera(Acquire=1)
    assert shown("NumImagesCounter_RBV") == 5


def test_an_ioc_that_is_killed_while_it_acquires_can_be_started_again(
    fresh_adsim: IOCProcess, caput: Callable, watch: type
) -> None:
    prefix = fresh_adsim.prefix
    caput(f"{prefix}cam1:ImageMode", 2)
    fault = fresh_adsim.fault("kill", "cam1", after=3)
    acquire = epics.PV(f"{prefix}cam1:Acquire")
    assert acquire.wait_for_connection(20)
    acquire.put(1)
    deadline = time.monotonic() + 20
    while fresh_adsim.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert fresh_adsim.exit_code == -signal.SIGKILL
    fault.end()  # harmless
    assert not fresh_adsim.has_faults
    assert fresh_adsim.restart().running
