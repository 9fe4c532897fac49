"""What each frame is, in the files of a run: positions, source and unique ids; and lost frames."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks import DataExchangeWriter, NXtomoWriter
from adsupport.imaging import (
    Experiment,
    FlyAxis,
    GratingConfig,
    SpiralConfig,
    grating_interferometry_stepping,
    spiral_tomography,
)

from .station import Station

pytestmark = pytest.mark.slow


def files_of(station: Station, experiment: Experiment, folder: Path, *writers: type) -> list[Any]:
    """Run an experiment, and open its files."""
    made = [writer(folder, "x", missing="drop") for writer in writers]
    tokens = [station.engine.subscribe(each.receiver) for each in made]
    try:
        station.run(experiment)
        return [h5py.File(each.wait_writer(30)[0].paths[0]) for each in made]
    finally:
        for token in tokens:
            station.engine.unsubscribe(token)


def spiral(station: Station, mode: str) -> Experiment:
    config = SpiralConfig(
        exposure=0.02, period=0.1, darks=1, flats=2, projections=4, vertical_shift=-0.2,
        sample_height=0.2, mode=mode,
    )  # fmt: skip
    rotation, vertical = station.axis(), FlyAxis(station.vertical)
    return spiral_tomography(station.camera, rotation, vertical, config, **station.places)


@pytest.mark.parametrize("mode", ["step", "fly"])
@pytest.mark.parametrize("lost", [0, 2])
def test_a_spiral(station: Station, tmp_path: Path, mode: str, lost: int) -> None:
    """Frames are lost in the plugin's queue, the last ones too: only their ids tell that."""
    station.det.frame_policy = "warn"
    with contextlib.ExitStack() as stack:
        if lost:
            after = 3 + 8 - lost
            stack.enter_context(
                station.ioc.fault("queue-overflow", "HDF1", after=after, count=lost)
            )
        dx, nx = files_of(
            station, spiral(station, mode), tmp_path, DataExchangeWriter, NXtomoWriter
        )
    with dx, nx:
        events = station.events("primary")
        suffix = "_frames" if mode == "fly" else ""
        heights = np.ravel([event["data"][f"vertical{suffix}"] for event in events])
        angles = np.ravel([event["data"][f"rotation{suffix}"] for event in events])
        first = events[0]["data"]["det_first_unique_id"]
        frames = dx["process/acquisition/frames"]
        gone = np.arange(8) >= 8 - lost
        if mode == "step":  # the account of each event
            gone = np.array([event["data"]["det_frames_dropped"] > 0 for event in events])
        assert gone.any() == bool(lost)
        kept, ids = ~gone, first + np.arange(8)
        for name, values in (("vertical", heights), ("theta", angles), ("rotation", angles)):
            np.testing.assert_array_equal(frames[name][3:], values[kept])
        np.testing.assert_array_equal(frames["unique_id"][3:], ids[kept])
        assert frames["shutter"][()].tolist() == [0, *[1] * (2 + kept.sum())]
        np.testing.assert_array_equal(dx["exchange/vertical"], heights[kept])
        np.testing.assert_array_equal(dx["exchange/theta"], angles[kept])
        np.testing.assert_array_equal(nx["entry/sample/z_translation"][3:], heights[kept])
        assert ("missing_frames" in dx["process/acquisition"]) == bool(lost)
        for group in (dx["process/acquisition"], nx["entry"]):
            if lost:
                told = group["missing_frames"]
                np.testing.assert_array_equal(told["unique_id"], ids[gone])
                np.testing.assert_array_equal(told["theta"], angles[gone])
                np.testing.assert_array_equal(told["vertical"], heights[gone])


def test_a_grating_stepping(station: Station, tmp_path: Path) -> None:
    config = GratingConfig(
        exposure=0.02, darks=1, flats=1, grating_period=2.4, steps_per_period=3, start_position=0.3
    )
    experiment = grating_interferometry_stepping(
        station.camera, station.grating, config, **station.places
    )
    (dx,) = files_of(station, experiment, tmp_path, DataExchangeWriter)
    with dx:
        for name in ("grating", "grating_white"):
            np.testing.assert_allclose(dx["exchange"][name], config.positions, atol=1e-9)
        frames = dx["process/acquisition/frames"]
        assert frames["image_key"][()].tolist() == [2, 1, 1, 1, 0, 0, 0]
        assert frames["shutter"][()].tolist() == [0, 1, 1, 1, 1, 1, 1]
        assert (np.diff(frames["unique_id"]) == 1).all()
        assert "problems" not in dx.attrs
