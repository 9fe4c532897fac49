"""How faults are asked for: what goes wrong is said in the test, or on the terminal."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import time

import pytest

from adsupport.errors import FaultError, IOCError
from adsupport.launch import IOCProcess, boot_file, free_port

REFUSED = [
    ("disc-full", "HDF1", {}, "no fault 'disc-full'. Did you mean 'disk-full'"),
    ("disk-full", None, {}, "disk-full needs a file plugin"),
    ("disk-full", "HDF9", {}, "no file plugin 'HDF9'. This IOC has: .*HDF1"),
    ("disk-full", "cam1", {}, "no file plugin 'cam1'"),
    ("slow-plugin", "cam1", {}, "no plugin 'cam1'. This IOC has: .*image1"),
    ("camera-stalls", "HDF1", {}, "no camera 'HDF1'. This IOC has: cam1"),
    ("latency", "HDF1", {}, "latency has no target, found 'HDF1'"),
    ("disk-full", "HDF1", {"aftr": 3}, "no parameter aftr. Expected: disk-full .*after=0"),
    ("disk-full", "HDF1", {"after": -1}, "after must be int of at least 0, not -1"),
    ("disk-full", "HDF1", {"after": 1.5}, "after must be int"),
    ("permission-lost", "HDF1", {"at": "home"}, "at must be 'both' or 'open' or 'write'"),
    ("latency", None, {"seconds": float("nan")}, "seconds must be float of at least 0"),
    ("drop-monitors", "cam1:ArayCounter_RBV", {}, "matches.*Near it: .*cam1:ArrayCounter_RBV"),
    ("drop-monitors", "cam1:Gain.NOPE", {}, "No PV of this IOC matches"),
]


@pytest.mark.parametrize(("name", "target", "parameters", "message"), REFUSED)
def test_what_can_not_be_is_refused_with_what_there_is(
    adsim: IOCProcess, name: str, target: str | None, parameters: dict, message: str
) -> None:
    with pytest.raises(FaultError, match=message):
        adsim.fault(name, target, **parameters)
    assert not adsim.has_faults


@pytest.mark.parametrize("target", ["HDF1", "HDF1:", "FileHDF1", "{}HDF1:"])
def test_a_port_may_be_named_in_any_way(adsim: IOCProcess, target: str) -> None:
    with adsim.fault("disk-full", target.format(adsim.prefix), after=10**6):
        assert adsim.has_faults
    assert not adsim.has_faults


def test_an_ioc_without_such_ports_says_so(gp: IOCProcess) -> None:
    with pytest.raises(FaultError, match="This IOC has: no camera"):
        gp.fault("camera-stalls", "cam1")


def test_all_faults_end_at_once(adsim: IOCProcess, caget) -> None:
    adsim.fault("latency", seconds=0.01)
    fault = adsim.fault("drop-monitors", "cam1:Gain")
    adsim.faults_end()
    assert not adsim.has_faults
    fault.end()  # once more is harmless


def test_left_for_the_plugin_to_end(adsim: IOCProcess) -> None:
    adsim.fault("latency", seconds=0.01)
    assert adsim.has_faults


def test_was_ended_by_the_plugin(adsim: IOCProcess) -> None:
    assert not adsim.has_faults


def test_an_ioc_that_does_not_run_can_have_no_fault() -> None:
    with pytest.raises(IOCError, match="not running: start"):
        IOCProcess("gp", "none:").fault("latency")


def run_boot_file(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(boot_file("gp")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def test_a_fault_that_can_not_be_ends_the_start() -> None:
    ended = run_boot_file("--fault", "disk-full HDF1")
    assert ended.returncode == 2
    assert ended.stderr == "gp: There is no file plugin 'HDF1'. This IOC has: no file plugin.\n"
    assert ended.stdout == ""


def test_every_line_gets_an_answer() -> None:
    """A line that is no request at all, too; and blanks in between."""
    requests = ["nonsense", '["list"]', '{"request": 5, "begin": "latency"}', "", '{"request": 6}']
    with IOCProcess("gp", "lines:", free_port()) as ioc:
        process = ioc._process
        heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        ioc._conversation.hear = heard.put  # type: ignore[union-attr,method-assign]
        process.stdin.write("\n".join(requests) + "\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        answers = [json.loads(heard.get(timeout=20)) for _ in range(4)]
    assert [answer["request"] for answer in answers] == [None, None, 5, 6]
    assert "JSON object" in answers[0]["error"]
    assert answers[2] == {"request": 5, "fault": 1}
    assert "'begin' or 'end'" in answers[3]["error"]


def test_faults_of_the_command_line_begin_with_the_ioc(adsupport_ioc_factory, caput) -> None:
    late = ["--fault", "delay-completion userCalc1.A seconds=0.2"]
    later = ["--fault", "delay-completion userCalc?.A seconds=0.2"]
    with adsupport_ioc_factory("gp", args=late + later) as ioc:
        assert caput(f"{ioc.prefix}userCalc1.A", 1.0) >= 0.4, "both"
        ioc.faults_end()
        assert caput(f"{ioc.prefix}userCalc1.A", 1.0) < 0.2


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("slow-plugin image1", marks=pytest.mark.slow),
        "slow-disk HDF1 seconds=60",
        pytest.param("camera-stalls cam1 after=2", marks=pytest.mark.slow),
    ],
)
def test_an_ioc_ends_at_once_whatever_its_faults_hold_up(
    adsupport_ioc_factory, caput, watch, fault: str
) -> None:
    with adsupport_ioc_factory("adsim", args=["--fault", fault]) as ioc:
        process = ioc._process
        for name in ("image1", "HDF1"):
            caput(f"{ioc.prefix}{name}:EnableCallbacks", 1)
        with watch(f"{ioc.prefix}cam1:", "NumImagesCounter_RBV") as seen:
            caput(f"{ioc.prefix}cam1:Acquire", 1, wait=False)
            seen.wait_for("NumImagesCounter_RBV", 2)
        begun = time.monotonic()
        ioc.stop()
        assert time.monotonic() - begun < 8
        assert process.returncode == 0
