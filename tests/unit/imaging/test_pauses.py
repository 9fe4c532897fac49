"""A tomogram that is paused and resumed: no projection is taken twice."""

from __future__ import annotations

from typing import Any

import pytest
from bluesky import RunEngine
from bluesky import plan_stubs as bps
from bluesky.preprocessors import plan_mutator
from bluesky.utils import RunEngineInterrupted

from adsupport.imaging import PreparedCamera, TomographyConfig, tomography

from .beamline import Beamline


@pytest.mark.parametrize("pause", [bps.pause, bps.deferred_pause])
def test_resume_goes_on_with_the_projection_that_comes_next(pause: Any) -> None:
    beamline, engine, documents = Beamline(), RunEngine({}), []
    engine.subscribe(lambda name, document: documents.append((name, document)))
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    config = TomographyConfig(exposure=0.1, darks=2, flats=2, projections=6)
    experiment = tomography(
        camera, beamline.rotation, config, source=beamline.source, sample=beamline.sample
    )
    moves = 0

    def pausing(message: Any) -> Any:
        nonlocal moves
        moves += message.command == "set" and message.obj is beamline.rotation
        if moves != 4 or message.command != "set":
            return None, None
        moves += 1

        def first() -> Any:
            yield from pause()
            return (yield message)

        return first(), None

    with pytest.raises(RunEngineInterrupted):
        engine(plan_mutator(experiment.run(), pausing))
    assert engine.state == "paused"  # a deferred pause, too: one Ctrl-C
    engine.resume()
    primary = next(
        document["uid"]
        for name, document in documents
        if name == "descriptor" and document["name"] == "primary"
    )
    angles = [
        document["data"]["rotation"]
        for name, document in documents
        if name == "event" and document["descriptor"] == primary
    ]
    assert angles == config.set_points
