"""Which parts of an IOC ``adsupport check`` takes for a detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from adsupport.cli import check, chosen_parts
from adsupport.cli.app import app
from adsupport.devices import CheckReport, Finding
from adsupport.devices.ioc import introspection
from adsupport.devices.ioc.introspection import describe_answers


def plugin(kind: str, port: str, source: str, enabled: int = 0) -> dict[str, Any]:
    return {
        "PortName_RBV": port,
        "PluginType_RBV": kind,
        "NDArrayPort_RBV": source,
        "EnableCallbacks_RBV": enabled,
    }


def camera(port: str) -> dict[str, Any]:
    return {"PortName_RBV": port, "ADCoreVersion_RBV": "3.14.0", "Model_RBV": "Basic simulator"}


TWO_CAMERAS = {
    "cam1:": camera("SIM1"),
    "cam2:": camera("SIM2"),
    "image1:": plugin("NDPluginStdArrays", "Image1", "SIM1"),
    "image2:": plugin("NDPluginStdArrays", "Image2", "SIM2"),
    "ROI1:": plugin("NDPluginROI", "ROI1", "SIM2"),
    "HDF1:": plugin("NDFileHDF5 ver1.10.8", "FileHDF1", "SIM1"),
    "HDF2:": plugin("NDFileHDF5 ver1.10.8", "FileHDF2", "ROI1"),
}


@pytest.fixture(autouse=True)
def ioc(monkeypatch: pytest.MonkeyPatch) -> None:
    """An IOC with two cameras, and a check that finds nothing."""
    described = describe_answers("parts:", TWO_CAMERAS)
    monkeypatch.setattr(introspection, "describe_ioc", lambda *_: described)
    monkeypatch.setattr(
        "adsupport.devices.check", lambda detector, **_: CheckReport("det", detector.prefix, ())
    )


def look(*keys: str) -> CheckReport:
    planned: Any = None
    return chosen_parts.check_ioc("parts:", list(keys), {}, planned, False, 1.0)


def checked(report: CheckReport) -> str:
    return next(each.what for each in report.of("ok") if each.what.startswith("checked: "))


@pytest.mark.parametrize(
    ("keys", "parts"),
    [
        ([], "cam (cam1:), image (image1:), hdf1 (HDF1:)"),
        (["cam", "hdf1"], "cam (cam1:), hdf1 (HDF1:)"),
        (["cam2", "image2"], "cam (cam2:), image2 (image2:)"),
        (["cam2", "hdf2"], "cam (cam2:), roi1 (ROI1:), hdf2 (HDF2:)"),
        (["cam2"], "cam (cam2:), image2 (image2:), roi1 (ROI1:), hdf2 (HDF2:)"),
    ],
)
def test_the_camera_that_is_named_makes_the_detector(keys: list[str], parts: str) -> None:
    report = look(*keys)
    assert report.errors == []
    found = checked(report).removeprefix("checked: ")
    assert sorted(found.split(", ")) == sorted(parts.split(", "))
    added = [each.what for each in report.warnings]
    needed = "hdf2 gets its arrays from ROI1: a detector needs roi1 too"
    assert added == ([needed] if "roi1" in parts else [])


def test_two_cameras_are_no_detector() -> None:
    with pytest.raises(typer.BadParameter, match="cam and cam2 are cameras"):
        look("cam", "cam2")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_table_is_for_terminals_only(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    remedy = "put FilePath to a directory that the IOC may write to"
    finding = Finding("error", "parts:HDF1:FilePath", "is empty: the file has no directory", remedy)
    monkeypatch.setattr(check.Console, "is_terminal", terminal)
    check._print(CheckReport("det", "parts:", (finding,)), "det (parts:)")
    shown = capsys.readouterr().out
    assert ("what to do" in shown) is terminal
    assert (str(finding) in shown.splitlines()) is not terminal
    heading, *_, verdict = shown.strip().splitlines()
    assert "det (parts:)" in heading  # with colours on a terminal
    assert "det (parts:) is not ready: 1 error." in verdict


@pytest.mark.parametrize("name", ["detectors.py", "directory", "directory.yml"])
def test_a_path_that_declares_nothing_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.startswith("directory"):
        path.mkdir()
    else:
        path.touch()
    result = CliRunner(env={"COLUMNS": "900"}).invoke(app, ["check", str(path)])
    assert result.exit_code == 2
    # a long path may wrap the message, in a box
    said = " ".join(result.output.replace("│", " ").split())
    assert "no file that declares detectors" in said
    assert ".yaml, .yml, .toml" in said
