"""What MANTiS itself reads of an NXstxm file, in a process of its own: it's under the GPL.

``ADSUPPORT_MANTIS`` is where ``pip install --no-deps --target DIRECTORY mantis-xray`` has put it.
Of that only the reader of NeXus files is run, which needs no windows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

__all__ = ["VARIABLE", "needs_mantis", "read"]

VARIABLE = "ADSUPPORT_MANTIS"
READER = Path("mantis_xray", "file_plugins", "file_nexus_hdf5.py")
TIMEOUT = 60

needs_mantis = pytest.mark.skipif(
    not os.environ.get(VARIABLE),
    reason=f"{VARIABLE} isn't set: the directory with mantis_xray, where it's installed",
)

_PROGRAM = """
import importlib.util, sys
import numpy
reader, path, target, entry, channel, normalization = sys.argv[1:]
spec = importlib.util.spec_from_file_location("reader", reader)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

class Stack:
    def fill_h5_struct_from_stk(self):
        pass

if not module.identify(path):
    sys.exit("MANTiS says that it's no NXstxm file")
stack = Stack()
module.read(path, stack, selection=(int(entry), int(channel), int(normalization)))
numpy.savez(target, data=stack.absdata, energies=stack.ev, x=stack.x_dist, y=stack.y_dist,
            dwells=stack.data_dwell)
"""


def read(
    path: Path | str, entry: int = 0, channel: int = 0, *, normalized: bool = False
) -> dict[str, np.ndarray]:
    """Read an entry's channel; ``data`` are (x, y, energy)."""
    reader = Path(os.environ[VARIABLE]) / READER
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "stack.npz"
        numbers = (str(entry), str(channel), str(int(normalized)))
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, reader, str(path), target, *numbers],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"MANTiS failed: {done.stderr[-2000:]}")
        with np.load(target) as found:
            return dict(found)
