"""A pause between trigger and event: the RunEngine triggers again, and consumers notice nothing."""

from __future__ import annotations

from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky.preprocessors import plan_mutator
from bluesky.utils import RunEngineInterrupted

from adsupport.imaging import (
    GratingConfig,
    TomographyConfig,
    grating_interferometry_stepping,
    tomography,
)
from adsupport.imaging.addons import Accumulator, FrameGapCheck, GratingProcessing
from adsupport.imaging.frames import HDF5FileSource, play, run_acquisitions

from .station import Station

pytestmark = pytest.mark.slow


def paused_and_resumed(station: Station, plan: Any, stream: str, event: int) -> list[int]:
    """Pause at the message that would save an event; return the ids in the stream's events."""
    station.begin()
    inside, saves, done = "", 0, False

    def look(message: Any) -> tuple[Any, None]:
        nonlocal inside, saves, done
        if message.command == "create":
            inside = message.kwargs["name"]
        if done or message.command != "save" or inside != stream:
            return None, None
        saves += 1
        if saves < event:
            return None, None
        done = True

        def first() -> Any:
            yield from bps.pause()
            return (yield message)

        return first(), None

    with pytest.raises(RunEngineInterrupted):
        station.engine(plan_mutator(plan, look))
    station.engine.resume()
    return [each["data"]["det_first_unique_id"] for each in station.events(stream)]


@pytest.mark.parametrize("swmr", [0, 1])
@pytest.mark.parametrize("event", [1, 3, 6])
def test_a_projection(station: Station, swmr: int, event: int) -> None:
    station.put("HDF1:SWMRMode", swmr)
    source = HDF5FileSource(station.det.hdf1, timeout=30)
    frames, gaps = Accumulator(streams=["primary"]), FrameGapCheck(found="raise")
    config = TomographyConfig(exposure=0.02, darks=1, flats=1, projections=6, angular_range=90)
    experiment = tomography(
        station.camera, station.rotation, config, frames=source, addons=[frames, gaps],
        **station.places,
    )  # fmt: skip
    try:
        ids = paused_and_resumed(station, experiment.run(), "primary", event)
    finally:
        source.close()
        station.put("HDF1:SWMRMode", 0)
    assert len(ids) == 6 and ids[-1] - ids[0] == (6 if event > 1 else 5)
    assert frames.ids() == ids
    assert frames.angles() == pytest.approx(config.set_points)
    stored = Accumulator(streams=["primary"])
    play(run_acquisitions(station.documents), [stored, FrameGapCheck(found="raise")])
    assert stored.ids() == ids
    np.testing.assert_array_equal(stored.frames(), frames.frames())


def test_a_step_of_a_grating(station: Station) -> None:
    source = HDF5FileSource(station.det.hdf1, timeout=30)
    grating = GratingProcessing(1, 4)
    config = GratingConfig(
        exposure=0.02, darks=1, flats=1, steps_per_period=4, grating_period=0.004
    )
    experiment = grating_interferometry_stepping(
        station.camera, station.grating, config, frames=source, addons=[grating], **station.places
    )
    try:
        paused_and_resumed(station, experiment.run(), "flats", 2)
    finally:
        source.close()
    assert grating.contrasts is not None
    stored = GratingProcessing(1, 4)
    play(run_acquisitions(station.documents), [stored])
    for name, image in grating.images().items():
        np.testing.assert_array_equal(image, stored.images()[name])
