"""Waits that end: a camera, a controller or a motor that says nothing more keeps no beam on."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from bluesky import RunEngine
from ophyd import Signal
from ophyd.positioner import PositionerBase
from ophyd.status import Status

from adsupport.errors import AcquireTimeoutError, ConfigurationError, PutError
from adsupport.imaging import ADCamera, PreparedCamera, TomographyConfig, tomography
from adsupport.imaging.beamline import exposures
from adsupport.imaging.motion import aerotech_pso
from adsupport.imaging.motion.aerotech_pso import AerotechController, AerotechPSO, disarm_commands
from adsupport.imaging.motion.standstill import halt
from adsupport.imaging.stubs import events
from adsupport.imaging.stubs.events import trigger_all

from .beamline import Beamline, Movable, done


def measure(beamline: Beamline, **options: Any) -> None:
    camera = PreparedCamera(beamline.camera, lambda *settings: settings, **options)
    config = TomographyConfig(exposure=0.01, darks=0, flats=0, projections=1)
    RunEngine({})(tomography(camera, beamline.rotation, config, source=beamline.source).run())


def test_a_trigger_that_does_not_end_does_not_keep_the_beam_on() -> None:
    beamline = Beamline()
    beamline.camera.trigger = Status  # type: ignore[method-assign]
    with pytest.raises(AcquireTimeoutError, match=r"camera: the trigger didn't end within 0\.1 s"):
        measure(beamline, timeout=0.1)
    assert 1 in beamline.shutter.history
    assert beamline.is_safe()


def test_how_long_a_trigger_may_take(monkeypatch: Any) -> None:
    monkeypatch.setattr(exposures, "_GRACE", 1.0)
    beamline = Beamline()
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    RunEngine({})(camera.prepare("primary", 10, 0.5, 0.2))
    assert camera.trigger_timeout == 2 * 10 * 0.5 + 1
    RunEngine({})(camera.prepare("primary", 10, 0.5, 2.0))
    assert camera.trigger_timeout == 2 * 10 * 2.0 + 1
    with pytest.raises(ConfigurationError, match="timeout"):
        PreparedCamera(beamline.camera, timeout=0.0)


class Triggered(Movable):
    def __init__(self, name: str, *statuses: Status) -> None:
        super().__init__(name)
        self.statuses = list(statuses)

    def trigger(self) -> Status:
        return self.statuses.pop(0)


def test_what_is_read_beside_a_camera_may_take_longer_than_it_but_not_for_ever(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(events, "_LONGEST", 0.1)
    camera, late = Triggered("camera", done(), done(), Status()), Status()
    counter = Triggered("counter", Status(), late, Status())
    engine = RunEngine({})
    with pytest.raises(AcquireTimeoutError, match=r"counter: the trigger .* within 0\.1 s"):
        engine(trigger_all([counter, camera], camera, 0.05))
    threading.Timer(0.1, late.set_finished).start()
    engine(trigger_all([counter, camera], camera, 0.05))
    with pytest.raises(AcquireTimeoutError, match=r"camera: the trigger .* within 0\.05 s"):
        engine(trigger_all([counter, camera], camera, 0.05))


def test_a_camera_that_knows_how_long_it_needs_is_waited_for(monkeypatch: Any) -> None:
    monkeypatch.setattr(events, "_LONGEST", 0.05)
    long = Status()
    threading.Timer(0.3, long.set_finished).start()
    camera = Triggered("camera", long)
    RunEngine({})(trigger_all([camera, Triggered("counter", done())], camera))
    assert long.done


def test_a_counter_alone_that_does_not_end(monkeypatch: Any) -> None:
    monkeypatch.setattr(events, "_LONGEST", 0.05)
    with pytest.raises(AcquireTimeoutError, match=r"counter: the trigger .* within 0\.05 s"):
        RunEngine({})(trigger_all([Triggered("counter", Status())]))


class Rounding(Signal):
    """A period that reads back as what the camera makes of it."""

    def get(self, **_: Any) -> Any:
        shown: Any = self._readback
        return max(shown, 0.005)


class Detector:
    name = "det"

    class cam:  # noqa: N801 - as in ophyd
        acquire_time = Signal(name="acquire_time", value=1.0)
        acquire_period = Rounding(name="acquire_period", value=1.0)
        num_images = Signal(name="num_images", value=1)


def test_a_camera_without_a_file_plugin_that_shows_how_fast_it_is(monkeypatch: Any) -> None:
    monkeypatch.setattr("adsupport.plans.put.PUT_TIMEOUT", 0.2)
    camera, engine = ADCamera(Detector(), trigger_mode=None), RunEngine({})
    cam = Detector.cam
    engine(camera.prepare("flats", 2, 0.001, 0.0))
    assert (cam.num_images.get(), cam.acquire_time.get(), cam.acquire_period.get()) == (
        2, 0.001, 0.005
    )  # fmt: skip
    with pytest.raises(PutError, match=r"acquire_period shows 0\.005 \(waited for at most 0\.2 s"):
        engine(camera.prepare("flats", 2, 0.001, 0.002))


class Dead(Signal):
    """A command that isn't answered any more."""

    put_complete = True

    def __init__(self) -> None:
        super().__init__(name="pso", value="")
        self.commands: list[str] = []

    def put(self, value: Any, use_complete: bool = True, **_: Any) -> None:
        self.commands.append(value)

    def set(self, value: Any, **_: Any) -> Status:
        self.put(value)
        return Status()


def test_a_controller_that_is_dead(monkeypatch: Any) -> None:
    """Each command is sent, and the rest of the clean-up has its turn."""
    monkeypatch.setattr(aerotech_pso, "_ANSWER", 0.1)
    pso, command = AerotechPSO("X", 1000.0, 0), Dead()
    with pytest.raises(PutError, match=r"pso didn't get to 'PSOWINDOW X OFF' within 0\.1 s"):
        RunEngine({})(AerotechController(pso, command).disarm())
    assert tuple(command.commands) == disarm_commands(pso)


class Limited(PositionerBase):
    """Stops at a limit switch: ophyd's motor ends its move without success."""

    egu: Any = "mm"  # type: ignore[assignment]

    def stop(self, *, success: bool = False) -> None:
        if self._moving:
            threading.Timer(0.1, self._arrive).start()
        super().stop(success=success)

    def _arrive(self) -> None:
        self._moving = False
        self._done_moving(success=False)


def test_a_motor_that_stops_at_a_limit_switch_stands() -> None:
    motor, began = Limited(name="x"), time.monotonic()
    motor._moving = True
    RunEngine({})(halt(motor, 5.0))
    assert not motor.moving
    assert time.monotonic() - began < 3
