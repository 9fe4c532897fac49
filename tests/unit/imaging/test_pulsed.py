"""Fly scans whose frames are triggered by position-compare hardware."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bluesky import RunEngine
from ophyd import Signal
from ophyd.sim import SynAxis
from ophyd.status import Status

from adsupport.errors import ConfigurationError
from adsupport.imaging import FlyAxis, PreparedCamera, TomographyConfig, tomography
from adsupport.imaging.motion.aerotech_pso import AerotechController, AerotechPSO

from .beamline import Beamline, Camera
from .fake_compare import FakeController

EXPOSURE = 1e-6


class Modes(Signal):
    """A trigger mode."""

    enum_strs = ("Internal", "External")


class PulsedCamera(Camera):
    """Takes a frame for each pulse in its external mode, and by itself else."""

    def __init__(self, beamline: Beamline) -> None:
        super().__init__(beamline)
        self.cam = SimpleNamespace(trigger_mode=Modes(name="mode", value=0))
        self.pulses: list[tuple[float, float]] = []
        self._status: Status | None = None

    def trigger(self) -> Status:
        if self.cam.trigger_mode.get() == 0:
            return super().trigger()
        self.pulses.clear()
        self._status = Status(timeout=10)
        return self._status

    def pulse(self, position: float, when: float) -> None:
        # ophyd's status tells that it's done by a thread, later than the pulses that follow
        if self._status is None or len(self.pulses) == self.settings[0]:
            return
        assert self.beamline.shutter.value == 1
        self.pulses.append((position, when))
        if len(self.pulses) == self.settings[0]:
            self.unique_id += len(self.pulses)
            self._status.set_finished()

    def times(self, frames: int) -> np.ndarray:
        return np.array([when for _, when in self.pulses]) + EXPOSURE / 2


def run(compare_of: Any, **axis: Any) -> tuple[Beamline, PulsedCamera, Any, list[Any]]:
    beamline = Beamline()
    camera = PulsedCamera(beamline)
    motor = SynAxis(name="rotation", events_per_move=500)
    compare = compare_of(motor, camera)
    fly_axis = FlyAxis(
        motor,
        velocity=Signal(name="velocity", value=5.0),
        acceleration=Signal(name="acceleration", value=0.1),
        position_compare=compare,
        **axis,
    )
    config = TomographyConfig(
        exposure=EXPOSURE, period=0.1, darks=1, flats=1, projections=9, mode="fly",
        order=("darks", "primary", "flats"),
    )  # fmt: skip
    detector = PreparedCamera(camera, lambda *settings: settings, camera.times)
    experiment = tomography(
        detector, fly_axis, config, source=beamline.source, sample=beamline.sample
    )
    documents: list[Any] = []
    RunEngine({})(experiment.run(), lambda name, document: documents.append((name, document)))
    return beamline, camera, compare, documents


def test_a_pulse_for_each_projection() -> None:
    beamline, camera, fake, documents = run(
        lambda motor, camera: FakeController(motor, on_pulse=camera.pulse)
    )
    assert fake.log == ["program", "arm", "disarm"]
    np.testing.assert_allclose([place for place, _ in camera.pulses], np.arange(9) * 20.0)
    found = [
        document["data"]["rotation_frames"]
        for name, document in documents
        if name == "event" and "rotation_frames" in document["data"]
    ]
    np.testing.assert_allclose(found, [np.arange(9) * 20.0], atol=3)
    assert camera.cam.trigger_mode.get() == 0, "flats were triggered by the camera itself"
    assert len(camera.frames) == 2  # a dark and a flat
    assert beamline.shutter.value == 0


def test_an_aerotech_controller_gets_its_commands() -> None:
    command = Signal(name="command", value="")
    seen: list[tuple[str, float]] = []

    def controller(motor: Any, camera: PulsedCamera) -> Any:
        def heard(value: str, **_: Any) -> None:
            seen.append((value, motor.position))

        def count(value: float, **_: Any) -> None:  # pulses come when the axis passes the first
            if seen and seen[-1][0].endswith("ARM") and value > 0:
                for place in range(9):
                    camera.pulse(20.0 * place, time.time())

        command.subscribe(heard, run=False)
        motor.subscribe(count, run=False)
        return AerotechController(AerotechPSO("X", 10_000, 3), command)

    run(controller)
    words = [text for text, _ in seen]
    assert words[0] == "PSOCONTROL X RESET"
    assert words.index("PSODISTANCE X FIXED 200000") < words.index("PSOCONTROL X ARM")
    assert words[-2:] == ["PSOWINDOW X OFF", "PSOCONTROL X OFF"]
    assert {place for text, place in seen if "OFF" not in text} == {0.0}


def test_steps_that_are_no_whole_counts_become_some() -> None:
    """The controller's resolution is the axis' own."""
    pso = AerotechController(AerotechPSO("X", 10_000, 3), Signal(name="command", value=""))
    axis = FlyAxis(
        SynAxis(name="rotation"),
        velocity=Signal(name="velocity"),
        acceleration=Signal(name="acceleration"),
        position_compare=pso,
    )
    assert axis.resolution == pytest.approx(1e-4)


def test_a_camera_without_the_mode_of_pulses() -> None:
    with pytest.raises(ConfigurationError, match="pulse_mode='Bulb': camera has 'Internal', 'Ext"):
        run(lambda motor, camera: FakeController(motor), pulse_mode="Bulb")
