"""A file plugin that loses frames of a spiral, or of a grating stepping: what the others are told.

Each frame that is there has the angle, height or step that its own pixels show: in addons, in what
is played afterwards, and in the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.imaging import (
    DirectoryWalker,
    Experiment,
    FlyAxis,
    GratingConfig,
    SpiralConfig,
    grating_interferometry_stepping,
    spiral_tomography,
)
from adsupport.imaging.addons import Addon, GratingProcessing
from adsupport.imaging.frames.growing import HDF5FileSource
from adsupport.imaging.frames.replay import play
from adsupport.imaging.frames.stored_run import run_acquisitions

from .pixels import BEADS, Frame, bead_place, mean, pose_of, turned_by
from .station import Station

pytestmark = pytest.mark.slow

LOST = 2


class Kept(Addon):
    """Keeps the projections, and what is told of them."""

    def __init__(self) -> None:
        super().__init__(streams=["primary"])
        self.frames: list[Any] = []
        self.ends: list[Any] = []

    def frame(self, frame: Any) -> None:
        self.frames.append(frame)

    def end(self, ended: Any) -> None:
        self.ends.append(ended)


def run_with_losses(
    station: Station, make: Any, after: int, missing: str = "drop"
) -> tuple[dict[str, list[Frame]], Kept, Kept, Path]:
    """Run it while the file plugin drops frames; have it live, played, and in a file."""
    station.det.frame_policy = "warn"
    live, played = Kept(), Kept()
    experiment: Experiment = make(
        frames=HDF5FileSource(station.det.hdf1, timeout=30), addons=[live], missing=missing,
        walker=DirectoryWalker(station.folder / f"lost{after}{missing}"), files=("dx",),
        frames_timeout=10.0,  # half of it is for lost images, which a file may bring late
        **station.places,
    )  # fmt: skip
    with station.ioc.fault("queue-overflow", "HDF1", after=after, count=LOST):
        streams = station.run(experiment)
    play(run_acquisitions(station.documents), [played], missing="log")
    (path,) = Path(station.of("start")[0]["scan_directory"]).glob("*.h5")
    return streams, live, played, path


def pixels(found: np.ndarray) -> Frame:
    return Frame(0, found.astype(float), {}, 0.0, 0)


@pytest.mark.parametrize("mode", ["step", "fly"])
@pytest.mark.parametrize("missing", ["drop", "fill"])
def test_a_spiral(station: Station, mode: Any, missing: str) -> None:
    config = SpiralConfig(
        exposure=0.02, period=0.3, darks=1, flats=1, projections=4, vertical_shift=-0.2,
        sample_height=0.2, start_angle=10.0, start_vertical=0.1, mode=mode,
    )  # fmt: skip
    flies = mode == "fly"
    vertical: Any = FlyAxis(station.vertical) if flies else station.vertical

    def make(**options: Any) -> Experiment:
        rotation = station.axis() if flies else station.rotation
        return spiral_tomography(station.camera, rotation, vertical, config, **options)

    streams, live, played, path = run_with_losses(station, make, 4, missing)
    dark, flat = mean(streams["darks"]), mean(streams["flats"])
    # on the fly the first frame comes a moment after the axis is where it's asked for
    apart, off = (config.steps_of_both[0] / 4, 0.012) if flies else (0.3, 0.004)

    def shown(frame: np.ndarray, angle: float, height: float) -> bool:
        pose = pose_of(pixels(frame), dark, flat, height)
        near = turned_by(pose.angle, angle) < apart and abs(pose.height - height) < off
        return near and pose.misfit < 0.01

    left = config.total - LOST
    assert len(live.frames) == len(played.frames) == len(streams["primary"]) == left
    with h5py.File(path) as dx:
        file: Any = dx["exchange"]
        images, theta, heights = file["data"][()], file["theta"][()], file["vertical"][()]
        kinds: Any = dx["process/acquisition/image_key"]
        kinds = kinds[()]
    assert len(images) == (left if missing == "drop" else config.total)
    kinds = kinds[np.isin(kinds, (0, 3))]  # without darks and flats
    assert np.count_nonzero(kinds) == len(images) - left
    found = np.flatnonzero(kinds == 0)
    for index in found:
        assert shown(images[index], theta[index], heights[index])
    # addons know places and angles; heights go with these
    for frame, like, index in zip(live.frames, played.frames, found, strict=True):
        assert (frame.unique_id, frame.place) == (like.unique_id, like.place)
        np.testing.assert_array_equal(frame.data, images[index])
        np.testing.assert_array_equal(like.data, images[index])
        assert shown(like.data, like.angle, heights[index])
        recorded = frame.angle if live.ends[0].angles == () else live.ends[0].angles[frame.place]
        assert shown(frame.data, recorded, heights[index])
        assert turned_by(theta[index], config.places[frame.place][0]) < config.steps_of_both[0] / 2


@pytest.mark.parametrize("after", [4, 10])
def test_a_grating_stepping(station: Station, after: int, caplog: Any) -> None:
    """At 90 degrees the beads show how far along the beam's own axis the sample was stepped."""
    station.put("m1", 90.0)
    config = GratingConfig(
        exposure=0.02, darks=2, flats=1, grating_period=0.3, periods=2, steps_per_period=3,
        start_position=-0.3,
    )  # fmt: skip

    def make(**options: Any) -> Experiment:
        return grating_interferometry_stepping(station.camera, station.grating, config, **options)

    streams, live, played, path = run_with_losses(station, make, after)
    lost_of = "flats" if after == 4 else "primary"
    assert {name: len(frames) for name, frames in streams.items()} == {
        "darks": 2, "flats": 6, "primary": 6, lost_of: 4,
    }  # fmt: skip
    dark, flat = mean(streams["darks"]), mean(streams["flats"])

    def step_of(frame: np.ndarray) -> float:
        light = (frame - dark) / np.maximum(flat - dark, 1)
        shadow = -np.log(np.clip(light, 1e-3, None))
        steps = [
            bead_place(shadow, height)[0] - np.sin(np.radians(azimuth))
            for height, azimuth in BEADS[1:]
        ]
        return float(np.mean(steps))

    with h5py.File(path) as dx:
        file: Any = dx["exchange"]
        images, told = file["data"][()], file["grating"][()]
    for image, position in zip(images, told, strict=True):
        assert step_of(image) == pytest.approx(position, abs=0.005)
    for kept in (live, played):
        assert len(kept.frames) == len(images)
        for frame in kept.frames:
            assert step_of(frame.data) == pytest.approx(config.positions[frame.place], abs=0.005)
    grating = GratingProcessing.of(config)
    play(run_acquisitions(station.documents), [grating], missing="log")
    assert (grating.reference is None, grating.sample is None) == (
        lost_of == "flats", lost_of == "primary",
    )  # fmt: skip
