"""Tomography and radiography by steps: what each frame shows, and what is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from event_model import DocumentNames, schema_validators

from adsupport.callbacks import DataExchangeWriter
from adsupport.errors import ConfigurationError
from adsupport.imaging import (
    DirectoryWalker,
    RadiographyConfig,
    Source,
    TomographyConfig,
    radiography,
    tomography,
)

from .pixels import lit, mean, pose_of, turned_by
from .station import Station


def test_every_angle_is_in_the_pixels_and_in_a_dx_file(station: Station, tmp_path: Any) -> None:
    config = TomographyConfig(
        exposure=0.02, darks=3, flats=2, projections=8, order=("darks", "flats", "primary", "flats")
    )
    writer = DataExchangeWriter(tmp_path)
    token = station.engine.subscribe(writer.receiver)
    experiment = tomography(station.camera, station.rotation, config, **station.places)
    streams = station.run(experiment)
    station.engine.unsubscribe(token)
    for name, document in station.documents:
        schema_validators[DocumentNames[name]].validate(document)
    assert {name: len(frames) for name, frames in streams.items()} == {
        "darks": 3, "flats": 4, "primary": 8,
    }  # fmt: skip
    assert [[lit(frame) for frame in frames] for frames in streams.values()] == [
        [False] * 3, [True] * 4, [True] * 8,
    ]  # fmt: skip
    dark, flat = mean(streams["darks"]), mean(streams["flats"])
    # the sample was out for all flats: they differ by noise alone
    for frame in streams["flats"]:
        assert np.abs((frame.pixels - dark) / (flat - dark) - 1)[100:400, 100:400].mean() < 0.02
    told = [frame.data["rotation"] for frame in streams["primary"]]
    assert told == pytest.approx(config.set_points)
    for frame in streams["primary"]:
        pose = pose_of(frame, dark, flat)
        assert turned_by(pose.angle, frame.data["rotation"]) < 0.2
        assert pose.across == pytest.approx(frame.data["stage"], abs=0.005)
    (result,) = writer.wait_writer(30)
    with h5py.File(result.paths[0]) as dx:
        exchange: Any = dx["exchange"]
        np.testing.assert_array_equal(
            exchange["data"][()], [frame.pixels for frame in streams["primary"]]
        )
        np.testing.assert_array_equal(
            exchange["data_dark"][()], [frame.pixels for frame in streams["darks"]]
        )
        np.testing.assert_array_equal(
            exchange["data_white"][()], [frame.pixels for frame in streams["flats"]]
        )
        np.testing.assert_allclose(exchange["theta"][()], config.set_points)


def test_radiographs_with_a_tube_as_source(station: Station) -> None:
    """The shutter stands open; the tube ramps, and its beam is whole in every frame."""
    station.put("tube:On", 0)
    station.put("shutter:Control", 1)
    config = RadiographyConfig(
        exposure=0.02, darks=2, flats=3, flat_exposure=0.01, projections=4,
        order=("primary", "darks", "flats"),
    )  # fmt: skip
    experiment = radiography(
        station.camera, config, source=Source(station.tube), sample=station.sample
    )
    streams = station.run(experiment)
    assert list(streams) == ["primary", "darks", "flats"]
    assert {name: len(frames) for name, frames in streams.items()} == {
        "darks": 2, "flats": 3, "primary": 4,
    }  # fmt: skip
    dark = mean(streams["darks"])
    light = {
        name: [np.median((frame.pixels - dark)[:, :8]) for frame in streams[name]]
        for name in ("flats", "primary")
    }
    assert not any(lit(frame) for frame in streams["darks"])
    assert max(light["primary"]) == pytest.approx(min(light["primary"]), rel=0.02)
    assert np.mean(light["primary"]) == pytest.approx(2 * np.mean(light["flats"]), rel=0.02)
    for frame in streams["primary"]:
        assert pose_of(frame, dark, 2 * mean(streams["flats"]) - dark).misfit < 0.02
    assert station.get("tube:Status_RBV") == 0
    assert all(each["data"]["tube"] == (name != "darks")
               for name in streams for each in station.events(name))  # fmt: skip
    station.put("shutter:Control", 0)


def test_files_lie_in_the_directory_of_the_scan(station: Station) -> None:
    """Flats come twice: the second ones are beside the first, and both are found again."""
    config = TomographyConfig(
        exposure=0.01, darks=1, flats=1, projections=2, order=("darks", "flats", "primary", "flats")
    )
    root = station.folder / "walked"
    experiment = tomography(
        station.camera, station.rotation, config, **station.places, walker=DirectoryWalker(root)
    )
    for number in range(2):
        streams = station.run(experiment)
        assert {name: len(frames) for name, frames in streams.items()} == {
            "darks": 1, "flats": 2, "primary": 2,
        }  # fmt: skip
        scan = root / f"scan_{number:04}"
        assert station.of("start")[0]["scan_directory"] == str(scan)
        files = sorted(str(path.relative_to(scan)) for path in scan.rglob("*") if path.is_file())
        assert [name.split("/")[0] for name in files if name.endswith(".h5")] == [
            "darks", "flats", "flats", "radios",
        ]  # fmt: skip
        told = {each["resource_path"] for each in station.of("resource")}
        assert {Path(each).parent.name for each in told} == {"darks", "flats", "radios"}
        ids = [frame.unique_id for frame in streams["flats"]]
        assert ids[0] < min(frame.unique_id for frame in streams["primary"]) < ids[1]
        assert [name for name in files if "/" not in name] == [
            "experiment.log", "experiment_finish.json", "experiment_start.json",
        ]  # fmt: skip


def test_travel_beyond_limits_moves_nothing(station: Station) -> None:
    config = TomographyConfig(exposure=0.01, darks=1, flats=1, angles=[0, 3601.0])
    experiment = tomography(station.camera, station.rotation, config, **station.places)
    with pytest.raises(ConfigurationError, match="rotation can't go where the highest is at 3601"):
        station.engine(experiment.run())
    assert station.documents == []
    assert station.get("m1") == 0
