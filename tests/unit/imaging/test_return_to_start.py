"""Rotation, lift and grating stay where the last frame was taken, or go back, as asked for."""

from __future__ import annotations

from typing import Any

import pytest
from bluesky import RunEngine
from ophyd import Component as Cpt
from ophyd import Device, Signal

from adsupport.errors import ConfigurationError
from adsupport.imaging import (
    GratingConfig,
    PreparedCamera,
    SpiralConfig,
    TomographyConfig,
    grating_interferometry_stepping,
    spiral_tomography,
    tomography,
)

from .beamline import Beamline, Movable, done

FRAMES: dict[str, Any] = {"exposure": 0.1, "darks": 1, "flats": 0}


def camera_of(beamline: Beamline) -> PreparedCamera:
    return PreparedCamera(beamline.camera, lambda *settings: settings)


@pytest.mark.parametrize(("asked", "angle"), [(True, 30.0), (False, 135.0)])
def test_a_tomography(asked: bool, angle: float) -> None:
    beamline, engine = Beamline(), RunEngine({})
    beamline.rotation.value = 30.0
    config = TomographyConfig(projections=4, return_to_start=asked, **FRAMES)
    made = tomography(camera_of(beamline), beamline.rotation, config, source=beamline.source)
    for _ in range(2):
        engine(made.run())
        assert beamline.rotation.value == angle


def test_both_axes_of_a_spiral_also_after_a_failure() -> None:
    beamline, lift = Beamline(), Movable("lift", 1.0)
    config = SpiralConfig(
        projections=4, vertical_shift=1, sample_height=1, start_vertical=5, return_to_start=True,
        **FRAMES,
    )  # fmt: skip

    def broken() -> Any:
        raise OSError("the lamp is stuck")

    made = spiral_tomography(
        camera_of(beamline), beamline.rotation, lift, config, source=beamline.source,
        finish=broken,
    )  # fmt: skip
    with pytest.raises(OSError, match="lamp"):
        RunEngine({})(made.run())
    assert (beamline.rotation.value, lift.value) == (0.0, 1.0)
    assert lift.history[-2:] == [pytest.approx(6.75), 1.0]


def test_nothing_moves_when_the_run_is_refused() -> None:
    """Not to where an earlier run began, either."""
    beamline, engine = Beamline(), RunEngine({})
    config = TomographyConfig(projections=2, return_to_start=True, **FRAMES)
    made = tomography(camera_of(beamline), beamline.rotation, config, source=beamline.source)
    engine(made.run())
    beamline.rotation.value = 200.0
    beamline.rotation.limits = (100, 300)
    before = list(beamline.rotation.history)
    with pytest.raises(ConfigurationError, match="can't go where"):
        engine(made.run())
    assert beamline.rotation.history == before


class Motor(Device):
    """Stands a little off its set-point, as motors do."""

    user_setpoint = Cpt(Signal, value=2.0)

    def read(self) -> Any:
        return {self.name: {"value": self.user_setpoint.get() + 0.0013, "timestamp": 0.0}}

    def describe(self) -> Any:
        return {self.name: {"source": "SIM", "dtype": "number", "shape": []}}

    def set(self, value: float) -> Any:
        self.user_setpoint.put(value)
        return done()


def test_a_motor_goes_back_to_where_it_was_sent() -> None:
    beamline, motor = Beamline(), Motor(name="grating")
    config = GratingConfig(steps_per_period=3, return_to_start=True, **FRAMES)
    made = grating_interferometry_stepping(
        camera_of(beamline), motor, config, source=beamline.source
    )
    RunEngine({})(made.run())
    assert motor.user_setpoint.get() == 2.0


def test_the_words_of_others_are_refused() -> None:
    wrong: Any = "No"
    for config in (TomographyConfig, GratingConfig):
        with pytest.raises(ConfigurationError, match="return_to_start must be True or False"):
            config(0.1, return_to_start=wrong)
