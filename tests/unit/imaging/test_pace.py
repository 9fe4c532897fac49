"""A camera that doesn't keep the period of a fly scan is found out with the beam off."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bluesky import RunEngine
from ophyd import Signal
from ophyd.sim import SynAxis
from ophyd.status import Status

from adsupport.errors import ConfigurationError
from adsupport.imaging import (
    FlyAxis,
    PreparedCamera,
    SpiralConfig,
    TomographyConfig,
    spiral_tomography,
    tomography,
)
from adsupport.imaging.motion.axis import Track
from adsupport.imaging.motion.blur import warn_of_blur
from adsupport.imaging.motion.legs import DRIFT, TRIGGER_TIME, Leg, planned_legs
from adsupport.imaging.motion.pace import check_period, try_period, warn_of_steps
from adsupport.imaging.motion.window import StageMotion, constant_speed_window

from .beamline import Beamline

WINDOW = constant_speed_window(0.0, 1.0, 100, 0.1, StageMotion(0.5))
LEG: Any = Leg(SimpleNamespace(), WINDOW, WINDOW.start, WINDOW.end + 3.0, 2.5)  # type: ignore[arg-type]


class Clamped(Signal):
    """A setting that the IOC doesn't let below a value; ophyd tells that as a failed status."""

    def __init__(self, lowest: float, name: str) -> None:
        super().__init__(name=name, value=0.7)
        self.lowest, self.asked = lowest, []

    def set(self, value: Any, **_: Any) -> Any:
        self.asked.append(value)
        self.put(max(value, self.lowest))
        status = Status()
        if value < self.lowest:
            status.set_exception(TimeoutError(f"{self.name} shows {self.lowest}"))
        else:
            status.set_finished()
        return status


def cam(lowest_period: float = 0.0) -> Any:
    """A camera's settings."""
    return SimpleNamespace(
        acquire_time=Clamped(0.0, "det_acquire_time"),
        acquire_period=Clamped(lowest_period, "det_acquire_period"),
    )


def test_the_settings_are_tried_and_put_back() -> None:
    device = SimpleNamespace(name="det", cam=cam())
    RunEngine({})(try_period(device, 100, 0.05, 0.1, [LEG]))
    assert device.cam.acquire_time.asked == [0.05, 0.7]
    assert device.cam.acquire_period.asked == [0.1, 0.7]


@pytest.mark.parametrize(("real", "fits"), [(0.1, True), (0.102, True), (0.2, False)])
def test_what_the_read_backs_say(real: float, fits: bool) -> None:
    """A little more than asked for is what the run-down has room for."""
    device = SimpleNamespace(name="det", cam=cam())
    device.cam.acquire_period.put(real)
    device.cam.acquire_time.put(0.05)
    plan = check_period(device, 100, 0.1, [LEG])
    if fits:
        RunEngine({})(plan)
    else:
        with pytest.raises(ConfigurationError, match=r"period=0\.1 s: det .* tell 0\.2 s"):
            RunEngine({})(plan)


def test_of_a_detector_without_settings_nothing_is_known() -> None:
    device = SimpleNamespace(name="det")
    RunEngine({})(try_period(device, 100, 0.05, 0.1, [LEG]))
    RunEngine({})(check_period(device, 100, 0.1, [LEG]))


def axis(name: str) -> FlyAxis:
    return FlyAxis(
        SynAxis(name=name),
        velocity=Signal(name=f"{name}_velocity", value=720.0),
        acceleration=Signal(name=f"{name}_acceleration", value=0.05),
    )


@pytest.mark.parametrize("spiral", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_source_stays_closed(spiral: bool) -> None:
    beamline, rotation = Beamline(), axis("rotation")
    device: Any = beamline.camera
    device.cam = cam(lowest_period=0.5)
    camera = PreparedCamera(device, lambda *settings: settings, lambda frames: range(frames))
    places: Any = {"source": beamline.source, "sample": beamline.sample}
    settings: dict[str, Any] = {
        "exposure": 0.02, "period": 0.1, "darks": 0, "flats": 2, "projections": 40, "mode": "fly",
    }  # fmt: skip
    if spiral:
        config = SpiralConfig(**settings, vertical_shift=0.1, sample_height=0.1)
        experiment = spiral_tomography(camera, rotation, axis("vertical"), config, **places)
    else:
        experiment = tomography(camera, rotation, TomographyConfig(**settings), **places)
    with pytest.raises(ConfigurationError, match=r"period=0\.1 s: camera doesn't keep it") as found:
        RunEngine({})(experiment.run())
    assert "longer period" in str(found.value.remedy)
    assert 1 not in beamline.shutter.history
    assert rotation.motor.position == 0
    assert device.frames == []
    assert device.cam.acquire_period.get() == 0.7


@pytest.mark.parametrize(
    ("limits", "step", "end"),
    [
        (None, 1.0, WINDOW.end + 10 * (TRIGGER_TIME + DRIFT * 10)),
        ((-500.0, 500.0), -1.0, -(WINDOW.end + 10 * (TRIGGER_TIME + DRIFT * 10))),
        ((-500.0, WINDOW.end + 5), 1.0, WINDOW.end + 5),
        ((-500.0, WINDOW.end + 1), 1.0, None),  # not even the time for the trigger
    ],
)
def test_the_way_that_a_slow_camera_may_take(limits: Any, step: float, end: float | None) -> None:
    moved = axis("stage")
    moved.motor.limits = limits or (0, 0)  # type: ignore[misc]
    moved.acceleration.put(0.5)
    legs: list[Leg] = []

    def plan() -> Any:
        legs.extend((yield from planned_legs([Track(moved, 0.0, step)], 100, 0.1)))

    if end is None:
        with pytest.raises(ConfigurationError, match="stage can't go where it stops"):
            RunEngine({})(plan())
        return
    RunEngine({})(plan())
    assert legs[0].end == pytest.approx(end)
    assert legs[0].spare_time == pytest.approx((abs(end) - 100 - 2.5) / 10)


EVEN = 0.9 * np.arange(200)


@pytest.mark.parametrize(
    ("angles", "said"),
    [
        (EVEN, None),
        (EVEN + 0.2 * np.sin(np.arange(200)), None),
        (EVEN + 50, None),  # it began late
        (EVEN * 1.037, "from 0 to 185.73, in steps of 0.933 to 0.933; asked for were 0 to 179.1, "),
        (np.where(EVEN > 90, EVEN + 1.35, EVEN), "to 180.45, in steps of 0.9 to 2.25; asked"),
        (np.where(EVEN > 90, np.nan, EVEN), None),  # unknown: another error tells
    ],
)
@pytest.mark.parametrize("direction", [1, -1])
def test_steps_that_differ_are_told(
    angles: np.ndarray, said: str | None, direction: int, caplog: pytest.LogCaptureFixture
) -> None:
    track = Track(axis("rotation"), 0.0, direction * 0.9)
    track.axis.positions.positions = direction * angles
    with caplog.at_level(logging.WARNING):
        warn_of_steps(track, SimpleNamespace(name="det"))
    assert bool(caplog.text) == (said is not None)
    assert (said or "") in caplog.text.replace("-", "")


@pytest.mark.parametrize(("speed", "said"), [(9.0, None), (360.0, "by 7.2 degrees in it, at 360")])
def test_a_rotation_that_smears_is_told(
    speed: float, said: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    width = SimpleNamespace(size_x=Signal(name="size_x", value=512))
    settings = SimpleNamespace(size=width, bin_x=Signal(name="bin_x", value=2))
    for device in (SimpleNamespace(cam=settings), SimpleNamespace()):  # of that nothing is known
        RunEngine({})(warn_of_blur(device, speed, 0.02))
    assert bool(caplog.text) == (said is not None)
    assert (said or "") in caplog.text
    assert not said or "frames 256 pixels wide over 16 pixels" in caplog.text
