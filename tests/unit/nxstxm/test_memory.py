"""A stack of many images takes no more memory than one of a few."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]

#: Prints the peaks of two stacks, in MiB.  The first one has brought in all that's needed.
_PROGRAM = """
import sys
from pathlib import Path
from adsupport import nxstxm
from tests.bench.stxm_documents import Stack, documents

for energies in map(int, sys.argv[2:]):
    stack = Stack(energies, side=256)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    for e_idx in range(energies):
        nxstxm.export(documents(stack, e_idx), sys.argv[1], f"of-{energies}", stack.first_uid)
    nxstxm.finish_export(sys.argv[1], f"of-{energies}", stack.first_uid)
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak")
def test_memory_doesnt_grow_with_the_images(tmp_path: Path) -> None:
    few, many = 24, 120
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path), str(few), str(many)]
    result = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    of_few, of_many = map(float, result.stdout.split())
    more_images = (many - few) * 256 * 256 * 8 / 2**20  # of one of the nine arrays
    assert of_many - of_few < more_images / 2
