"""A beamline whose file plugin loses frames, with addons and files of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.errors import FrameCountError
from adsupport.imaging import DirectoryWalker, TomographyConfig, tomography
from adsupport.imaging.addons import Addon, FrameGapCheck
from adsupport.imaging.frames.growing import HDF5FileSource
from adsupport.imaging.frames.replay import play
from adsupport.imaging.frames.stored_run import run_acquisitions

from .station import Station


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["fly", "step"])
def test_the_others_are_in_addons_and_in_the_file(station: Station, mode: Any) -> None:
    config = TomographyConfig(
        exposure=0.02, period=0.3, darks=1, flats=1, projections=12, angular_range=90.0, mode=mode
    )
    station.det.frame_policy = "warn"
    source = HDF5FileSource(station.det.hdf1, timeout=30)
    gaps = FrameGapCheck()
    experiment = tomography(
        station.camera, station.axis() if mode == "fly" else station.rotation, config,
        frames=source, addons=[gaps], walker=DirectoryWalker(station.folder / mode), files=("dx",),
        **station.places,
    )  # fmt: skip
    with station.ioc.fault("queue-overflow", "HDF1", after=6, count=2):
        station.run(experiment)
    (path,) = Path(station.of("start")[0]["scan_directory"]).glob("*.h5")
    with h5py.File(path) as dx:
        file: Any = dx
        theta = file["exchange/theta"][()]
        taken = len(file["exchange/data"])
        lost = len(file["process/acquisition/missing_frames/unique_id"])
    assert 1 <= lost <= 2
    assert taken == len(theta) == 12 - lost
    assert np.isfinite(theta).all()
    assert station.unsafe() == {}


class Kept(Addon):
    """Keeps what is told of each projection."""

    def __init__(self) -> None:
        super().__init__(streams=["primary"])
        self.frames: list[tuple[Any, Any]] = []
        self.missing = 0

    def frame(self, frame: Any) -> None:
        self.frames.append((frame.unique_id, frame.angle))

    def end(self, ended: Any) -> None:
        self.missing += ended.missing


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["fly", "step"])
def test_the_others_are_played_to_addons_with_their_angles(station: Station, mode: Any) -> None:
    config = TomographyConfig(
        exposure=0.02, period=0.3, darks=1, flats=1, projections=12, angular_range=90.0, mode=mode
    )
    station.det.frame_policy = "warn"
    axis = station.axis() if mode == "fly" else station.rotation
    with station.ioc.fault("queue-overflow", "HDF1", after=6, count=2):
        streams = station.run(tomography(station.camera, axis, config, **station.places))
    kept = Kept()
    play(run_acquisitions(station.documents), [kept], missing="log")
    with pytest.raises(FrameCountError, match="expected"):
        play(run_acquisitions(station.documents), [])
    ids = [frame.unique_id for frame in streams["primary"]]
    assert 10 <= len(ids) < 12
    assert [id_ for id_, _ in kept.frames] == ids
    assert kept.missing == 12 - len(ids)
    first = min(event["data"]["det_first_unique_id"] for event in station.events("primary"))
    for id_, angle in kept.frames:
        assert angle == pytest.approx((id_ - first) * 7.5, abs=3.75)
