"""Scans that go down, along y, over regions of different sizes, or twice through an energy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adsupport import nxstxm

from .stxm_checks import check_file, exactly, opened, same
from .stxm_metadata import metadata
from .stxm_runs import runs
from .stxm_scan import StxmScan


class Downwards(StxmScan):
    """The fast axis goes to lower positions."""

    def x_setpoints(self, region: int = 0) -> np.ndarray:
        return super().x_setpoints(region)[::-1]


class AlongY(StxmScan):
    """x stands still along a line."""

    def x_setpoints(self, region: int = 0) -> np.ndarray:
        return np.full(self.nx, 7.0)


DESCENDING = (711.0, 705.0, 700.0)
TWICE = (700.0, 700.0, 701.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "scan",
    [
        Downwards(6, snaking=True, jitter=0.05),
        Downwards(9, snaking=True, jitter=0.05),
        Downwards(3, snaking=True),
        AlongY(5, snaking=True, energies=DESCENDING),
        AlongY(2, snaking=True, jitter=0.05),
        StxmScan(9, nx=40, snaking=True, jitter=0.9),  # more than a step
        StxmScan(9, nx=4, jitter=0.9),
        StxmScan(7, energies=DESCENDING),
        StxmScan(7, energies=TWICE),
        StxmScan(4, regions=(3, 1), energies=TWICE),
        StxmScan(7, energy="baseline", ring="baseline", baseline_in="first", energies=DESCENDING),
        StxmScan(8, per_line=True),
    ],
    ids=lambda scan: f"{type(scan).__name__}-{scan.scan_type}",
)
def test_values_are_in_place(scan: StxmScan, tmp_path: Path) -> None:
    sent = dict(enumerate(runs(scan)))
    for documents in sent.values():
        nxstxm.export(documents, tmp_path, "C1", "stxm-0000")
    check_file(nxstxm.finish_export(tmp_path, "C1").path, scan, sent)


def test_regions_of_different_sizes(tmp_path: Path) -> None:
    large = StxmScan(7, nx=5, ny=3, energies=(700.0, 705.0), regions=(2, 5))
    small = replace(large, nx=3, ny=4)
    several = zip(large.indexes(), runs(large), runs(small), strict=True)
    for index, of_large, of_small in several:
        documents = of_small if index["region"] else of_large
        told: dict[str, Any] = metadata(large, **index)
        told["rois"]["5"] = metadata(small, **index)["rois"]["5"]
        documents[0][1]["metadata"] = json.dumps(told)
        nxstxm.export(documents, tmp_path, "C1", "stxm-0000")
    energies = np.arange(2)[:, None, None]
    with opened(nxstxm.finish_export(tmp_path, "C1").path) as file:
        for region, scan in enumerate((large, small)):
            group = file[f"entry{region}/counter0"]
            place = np.ogrid[: scan.ny, : scan.nx]
            exactly(group["data"], scan.value(0, *place, e=energies, region=region), "grid")
            same(group["sample_x"], scan.x_setpoints(region), "sample_x")
            same(group["sample_y"], scan.y_setpoints(region), "sample_y")
