"""A motor that somebody stops on its way says that it has arrived: where it stands is looked at."""

from __future__ import annotations

import math
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted
from ophyd import Signal
from ophyd.sim import det
from ophyd.status import Status

from adsupport.errors import ConfigurationError, PutError
from adsupport.imaging import (
    PreparedCamera,
    RadiographyConfig,
    SampleStage,
    SpiralConfig,
    TomographyConfig,
    mosaic,
    radiography,
    spiral_tomography,
    tomography,
)
from adsupport.imaging.motion.angles import golden_angles
from adsupport.imaging.sequences.failures import SeriesError
from adsupport.imaging.stubs import moves_in_time
from adsupport.imaging.stubs.arrival import check_arrival, half_a_step

from .beamline import Beamline, Movable, done
from .fakes import Documents, FakeExperiment


class Stopped(Movable):
    """Is stopped by somebody on its first way to one of its places."""

    def __init__(self, name: str, place: float, stands: float) -> None:
        super().__init__(name)
        self.place, self.stands, self.stops = place, stands, 0

    def set(self, value: Any) -> Status:
        super().set(value)
        if value == self.place and self.history.count(value) == 1:
            self.value = self.stands
        return done()

    def stop(self, *, success: bool = False) -> None:
        self.stops += 1


def steps(beamline: Beamline, **settings: Any) -> Any:
    config = TomographyConfig(exposure=0.1, darks=0, **{"flats": 0, **settings})
    camera = PreparedCamera(beamline.camera, lambda *given: given)
    return tomography(
        camera, beamline.rotation, config, source=beamline.source, sample=beamline.sample
    )


@pytest.mark.parametrize("angles", [[0.0, 4.0, 8.0], [4.0, 8.0], [0.0, 8.0, 4.0]])
def test_a_step(angles: list[float]) -> None:
    beamline = Beamline()
    beamline.rotation = rotation = Stopped("rotation", 4.0, 1.3)
    with pytest.raises(PutError, match=r"rotation stands at 1\.3, and was sent to 4\. Look at"):
        RunEngine({})(steps(beamline, angles=angles).run())
    assert beamline.is_safe()
    assert len(beamline.camera.frames) == angles.index(4.0)
    assert beamline.shutter.history.count(1) == (angles[0] != 4.0)
    assert rotation.stops


def test_a_rotation_that_begins_anew_after_a_turn() -> None:
    class Rollover(Movable):
        def set(self, value: Any) -> Status:
            super().set(value)
            self.value = value % 360
            return done()

    beamline = Beamline()
    beamline.rotation = Rollover("rotation")
    RunEngine({})(steps(beamline, angles=[350.0, 360.0, 725.0]).run())
    assert [each["angle"] for each in beamline.camera.frames] == [350.0, 0.0, 5.0]


def test_a_step_that_is_near_enough() -> None:
    beamline = Beamline()
    beamline.rotation = Stopped("rotation", 4.0, 2.1)
    RunEngine({})(steps(beamline, angles=[0.0, 4.0, 8.0]).run())
    assert [each["angle"] for each in beamline.camera.frames] == [0.0, 2.1, 8.0]


def test_a_step_in_a_block_of_its_own() -> None:
    beamline = Beamline()
    beamline.rotation = Stopped("rotation", 4.0, 1.3)
    with pytest.raises(PutError, match=r"rotation stands at 1\.3"):
        RunEngine({})(steps(beamline, angles=[0.0, 4.0], flats=1, flats_every=1).run())


@pytest.mark.parametrize(
    ("places", "tolerance"),
    [
        ([0.0, 1.0, 2.0], 0.5),
        ([2, 0, 1, 1], 0.5),
        ([3.0], math.inf),
        ([], math.inf),
        (["in", "out"], math.inf),
        ([0.0, 1e-9, 10.0], 0.25),
        (np.linspace(0, 180, 1801), 0.05),
        (golden_angles(200), pytest.approx(0.25, abs=0.12)),
    ],
)
def test_half_of_a_step(places: Any, tolerance: float) -> None:
    assert half_a_step(places) == pytest.approx(tolerance)


def test_a_spiral_may_rise_less_exactly_than_by_its_steps() -> None:
    """They're a sixtieth of the way from tomogram to tomogram."""

    class Coarse(Movable):
        def set(self, value: Any) -> Status:
            return super().set(value + 0.009)

    beamline = Beamline()
    config = SpiralConfig(
        exposure=0.1, darks=0, flats=0, projections=60, vertical_shift=1.0, sample_height=1.0
    )
    camera = PreparedCamera(beamline.camera, lambda *given: given)
    rises = Coarse("vertical")
    made = spiral_tomography(camera, beamline.rotation, rises, config, source=beamline.source)
    RunEngine({})(made.run())
    assert len(beamline.camera.frames) == 120


def test_a_move_that_is_replayed_is_looked_at_again() -> None:
    rotation, engine = Movable("rotation"), RunEngine({})

    def plan() -> Any:
        yield from bps.checkpoint()
        yield from check_arrival(rotation, 4.0, 0.5)
        yield from bps.pause()

    rotation.value = 4.0
    with pytest.raises(RunEngineInterrupted):
        engine(plan())
    rotation.value = 1.3
    with pytest.raises(PutError, match=r"rotation stands at 1\.3"):
        engine.resume()


@pytest.mark.parametrize(("columns", "rows"), [([0.0, 4.0], [1.0]), ([4.0], [1.0, 2.0])])
def test_a_tile(columns: list[float], rows: list[float]) -> None:
    engine, x, y = RunEngine({}), Stopped("x", 4.0, 3.7), Movable("y")
    documents = Documents(engine)
    with pytest.raises(SeriesError, match="x stands at 3.7, and was sent to 4") as raised:
        engine(mosaic(FakeExperiment(det, x), x, columns, y, rows, on_failure="skip"))
    (failure,) = raised.value.failures
    assert (failure.stage, failure.x) == ("move", 4.0)
    assert [each["data"]["x"] for each in documents.of("event")] == [
        0.0 if columns[0] == 0 else 4.0
    ]
    assert (x.value, y.value) == (0.0, 0.0)


class Asked(Movable):
    """As motors of ophyd-async: no limits at hand."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        del self.limits

    async def check_value(self, value: float) -> None:
        if abs(value) > 5:
            raise ValueError(f"{value} is beyond 5")


@pytest.mark.parametrize("which", ["x", "y"])
def test_a_mosaic_asks_axes_for_all_tiles_before_it_moves(which: str) -> None:
    axes: Any = {"x": Movable("x"), "y": Movable("y"), which: Asked(which)}
    x, y = axes["x"], axes["y"]
    with pytest.raises(ConfigurationError, match=rf"{which} can't go where .* 2 is at 8"):
        RunEngine({})(mosaic(FakeExperiment(det), x, [0.0, 4.0, 8.0], y, [1.0, 4.0, 8.0]))
    assert x.history == y.history == [0.0]


def test_a_mosaic_refuses_an_axis_without_speed() -> None:
    x, y = Movable("x"), Movable("y")
    y.velocity = Signal(name="y_velocity", value=0.0)  # type: ignore[attr-defined]
    with pytest.raises(ConfigurationError, match="y can't get anywhere: y_velocity is 0"):
        RunEngine({})(mosaic(FakeExperiment(det), x, [1.0], y, [1.0]))
    assert x.history == [0.0]


def test_both_axes_are_stopped_before_the_next_tile(monkeypatch: Any) -> None:
    """One that is late would get another target, and its failure be that of the next tile."""
    monkeypatch.setattr(moves_in_time, "_STANDS", 0.05)
    seen: list[str] = []

    class Late(Movable):
        status = Status()

        def set(self, value: Any) -> Status:
            seen.append(f"{self.name} to {value:g}")
            if (self.name, value) != ("x", 4.0):
                return super().set(value)
            self.status = Status()
            return self.status

        def stop(self, *, success: bool = False) -> None:
            seen.append(f"stop {self.name}")
            if not self.status.done:
                self.status.set_exception(RuntimeError("stopped"))

    x, y = Late("x"), Late("y")
    engine = RunEngine({})
    with pytest.raises(SeriesError, match=r"1 of 3 tiles failed.*\n.*x was sent to 4\.0"):
        engine(mosaic(FakeExperiment(det), x, [4.0, 5.0, 6.0], y, [1.0], on_failure="skip"))
    next_tile = seen.index("x to 5")
    assert {"stop x", "stop y"} <= set(seen[:next_tile])
    assert seen[next_tile : next_tile + 4] == ["x to 5", "y to 1", "x to 6", "y to 1"]


def test_axes_of_a_spiral_by_steps_are_asked_before_it_begins() -> None:
    beamline, vertical = Beamline(), Asked("vertical")
    config = SpiralConfig(
        exposure=0.1, darks=1, flats=0, projections=2, vertical_shift=4.0, sample_height=4.0
    )
    camera = PreparedCamera(beamline.camera, lambda *given: given)
    made = spiral_tomography(camera, beamline.rotation, vertical, config, source=beamline.source)
    with pytest.raises(ConfigurationError, match="vertical can't go where it is highest at 6"):
        RunEngine({})(made.run())
    assert beamline.rotation.history == vertical.history == [0.0]
    assert beamline.camera.frames == []


def test_a_speed_that_cannot_be_read_keeps_no_sample_out() -> None:
    class Dies(Signal):
        reads = 0

        def read(self) -> Any:
            self.reads += 1
            if self.reads > 1:  # it was there when the experiment looked at first
                raise TimeoutError("velocity didn't answer")
            return super().read()

    beamline = Beamline()
    beamline.stage.velocity = Dies(name="stage_velocity", value=10.0)  # type: ignore[attr-defined]
    config = RadiographyConfig(
        exposure=0.1, darks=0, flats=1, projections=1, order=("primary", "flats")
    )
    camera = PreparedCamera(beamline.camera, lambda *given: given)
    sample = SampleStage({beamline.stage: (0.0, 6.0)})
    RunEngine({})(radiography(camera, config, source=beamline.source, sample=sample).run())
    assert beamline.stage.history[-2:] == [6.0, 0.0]
