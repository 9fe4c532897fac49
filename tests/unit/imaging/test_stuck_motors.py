"""Motors that can't arrive, or are stopped on their way: named, and not waited for without end."""

from __future__ import annotations

from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.utils import FailedStatus
from ophyd import Signal, SoftPositioner
from ophyd.status import Status

from adsupport.errors import PutError
from adsupport.imaging import (
    PreparedCamera,
    SampleStage,
    TomographyConfig,
    mosaic,
    tomography,
)
from adsupport.imaging.motion.standstill import halt
from adsupport.imaging.stubs import moves_in_time
from adsupport.imaging.stubs.moves_in_time import longest_moves, move_within_time

from .beamline import Beamline, Movable, done

ONE = TomographyConfig(exposure=0.1, darks=1, flats=1, projections=2)


class Stuck(Movable):
    """Never gets to one of its places, as a motor record that is told to stop (SPMG)."""

    def __init__(self, name: str, never: float, speed: float = 600.0) -> None:
        super().__init__(name)
        self.never = never
        self.velocity = Signal(name=f"{name}_velocity", value=speed)
        self.stops = 0

    def stop(self, *, success: bool = False) -> None:
        self.stops += 1

    def set(self, value: Any) -> Status:
        return Status() if value == self.never else super().set(value)


def experiment(beamline: Beamline, stage: Any) -> Any:
    beamline.sample = SampleStage({stage: (0.0, 6.0)})
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    return tomography(
        camera, beamline.rotation, ONE, source=beamline.source, sample=beamline.sample
    )


def test_a_sample_that_cannot_be_brought_in_ends_the_clean_up(monkeypatch: Any) -> None:
    monkeypatch.setattr(moves_in_time, "_GRACE", 0.1)
    beamline, stage = Beamline(), Stuck("stage", 0.0)

    def broken() -> Any:
        raise OSError("no frames")

    made = experiment(beamline, stage)
    made.swap("flats", "darks")
    beamline.camera.trigger = broken  # type: ignore[method-assign]
    stage.value = 6.0
    with pytest.raises(OSError, match="no frames") as raised:
        RunEngine({})(made.run())
    assert "stage didn't get to 0.0 within 0.12 s" in " ".join(raised.value.__notes__)
    assert beamline.shutter.value == 0


@pytest.mark.parametrize(
    ("place", "speed", "limit"),
    [(6.0, 2.0, "36 s"), (-6.0, 0.0, "600 s"), (6.0, float("nan"), "600 s")],
)
def test_the_time_of_a_way(monkeypatch: Any, place: float, speed: float, limit: str) -> None:
    """Twice that at its speed, and half a minute; else what is long enough for any motor."""
    stage, told = Stuck("stage", place, speed), []

    def refused(*_: Any, **options: Any) -> Any:
        told.append(options["timeout"])
        raise TimeoutError
        yield

    monkeypatch.setattr(moves_in_time.bps, "wait", refused)
    with pytest.raises(PutError, match=f"stage didn't get to {place} within {limit}"):
        RunEngine({})(move_within_time({stage: place}))
    assert told[0] == pytest.approx(float(limit[:-2]), abs=1)


@pytest.mark.parametrize("never", [0.0, 90.0])
def test_a_rotation_that_cannot_arrive_does_not_keep_the_beam_on(
    monkeypatch: Any, never: float
) -> None:
    monkeypatch.setattr(moves_in_time, "_GRACE", 0.1)
    beamline = Beamline()
    beamline.rotation = Stuck("rotation", never)
    with pytest.raises(PutError, match=rf"rotation didn't get to {never} within 0\.\d+ s"):
        RunEngine({})(experiment(beamline, Movable("stage")).run())
    assert beamline.shutter.value == 0
    assert beamline.rotation.stops
    taken = [frame for frame in beamline.camera.frames if frame["open"]]
    assert len(taken) == (1 if never == 0.0 else 2)  # one is the flat


def test_a_tile_that_cannot_be_reached(monkeypatch: Any) -> None:
    monkeypatch.setattr(moves_in_time, "_GRACE", 0.1)
    x, y = Stuck("x", 4.0), Movable("y")
    made = experiment(Beamline(), Movable("stage"))
    with pytest.raises(PutError, match=r"x didn't get to 4\.0 within"):
        RunEngine({})(mosaic(made, x, [0.0, 4.0], y, [1.0]))
    assert (x.value, y.value) == (0.0, 0.0)


def test_the_limit_of_steps_is_that_of_their_whole_way() -> None:
    rotation, found = Stuck("rotation", -1.0, speed=10.0), []

    def plan() -> Any:
        found.append((yield from longest_moves([{rotation: each} for each in (50.0, 180.0, 20.0)])))

    RunEngine({})(plan())
    assert found == [{rotation: pytest.approx(2 * 180 / 10 + 30)}]  # it stands at 0


def test_pseudo_axes_of_one_positioner_move_as_one() -> None:
    from ophyd.sim import SPseudo3x3

    pseudo = SPseudo3x3(name="hexapod")
    RunEngine({})(move_within_time({pseudo.pseudo1: 1.0, pseudo.pseudo2: 2.0}))
    assert tuple(pseudo.position)[:2] == (1.0, 2.0)


@pytest.mark.parametrize(("place", "where"), [(0.0, "in the beam"), (6.0, "out of it")])
def test_a_sample_that_is_stopped_on_its_way(place: float, where: str) -> None:
    """Its motor says that it's there; flats through the sample would be worth nothing."""

    class Stopped(Movable):
        def set(self, value: Any) -> Status:
            super().set(value)
            if value == place and self.history.count(place) < 3:
                self.value = 3.0
            return done()

    beamline, stage = Beamline(), Stopped("stage", 6.0)
    with pytest.raises(PutError, match=f"stage stands at 3, and the sample is {where} at"):
        RunEngine({})(experiment(beamline, stage).run())
    taken = [frame for frame in beamline.camera.frames if frame["open"]]
    assert len(taken) in (0, 1)  # the flat, before the sample was to come in
    assert beamline.shutter.value == 0


def test_a_motor_that_does_not_stop() -> None:
    class Runaway(SoftPositioner):
        moving: Any = True

    with pytest.raises(PutError, match=r"stage still moves, 0\.1 s after it was told to stop"):
        RunEngine({})(halt(Runaway(name="stage"), 0.1))


def test_a_motor_that_fails_is_told_as_it_is() -> None:
    class Broken(Movable):
        def set(self, value: Any) -> Status:
            status = Status()
            status.set_exception(OSError("following error"))
            return status

    with pytest.raises(FailedStatus) as raised:
        RunEngine({})(move_within_time({Broken("stage"): 1.0}))
    assert "following error" in str(raised.value.__cause__)
