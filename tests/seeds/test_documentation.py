"""The first steps, as README and how-to print them, do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from adsupport.launch import IOCProcess, client_environment
from adsupport.simulated import simulated_mounts

CONFTEST_AND_TEST = ("conftest.py", "test_detector.py")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/own-ioc.md"])
def test_first_python_block(page: str, adsim: IOCProcess, tmp_path: Path):
    ioc_mount, local_mount = simulated_mounts(tmp_path)
    block = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S)[0]
    code = block.replace("/mnt/ioc/data", str(local_mount)).replace('"/data', f'"{ioc_mount}')
    code = re.sub(r'ad_creator\(\s*"[^"]*"', f'ad_creator("{adsim.prefix}"', code)
    result = subprocess.run(
        [sys.executable, "-c", code + "\nprint(AD_full_file_name_local(det.hdf1))\n"],
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ | client_environment(adsim.port),
        check=False,
    )
    assert result.returncode == 0, result.stderr
    path = Path(result.stdout.splitlines()[-1])
    assert path.is_relative_to(local_mount)
    assert re.fullmatch(r"sample7_\d{4}\.h5", path.name)
    with h5py.File(path) as file:
        assert file["/entry/data/data"].shape[0] == 15


@pytest.mark.slow
def test_conftest_and_test_of_the_how_to(tmp_path: Path):
    page = (ROOT / "docs/how-to/without-hardware.md").read_text()
    for name in CONFTEST_AND_TEST:
        (block,) = re.findall(rf"```python\n# {name}\n(.*?)```", page, re.S)
        (tmp_path / name).write_text(block)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout
