"""Simulated hardware for one process: programs that bring it up, in ways good and bad."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from adsupport.simulated import simulated_mounts


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def assert_ended(pid: str) -> None:
    assert not Path(f"/proc/{pid}").exists()


def test_two_iocs_that_a_client_finds():
    result = run(
        """
        from adsupport.simulated import simulated_hardware
        adsim, gp = simulated_hardware("adsim", "gp")
        import epics
        print(adsim.pid, gp.pid)
        print(epics.caget("ad:cam1:MaxSizeX_RBV", timeout=10), epics.caget("gp:m1.EGU", timeout=10))
        """
    )
    assert result.returncode == 0, result.stderr
    pids, values = result.stdout.splitlines()
    assert values == "1024 degrees"
    for pid in pids.split():
        assert_ended(pid)


def test_what_runs_already_is_used_again():
    result = run(
        """
        from adsupport.simulated import simulated_hardware
        (first,) = simulated_hardware("gp")
        import epics
        (second,) = simulated_hardware("gp")
        print(first is second, first.pid)
        """
    )
    assert result.returncode == 0, result.stderr
    same, pid = result.stdout.split()
    assert same == "True"
    assert_ended(pid)


def test_too_late_is_refused():
    result = run(
        """
        import epics
        from adsupport.simulated import simulated_hardware
        simulated_hardware("gp")
        """
    )
    assert result.returncode == 1
    assert "came too late: epics has been imported" in result.stderr
    assert "move it up" in result.stderr


def test_an_exception_in_the_program_leaves_no_process():
    result = run(
        """
        from adsupport.simulated import simulated_hardware
        print(simulated_hardware("gp")[0].pid, flush=True)
        raise RuntimeError("my own mistake")
        """
    )
    assert result.returncode == 1
    assert_ended(result.stdout.strip())


def test_one_directory_under_two_names(tmp_path: Path):
    ioc, workstation = simulated_mounts(tmp_path / "data")
    (ioc / "file").write_text("here")
    assert (workstation / "file").read_text() == "here"
    assert ioc != workstation
    assert simulated_mounts(tmp_path / "data") == (ioc, workstation)
    assert os.readlink(workstation) == "ioc"  # so that the directory can be moved
