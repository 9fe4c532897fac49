"""What an experiment leaves beside its images tells of sample and camera."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.plan_stubs import null
from ophyd import Component, Device, Signal

from adsupport.imaging import (
    Acquisition,
    DirectoryWalker,
    Experiment,
    PreparedCamera,
    RadiographyConfig,
    radiography,
    series,
)

from .beamline import Beamline


class Size(Device):
    size_x = Component(Signal, value=512)


class Cam(Device):
    acquire_time = Component(Signal, value=0.2, kind="config")
    bin_x = Component(Signal, value=2)
    gain = Component(Signal, value=1.5)
    size = Component(Size, "")


def test_the_settings_of_the_camera_are_beside_the_images(tmp_path: Path) -> None:
    beamline = Beamline()
    beamline.camera.driver = Cam(name="det_cam")  # type: ignore[attr-defined]
    made = radiography(
        PreparedCamera(beamline.camera, lambda *settings: settings),
        RadiographyConfig(0.1, darks=1, flats=0), source=beamline.source,
        walker=DirectoryWalker(tmp_path),
    )  # fmt: skip
    RunEngine({})(made.run())
    for when in ("start", "finish"):
        told = json.loads((tmp_path / "scan_0000" / f"experiment_{when}.json").read_text())
        found = told["devices"]["det_cam"]
        assert {key: each["value"] for key, each in found.items()} == {
            "det_cam_acquire_time": 0.2, "det_cam_bin_x": 2, "det_cam_gain": 1.5,
            "det_cam_size_size_x": 512,
        }  # fmt: skip


def test_a_camera_that_cannot_tell_its_settings_is_no_reason_to_stop(tmp_path: Path) -> None:
    def refuse() -> Any:
        raise TimeoutError("gain doesn't answer")

    beamline = Beamline()
    gain = SimpleNamespace(read=refuse, describe=refuse)
    driver = SimpleNamespace(name="det_cam", gain=gain)
    beamline.camera.driver = driver  # type: ignore[attr-defined]
    made = radiography(
        PreparedCamera(beamline.camera, lambda *settings: settings),
        RadiographyConfig(0.1, darks=0, flats=0), source=beamline.source,
        walker=DirectoryWalker(tmp_path),
    )  # fmt: skip
    RunEngine({})(made.run())
    told = json.loads((tmp_path / "scan_0000" / "experiment_start.json").read_text())
    assert told["failures"]["det_cam"]["message"] == "gain doesn't answer"


@pytest.mark.parametrize(
    ("sample", "end"),
    [
        ("bone", "-bone.json"),
        ("a/b {start[uid]} .h5", "-a_b {start[uid]} .h5.json"),
        ({"name": "tooth", "id": 3}, "-tooth.json"),
        ({"id": 3}, ".json"),
    ],
)
def test_files_of_a_series_have_the_names_of_the_samples(
    tmp_path: Path, sample: Any, end: str
) -> None:
    made = Experiment(
        [Acquisition("primary", null)], walker=DirectoryWalker(tmp_path), files=["json"]
    )
    result: Any = RunEngine({})(series([sample], lambda _: null(), made))
    (path,) = (tmp_path / "scan_0000").glob("2*.json")
    assert path.name[15:] == f"-S00001-{result[0][:7]}{end}"


def test_an_experiment_is_a_plan_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Experiment([Acquisition("primary", null, frames=4, frame_time=0.5)], name="mine")
    documents: list[Any] = []
    engine = RunEngine({})
    with caplog.at_level(logging.INFO, "adsupport"):
        engine(made, lambda name, document: documents.append((name, document)))
    assert documents[0][1]["plan_name"] == "mine"
    assert documents[-1][1]["exit_status"] == "success"
    assert "mine: 4 frames, 2 s for these alone" in caplog.text
