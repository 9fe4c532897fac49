"""The guides to imaging experiments, typed in as they stand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ("own-experiments", "run-series", "run-grating", "consume-frames")


def typed(page: str, prefix: str) -> dict[str, Any]:
    """Run all blocks of a page in one session; give its names."""
    text = (ROOT / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": page}
    for block in re.findall(r"```python\n(.*?)```", text, re.S):
        here = block.replace('"im:', f'"{prefix}').replace("projections=30", "projections=3")
        exec(compile(here, page, "exec"), names)
    return names


@pytest.mark.slow
@pytest.mark.parametrize("page", GUIDES)
def test_a_guide_does_what_it_says(
    page: str, beamline_ioc: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "examples")
    names = typed(page, beamline_ioc.prefix)
    assert names["station"].shutter.get() == 0
    if page == "own-experiments":
        assert names["good"] is True
        scans = sorted((tmp_path / "scans").iterdir())
        counted = [
            {each.name: len(list(each.glob("*.h5"))) for each in scan.iterdir() if each.is_dir()}
            for scan in scans[:3]
        ]
        assert counted == [
            {"darks": 1, "flats": 1, "radios": 1}, {"darks": 1, "flats": 1, "radios": 1},
            {"darks": 1, "radios": 3},
        ]  # fmt: skip
        assert len(list(scans[0].glob("*.h5"))) == 1  # the DX file
        told = json.loads((scans[0] / "experiment_start.json").read_text())
        settings = told["devices"]["detector_cam"]
        wanted = {"bin_x": 2, "size_size_x": 512, "size_size_y": 512, "gain": 1.0}
        assert {key: settings[f"detector_cam_{key}"]["value"] for key in wanted} == wanted
