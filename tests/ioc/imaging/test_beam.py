"""Shutter, tube, motors and noise over Channel Access."""

from __future__ import annotations

import time

import numpy as np
import pytest


def test_shutter_states_and_put_completion(beamline, watch):
    beamline.put("shutter:Close", 1)
    beamline.put("shutter:TransitTime", 0.3)
    with watch(beamline.prefix, "shutter:Status_RBV", "shutter:Open", "shutter:Control") as seen:
        taken = beamline.put("shutter:Open", 1)
        seen.wait_for("shutter:Status_RBV", 2)
        seen.wait_for("shutter:Open", 0)
    assert 0.28 < taken < 2
    assert seen.values("shutter:Status_RBV") == [1, 2]
    assert seen.values("shutter:Open") == [1, 0]
    assert seen.values("shutter:Control") == [1]
    assert beamline.put("shutter:Open", 1) < 0.25  # open already
    assert 0.28 < beamline.put("shutter:Control", "Close") < 2
    assert beamline.get("shutter:Status_RBV", as_string=True) == "Closed"


def test_a_shutter_turns_back_half_way(beamline):
    beamline.put("shutter:Close", 1)
    beamline.put("shutter:TransitTime", 5.0)
    beamline.put("shutter:Open", 1, wait=False)
    until = time.monotonic() + 10
    while beamline.get("shutter:Status_RBV", as_string=True) != "Opening":
        assert time.monotonic() < until
    assert beamline.put("shutter:Close", 1) < 4
    assert beamline.get("shutter:Open") == 0
    assert beamline.get("shutter:Status_RBV", as_string=True) == "Closed"


def test_tube_ramps(beamline, watch):
    beamline.put("tube:On", 0)
    assert beamline.get("tube:Voltage_RBV") == beamline.get("tube:Current_RBV") == 0
    beamline.put("tube:RampTime", 0.5)
    with watch(beamline.prefix, "tube:Status_RBV", "tube:Voltage_RBV") as seen:
        assert 0.48 < beamline.put("tube:On", 1) < 3
        seen.wait_for("tube:Status_RBV", 2)
        seen.wait_for("tube:Voltage_RBV", 100.0)
    assert seen.values("tube:Status_RBV") == [1, 2]
    voltages = seen.values("tube:Voltage_RBV")
    assert len(voltages) >= 3
    assert voltages == sorted(voltages)
    assert 0.48 < beamline.put("tube:Voltage", 60.0) < 3
    assert beamline.get("tube:Voltage_RBV") == 60.0
    beamline.put("tube:Voltage", 1000.0)
    assert beamline.get("tube:Voltage") == 160.0


def test_motors_are_described(beamline):
    found = {
        f"m{number}": (beamline.get(f"m{number}.DESC"), beamline.get(f"m{number}.EGU"))
        for number in range(1, 6)
    }
    assert found == {
        "m1": ("rotation", "degrees"),
        "m2": ("sample x", "mm"),
        "m3": ("sample y", "mm"),
        "m4": ("sample z", "mm"),
        "m5": ("stage across the beam", "mm"),
    }
    assert beamline.get("m1.HLM") == 3600
    assert beamline.get("m2.LLM") == -5
    assert beamline.get("m1Resolution") == beamline.get("m1.MRES") == 0.001


def test_read_backs_are_exact_to_a_step(beamline):
    beamline.move(m1=123.4565, m2=1.2346)
    assert beamline.get("m1.RBV") == pytest.approx(123.4565, abs=0.0011)
    assert beamline.get("m2.RBV") == pytest.approx(1.2346, abs=0.0006)


def test_camera_is_what_its_table_says(imaging, beamline):
    assert beamline.get("cam1:Model_RBV") == "Imaging camera"
    assert beamline.get("cam1:MaxSizeX_RBV") == beamline.get("cam1:MaxSizeY_RBV") == 512


def test_noise_is_repeatable(beamline):
    beamline.put("scene:Seed", 7)
    first = beamline.expose(2)
    beamline.put("scene:Seed", 7)
    again = beamline.expose(2)
    beamline.put("scene:Seed", 8)
    other = beamline.frame()
    assert np.array_equal(first, again)
    assert (first[0] != first[1]).mean() > 0.9
    assert (first[0] != other).mean() > 0.9


def test_a_restarted_beamline_shows_the_same(adsupport_ioc_factory, make_beamline):
    frames = []
    for _ in range(2):
        with adsupport_ioc_factory("imaging_beamline") as ioc:
            client = make_beamline(ioc)
            client.move(m1=12.0)
            frames.append(client.frame())
    assert np.array_equal(*frames)


def test_without_noise_frames_are_alike(beamline):
    beamline.put("scene:PhotonNoise", "Off")
    first, second = beamline.expose(2)
    assert np.array_equal(first, second)


def test_acquisition_can_be_stopped_in_an_exposure(beamline):
    beamline.put("cam1:AcquireTime", 20.0)
    beamline.put("cam1:Acquire", 1, wait=False)
    until = time.monotonic() + 10
    while beamline.get("cam1:DetectorState_RBV", as_string=True) != "Acquire":
        assert time.monotonic() < until
    began = time.monotonic()
    beamline.put("cam1:Acquire", 0, wait=False)
    while beamline.get("cam1:AcquireBusy"):
        assert time.monotonic() < began + 5
    assert beamline.get("cam1:DetectorState_RBV", as_string=True) == "Aborted"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("record", ["tube:Voltage", "shutter:TransitTime", "scene:Flux"])
def test_what_is_no_number_harms_nothing(beamline, record, value):
    before = beamline.get(f"{record}_RBV")
    beamline.put(record, value)
    if np.isnan(value):
        assert beamline.get(f"{record}_RBV") == before
    beamline.put(record, before)
    assert np.median(beamline.frame()) > 5000


def test_settings_of_the_camera_that_make_no_sense(beamline):
    nan = float("nan")
    for record in ("Gain", "Offset", "Noise", "AcquireTime"):
        beamline.put(f"cam1:{record}", nan)
        assert beamline.frame().shape == (512, 512)
    beamline.put("cam1:AcquireTime", -1.0)
    assert beamline.frame(Gain=1.0, Offset=100.0, Noise=0.0).mean() == pytest.approx(100, abs=0.5)
