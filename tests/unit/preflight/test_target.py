"""What a check tells of the next file, and that it changes nothing by looking."""

from __future__ import annotations

import pathlib
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from adsupport.devices.files.target import FileTarget
from adsupport.devices.preflight.report import Finding
from adsupport.devices.preflight.state import PartState
from adsupport.devices.preflight.target import check_target, planned_directory

FIGURES: Any = SimpleNamespace(frames_per_point=1)


class Target(FileTarget):
    """A file plugin's naming without the plugin."""

    name = "det_hdf1"
    file_path = SimpleNamespace(name="X:FilePath")
    file_name = SimpleNamespace(name="X:FileName")
    file_template = SimpleNamespace(name="X:FileTemplate")

    def clock(self) -> datetime:
        return datetime(2026, 11, 20)


class Counting(Target):
    """It keeps a number in a file, as some beamlines do."""

    count = 0

    def make_filename(self) -> tuple[str, str, str]:
        self.count += 1
        return f"run{self.count}", "/data/", "/data/"


def writer(device: Any, file_path: str = "", **values: Any) -> PartState:
    """Show a writer with these settings."""
    settings = {"file_path": file_path, "file_name": "a", "file_template": "%s%s_%4.4d.h5"}
    names = ("file_path", "file_name", "file_template")
    pvs = {name: f"X:{name}" for name in names}
    return PartState("hdf1", "X:", settings | values, {}, pvs, device)


def look(device: Any, file_path: str = "", **values: Any) -> list[Finding]:
    return list(check_target(writer(device, file_path, **values), FIGURES))


@pytest.fixture
def template(tmp_path: pathlib.Path) -> str:
    (tmp_path / "2026").mkdir()
    return f"{tmp_path}/%Y/"


def test_a_look_is_not_remembered(template: str, tmp_path: pathlib.Path) -> None:
    device: Any = Target(write_path_template=template)
    before = dict(vars(device))
    assert planned_directory(writer(device)) == f"{tmp_path}/2026/"
    assert look(device)[-1].what == f"next file {tmp_path}/2026/a_0000.h5, free"
    assert vars(device) == before


def test_a_class_that_makes_names_is_not_asked_for_one(template: str) -> None:
    device: Any = Counting(write_path_template=template)
    found = look(device)
    assert device.count == 0
    assert [each.severity for each in found] == ["ok", "info"]
    assert found[-1].what.startswith("Counting.make_filename() chooses the name at staging")


def test_a_directory_of_the_class_s_own_is_known_when_it_tells(tmp_path: pathlib.Path) -> None:
    class Telling(Counting):
        def plan_directory(self, standing: str) -> str:
            return f"{tmp_path}/"

    assert planned_directory(writer(Telling(write_path_template="/x/"))) == f"{tmp_path}/"


@pytest.mark.parametrize("told", [True, False])
def test_a_path_that_wins_over_the_template_is_told(
    template: str, tmp_path: pathlib.Path, told: bool
) -> None:
    standing = f"{tmp_path}/" if told else f"{tmp_path}/2026"
    found = look(Target(write_path_template=template), standing)
    infos = [each.what for each in found if each.severity == "info"]
    what = (
        f"is {tmp_path}/, and that wins over write_path_template, which gives {tmp_path}/2026/: "
        f"{tmp_path}/ was judged, not {tmp_path}/2026/"
    )
    assert infos == ([what] if told else [])
