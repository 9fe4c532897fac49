"""Addons beside an experiment, and the same addons on the run that it left: all is the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adsupport.imaging import GratingConfig, TomographyConfig, tomography
from adsupport.imaging.addons import Accumulator, FrameGapCheck, GratingProcessing
from adsupport.imaging.frames.growing import HDF5FileSource
from adsupport.imaging.frames.replay import play
from adsupport.imaging.frames.stored_run import run_acquisitions
from adsupport.imaging.grating import grating_interferometry_stepping

from .station import Station


@pytest.fixture
def swmr(station: Station) -> Any:
    """Let the plugin write files that can be read while they grow."""
    station.det.hdf1.stage_sigs["swmr_mode"] = 1
    yield
    del station.det.hdf1.stage_sigs["swmr_mode"]


class Labels(Accumulator):
    """Keeps what is told of each frame, too."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[tuple[Any, ...]] = []

    def frame(self, frame: Any) -> None:
        super().frame(frame)
        self.labels.append((frame.stream, frame.sequence, frame.unique_id, frame.run_uid))


@pytest.mark.usefixtures("swmr")
def test_tomography_live_and_stored(station: Station) -> None:
    config = TomographyConfig(
        exposure=0.01, darks=3, flats=2, projections=5, order=("darks", "flats", "primary", "flats")
    )
    live, gaps = Labels(), FrameGapCheck(found="raise")
    experiment = tomography(
        station.camera, station.rotation, config, **station.places,
        frames=HDF5FileSource(station.det.hdf1), addons=[live, gaps],
    )  # fmt: skip
    frames = station.run(experiment)
    stored = Labels()
    acquisitions = run_acquisitions(station.documents)
    play(acquisitions, [stored, FrameGapCheck(found="raise")])
    assert [(each.about.stream, each.about.expected) for each in acquisitions] == [
        ("darks", 3), ("flats", 2), ("primary", 5), ("flats", 2),
    ]  # fmt: skip
    assert live.labels == stored.labels
    for stream, found in frames.items():
        np.testing.assert_array_equal(live.frames(stream), [each.pixels for each in found])
        np.testing.assert_array_equal(live.frames(stream), stored.frames(stream))
        assert live.ids(stream) == [each.unique_id for each in found]
    np.testing.assert_allclose(live.angles(), config.set_points)
    np.testing.assert_allclose(stored.angles(), config.set_points)


@pytest.mark.slow
def test_grating_live_and_stored(station: Station) -> None:
    config = GratingConfig(
        exposure=0.01, darks=2, flats=1, grating_period=0.4, periods=1, steps_per_period=4
    )
    live = GratingProcessing.of(config, propagation_distance=100.0)
    experiment = grating_interferometry_stepping(
        station.camera, station.grating, config, **station.places,
        frames=HDF5FileSource(station.det.hdf1), addons=[live],
    )  # fmt: skip
    station.run(experiment)
    stored = GratingProcessing.of(config, propagation_distance=100.0)
    play(run_acquisitions(station.documents), [stored])
    assert len(live.images()) == len(stored.images()) == 10
    for name, image in live.images().items():
        np.testing.assert_array_equal(image, stored.images()[name])
    assert live.reference is not None
    assert np.median(live.reference.intensity) > 1000


def test_one_addon_for_one_acquisition(station: Station) -> None:
    config = TomographyConfig(exposure=0.01, darks=2, flats=1, projections=2)
    darks = Accumulator()
    experiment = tomography(
        station.camera, station.rotation, config, **station.places,
        frames=HDF5FileSource(station.det.hdf1),
    )  # fmt: skip
    experiment.attach(darks, ["darks"])
    station.run(experiment)
    assert darks.stored == ["darks"]
    assert len(darks.frames("darks")) == 2
