"""The beam is on while frames are taken: not while a camera is prepared, staged or unstaged."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.preprocessors import plan_mutator

from adsupport.errors import ConfigurationError
from adsupport.imaging import (
    Experiment,
    GratingConfig,
    PreparedCamera,
    RadiographyConfig,
    TomographyConfig,
    grating_interferometry_stepping,
    radiography,
    tomography,
)
from adsupport.imaging.addons import Accumulator

from .beamline import Beamline, Movable

AWAY = ("stage", "prepare", "unstage", "open_run", "close_run")


def make(beamline: Beamline, kind: str = "tomography", **options: Any) -> Experiment:
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    places: Any = {"source": beamline.source, "sample": beamline.sample, **options}
    common: Any = {"exposure": 0.1, "darks": 1, "flats": 2}
    if kind == "grating":
        config = GratingConfig(**common, steps_per_period=3)
        return grating_interferometry_stepping(camera, Movable("grating"), config, **places)
    if kind == "radiography":
        config = RadiographyConfig(**common, order=("flats", "primary", "darks", "primary"))
        return radiography(camera, config, **places)
    config = TomographyConfig(**common, projections=4, flats_every=2)
    return tomography(camera, beamline.rotation, config, **places)


@pytest.mark.parametrize("kind", ["tomography", "radiography", "grating"])
def test_it_is_on_for_nothing_else(kind: str) -> None:
    beamline, lit = Beamline(), []
    made = make(beamline, kind)

    def look(message: Any) -> None:
        if beamline.shutter.value and message.command in AWAY:
            lit.append(message)

    engine = RunEngine({})
    engine.msg_hook = look  # type: ignore[assignment]
    engine(made.run())
    assert lit == []
    with_beam = [each for each in made.order if each != "darks"]
    assert [each for each in beamline.shutter.history if each] == [1] * len(with_beam)


def test_it_is_off_before_anything_else_is_put_back() -> None:
    """An error at each message with the beam on: the next thing that happens closes it."""
    for place in itertools.count():
        beamline = Beamline()
        seen, raised, late = 0, [], []

        def fail(message: Any, beamline=beamline, place=place, raised=raised, late=late) -> Any:
            nonlocal seen
            if raised and beamline.shutter.value and message.command in (*AWAY, "stop", "read"):
                late.append(message)
            if raised or not beamline.shutter.value:
                return None, None
            seen += 1
            if seen <= place:
                return None, None
            raised.append(message)

            def now() -> Any:
                raise RuntimeError("the camera is dead")
                yield

            return now(), None

        engine = RunEngine({})
        try:
            engine(plan_mutator(make(beamline, "radiography").run(), fail))
        except RuntimeError as error:
            assert str(error) == "the camera is dead"
        else:
            break
        assert late == [], raised
        assert beamline.is_safe()
    assert place > 30


def test_what_the_camera_refuses_is_refused_before_it_is_on() -> None:
    beamline = Beamline()

    def refuse(_: Any) -> Any:
        raise ConfigurationError("directory '/nowhere/' doesn't exist on the IOC.")

    beamline.camera.prepare = refuse  # type: ignore[method-assign]
    made = make(beamline, "radiography")
    with pytest.raises(ConfigurationError, match="/nowhere/"):
        RunEngine({})(made.run())
    assert not any(beamline.shutter.history)
    assert beamline.is_safe()


class Slow:
    """A source of frames that notes how all was when it was asked for the end."""

    def __init__(self, note: Any) -> None:
        self.note = note

    def begin(self, about: Any, take: Any) -> None:
        pass

    def end(self, expected: Any, timeout: float) -> None:
        self.note("frames")

    def close(self) -> None:
        pass


@pytest.mark.parametrize("order", [("darks", "primary"), ("primary", "darks")])
def test_the_next_sample_can_be_prepared_while_writers_and_consumers_catch_up(order: Any) -> None:
    beamline, found = Beamline(), []

    def note(what: str) -> None:
        found.append((what, made.ready_to_prepare_next_sample.is_set(), beamline.shutter.value))

    unstage = beamline.camera.unstage

    def slow_unstage() -> Any:  # as a file plugin that writes what it has
        note("unstage")
        return unstage()

    beamline.camera.unstage = slow_unstage  # type: ignore[method-assign]
    made = make(beamline, frames=Slow(note), addons=[Accumulator()])
    made.order = order
    RunEngine({})(made.run())
    assert found == [
        ("unstage", False, 0), ("frames", False, 0), ("unstage", True, 0), ("frames", True, 0)
    ]  # fmt: skip


def test_it_is_not_free_when_the_last_acquisition_fails() -> None:
    beamline, found = Beamline(), []
    unstage = beamline.camera.unstage

    def noting() -> Any:
        found.append(made.ready_to_prepare_next_sample.is_set())
        return unstage()

    def broken() -> Any:
        raise RuntimeError("no frames")

    beamline.camera.unstage = noting  # type: ignore[method-assign]
    beamline.camera.trigger = broken  # type: ignore[method-assign]
    made = make(beamline, "radiography")
    made.order = ("primary",)
    with pytest.raises(RuntimeError, match="no frames"):
        RunEngine({})(made.run())
    assert found == [False]
    assert made.ready_to_prepare_next_sample.is_set()
