"""The example of the live view as a user runs it, small."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .test_examples import PNG, environment_of, run_example, wait_until_none_mentions


@pytest.mark.slow
def test_example_with_its_own_hardware(tmp_path: Path):
    mark = f"ADSUPPORT_TEST={tmp_path}"
    options = ["--demo", "--projections", "36", "--out", str(tmp_path)]
    result = run_example("13_live_view", *options, **environment_of(mark))
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert re.search(r"^look at http://127\.0\.0\.1:\d+/ while it runs$", result.stdout, re.M)
    # 10 darks and flats, 36 projections: all counted, whether there was time to show them or not
    assert "camera: (256, 256), 46 taken, 0 lost" in result.stdout
    assert re.search(r"^slice z: \(256, 256\), \d+ taken$", result.stdout, re.M)
    picture = tmp_path / "live-view" / "live_view.png"
    assert picture.read_bytes().startswith(PNG)
    wait_until_none_mentions(mark)
