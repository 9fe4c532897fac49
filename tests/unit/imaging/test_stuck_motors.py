"""Motors that can't arrive, or are stopped on their way: named, and not waited for without end."""

from __future__ import annotations

from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.utils import FailedStatus
from ophyd import SoftPositioner
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
from adsupport.imaging.stubs.moves_in_time import move_within_time

from .beamline import Beamline, Movable, done

ONE = TomographyConfig(exposure=0.1, darks=1, flats=1, projections=2)


class Stuck(Movable):
    """Never gets to one of its places, as a motor record that is told to stop (SPMG)."""

    def __init__(self, name: str, never: float) -> None:
        super().__init__(name)
        self.never = never
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
    monkeypatch.setattr(moves_in_time, "_STANDS", 0.1)
    beamline, stage = Beamline(), Stuck("stage", 0.0)

    def broken() -> Any:
        raise OSError("no frames")

    made = experiment(beamline, stage)
    made.swap("flats", "darks")
    beamline.camera.trigger = broken  # type: ignore[method-assign]
    stage.value = 6.0
    with pytest.raises(OSError, match="no frames") as raised:
        RunEngine({})(made.run())
    assert "stage was sent to 0.0, and has stood for 0.1 s: stage is at 6" in str(
        raised.value.__notes__
    )
    assert beamline.shutter.value == 0


@pytest.mark.parametrize("never", [0.0, 90.0])
def test_a_rotation_that_cannot_arrive_does_not_keep_the_beam_on(
    monkeypatch: Any, never: float
) -> None:
    monkeypatch.setattr(moves_in_time, "_STANDS", 0.1)
    beamline = Beamline()
    beamline.rotation = Stuck("rotation", never)
    with pytest.raises(PutError, match=f"rotation was sent to {never}, and has stood for 0.1 s"):
        RunEngine({})(experiment(beamline, Movable("stage")).run())
    assert beamline.shutter.value == 0
    assert beamline.rotation.stops
    taken = [frame for frame in beamline.camera.frames if frame["open"]]
    assert len(taken) == (1 if never == 0.0 else 2)  # one is the flat
    # for the first angle it isn't on yet
    assert beamline.shutter.history.count(1) == len(taken)


def test_a_tile_that_cannot_be_reached(monkeypatch: Any) -> None:
    monkeypatch.setattr(moves_in_time, "_STANDS", 0.1)
    x, y = Stuck("x", 4.0), Movable("y")
    made = experiment(Beamline(), Movable("stage"))
    with pytest.raises(PutError, match="x was sent to 4.0, and has stood"):
        RunEngine({})(mosaic(made, x, [0.0, 4.0], y, [1.0]))
    assert (x.value, y.value) == (0.0, 0.0)


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
