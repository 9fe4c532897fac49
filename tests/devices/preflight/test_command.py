"""``adsupport check``: what it prints and its exit code, on a healthy and on sick IOCs."""

from __future__ import annotations

import contextlib
import json
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adsupport.cli.app import app
from adsupport.launch import IOCProcess

pytestmark = pytest.mark.slow

WRITER = "adsupport.devices.AD_EpicsFileNameHDF5Plugin"


@pytest.fixture
def command() -> Callable[..., Result]:
    """Run the command in this process, which keeps its own answer to Ctrl-C."""

    def run(*arguments: str) -> Result:
        before = signal.getsignal(signal.SIGINT)
        try:
            return CliRunner().invoke(app, ["check", *arguments])
        finally:
            signal.signal(signal.SIGINT, before)

    return run


def mounts(disk: pathlib.Path) -> tuple[str, ...]:
    return "--ioc-mount", f"{disk}/ioc", "--local-mount", f"{disk}/local"


def test_a_healthy_ioc(det: Any, disk: pathlib.Path, command: Callable[..., Result]):
    result = command("ad:", *mounts(disk), "--points", "3", "--frames", "5")
    assert result.exit_code == 0, result.output
    lines = result.output.strip().splitlines()
    assert lines[-1] == "ad: is ready: nothing to complain about."
    assert "error" not in result.output
    assert "3 x 5 frames make 15.7 MB" in result.output
    severities = ("ok", "info", "warning", "error")
    assert all(line.startswith(severities) for line in lines[:-1]), "a line for each finding"
    assert f"{disk}/ioc (IOC) = {disk}/local (local)" in result.output


def test_a_plugin_that_is_needed_besides_is_told(
    chained: Any, disk: pathlib.Path, command: Callable[..., Result]
):
    result = command("ad:", *mounts(disk), "--plugins", "hdf1")
    assert "hdf1 gets its arrays from ROI1: a detector needs roi1 too" in result.output
    assert "checked: cam (cam1:), roi1 (ROI1:), hdf1 (HDF1:)" in result.output
    assert result.output.strip().endswith("ad: is ready: 1 warning.")


def test_a_directory_that_is_not_the_one_that_was_asked_about(
    det: Any, disk: pathlib.Path, command: Callable[..., Result]
):
    result = command("ad:", "--plugins", "hdf1", "--write-path", f"{disk}/ioc/elsewhere/")
    (line,) = [each for each in result.output.splitlines() if "wins over" in each]
    assert line.startswith("warning ad:HDF1:FilePath")
    assert f"was judged, not {disk}/ioc/elsewhere/" in line
    assert "put FilePath to it and check again" in line


def test_json_is_all_there_is(det: Any, disk: pathlib.Path, command: Callable[..., Result]):
    result = command("ad:", *mounts(disk), "--json", "--plugins", "hdf1,magick1", "--write")
    report = json.loads(result.output)
    assert result.exit_code == 1
    assert report["ok"] is False
    errors = [each for each in report["findings"] if each["severity"] == "error"]
    assert [each["subject"] for each in errors] == ["ad:Magick1:"]
    assert "magick1 is missing" in errors[0]["what"]
    assert [each["severity"] for each in report["findings"] if each["topic"] == "probe"] == ["ok"]


def test_declared_detectors(det: Any, disk: pathlib.Path, command: Callable[..., Result]):
    file = disk / "detectors.toml"
    file.write_text(
        f"""
        [[detectors]]
        name = "good"
        prefix = "ad:"
        plugins = [
            "cam",
            {{ hdf1 = {{ class = "{WRITER}", paths = "here" }} }},
        ]
        [[detectors]]
        name = "lost"
        prefix = "nobody:"
        [paths.here]
        write_path_template = "{disk}/ioc/%Y/"
        read_path_template = "{disk}/local/%Y/"
        """
    )
    result = command(str(file), "--timeout", "2", "--json")
    assert result.exit_code == 1
    assert [(each["name"], each["ok"]) for each in json.loads(result.output)] == [
        ("good", True),
        ("lost", False),
    ]
    shown = command(str(file), "--timeout", "2").output
    assert "\ngood (ad:)\n" in shown
    assert "\ngood (ad:) is ready: nothing to complain about.\n" in shown
    assert "\nlost (nobody:) is not ready: 1 error.\n" in shown
    assert command(str(file), "--plugins", "hdf1").exit_code == 2
    file.write_text("[[detectors]]\n")
    result = command(str(file))
    assert result.exit_code == 2
    assert "name" in result.output
    file.write_text("detectors = []\n")
    result = command(str(file))
    assert result.exit_code == 2
    assert "declares no detector" in result.output


def test_a_declared_detector_that_is_to_be_asked_for_its_release(
    tmp_path: pathlib.Path, command: Callable[..., Result]
):
    file = tmp_path / "detectors.yml"
    file.write_text("detectors:\n- {name: lost, prefix: 'nobody:', adcore: auto}\n")
    result = command(str(file), "--json", "--timeout", "0.7")
    assert result.exit_code == 1
    ((finding,),) = [report["findings"] for report in json.loads(result.output)]
    assert finding["severity"] == "error"
    assert "nobody:cam1:ADCoreVersion_RBV didn't answer within 0.7 s" in finding["what"]
    assert finding["remedy"].startswith("Is it running")


def test_no_ioc(command: Callable[..., Result]):
    result = command("nobody:", "--timeout", "1")
    assert result.exit_code == 1
    assert "Is the IOC running, and the prefix right" in result.output
    assert result.output.strip().endswith("nobody: is not ready: 1 error.")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--points", "0"], "--points"),
        (["--ioc-mount", "/a"], "--local-mount"),
        (["--read-path", "/a"], "--write-path"),
        (["--ioc-mount", "/a", "--local-mount", "/b", "--write-path", "/c"], "--write-path"),
        (["--timeout", "0"], "--timeout"),
    ],
)
def test_usage(command: Callable[..., Result], arguments: list[str], word: str):
    result = command("ad:", *arguments)
    assert result.exit_code == 2
    assert word in result.output


def test_an_unknown_plugin_is_a_usage_error(det: Any, command: Callable[..., Result]):
    result = command("ad:", "--plugins", "hdf11")
    assert result.exit_code == 2
    assert "'hdf11' is no plugin" in result.output
    assert "hdf1" in result.output


# -- a healthy and six sick IOCs, as a user types it


def fresh(det: Any, ioc: IOCProcess, disk: pathlib.Path) -> Any:
    """Set nothing: the IOC of this case has just been started."""
    return contextlib.nullcontext()


@contextlib.contextmanager
def no_directory(det: Any, ioc: IOCProcess, disk: pathlib.Path) -> Iterator[None]:
    det.hdf1.create_directory.put(0, wait=True)
    det.hdf1.file_path.put(f"{disk}/ioc/new/", wait=True)
    yield


@contextlib.contextmanager
def wrong_port(det: Any, ioc: IOCProcess, disk: pathlib.Path) -> Iterator[None]:
    det.hdf1.nd_array_port.put("SIM7", wait=True)
    yield
    det.hdf1.nd_array_port.put("SIM1", wait=True)


@contextlib.contextmanager
def busy(det: Any, ioc: IOCProcess, disk: pathlib.Path) -> Iterator[None]:
    det.cam.acquire_time.put(60.0, wait=True)
    det.cam.acquire.put(1)
    yield
    det.cam.acquire.put(0)


@contextlib.contextmanager
def taken(det: Any, ioc: IOCProcess, disk: pathlib.Path) -> Iterator[None]:
    pathlib.Path(det.hdf1.expand_path(), "image_0000.h5").touch()
    yield


@contextlib.contextmanager
def no_permission(det: Any, ioc: IOCProcess, disk: pathlib.Path) -> Iterator[None]:
    with ioc.fault("permission-lost", "HDF1"):
        yield


SICK: dict[str, tuple[Any, tuple[str, ...], str, str]] = {
    "no directory": (no_directory, (), "CreateDirectory", "Put CreateDirectory to -1"),
    "wrong port": (wrong_port, (), "HDF1:NDArrayPort", "or add the plugin with port 'SIM7'"),
    "camera busy": (busy, (), "cam1:Acquire", "Wait for its end"),
    "target exists": (taken, (), "image_0000.h5 exists already", "Choose another file_name"),
    "no permission": (no_permission, ("--write",), "Error opening file", "Let the IOC's user"),
    "too small a disk": (fresh, ("--points", "999999999"), "will be full after", "another disk"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["healthy", *SICK])
def test_as_a_user_types_it(det: Any, adsim: IOCProcess, disk: pathlib.Path, name: str):
    prepare, arguments, *words = SICK.get(name, (fresh, ()))
    with prepare(det, adsim, disk):
        result = subprocess.run(
            [sys.executable, "-m", "adsupport.cli", "check", "ad:", *mounts(disk), *arguments],
            capture_output=True,
            text=True,
            timeout=100,
        )
    assert result.returncode == (1 if words else 0), result.stdout + result.stderr
    last = result.stdout.strip().splitlines()[-1]
    assert last.startswith("ad: is not ready: 1 error" if words else "ad: is ready")
    row = (
        next(line for line in result.stdout.splitlines() if line.startswith("error"))
        if words
        else ""
    )
    for word in words:
        assert word in row
    assert result.stderr == ""
