"""The example of a startup's tests, in a copy outside of the repository, as users have it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "15_test_your_startup"
INSTALLED = any(each.value == "adsupport.testing" for each in entry_points(group="pytest11"))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([], id="alone"),
        pytest.param(["-n", "2", "--dist", "load"], id="workers", marks=pytest.mark.slow),
    ],
)
def test_the_tests_of_a_startup(tmp_path: Path, options: list[str]) -> None:
    copy = tmp_path / "beamline"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    load = [] if INSTALLED else ["-p", "adsupport.testing"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("EPICS_", "PYTEST_"))}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *load, *options],
        cwd=copy,
        env=kept | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "3 passed" in ended.stdout
    assert "warning" not in ended.stdout


def test_its_conftest_has_five_lines() -> None:
    assert len((EXAMPLE / "conftest.py").read_text().splitlines()) == 5
