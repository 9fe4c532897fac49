"""How an IOC's process ends."""

from __future__ import annotations

import os
import signal
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
        "PYTHONPATH": str(ROOT),
    }


@pytest.mark.parametrize("ending", ENDINGS)
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
