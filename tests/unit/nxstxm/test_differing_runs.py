"""Runs of one stack that differ: in their counters, their baseline, or how far they came."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adsupport import nxstxm

from .slow_params import mostly_slow
from .stxm_checks import opened, same
from .stxm_runs import Documents, cut, runs
from .stxm_scan import StxmScan
from .test_readings import keys, primary

TWO_ENERGIES = StxmScan(7, energies=(700.0, 701.0))


def finished(directory: Path, sent: list[Documents]) -> nxstxm.FinishedStxm:
    for documents in sent:
        nxstxm.export(documents, directory, "C1", "stxm-0000")
    return nxstxm.finish_export(directory, "C1", allow_partial=True)


def later(documents: Documents, seconds: float, number: int = 9) -> Documents:
    """The same run at another time, and with another uid."""
    uid = documents[0][1]["uid"]
    found: Documents = json.loads(json.dumps(documents).replace(uid, f"stxm-{number:04d}"))
    for _, doc in found:
        doc["time"] += seconds
    return found


def test_a_counter_that_one_run_lacks_counted_nothing_there(tmp_path: Path) -> None:
    sent = runs(TWO_ENERGIES)
    del keys(sent[1])["counter1"]
    for doc in primary(sent[1]):
        del doc["data"]["counter1"], doc["timestamps"]["counter1"]
    with opened(finished(tmp_path, sent).path) as file:
        images = file["entry0/counter1/data"]
        place = np.ogrid[: TWO_ENERGIES.ny, : TWO_ENERGIES.nx]
        same(images[0], TWO_ENERGIES.value(1, *place), "image")
        assert np.isnan(images[1]).all()
        assert file["entry0/counter0/data"].dtype.kind == "i"


@pytest.mark.parametrize(
    ("first", "second", "kept"), mostly_slow([(2, 1, 2), (1, 2, 2), (2, 0, 2)], quick=[(2, 0, 2)])
)
def test_of_two_aborted_runs_that_with_more_points_is_kept(
    first: int, second: int, kept: int, tmp_path: Path
) -> None:
    (documents,) = runs(StxmScan(7))
    sent = [cut(documents, first), later(cut(documents, second), 5000)]
    done = finished(tmp_path, sent)
    with opened(done.path) as file:
        assert file["entry0/instrument/counter0/data"].shape == (kept * 5,)
    assert "(abort) is left out" in done.remarks[0]


def test_of_two_runs_with_as_many_points_the_later_is_kept(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(7))
    done = finished(tmp_path, [documents, later(documents, 5000)])
    assert "Runs stxm-0000 and stxm-0009" in done.remarks[0]


def test_a_baseline_that_came_with_a_later_run_tells_of_the_sample(tmp_path: Path) -> None:
    scan = StxmScan(7, energies=(700.0, 701.0), polarizations=((1, 0.0, 0.0),),
                    angles=(12.0,), baseline_in="first")  # fmt: skip
    first, second = runs(scan)
    sent = [second, later(first, 50_000)]
    for documents in sent:  # nothing of it was asked for
        told = json.loads(documents[0][1]["metadata"])
        told["wdg_com"] = json.dumps({"SINGLE_LST": {"EV_ROIS": scan.energies}})
        documents[0][1]["metadata"] = json.dumps(told)
    with opened(finished(tmp_path, sent).path) as file:
        sample = file["entry0/sample"]
        same(sample["rotation_angle"], [12.0], "angle")
        same(sample["beam/incident_polarization_stokes"], [[1, 0, 0, 1]], "circular right")
        same(file["entry0/instrument/epu/gap"], 31.2, "gap")


def test_units_that_change_between_runs_are_told(tmp_path: Path) -> None:
    sent = runs(TWO_ENERGIES)
    keys(sent[0])["SampleFineX"]["units"] = "mm"
    for doc in primary(sent[0]):
        doc["data"]["SampleFineX"] = [each / 1000 for each in doc["data"]["SampleFineX"]]
    done = finished(tmp_path, sent)
    assert any("'SampleFineX' has other units in some runs of entry0, '', 'mm'" in text
               for text in done.remarks)  # fmt: skip
    with opened(done.path) as file:
        same(file["entry0/counter0/sample_x"], TWO_ENERGIES.x_setpoints(), "in um")
