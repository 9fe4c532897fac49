"""How an IOC's process ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adsupport.launch import boot_file, free_port

ROOT = Path(__file__).parents[2]

ENDINGS: dict[str, Callable[[subprocess.Popen], None]] = {
    "SIGINT": lambda ioc: ioc.send_signal(signal.SIGINT),
    "SIGTERM": lambda ioc: ioc.send_signal(signal.SIGTERM),
    "its parent died": lambda ioc: ioc.stdin.close(),
}


def environment(port: int) -> dict[str, str]:
    return os.environ | {
        "EPICS_CA_SERVER_PORT": str(port),
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        # pvAccess would take 5075, and tell of it when another IOC has it
        "EPICS_PVAS_SERVER_PORT": str(free_port()),
        "PYTHONPATH": str(ROOT),
    }


@pytest.mark.parametrize(
    "ending",
    ["SIGINT", pytest.param("SIGTERM", marks=pytest.mark.slow), "its parent died"],
)
def test_an_ioc_ends_cleanly(ending):
    command = [sys.executable, str(boot_file("adsim")), "--prefix", "end:", "--watch-stdin"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment(free_port()), **pipes) as ioc:
        try:
            assert ioc.stdout.readline().startswith("IOC ready: adsim prefix=end: 127.0.0.1:")
            ENDINGS[ending](ioc)
            assert ioc.wait(10) == 0
            assert ioc.stderr.read() == ""
        finally:
            ioc.kill()


def test_an_ioc_whose_port_is_taken_says_so(gp):
    command = [sys.executable, str(boot_file("adsim")), "--prefix", "end:"]
    ended = subprocess.run(
        command, env=environment(gp.port), capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert ended.stdout == "", "it is not ready"
    assert f"adsim: port {gp.port} on 127.0.0.1 is taken" in ended.stderr
    assert "--port, or EPICS_CA_SERVER_PORT" in ended.stderr


def listening(port: int) -> socket.socket:
    """Hold a TCP port that is no IOC's."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", port))
    holder.listen()
    return holder


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("EPICS_CAS_INTF_ADDR_LIST", "192.0.2.1", "interfaces of this computer"),
        ("EPICS_CA_SERVER_PORT", "abc", "EPICS_CA_SERVER_PORT"),
    ],
)
def test_a_place_that_can_not_be_served_is_named_without_a_traceback(variable, value, words):
    ended = subprocess.run(
        [sys.executable, str(boot_file("gp"))],
        env=environment(free_port()) | {variable: value},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("gp: ")
    assert value in ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_that_another_program_holds_is_named():
    port = free_port()
    with listening(port):
        ended = subprocess.run(
            [sys.executable, str(boot_file("gp"))],
            env=environment(port),
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert ended.returncode == 1
    assert str(port) in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr
