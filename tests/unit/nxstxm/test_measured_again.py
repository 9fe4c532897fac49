"""Points that were measured again after a pause, and counters that contradict the metadata."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adsupport import nxstxm
from adsupport.errors import StxmDataError
from adsupport.nxstxm.parts import points

from .slow_params import mostly_slow
from .stxm_checks import exactly, opened
from .stxm_runs import Documents, runs
from .stxm_scan import StxmScan

AGAIN = 100  # what is added to the counter when it's measured again


def again(scan: StxmScan, end: int, back: int) -> Documents:
    """A run that was paused after an event and went on some events earlier."""
    (documents,) = runs(scan)
    events = primary(documents)
    repeated = copy.deepcopy(events[end - back : end])
    for _, doc in repeated:
        doc["uid"] += "-again"
        doc["time"] += 0.5
        doc["data"]["counter0"] = (np.asarray(doc["data"]["counter0"]) + AGAIN).tolist()
    place = documents.index(events[end - 1]) + 1
    documents[place:place] = repeated
    return documents


def primary(documents: Documents) -> Documents:
    return [each for each in documents if each[0] == "event" and "primary" in each[1]["uid"]]


def finished(directory: Path, documents: Documents) -> Any:
    nxstxm.export(documents, directory, "C1")
    return nxstxm.finish_export(directory, "C1")


@pytest.mark.parametrize("block", mostly_slow([8 * 2**20, 40], quick=[40]))
@pytest.mark.parametrize("snaking", mostly_slow([False, True], quick=[True]))
@pytest.mark.parametrize(
    ("end", "back"), [(8, 3), (7, 4), (11, 2), (15, 1)], ids=["line", "over", "one", "last"]
)
def test_the_later_value_of_a_point_stays(
    end: int, back: int, snaking: bool, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "_BLOCK_BYTES", block)
    scan = StxmScan(6, per_line=False, snaking=snaking)
    order = [(i, j) for i in range(scan.ny) for j in scan.order(i)]
    expected = scan.value(0, *np.ogrid[: scan.ny, : scan.nx])
    for i, j in order[end - back : end]:
        expected[i, j] += AGAIN
    flat = [scan.value(0, i, j) for i, j in order]
    flat[end:end] = [expected[place] for place in order[end - back : end]]
    done = finished(tmp_path, again(scan, end, back))
    with opened(done.path) as file:
        exactly(file["entry0/counter0/data"], expected, "grid")
        exactly(file["entry0/instrument/counter0/data"], np.array(flat), "in the order of time")


def test_lines_that_were_measured_again(tmp_path: Path) -> None:
    scan = StxmScan(6)
    expected = scan.value(0, *np.ogrid[: scan.ny, : scan.nx])
    expected[:2] += AGAIN
    done = finished(tmp_path, again(scan, 2, 2))
    with opened(done.path) as file:
        exactly(file["entry0/counter0/data"], expected, "grid")


def test_a_second_descriptor_within_a_run(tmp_path: Path) -> None:
    scan = StxmScan(6, per_line=False)
    (documents,) = runs(scan)
    name, doc = next(each for each in documents if each[1].get("name") == "primary")
    later = primary(documents)[7:]
    documents.insert(documents.index(later[0]), (name, {**doc, "uid": "second"}))
    for _, event in later:
        event["descriptor"] = "second"
    with opened(finished(tmp_path, documents).path) as file:
        expected = scan.value(0, *np.ogrid[: scan.ny, : scan.nx])
        exactly(file["entry0/counter0/data"], expected, "grid")


@pytest.mark.parametrize(
    ("counters", "lines", "told"),
    [
        (["counter0"], slice(None), "counter0.* has 3 numbers, and a line has 5 points"),
        (["counter0"], slice(1, 2), "the values of 'counter0' differ in length"),
        (["counter0", "counter1"], slice(None), "counter0.* has 3 numbers, .* a line has 5"),
    ],
)
def test_lines_of_another_length_are_refused(
    counters: list[str], lines: slice, told: str, tmp_path: Path
) -> None:
    (documents,) = runs(StxmScan(6))
    for _, doc in primary(documents)[lines]:
        for counter in counters:
            doc["data"][counter] = doc["data"][counter][:3]
    with pytest.raises(StxmDataError, match=told):
        finished(tmp_path, documents)


@pytest.mark.parametrize("per_line", [True, False])
def test_more_events_than_points_are_refused(per_line: bool, tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6, per_line=per_line))
    name, last = primary(documents)[-1]
    place = documents.index((name, last)) + 1
    documents.insert(place, (name, {**last, "seq_num": last["seq_num"] + 1, "uid": "one more"}))
    with pytest.raises(StxmDataError, match="has (4|16) events.*(3 lines|15 points)"):
        finished(tmp_path, documents)


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6))
    for name, doc in documents:
        if name == "descriptor" and doc["name"] == "primary":
            about = {"dtype": "string", "shape": [], "source": "PV:mode"}
            spectrum = {"dtype": "array", "shape": [7], "source": "PV:mca"}
            doc["data_keys"] |= {"mode": about, "mca": spectrum}
    for _, doc in primary(documents):
        doc["data"] |= {"mode": "fast", "mca": [1.0] * 7}
        doc["timestamps"] |= {"mode": doc["time"], "mca": doc["time"]}
    done = finished(tmp_path, documents)
    assert any("'mode' is left out" in text for text in done.remarks)
    assert any("'mca' is left out" in text for text in done.remarks)
