"""The first place is gone to without the beam, and once; after a pause, again."""

from __future__ import annotations

from typing import Any

import pytest
from bluesky import RunEngine
from bluesky import plan_stubs as bps
from bluesky.preprocessors import plan_mutator
from bluesky.utils import RunEngineInterrupted

from adsupport.imaging import (
    GratingConfig,
    PreparedCamera,
    SpiralConfig,
    TomographyConfig,
    grating_interferometry_stepping,
    spiral_tomography,
    tomography,
)

from .beamline import Beamline, Movable

COMMON: dict[str, Any] = {"exposure": 0.1, "darks": 1, "flats": 1}


def make(beamline: Beamline, kind: str, motors: list[Movable]) -> Any:
    camera = PreparedCamera(beamline.camera, lambda *given: given)
    places: Any = {"source": beamline.source, "sample": beamline.sample}
    if kind == "grating":
        config = GratingConfig(**COMMON, steps_per_period=3, start_position=5.0)
        return grating_interferometry_stepping(camera, motors[0], config, **places)
    if kind == "spiral":
        config = SpiralConfig(
            **COMMON, projections=3, vertical_shift=3.0, sample_height=3.0, start_vertical=1.0
        )
        return spiral_tomography(camera, *motors[:2], config, **places)
    config = TomographyConfig(**COMMON, projections=4, flats_every=2, start_angle=10.0)
    return tomography(camera, motors[0], config, **places)


@pytest.mark.parametrize(
    ("kind", "with_beam", "in_all"),
    [("tomography", 2, 4), ("grating", 4, 6), ("spiral", 10, 12)],
)
def test_it_is_gone_to_before_the_beam_is_on(kind: str, with_beam: int, in_all: int) -> None:
    beamline, motors = Beamline(), [Movable("turning"), Movable("rising")]
    seen: list[tuple[str, bool]] = []

    def look(message: Any) -> None:
        if message.command == "set" and message.obj in motors:
            seen.append((message.obj.name, bool(beamline.shutter.value)))

    engine = RunEngine({})
    engine.msg_hook = look  # type: ignore[assignment]
    engine(make(beamline, kind, motors).run())
    assert len(seen) == in_all
    assert sum(lit for _, lit in seen) == with_beam
    # each block of them begins without
    assert sum(len(motor.history) - 1 for motor in motors) == in_all


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("command", ["stage", "trigger", "save"])
def test_after_a_pause_it_is_gone_to_again(deferred: bool, command: str) -> None:
    """Somebody has moved the rotation meanwhile."""
    beamline, engine = Beamline(), RunEngine({})
    config = TomographyConfig(exposure=0.1, darks=0, flats=0, angles=[10.0, 20.0, 30.0])
    camera = PreparedCamera(beamline.camera, lambda *given: given)
    made = tomography(camera, beamline.rotation, config, source=beamline.source)
    documents: list[tuple[str, Any]] = []
    engine.subscribe(lambda name, document: documents.append((name, document)))
    done = False

    def pausing(message: Any) -> Any:
        nonlocal done
        acquiring = beamline.rotation.value == 10.0
        if done or message.command != command or not acquiring:
            return None, None
        done = True

        def first() -> Any:
            yield from bps.pause() if not deferred else bps.deferred_pause()
            return (yield message)

        return first(), None

    with pytest.raises(RunEngineInterrupted):
        engine(plan_mutator(made.run(), pausing))
    beamline.rotation.set(77.0)
    engine.resume()
    saved = [angle for _, angle in of_events(beamline, documents)]
    assert saved == [10.0, 20.0, 30.0]
    assert [frame["angle"] for frame, _ in of_events(beamline, documents)] == saved


def of_events(beamline: Beamline, documents: list[tuple[str, Any]]) -> list[Any]:
    found = beamline.frames_of(documents, "primary")
    return [(frame, data["rotation"]) for frame, data in found]
