"""The files beside a run's images tell of that run, and how it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import pytest
from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted

from adsupport.imaging import (
    DirectoryWalker,
    Experiment,
    PreparedCamera,
    RadiographyConfig,
    radiography,
)

from .beamline import Beamline, Movable


def make(folder: Path, **options: Any) -> Experiment:
    beamline = Beamline()
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    config = RadiographyConfig(exposure=0.1, darks=1, flats=0, projections=2)
    return radiography(
        camera, config, source=beamline.source, walker=DirectoryWalker(folder), **options
    )


def told(folder: Path, scan: int, when: str = "finish") -> dict[str, Any]:
    path = folder / f"scan_{scan:04d}" / f"experiment_{when}.json"
    return json.loads(path.read_text())["experiment"]


class Broken(Movable):
    left = 0

    def read(self) -> Any:
        if self.left:
            self.left -= 1
            raise OSError("the stage is gone")
        return super().read()


def test_how_it_ended_is_told(tmp_path: Path) -> None:
    made, engine = make(tmp_path), RunEngine({})
    engine(made.run(sample="first"))
    found = told(tmp_path, 0)
    assert (found["exit_status"], found["reason"], found["sample"]) == ("success", "", "first")

    def fails() -> Any:
        yield from bps.null()
        raise ValueError("no beam")

    made.finish = fails
    with pytest.raises(ValueError, match="no beam"):
        engine(made.run())
    assert (told(tmp_path, 1)["exit_status"], told(tmp_path, 1)["reason"]) == ("fail", "no beam")
    made.finish = bps.pause
    with pytest.raises(RunEngineInterrupted):
        engine(made.run())
    engine.abort("enough")
    assert told(tmp_path, 2)["exit_status"] == "abort"
    assert "exit_status" not in told(tmp_path, 0, "start")


def test_a_run_that_fails_at_once_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    device = Broken("stage")
    made, engine = make(tmp_path, devices=[device]), RunEngine({})
    engine(made.run(sample="first"))
    device.left = 1
    with pytest.raises(OSError, match="gone"):
        engine(made.run(sample="second"))
    found = told(tmp_path, 1)
    assert (found["sample"], found["exit_status"]) == ("second", "fail")
    assert found["scan_directory"] == str(tmp_path / "scan_0001")
