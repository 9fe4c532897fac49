"""Time per point and around the points of ``count`` with one frame a point, to HDF5."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py

from adsupport.launch import IOCProcess, client_environment

_PROGRAM = Path(__file__).with_name("counting.py")

CONTESTANTS = ("adsupport", "apstools", "ophyd_async")


# What one contestant leaves behind and another would have to live with: as in a new IOC.
_DEFAULTS = {
    "cam1:WaitForPlugins": "No",
    "cam1:ImageMode": "Continuous",
    "HDF1:EnableCallbacks": "Disable",
    "HDF1:LazyOpen": "No",
    "HDF1:SWMRMode": "Off",
    "HDF1:FileWriteMode": "Single",
    "HDF1:NumCapture": 1,
}
_PUT = """
import sys
import epicscorelibs.path.pyepics, epics
for name, value in zip(sys.argv[1::2], sys.argv[2::2]):
    assert epics.caput(name, value, wait=True, timeout=30) == 1, name
"""


@dataclass(frozen=True)
class Counting:
    """Medians of one contestant's runs, in seconds.

    Attributes
    ----------
    point
        From event to event.
    stage
        From the call of the RunEngine to the first event, without the time of a point.
    unstage
        From the last event to the end of the run; not a number if no run came to its end.
    failures
        How many runs failed.
    """

    point: float
    stage: float
    unstage: float
    failures: int


def measure(python: Path, directory: Path, points: int, turns: int) -> dict[str, Counting]:
    """Let the contestants count in turn against one IOC, each time in a new process.

    Parameters
    ----------
    python
        Interpreter that has apstools and ophyd-async.
    directory
        Where the files go; they are removed.
    points
        Points of a run.
    turns
        How often each contestant counts three runs, of which the first doesn't count.
    """
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    failures = dict.fromkeys(CONTESTANTS, 0)
    with IOCProcess("adsim", "ad:") as ioc:
        environment = os.environ | client_environment(ioc.port)
        for _ in range(turns):
            for name in CONTESTANTS:
                interpreter = sys.executable if name == "adsupport" else str(python)
                answer = _count(name, interpreter, environment, ioc.prefix, directory, points)
                found[name] += answer["runs"][1:] or answer["runs"]
                failures[name] += answer["failures"]
    return {
        name: Counting(
            point=statistics.median(run["point"] for run in runs),
            stage=statistics.median(run["stage"] for run in runs),
            unstage=_median([run["unstage"] for run in runs if "unstage" in run]),
            failures=failures[name],
        )
        for name, runs in found.items()
    }


def _count(
    name: str, python: str, environment: dict[str, str], prefix: str, directory: Path, points: int
) -> dict:
    settings = [text for pv, value in _DEFAULTS.items() for text in (prefix + pv, str(value))]
    subprocess.run([sys.executable, "-c", _PUT, *settings], env=environment, check=True)
    command = [python, str(_PROGRAM), name, prefix, f"{directory}/", "--points", str(points)]
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{result.stderr}")
    answer = json.loads(result.stdout.splitlines()[-1])
    frames = sorted(_frames_in_and_remove(path) for path in directory.glob("*.h5"))
    whole = [count for count in frames if count == points]
    if len(whole) < len(answer["runs"]):
        raise RuntimeError(
            f"{name}: {len(answer['runs'])} runs of {points} points, files: {frames}"
        )
    return answer


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else math.nan


def _frames_in_and_remove(path: Path) -> int:
    with h5py.File(path) as file:
        frames = file["/entry/data/data"].shape[0]
    path.unlink()
    return frames
