"""Options of Experiment that the builders take: used besides what the builders need themselves."""

from __future__ import annotations

from typing import Any

import bluesky.plan_stubs as bps
import pytest
from bluesky import RunEngine

from adsupport.errors import ConfigurationError
from adsupport.imaging import (
    FlyAxis,
    GratingConfig,
    PreparedCamera,
    RadiographyConfig,
    SpiralConfig,
    TomographyConfig,
    grating_interferometry_stepping,
    radiography,
    spiral_tomography,
    tomography,
)

from .beamline import Beamline, Movable

COMMON: Any = {"exposure": 0.1, "period": 0.2, "darks": 1, "flats": 1}
SPIRAL: Any = {"projections": 2, "vertical_shift": 1, "sample_height": 1}


def make(kind: str, beamline: Beamline, **options: Any) -> Any:
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    options = {"source": beamline.source, "sample": beamline.sample, **options}
    what, _, mode = kind.partition(" ")
    turns, lifts = beamline.rotation, Movable("vertical")
    if mode == "fly":
        turns, lifts = (_flying(each) for each in (turns, lifts))
    more: Any = {**COMMON, "mode": mode or "step"}
    if what == "tomography":
        return tomography(camera, turns, TomographyConfig(projections=2, **more), **options)
    if what == "spiral":
        return spiral_tomography(camera, turns, lifts, SpiralConfig(**SPIRAL, **more), **options)
    if what == "grating":
        config = GratingConfig(steps_per_period=3, **COMMON)
        return grating_interferometry_stepping(camera, turns, config, **options)
    return radiography(camera, RadiographyConfig(**COMMON), **options)


def _flying(motor: Any) -> FlyAxis:
    motor.subscribe = lambda *_, **__: 0
    return FlyAxis(motor, velocity=Movable("velocity", 1.0), acceleration=Movable("accl", 0.1))


@pytest.mark.parametrize("kind", ["tomography step", "spiral step", "grating", "radiography"])
def test_name_check_prepare_and_finish_are_the_users(kind: str) -> None:
    beamline, done, documents = Beamline(), [], []

    def plan(what: str) -> Any:
        done.append((what, len(beamline.camera.frames)))
        yield from bps.null()

    made = make(
        kind, beamline, name="bone", check=lambda: done.append(("check", 0)), md={"a": 1},
        prepare=lambda: plan("prepare"), finish=lambda: plan("finish"),
        cleanup=[("say so", lambda: plan("cleanup"))],
    )  # fmt: skip
    engine = RunEngine({})
    engine.subscribe(lambda name, document: documents.append((name, document)))
    engine(made.run())
    count = len(beamline.camera.frames)
    assert done == [("check", 0), ("prepare", 0), ("cleanup", count), ("finish", count)]
    start = documents[0][1]
    assert (start["plan_name"], start["a"], made.name) == ("bone", 1, "bone")
    assert start["imaging"]["experiment"].startswith(kind.split()[0])


@pytest.mark.parametrize("kind", ["tomography fly", "spiral fly"])
def test_fly_scans_take_them_too(kind: str) -> None:
    made = make(kind, Beamline(), name="bone", check=lambda: None, prepare=lambda: None)
    assert made.name == "bone"


def test_flats_between_projections_without_any_before() -> None:
    beamline = Beamline()
    config = TomographyConfig(
        exposure=0.1, darks=1, flats=2, projections=5, flats_every=2, order=("darks", "primary")
    )
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    places: Any = {"source": beamline.source, "sample": beamline.sample}
    made = tomography(camera, beamline.rotation, config, **places)
    assert made.order == ("darks", "primary", "flats", "primary", "flats", "primary")
    RunEngine({})(made.run())
    assert [frame["in"] for frame in beamline.camera.frames] == [
        True, True, True, False, False, True, True, False, False, True
    ]  # fmt: skip
    with pytest.raises(ConfigurationError, match="nothing takes the sample out"):
        tomography(camera, beamline.rotation, config, source=beamline.source)
    with pytest.raises(ConfigurationError, match="flats_every=2 and flats=0"):
        TomographyConfig(exposure=0.1, flats=0, projections=5, flats_every=2)
