"""Time per point and around the points of ``count`` with one frame a point, to HDF5."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from adsupport.launch import IOCProcess, client_environment

_PROGRAM = Path(__file__).with_name("counting.py")

#: Longest time for one contestant's turn, in seconds: on an idle machine it takes 8.
_LIMIT = 40.0

CONTESTANTS = ("adsupport", "apstools", "ophyd_async")

#: What no contestant can go below: bluesky's own work and a put of Acquire, without any file.
LEAST = "bare"


# What one contestant leaves behind and another would have to live with: as in a new IOC.
_DEFAULTS = {
    "cam1:Acquire": 0,
    "HDF1:Capture": 0,
    "cam1:WaitForPlugins": "No",
    "cam1:ImageMode": "Continuous",
    "HDF1:EnableCallbacks": "Disable",
    "HDF1:LazyOpen": "No",
    "HDF1:SWMRMode": "Off",
    "HDF1:FileWriteMode": "Single",
    "HDF1:NumCapture": 1,
    # 64 KiB a frame: to write a MiB takes the disk longer than all else, whoever asks for it
    "cam1:SizeX": 256,
    "cam1:SizeY": 256,
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
    runs
        How many runs there were, with those that don't count.
    failures
        How many of them failed, or left a file without all frames.
    """

    point: float
    stage: float
    unstage: float
    runs: int
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

    Returns
    -------
    dict
        By contestant, and :data:`LEAST`; not numbers for one that never came to the points that
        are needed.
    """
    names = (*CONTESTANTS, LEAST)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    runs = dict.fromkeys(names, 0)
    failures = dict.fromkeys(names, 0)
    with IOCProcess("adsim", "ad:") as ioc:
        environment = os.environ | client_environment(ioc.port)
        for _ in range(turns):
            for name in names:
                interpreter = sys.executable if name in ("adsupport", LEAST) else str(python)
                answer = _count(name, interpreter, environment, ioc.prefix, directory, points)
                found[name] += answer["runs"][1:] or answer["runs"]
                runs[name] += answer["tried"]
                failures[name] += answer["failures"]
    return {
        name: Counting(
            point=_median([run["point"] for run in counted]),
            stage=_median([run["stage"] for run in counted]),
            unstage=_median([run["unstage"] for run in counted if "unstage" in run]),
            runs=runs[name],
            failures=failures[name],
        )
        for name, counted in found.items()
    }


def _count(
    name: str, python: str, environment: dict[str, str], prefix: str, directory: Path, points: int
) -> dict:
    settings = [text for pv, value in _DEFAULTS.items() for text in (prefix + pv, str(value))]
    subprocess.run([sys.executable, "-c", _PUT, *settings], env=environment, check=True)
    command = [python, str(_PROGRAM), name, prefix, f"{directory}/", "--points", str(points)]
    # into files: what has been said until then counts when time is up
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complaints:
        streams: dict[str, Any] = {"stdout": said, "stderr": complaints}
        try:
            code = subprocess.run(
                command, env=environment, timeout=_LIMIT, check=False, **streams
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
        for stream in streams.values():
            stream.seek(0)
        lines = [line for line in said if line.startswith("{")]
        answer = json.loads(lines[-1]) if lines else {"runs": [], "tried": 0, "failures": 0}
        if code is None:
            print(f"{name}: stopped after {_LIMIT:g} s", file=sys.stderr, flush=True)
        elif code != 0:
            answer["tried"] += 1
            answer["failures"] += 1
        if answer["failures"]:
            print(f"{name}:\n{complaints.read()[-1000:]}", file=sys.stderr, flush=True)
    frames = sorted(_frames_in_and_remove(path) for path in directory.glob("*.h5"))
    # a run that ended without an error, but not with all its frames, has failed as well
    whole = answer["tried"] - answer["failures"] if name != LEAST else 0
    answer["failures"] += max(0, whole - frames.count(points))
    return answer


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else math.nan


def _frames_in_and_remove(path: Path) -> int:
    """Count the frames of a file; none in one that a failed run has left open or damaged."""
    try:
        with h5py.File(path) as file:
            return file["/entry/data/data"].shape[0]
    except (OSError, KeyError):
        return 0
    finally:
        path.unlink()
