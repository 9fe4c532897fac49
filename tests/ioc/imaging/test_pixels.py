"""From the pixels: where every motor stood, and whether the beam was on.

The expectations are computed here from the published phantom and the documented formulas.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from adsupport.sim.beamline.phantom import head_with_beads
from adsupport.sim.beamline.projection import Pose, Screen, path_lengths

PIXEL = 0.01
CENTRE = 255.5
BEAD_HEIGHTS = np.array([1.76, 1.94, 2.12])
BEAD_TURNS = np.radians([0.0, 120.0, 240.0])
DARK = 100 + 20 * 0.05
"""Offset, and dark current of the default exposure."""


OUT = 6.0
"""Millimetres across the beam at which none of the sample is seen."""


@pytest.fixture(scope="module")
def empty_beam() -> list[np.ndarray]:
    """Keep the flat field of the module: nothing changes it but the settings of a test."""
    return []


@pytest.fixture
def transmission(beamline, empty_beam) -> Callable[..., np.ndarray]:
    """Average frames of a pose, and divide by the empty beam as an experiment does."""
    if not empty_beam:
        beamline.move(m5=OUT)
        empty_beam.append(beamline.expose(16).mean(0) - DARK)
        beamline.move(m5=0.0)

    def measure(number: int = 3) -> np.ndarray:
        return (beamline.expose(number).mean(0) - DARK) / empty_beam[0]

    return measure


def bead_centres(passed: np.ndarray, lift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return (u, v) in mm of the three beads, from the weights of their shadows."""
    shadow = -np.log(np.clip(passed, 1e-3, None))
    v = (CENTRE - np.arange(512)) * PIXEL
    u = (np.arange(512) - CENTRE) * PIXEL
    found = []
    for height in BEAD_HEIGHTS + lift:
        band = np.where(shadow > 0.15, shadow, 0) * (np.abs(v - height) < 0.09)[:, None]
        found.append((band.sum(0) @ u / band.sum(), band.sum(1) @ v / band.sum()))
    places = np.array(found)
    return places[:, 0], places[:, 1]


def angle_and_shift(u: np.ndarray) -> tuple[float, float]:
    """Solve u_k = shift + cos(angle - turn_k): the beads run on a circle of 1 mm."""
    matrix = np.stack([np.ones(3), np.cos(BEAD_TURNS), np.sin(BEAD_TURNS)], axis=1)
    shift, cos, sin = np.linalg.solve(matrix, u)
    return float(np.degrees(np.arctan2(sin, cos))), float(shift)


def test_a_frame_is_the_projection_at_the_read_backs(beamline, transmission):
    beamline.move(m1=33.0, m2=0.2, m3=-0.1, m4=0.15, m5=0.05)
    pose = Pose(*(beamline.get(f"m{number}.RBV") for number in range(1, 6)))
    passed = transmission(8)
    expected = np.exp(-path_lengths(head_with_beads(), pose, Screen(512, 512, PIXEL)))
    # photons of a pixel: 20000 times the flat field, of about 0.9; the rest is noise
    sigma = np.sqrt(expected * (1 / 8 + expected / 16) / (20_000 * 0.9))
    deviation = (passed - expected) / sigma
    assert abs(np.mean(deviation)) < 0.02
    assert np.std(deviation) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("angle", [-75.0, 10.0, 141.5, 200.0])
def test_rotation_and_stage(beamline, transmission, angle):
    across = 0.3 * np.sin(angle)
    beamline.move(m1=angle, m3=0.1, m5=across)
    u, v = bead_centres(transmission(), lift=0.1)
    seen, shift = angle_and_shift(u)
    turned = (seen - beamline.get("m1.RBV") + 180) % 360 - 180
    assert turned == pytest.approx(0, abs=0.15)
    assert shift == pytest.approx(beamline.get("m5.RBV"), abs=0.002)
    assert v - BEAD_HEIGHTS == pytest.approx(beamline.get("m3.RBV"), abs=0.003)


@pytest.mark.parametrize(("angle", "visible"), [(0.0, "m2"), (90.0, "m4")])
def test_sample_stages_turn_with_the_rotation(beamline, transmission, angle, visible):
    beamline.move(m1=angle, m2=0.25, m4=-0.35)
    _, shift = angle_and_shift(bead_centres(transmission())[0])
    assert shift == pytest.approx(beamline.get(f"{visible}.RBV"), abs=0.002)


def test_renaming_a_position_moves_nothing(beamline, transmission):
    beamline.move(m1=20.0)
    beamline.put("m1.OFF", 45.0)
    try:
        seen, _ = angle_and_shift(bead_centres(transmission())[0])
        assert beamline.get("m1.RBV") == pytest.approx(65.0)
        assert seen == pytest.approx(20.0, abs=0.15)
    finally:
        beamline.put("m1.OFF", 0.0)


def test_frames_on_the_fly_follow_the_motor(beamline, transmission, empty_beam):
    beamline.put("m1.VELO", 20.0)
    beamline.put("m1", 60.0, wait=False)
    frames = beamline.expose(6, AcquirePeriod=0.2) - DARK
    beamline.put("m1.STOP", 1)
    angles = [angle_and_shift(bead_centres(frame / empty_beam[0])[0])[0] for frame in frames]
    steps = np.diff(angles)
    # 20 degrees per second, 0.2 s from frame to frame; the stage is looked at 50 times a second
    assert np.median(steps) == pytest.approx(4.0, abs=0.8)
    assert all(steps > 0)


def test_without_beam_frames_are_dark(beamline):
    bright = np.median(beamline.frame())
    beamline.put("shutter:Close", 1)
    closed = beamline.frame()
    beamline.put("shutter:Open", 1)
    beamline.put("tube:On", 0)
    off = beamline.frame()
    assert bright > 5000
    for dark in (closed, off):
        assert dark.mean() == pytest.approx(DARK, abs=0.05)
        # dark current of 1 electron and 2 counts of read-out noise
        assert dark.std() == pytest.approx(np.sqrt(1 + 2**2 + 1 / 12), rel=0.02)


def test_light_follows_current_voltage_exposure_and_gain(beamline):
    beamline.move(m5=OUT)
    beamline.put("scene:PhotonNoise", "Off")

    def light(**settings: object) -> float:
        for record, value in settings.items():
            beamline.put(record.replace("_", ":"), value)
        seconds = beamline.get("cam1:AcquireTime_RBV")
        dark = 100 + 20 * seconds * beamline.get("cam1:Gain_RBV")
        return float(beamline.frame().mean() - dark)

    full = light()
    assert light(tube_Current=0.5) == pytest.approx(full / 2, rel=1e-3)
    assert light(tube_Current=1.0, tube_Voltage=50.0) == pytest.approx(full / 4, rel=1e-3)
    assert light(cam1_AcquireTime=0.1) == pytest.approx(full / 2, rel=1e-3)
    assert light(cam1_Gain=0.5) == pytest.approx(full / 4, rel=1e-3)


def test_a_shutter_that_opens_meanwhile_lets_part_of_the_light_in(beamline):
    beamline.move(m5=OUT)
    full = beamline.frame(AcquireTime=1.0, Gain=0.1).mean()
    beamline.put("shutter:Close", 1)
    beamline.put("shutter:TransitTime", 0.5)
    beamline.put("shutter:Open", 1, wait=False)
    part = beamline.frame().mean()
    # a quarter of the light is lost at most, less what passed before the exposure began
    assert 0.74 * full < part < 0.99 * full


def test_the_converter_saturates(beamline):
    beamline.move(m5=OUT)
    assert beamline.frame(AcquireTime=0.5).min() == 65535
    assert beamline.frame(AcquireTime=0.05, DataType="UInt8").min() == 255


def test_bins_are_summed_before_conversion(beamline):
    beamline.move(m5=OUT)
    beamline.put("scene:PhotonNoise", "Off")
    single = beamline.frame().astype(float)
    summed = single.reshape(256, 2, 256, 2).sum((1, 3))
    binned = beamline.frame(BinX=2, BinY=2)
    assert binned.shape == (256, 256)
    assert np.abs(binned - np.minimum(summed, 65535)).max() <= 2  # four roundings
    assert (binned == 65535).any()  # nothing wraps


def test_three_equal_colours(beamline):
    beamline.move(m5=OUT)
    frame = beamline.frame(ColorMode="RGB1")
    assert frame.shape == (512, 512, 3)
    assert (frame == frame[..., :1]).all()


def test_image1_shows_eight_bits(beamline):
    beamline.put("image1:EnableCallbacks", 1)
    beamline.put("scene:Flux", 2000.0)
    frame = beamline.frame(DataType="UInt8", Offset=10.0)
    shown = beamline.get("image1:ArrayData").astype(np.uint8).reshape(512, 512)
    assert np.array_equal(shown, frame)
    assert len(np.unique(frame)) > 50
