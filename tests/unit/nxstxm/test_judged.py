"""What the judges say of our NXstxm files, and whether well-known programs could read them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
import pytest

from adsupport import nxstxm

from ...judges import mantis_judge, pynxtools_judge
from ...judges.nxstxm_rules import violations
from ...judges.stxm_readers import als_like, default_plot, mantis_like
from ...judges.verdicts import JUDGES, readers_of, shown, table
from .slow_params import mostly_slow
from .stxm_runs import Documents, cut, runs
from .stxm_scan import StxmScan
from .test_scan_types import SCANS, VARIANTS, exported

STACKS = (7, 11, 13)
IMAGES = (6, 9, 10, 12)
#: Which kinds the programs can show.
MANTIS = {*STACKS, *IMAGES}
PYSTXMCONTROL = set(SCANS) - {4, 8}


def odd_run(scan: StxmScan) -> Documents:
    """A run with columns of texts, of unknown units, and with names that NeXus doesn't take."""
    [documents] = runs(scan)
    for name, doc in documents:
        primary = doc.get("name") == "primary" or "-primary-" in doc["uid"]
        if name == "descriptor" and primary:
            keys: dict[str, Any] = doc["data_keys"]
            keys["0-label.x"] = {"source": "PV:label", "dtype": "string", "shape": []}
            keys["2theta"] = {"source": "PV:t", "dtype": "number", "shape": [], "units": "ticks/2"}
            keys["whole"] = {"source": "PV:w", "dtype": "integer", "shape": [], "units": "um"}
        elif name == "event" and primary:
            doc["data"] |= {"0-label.x": "open", "2theta": 0.5, "whole": 3}
            doc["timestamps"] |= dict.fromkeys(["0-label.x", "2theta", "whole"], doc["time"])
    return documents


def aborted(scan: StxmScan, events: int) -> list[Documents]:
    """All runs, of which the last one was cut off."""
    every = runs(scan)
    return [*every[:-1], cut(every[-1], events)]


@pytest.mark.parametrize("kind", mostly_slow(SCANS, quick=(2, 7)))
def test_each_kind_of_scan_is_valid_and_can_be_read(kind: int, tmp_path: Path) -> None:
    path = exported(tmp_path, runs(SCANS[kind]))
    for judge in JUDGES.values():
        assert judge(path) == []
    able = readers_of(path)
    assert ("MANTiS" in able) == (kind in MANTIS)
    assert ("pystxmcontrol" in able) == (kind in PYSTXMCONTROL)
    assert default_plot(path) == shown(path).axes


@pytest.mark.slow
@pytest.mark.parametrize("variant", sorted(set(VARIANTS) - {"usual"}))
@pytest.mark.parametrize("kind", SCANS)
def test_told_otherwise_it_is_valid(kind: int, variant: str, tmp_path: Path) -> None:
    assert violations(exported(tmp_path, runs(replace(SCANS[kind], **VARIANTS[variant])))) == []


@pytest.mark.parametrize(
    ("kind", "events"), mostly_slow([(4, 1), (5, 1), (6, 2), (7, 0)], quick=[(5, 1)])
)
def test_an_aborted_scan_is_valid(kind: int, events: int, tmp_path: Path) -> None:
    path = exported(tmp_path, aborted(SCANS[kind], events), allow_partial=True)
    assert violations(path) == []


@pytest.mark.slow
def test_odd_columns_do_no_harm(tmp_path: Path) -> None:
    path = exported(tmp_path, [odd_run(StxmScan(9))])
    for judge in JUDGES.values():
        assert judge(path) == []


@pytest.mark.slow
def test_counters_with_names_that_a_file_has_for_else(tmp_path: Path) -> None:
    scan = StxmScan(9, counters=("notes", "control", "sample-x", "sample_x", "start_time", "2d"))
    path = exported(tmp_path, runs(scan))
    for judge in JUDGES.values():
        assert judge(path) == []


@pytest.mark.parametrize("kind", [6])
def test_older_attributes_are_all_that_judges_could_mind(kind: int, tmp_path: Path) -> None:
    path = finished(tmp_path, kind, "cls")
    assert violations(path)
    for said in [*violations(path, older_attributes=True), *JUDGES["nxvalidate"](path)]:
        assert "/control" in said or "/instrument/zoneplate" in said
    assert "MANTiS" in readers_of(path) or kind == 4


def finished(directory: Path, kind: int, compat: Literal["cls"] | None) -> Path:
    first = ""
    for documents in runs(SCANS[kind]):
        first = first or documents[0][1]["uid"]
        nxstxm.export(documents, directory, "C1", first)
    return Path(nxstxm.finish_export(directory, "C1", first, compat=compat))


def make_horizontal(path: Path) -> None:
    """Change a line spectrum's line to one that MANTiS knows."""
    with h5py.File(path, "r+") as opened:
        file: Any = opened
        for counter in ("counter0", "counter1"):
            file[f"entry0/{counter}/sample_y"][...] = 1.5


def test_a_stack_as_mantis_has_it(tmp_path: Path) -> None:
    """With two regions and two polarizations: entry by entry, x first."""
    scan = SCANS[7]
    stacks = mantis_like(exported(tmp_path, runs(scan)))
    j, i, e = np.ogrid[: scan.nx, : scan.ny, : len(scan.energies)]
    places = [(region, pol) for region in range(2) for pol in range(2)]
    assert [stack.entry for stack in stacks] == [scan.entry(*place) for place in places]
    for stack, (region, pol) in zip(stacks, places, strict=True):
        expected = scan.value(0, i, j, e, region, pol)
        np.testing.assert_array_equal(stack.data, expected)
        current = stack.ring_current
        assert np.ptp(current) > 0
        np.testing.assert_allclose(stack.normalized, expected / current * np.median(current))
        np.testing.assert_allclose(stack.x, scan.x_setpoints(region))
        np.testing.assert_allclose(stack.y, scan.y_setpoints(region))
        np.testing.assert_allclose(stack.dwells, np.array(scan.dwells) / 1000)
        np.testing.assert_allclose(stack.energies, scan.energy_at(np.arange(len(scan.energies))))


def test_a_horizontal_line_spectrum_as_mantis_has_it(tmp_path: Path) -> None:
    scan = SCANS[5]
    path = exported(tmp_path, runs(scan))
    make_horizontal(path)
    [stack] = mantis_like(path, detector=1)
    j, i = np.ogrid[: scan.nx, : len(scan.energies)]
    np.testing.assert_array_equal(stack.data, scan.value(1, i, j))
    assert stack.x.shape == stack.y.shape == (scan.nx,)


def test_an_image_as_pystxmcontrol_has_it(tmp_path: Path) -> None:
    scan = SCANS[6]
    found = als_like(exported(tmp_path, runs(scan)), "entry0", "counter1")
    i, j = np.ogrid[: scan.ny, : scan.nx]
    np.testing.assert_array_equal(found["frame"], scan.value(1, i, j))
    x = scan.x_setpoints()
    assert found["sample_x"] == (x.mean(), x[-1] - x[0])
    assert found["scan_type"] == "sample image"
    assert found["dwell"] == 0.0025


@pytest.mark.slow
def test_the_table_of_verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(pynxtools_judge.VARIABLE, raising=False)
    lines = table(tmp_path).splitlines()
    assert len(lines) == 2 + len(SCANS)
    assert all(line.count("| valid |") + line.count(" valid | not asked") for line in lines[2:])
    assert lines[2].startswith("| 0 `DETECTOR_IMAGE` | detector image | 1 | detector_y, detector_x")


def test_what_is_shown_first(tmp_path: Path) -> None:
    look = shown(exported(tmp_path, runs(StxmScan(7, energies=(700.0, 701.0), regions=(1, 2)))))
    assert (look.entries, look.shape) == (2, (2, 3, 5))
    assert look.axes == ["energy", "sample_y", "sample_x"]


def judged_strictly(directory: Path, made: dict[str, list[Documents]]) -> dict[str, list[str]]:
    paths = {}
    for name, documents in made.items():
        (directory / name).mkdir()
        paths[name] = exported(directory / name, documents, allow_partial=True)
    found = pynxtools_judge.judge(*paths.values())
    return {name: found[str(path)] for name, path in paths.items()}


@pynxtools_judge.needs_pynxtools
@pytest.mark.slow
@pytest.mark.parametrize("kind", SCANS)
def test_pynxtools_says_valid(kind: int, tmp_path: Path) -> None:
    made = {"whole": runs(SCANS[kind]), "aborted": aborted(SCANS[kind], 1)}
    assert judged_strictly(tmp_path, made) == {"whole": [], "aborted": []}


@pynxtools_judge.needs_pynxtools
@pytest.mark.slow
def test_pynxtools_says_valid_of_odd_ones(tmp_path: Path) -> None:
    made = {name: runs(replace(SCANS[7], **VARIANTS[name])) for name in VARIANTS if name != "usual"}
    made["odd"] = [odd_run(StxmScan(9))]
    assert judged_strictly(tmp_path, made) == {name: [] for name in made}


@pynxtools_judge.needs_pynxtools
@pytest.mark.slow
def test_pynxtools_minds_older_attributes_alone(tmp_path: Path) -> None:
    [complaints] = pynxtools_judge.judge(finished(tmp_path, 7, "cls")).values()
    assert complaints
    for said in complaints:
        assert any(part in said for part in ("/control", "/instrument/zoneplate", "/@NX_units"))


def test_the_definition_is_in_the_form_that_readers_take(tmp_path: Path) -> None:
    path = exported(tmp_path, runs(SCANS[6]))
    with h5py.File(path) as opened:
        file: Any = opened
        assert file["entry0/definition"][0].decode() == "NXstxm"
        assert file["entry0/definition"][()] == b"NXstxm"


@mantis_judge.needs_mantis
@pytest.mark.slow
def test_mantis_itself_reads_a_stack(tmp_path: Path) -> None:
    """Counter by counter, with and without the ring current, as our reader does."""
    path = exported(tmp_path, runs(SCANS[7]))
    for channel in range(2):
        for number, ours in enumerate(mantis_like(path, channel)):
            for normalized in (False, True):
                found = mantis_judge.read(path, number, channel, normalized=normalized)
                expected = ours.normalized if normalized else ours.data
                np.testing.assert_array_equal(found["data"], expected)
                np.testing.assert_array_equal(found["energies"], ours.energies)
                np.testing.assert_array_equal(found["x"], ours.x)
                np.testing.assert_array_equal(found["y"], ours.y)
                np.testing.assert_array_equal(found["dwells"], ours.dwells)


@mantis_judge.needs_mantis
@pytest.mark.slow
@pytest.mark.parametrize("kind", [5, *IMAGES, 11, 13])
@pytest.mark.parametrize("compat", [None, "cls"])
def test_mantis_itself_reads_what_our_reader_does(
    kind: int, compat: Literal["cls"] | None, tmp_path: Path
) -> None:
    path = finished(tmp_path, kind, compat)
    if kind == 5:
        make_horizontal(path)
    [ours, *_] = mantis_like(path)
    found = mantis_judge.read(path)
    np.testing.assert_array_equal(found["data"].ravel(), ours.data.ravel())
