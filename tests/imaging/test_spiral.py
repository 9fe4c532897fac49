"""Spiral tomography: angle and height of every frame, in the documents and in the pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adsupport.errors import ConfigurationError
from adsupport.imaging import FlyAxis, SpiralConfig, spiral_tomography

from .pixels import mean, pose_of, turned_by
from .station import Station

HEIGHT = 0.4
"""How much the sample is lowered: its beads stay in the image."""


def config_of(**changes: Any) -> SpiralConfig:
    settings: dict[str, Any] = {
        "exposure": 0.02, "darks": 1, "flats": 2, "projections": 4, "vertical_shift": -0.2,
        "sample_height": HEIGHT, "start_angle": 10.0, "start_vertical": 0.1,
    }  # fmt: skip
    return SpiralConfig(**{**settings, **changes})


def test_every_angle_and_height_is_exact(station: Station) -> None:
    config = config_of()
    streams = station.run(
        spiral_tomography(
            station.camera, station.rotation, station.vertical, config, **station.places
        )
    )
    frames = streams["primary"]
    assert len(frames) == 3 * 4
    dark, flat = mean(streams["darks"]), mean(streams["flats"])
    for index, frame in enumerate(frames):
        angle, height = 10 + index * 45, 0.1 - index * 0.05
        assert frame.data["rotation"] == pytest.approx(angle, abs=1e-9)
        assert frame.data["vertical"] == pytest.approx(height, abs=1e-9)
        pose = pose_of(frame, dark, flat, height)
        assert turned_by(pose.angle, angle) < 0.3
        assert pose.height == pytest.approx(height, abs=0.004)
    assert station.of("start")[0]["spiral"] == {
        "tomograms": 3, "projections": 12, "vertical": "vertical",
    }  # fmt: skip


@pytest.mark.slow
def test_both_move_at_once_and_are_told_for_each_frame(station: Station) -> None:
    config = config_of(mode="fly", period=0.1, projections=6)
    streams = station.run(
        spiral_tomography(
            station.camera, station.axis(), FlyAxis(station.vertical), config, **station.places
        )
    )
    (event,) = station.events("primary")
    angles = np.asarray(event["data"]["rotation_frames"])
    heights = np.asarray(event["data"]["vertical_frames"])
    assert len(angles) == len(heights) == len(streams["primary"]) == config.total == 18
    dark, flat = mean(streams["darks"]), mean(streams["flats"])
    turn, rise = config.steps_of_both
    shown = []
    for frame, angle, height in zip(streams["primary"], angles, heights, strict=True):
        pose = pose_of(frame, dark, flat, height)
        assert turned_by(pose.angle, angle) <= turn / 2
        assert abs(pose.height - height) <= max(abs(rise) / 2, 0.004)
        shown.append(pose)
    times = np.array([frame.time for frame in streams["primary"]])
    turned = np.degrees(np.unwrap(np.radians([pose.angle for pose in shown])))
    assert np.polyfit(times, turned, 1)[0] == pytest.approx(turn / 0.1, rel=0.01)
    risen = np.polyfit(times, [pose.height for pose in shown], 1)[0]
    assert risen == pytest.approx(rise / 0.1, rel=0.01)
    # height and angle belong together: a helix, whatever the time of the first frame
    assert np.ptp(heights - angles * rise / turn) <= abs(rise)


@pytest.mark.slow
def test_a_spiral_on_the_fly_may_come_again(station: Station) -> None:
    config = config_of(
        mode="fly", period=0.1, projections=3, order=("darks", "primary", "flats", "primary")
    )
    rotation, vertical = station.axis(), FlyAxis(station.vertical)
    streams = station.run(
        spiral_tomography(station.camera, rotation, vertical, config, **station.places)
    )
    assert len(station.events("primary")) == 2
    assert len(streams["primary"]) == 2 * config.total


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("step", "vertical can't go where it is highest at 20"),
        ("fly", "vertical can't go where (it is highest|its run-up begins|it stops) at 20"),
    ],
)
def test_a_height_beyond_the_limits_moves_nothing(station: Station, mode: str, said: str) -> None:
    config = config_of(mode=mode, period=0.2, start_vertical=20.0, vertical_shift=0.2)
    experiment = spiral_tomography(
        station.camera, station.rotation, station.vertical, config, **station.places
    )
    with pytest.raises(ConfigurationError, match=said):
        station.engine(experiment.run())
    assert station.get("m1") == station.get("m3") == station.get("shutter:Status_RBV") == 0
