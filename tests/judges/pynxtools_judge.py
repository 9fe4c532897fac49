"""What pynxtools says of an NXstxm file: the strictest judge, in an environment of its own.

``ADSUPPORT_PYNXTOOLS`` is the path of its program ``validate_nexus``.  The program of version 0.16
fails with a TypeError on a ``definition`` of length one, which readers need; so the function that
it calls is called here, with the definition's name.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

__all__ = ["VARIABLE", "judge", "needs_pynxtools"]

VARIABLE = "ADSUPPORT_PYNXTOOLS"
TIMEOUT = 100

needs_pynxtools = pytest.mark.skipif(
    not os.environ.get(VARIABLE),
    reason=f"{VARIABLE} isn't set: the path of pynxtools' validate_nexus, where it's installed",
)

_PROGRAM = """
import json, logging, sys
import h5py
from pynxtools.dataconverter.validation import validate_hdf_group_against

class Listener(logging.Handler):
    def emit(self, record):
        if record.levelno >= logging.WARNING:
            said.append(record.getMessage())

logger = logging.getLogger("pynxtools")
logger.handlers[:] = [Listener()]
logger.propagate = False
found = {}
for path in sys.argv[1:]:
    found[path] = said = []
    with h5py.File(path) as file:
        for name, entry in file.items():
            if not validate_hdf_group_against("NXstxm", entry, path) and not said:
                said.append(f"{name} isn't valid")
json.dump(found, sys.stdout)
"""


def judge(*paths: Path | str) -> dict[str, list[str]]:
    """Get pynxtools' complaints of each file, by its path."""
    python = Path(os.environ[VARIABLE]).parent / "python"
    done = subprocess.run(
        [python, "-c", _PROGRAM, *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pynxtools failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
