"""What an experiment adds to the moves and frames of a tomogram, and a slow consumer to it.

``python -m tests.bench --only imaging`` prints the figures.  The plans take turns in one process,
against one IOC of the imaging beamline.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from adsupport.launch import IOCProcess, client_environment

#: Longest time for all turns, in seconds.
_LIMIT = 900.0
_ROOT = Path(__file__).parents[2]


def measure(directory: Path, projections: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Take turns, after one that doesn't count.

    Parameters
    ----------
    directory
        Where the files go.
    projections
        Of a tomogram, with 5 darks and 5 flats.
    rounds
        How often each plan takes one.

    Returns
    -------
    dict
        For ``"bare"``, a plan of the same moves and frames, ``"ours"``, and ``"with a consumer"``
        of 0.1 s a frame: of each round the seconds of the ``"whole"`` run, until all ``"frames"``
        were taken, and of ``"processor"`` time of this program until then.
    """
    with IOCProcess("imaging_beamline", "im:") as ioc:
        environment = os.environ | client_environment(ioc.port) | {"PYTHONPATH": str(_ROOT)}
        options = ["--projections", str(projections), "--rounds", str(rounds)]
        answer = subprocess.run(
            [sys.executable, "-m", "tests.bench.imaging_once", ioc.prefix, f"{directory}/",
             *options],
            env=environment, timeout=_LIMIT, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    return json.loads(answer.stdout.splitlines()[-1])


def paired(found: dict[str, list[dict[str, float]]], name: str, other: str, what: str) -> float:
    """Tell how many times longer one plan takes than another one.

    Parameters
    ----------
    found
        See :func:`measure`.
    name, other
        The plans.
    what
        Which of the times.

    Returns
    -------
    float
        Median of the ratios of each round: what else the computer does changes both alike.
    """
    rounds = zip(found[name], found[other], strict=True)
    return statistics.median(one[what] / two[what] for one, two in rounds)
