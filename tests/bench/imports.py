"""Time to import modules, each time in a fresh interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys

_CODE = """
import time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""


def measure(*modules: str, repeat: int) -> list[float]:
    """Return the median time of each import, s; the interpreters take turns."""
    times: dict[str, list[float]] = {module: [] for module in modules}
    for _ in range(repeat + 1):
        for module in modules:
            times[module].append(_import_time(module))
    return [statistics.median(values[1:]) for values in times.values()]  # the first warms the disk


def _import_time(module: str) -> float:
    command = [sys.executable, "-c", _CODE.format(module=module)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
