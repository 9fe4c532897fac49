"""Documents that no program should write do no harm, and errors are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adsupport import nxstxm
from adsupport.errors import DocumentError, OutputError, StxmDataError

from .slow_params import mostly_slow
from .stxm_checks import check_file, opened, same
from .stxm_runs import Documents, runs
from .stxm_scan import StxmScan
from .test_readings import finished, keys, primary


def untold_energies(documents: Documents) -> None:
    """Let nothing in the metadata say how many energies there are."""
    told = json.loads(documents[0][1]["metadata"])
    told["wdg_com"] = "{}"
    for roi in told["rois"].values():
        roi.pop("EV_ROIS", None)
    documents[0][1]["metadata"] = json.dumps(told)


@pytest.mark.parametrize(
    "hints",
    mostly_slow(
        ["counter0", [1], {"a": "b"}, {"a": {"fields": 5}}, {"a": {"fields": [["counter0"]]}}],
        quick=[{"a": {"fields": 5}}],
    ),
)
def test_hints_of_any_kind(hints: Any, tmp_path: Path) -> None:
    scan = StxmScan(6)
    (documents,) = runs(scan)
    next(doc for _, doc in documents if doc.get("name") == "primary")["hints"] = hints
    try:
        nxstxm.export(documents, tmp_path, "C1")
    except DocumentError as error:
        assert "hints" in str(error)
    check_file(nxstxm.finish_export(tmp_path, "C1").path, scan, {0: documents})


@pytest.mark.parametrize(
    "counts", mostly_slow(["15", [3], {"primary": "3"}, {"primary": None}, 3], quick=["15"])
)
def test_numbers_of_events_of_any_kind(counts: Any, tmp_path: Path) -> None:
    scan = StxmScan(6)
    (documents,) = runs(scan)
    documents[-1][1]["num_events"] = counts
    check_file(finished(tmp_path, documents).path, scan, {0: documents})


def test_an_event_with_a_number_that_no_scan_has(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(5, energies=(700.0, 701.0)))
    untold_energies(documents)
    primary(documents)[-1]["seq_num"] = 10**12
    with pytest.raises(StxmDataError, match="2 events, numbered up to 1000000000000"):
        nxstxm.export(documents, tmp_path, "C1")
    assert list(tmp_path.iterdir()) == []


def test_an_energy_that_no_disk_has_room_for(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(7))
    untold_energies(documents)
    told = json.loads(documents[0][1]["metadata"])
    told["img_idx_map"] = json.dumps(json.loads(told["img_idx_map"]) | {"e_idx": 10**15})
    documents[0][1]["metadata"] = json.dumps(told)
    nxstxm.export(documents, tmp_path, "C1")
    with pytest.raises(OutputError, match="bytes more"):
        nxstxm.finish_export(tmp_path, "C1", allow_partial=True)
    assert [each.suffix for each in tmp_path.iterdir()] == [".tmp"]


def test_positions_with_an_array_for_each_point(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6, per_line=False, jitter=0.05))
    keys(documents)["SampleFineX"] |= {"dtype": "array", "shape": [2]}
    for doc in primary(documents):
        doc["data"]["SampleFineX"] = [1.0, 2.0]
    with opened(finished(tmp_path, documents).path) as file:
        same(file["entry0/counter0/sample_x"], StxmScan(6).x_setpoints(), "set-points")
        assert file["entry0/instrument/SampleFineX/data"].shape == (15, 2)
