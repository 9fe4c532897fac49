"""What a file's maker is told of its data."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import pytest

from adsupport import nxstxm

from .stxm_checks import opened, text
from .stxm_runs import Documents, cut, runs
from .stxm_scan import StxmScan
from .test_readings import finished, keys, primary

SLOW = functools.partial(pytest.param, marks=pytest.mark.slow)


def test_a_run_that_was_ended_early_is_told(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6, nx=5, ny=3))
    done = finished(tmp_path, cut(documents, 2))
    (remark,) = done.remarks
    assert "stxm-0000 (abort) hasn't all of its 15 points: NaN" in remark
    assert done.missing == ()


def test_a_whole_run_needs_no_remark(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6))
    assert finished(tmp_path, documents).remarks == ()


@pytest.mark.parametrize(
    ("units", "in_file", "factor"),
    [
        ("mm", "um", 1000), ("Micron", "um", 1), ("µm", "um", 1), ("", "um", 1),
        ("mrad", "mrad", 1), ("furlongs", "", 1),
    ],
)  # fmt: skip
def test_a_generic_scan_of_anything(
    tmp_path: Path, units: str, in_file: str, factor: float
) -> None:
    (documents,) = runs(StxmScan(8))
    keys(documents)["GoniX"]["units"] = units
    told = [doc["data"]["GoniX"] for doc in primary(documents)]
    with opened(finished(tmp_path, documents).path) as file:
        axis = file["entry0/counter0/gonix"]
        assert text(axis.attrs["units"]) == in_file
        np.testing.assert_allclose(axis[()], np.array(told) * factor)


def test_live_runs_that_are_still_to_come_are_told(tmp_path: Path) -> None:
    writer = nxstxm.NXstxmWriter(tmp_path, "C1")
    sent = runs(StxmScan(7, energies=(700.0, 701.0), regions=(1,), polarizations=((0, 0, 0),)))
    for name, doc in sent[0]:
        writer.receiver(name, doc)
    (result,) = writer.wait_writer(timeout=10)
    assert any("Still to come of this scan: 1 run;" in each for each in result.remarks)


def without(documents: Documents, *data_keys: str, but: str | None = None) -> None:
    """Take data keys away from all streams, or give the one another name and source."""
    for _, doc in documents:
        for found in (doc.get("data_keys"), doc.get("data"), doc.get("timestamps")):
            for key in data_keys:
                value = found.pop(key, None) if found else None
                if found and but and value is not None:
                    found[but] = {**value, "source": ""} if isinstance(value, dict) else value


def test_what_nobody_knows_is_told(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(1, energy=None))
    without(documents, "SampleX", "StorageRingCurrent")
    told = json.loads(documents[0][1]["metadata"])
    told["wdg_com"] = "{}"
    del told["rois"]["0"]["EV_ROIS"]
    documents[0][1]["metadata"] = json.dumps(told)
    done = finished(tmp_path, documents)
    assert [each.split(" isn't known")[0] for each in done.remarks] == [
        "Run stxm-0000: sample_x", "Run stxm-0000: energy", "Run stxm-0000: control"
    ]  # fmt: skip
    with opened(done.path) as file:
        assert np.isnan(file["entry0/counter0/energy"][()]).all()


def test_positions_that_are_no_lengths_are_told(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6))
    keys(documents)["SampleFineX"]["units"] = "steps"
    (remark,) = finished(tmp_path, documents).remarks
    assert "the positions of 'SampleFineX' are in 'steps'" in remark


@pytest.mark.parametrize("kind", [0, 8])
def test_the_sample_may_be_found_by_the_name_of_its_field(kind: int, tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(kind))
    without(documents, "SampleX", but="sample_x")
    done = finished(tmp_path, documents)
    assert done.remarks == ()
    with opened(done.path) as file:
        np.testing.assert_array_equal(file["entry0/counter0/sample_x"], [3.5])


@pytest.mark.parametrize("mistake", ["exchanged", "mm"])
@pytest.mark.parametrize("snaking", [False, True])
@pytest.mark.parametrize("size", [(7, 4), SLOW((6, 5)), SLOW((3, 8))])
def test_a_wrong_grid_is_told(
    mistake: str, snaking: bool, size: tuple[int, int], tmp_path: Path
) -> None:
    nx, ny = size
    (documents,) = runs(StxmScan(6, nx=nx, ny=ny, snaking=snaking, per_line=False))
    start = documents[0][1]
    told = json.loads(start["metadata"])
    said = {name: told["rois"]["0"][name] for name in "XY"}
    for name, roi in said.items():
        other = said["Y" if name == "X" else "X"]
        told["rois"]["0"][name] = (
            {**roi, "NPOINTS": other["NPOINTS"], "SETPOINTS": other["SETPOINTS"]}
            if mistake == "exchanged"
            else {**roi, "SETPOINTS": [each / 1000 for each in roi["SETPOINTS"]]}
        )
    start["metadata"] = json.dumps(told)
    (remark,) = finished(tmp_path, documents).remarks
    assert "'SampleFineX' along lines aren't near the set-points" in remark


@pytest.mark.parametrize("snaking", [False, True])
@pytest.mark.parametrize("kind", [5, 6, SLOW(1), SLOW(3)])
def test_a_right_grid_that_jitters_needs_no_remark(
    kind: int, snaking: bool, tmp_path: Path
) -> None:
    (documents,) = runs(StxmScan(kind, nx=7, ny=4, snaking=snaking, jitter=0.2))
    assert finished(tmp_path, documents).remarks == ()
