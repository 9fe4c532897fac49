"""The command as a user types it, each time in a process of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from bluesky.utils import RunEngineInterrupted
from typer.testing import CliRunner

import adsupport
from adsupport.cli import demo, extras, ioc, main
from adsupport.cli.app import app

PVA, OTHER = "EPICS_PVAS_SERVER_PORT", "EPICS_PVA_SERVER_PORT"


def adsupport_command(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "adsupport.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def test_version():
    assert adsupport_command("--version").stdout == f"adsupport {adsupport.__version__}\n"


def test_the_package_is_the_command_too():
    command = [sys.executable, "-m", "adsupport", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.stdout == f"adsupport {adsupport.__version__}\n"


def test_without_arguments_it_lists_the_commands():
    output = adsupport_command().stdout
    for name in ("demo", "ioc", "tree"):
        assert name in output


def test_import_of_the_package_and_of_the_command_is_cheap():
    code = (
        "import sys, adsupport, adsupport.cli, adsupport.launch, adsupport.simulated\n"
        "print([name for name in ('ophyd', 'epics', 'bluesky', 'databroker', 'numpy', 'caproto')"
        " if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n"


@pytest.mark.parametrize(
    ("name", "prefix"),
    [pytest.param("adsim", "x7:", marks=pytest.mark.slow), ("gp", "y8:")],
)
def test_ioc_lists_its_records(name: str, prefix: str):
    result = adsupport_command("ioc", name, "--prefix", prefix, "--list-pvs")
    assert result.returncode == 0, result.stderr
    names = result.stdout.split()
    assert len(names) > 30
    assert all(pv.startswith(prefix) for pv in names)


def test_unknown_ioc_names_the_known_ones():
    result = adsupport_command("ioc", "nope")
    assert result.returncode == 2
    assert "adsim" in result.stderr
    assert "gp" in result.stderr


def test_ioc_serves_a_release_of_adcore():
    options = ("--prefix", "x7:", "--list-pvs")
    old = adsupport_command("ioc", "imaging_beamline", *options, "--adcore", "2.6").stdout.split()
    assert "x7:cam1:PoolMaxBuffers" in old
    assert "x7:cam1:AcquireBusy" not in old


@pytest.mark.parametrize(
    ("name", "release", "told"),
    [
        pytest.param("adsim", "newest", "R3-14", marks=pytest.mark.slow),
        pytest.param("adsim", "R2-5", "R2-6", marks=pytest.mark.slow),
        ("gp", "R3-4", "no ADCore"),
    ],
)
def test_a_release_that_cannot_be_served_is_refused(name: str, release: str, told: str):
    wide = os.environ | {"COLUMNS": "200"}
    result = adsupport_command("ioc", name, "--adcore", release, env=wide)
    assert result.returncode == 2
    assert "--adcore" in result.stderr
    assert told in result.stderr


def test_a_missing_extra_gives_the_line_to_type(monkeypatch, capsys):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["adsupport", "ioc", "adsim"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 1
    error = capsys.readouterr().err
    assert "caproto" in error
    assert "pip install '.[sim]'" in error


@pytest.mark.parametrize("name", ["adsim", pytest.param("gp", marks=pytest.mark.slow)])
def test_a_reader_that_ends_early_is_no_error(name: str):
    command = [sys.executable, "-m", "adsupport.cli", "ioc", name, "--list-pvs"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()  # as head does
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("prefix", ["", " ", "ad: ", "a.b", "$(P)", "é:", "a\tb", "x" * 41])
def test_a_prefix_that_no_pv_can_have_is_refused(monkeypatch, prefix: str):
    started: list[str] = []
    monkeypatch.setattr(ioc.os, "execv", lambda *command: started.append("an IOC"))
    wide = {"COLUMNS": "200", "TERMINAL_WIDTH": "200"}
    result = CliRunner().invoke(app, ["ioc", "adsim", "--prefix", prefix], env=wide)
    assert (result.exit_code, started) == (2, [])
    assert "'--prefix'" in result.stderr
    assert "can't begin the names of PVs" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("taken", "given", "port"), [(True, {}, "0"), (True, {OTHER: "9"}, None), (False, {}, None)]
)
def test_a_second_ioc_has_another_pvaccess_port(monkeypatch, taken: bool, given: dict, port: str):
    started: list[str | None] = []
    monkeypatch.setattr(ioc.os, "execv", lambda *_: started.append(os.environ.get(PVA)))
    with socket.socket() as first:
        first.bind(("127.0.0.1", 0))
        monkeypatch.setattr(ioc, "_PVA_PORT", first.getsockname()[1])
        if not taken:
            first.close()
        result = CliRunner().invoke(app, ["ioc", "gp"], env={PVA: None, OTHER: None} | given)
    assert (result.exit_code, started) == (0, [port])


@pytest.mark.parametrize(
    ("release", "told"),
    [
        ("", "not a release of ADCore: ''"),
        ("3", "not a release of ADCore: '3'"),
        ("-1", "not a release of ADCore: '-1'"),
        ("3.x", "not a release of ADCore: '3.x'"),
        ("x" * 10_000, f"not a release of ADCore: '{'x' * 40}...'"),
        ("R99-99", "R99-99 is not known; expected R2-6 to R3-14"),
        ("0.0", "R0-0 is not known; expected R2-6 to R3-14"),
    ],
)
def test_an_absurd_release_is_refused(monkeypatch, release: str, told: str):
    monkeypatch.setattr(ioc.os, "execv", lambda *_: pytest.fail("an IOC was started"))
    with pytest.raises(typer.BadParameter, match=re.escape(told)):
        ioc._release(release, ioc.Name.ADSIM)
    result = CliRunner().invoke(app, ["ioc", "adsim", f"--adcore={release}"])
    assert result.exit_code == 2


def test_help_shows_the_defaults_of_an_ioc():
    wide = os.environ | {"COLUMNS": "160"}
    output = adsupport_command("ioc", "--help", env=wide).stdout
    assert "[default: (ad:, gp: or im:)]" in output
    assert "5064" in output


def test_faults_are_listed_without_naming_an_ioc():
    lines = adsupport_command("ioc", "--list-faults").stdout.splitlines()
    assert "disk-full FILE_PLUGIN after=0 bytes=0 crash=False" in lines
    assert any(line.startswith("latency seconds=") for line in lines)


def test_without_the_name_of_an_ioc_the_known_ones_are_named():
    result = adsupport_command("ioc")
    assert result.returncode == 2
    assert "adsim" in result.stderr


def test_a_fault_that_the_ioc_can_not_have_is_named_without_a_traceback():
    result = adsupport_command("ioc", "gp", "--fault", "latency", "--fault", "disk-full HDF1")
    assert result.returncode == 2
    assert "no file plugin 'HDF1'" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_fault_that_does_not_exist_is_a_bad_command_line():
    result = adsupport_command("ioc", "adsim", "--fault", "disk-ful")
    assert result.returncode == 2
    assert "disk-full" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_writer_that_the_ioc_does_not_have_is_a_bad_command_line(monkeypatch):
    from adsupport.devices.ioc import introspection

    answers = {"ad:cam1:PortName_RBV": "SIM1", "ad:cam1:Model_RBV": "Basic simulator"}
    monkeypatch.setattr(introspection, "_ask", lambda *_: answers)
    result = CliRunner().invoke(app, ["ioc-scan", "ad:", "--writer", "nope"])
    assert result.exit_code == 2
    assert "'nope' isn't a file plugin" in result.stderr


def test_tree_of_a_file_that_is_not_hdf5_names_it(tmp_path):
    file = tmp_path / "notes.md"
    file.write_text("# not HDF5\n")
    result = adsupport_command("tree", str(file))
    assert result.returncode == 1
    assert str(file) in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_tree_of_a_missing_file_is_refused():
    result = CliRunner().invoke(app, ["tree", "/no/such/file.h5"])
    assert result.exit_code == 2
    assert "does not exist" in result.output


def test_a_demo_directory_that_can_not_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "file" / "data")])
    assert result.exit_code == 2
    assert "--out" in result.output
    assert "Choose" in result.output


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, RunEngineInterrupted])
def test_a_demo_that_is_interrupted_stops_its_iocs_and_ends_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupt: type[BaseException]
):
    class Hardware:
        ready_line, pid, stopped = "IOC ready: x", 1, False

        def stop(self) -> None:
            self.stopped = True

    def end(code: int) -> None:
        raise SystemExit(code)

    def run(console: object, out: str) -> None:
        raise interrupt

    ioc = Hardware()
    monkeypatch.setattr(demo, "simulated_hardware", lambda *names: [ioc])
    monkeypatch.setattr(demo, "_run_examples", run)
    monkeypatch.setattr(demo.os, "_exit", end)
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "data")])
    assert result.exit_code == 130
    assert ioc.stopped
