"""Time from an unprimed HDF5 plugin to a primed one, on an IOC that has just been started."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from adsupport.launch import IOCProcess, client_environment

_PROGRAM = Path(__file__).with_name("prime_once.py")


def measure(package: str, python: Path | None, repeat: int) -> float:
    """Return the median time to primed, s.

    Parameters
    ----------
    package
        ``"adsupport"`` or ``"apstools"``: both have the names that are used.
    python
        Interpreter that has the package; default: this one.
    repeat
        How often; each time with a new IOC and a new client.
    """
    return statistics.median(_measure_once(package, python) for _ in range(repeat))


def _measure_once(package: str, python: Path | None) -> float:
    with IOCProcess("adsim", "ad:") as ioc:
        environment = os.environ | client_environment(ioc.port)
        command = [str(python or sys.executable), str(_PROGRAM), package, ioc.prefix]
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{result.stderr}")
    answer = json.loads(result.stdout.splitlines()[-1])
    if answer["before"] or not answer["after"]:
        raise RuntimeError(f"{package}: primed before and after: {answer}")
    return answer["seconds"]
