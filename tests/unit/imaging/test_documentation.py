"""The page on the imaging beamline names what is there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from adsupport.launch import boot_file

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "imaging-beamline.md"


def test_every_pv_of_the_page_exists_and_every_model_pv_is_on_it():
    ioc = runpy.run_path(str(boot_file("imaging_beamline")))["make"]("im:")
    named = set(re.findall(r"im:[\w:]*\w", PAGE.read_text(encoding="utf-8")))
    assert {name for name in named if not name.endswith(("HDF1", "image1", "Pva1", "cam1"))} <= {
        *ioc.database
    }
    own = {name for name in ioc.database if re.match(r"im:(shutter|tube|scene):", name)}
    assert own <= named
