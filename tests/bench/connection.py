"""Time to connect every signal of a camera, an HDF5 writer and an image plugin."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adsupport.launch import IOCProcess, client_environment

_PROGRAM = Path(__file__).with_name("connection_once.py")


@dataclass(frozen=True)
class Connection:
    """Medians, in seconds, all against one IOC.

    Attributes
    ----------
    adsupport
        ``wait_for_connection(all_signals=True)`` of ``ad_creator``'s detector.
    ophyd
        The same of ophyd's own classes.
    pyepics
        ``epics.PV`` of the channels that adsupport's detector has, until all are connected.
    ophyd_async
        ``connect()`` of the simulated detector with HDF5 writer; it has fewer signals.
    channels
        How many channels adsupport's detector and the bare ones have.
    """

    adsupport: float
    ophyd: float
    pyepics: float
    ophyd_async: float
    channels: int


def measure(python: Path, repeat: int) -> Connection:
    """Let the contestants connect in turn, each time in a new process.

    Parameters
    ----------
    python
        Interpreter that has ophyd-async; it runs stock ophyd and bare pyepics too.
    repeat
        How often each; stock ophyd, which takes long, only once.
    """
    with IOCProcess("adsim", "ad:") as ioc:
        environment = os.environ | client_environment(ioc.port)
        # the first client after a start pays for what the server makes once
        names = _connect("adsupport", sys.executable, environment, ioc.prefix)["names"]
        times: dict[str, list[float]] = {}
        for turn in range(repeat):
            for contestant, interpreter in (
                ("adsupport", sys.executable),
                ("pyepics", python),
                ("ophyd-async", python),
                ("ophyd", python),
            ):
                if contestant != "ophyd" or turn == 0:
                    answer = _connect(contestant, interpreter, environment, ioc.prefix, names)
                    times.setdefault(contestant, []).append(answer["seconds"])
    median = {contestant: statistics.median(each) for contestant, each in times.items()}
    return Connection(
        adsupport=median["adsupport"],
        ophyd=median["ophyd"],
        pyepics=median["pyepics"],
        ophyd_async=median["ophyd-async"],
        channels=len(names),
    )


def _connect(
    contestant: str,
    python: str | Path,
    environment: dict[str, str],
    prefix: str,
    names: list[str] | None = None,
) -> dict[str, Any]:
    command = [str(python), str(_PROGRAM), contestant, prefix]
    result = subprocess.run(
        command,
        input=json.dumps(names),
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{result.stderr}")
    return json.loads(result.stdout.splitlines()[-1])
