"""Files of each kind of scan have the values that were measured, at their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adsupport import nxstxm
from adsupport.errors import IncompleteScanError, StxmDataError

from .stxm_checks import check_file, opened, same, text
from .stxm_runs import Documents, cut, paged, runs
from .stxm_scan import StxmScan

ENERGIES = (700.0, 701.5, 705.0, 711.0)
LEFT_RIGHT = ((0, 0.0, 0.0), (1, 0.0, 0.5))

#: Of each kind one, as the existing programs tell it.
SCANS = {
    0: StxmScan(0),
    1: StxmScan(1),
    2: StxmScan(2),
    3: StxmScan(3),
    4: StxmScan(4, energies=ENERGIES, regions=(3, 1, 2)),
    5: StxmScan(5, energies=ENERGIES, dwells=(1.0, 1.0, 4.0, 4.0)),
    6: StxmScan(6),
    7: StxmScan(7, energies=ENERGIES[:2], regions=(2, 5), polarizations=LEFT_RIGHT,
                dwells=(1.0, 4.0)),
    8: StxmScan(8),
    9: StxmScan(9),
    10: StxmScan(10),
    11: StxmScan(11, energies=ENERGIES[:2], angles=(-30.0, 0.0, 45.0)),
    12: StxmScan(12),
    13: StxmScan(13, frame=(2, 3)),
}  # fmt: skip

#: Other ways to tell the same.
VARIANTS = {
    "usual": {},
    "jitter": {"jitter": 0.05},
    "snaking": {"snaking": True, "jitter": 0.05},
    "told_to_snake": {"snaking": True, "tells_snaking": True, "positions": "slow"},
    "set_points": {"positions": "none", "energy": None, "ring": None, "baseline": 0},
    "baseline": {"positions": "none", "energy": "baseline", "ring": "baseline"},
    "first_baseline": {"baseline_in": "first", "sequence": True},
    "process_variables": {"pvs": True, "counters": ("counter0",), "dtype_numpy": False},
    "object": {"text": False},
}
SLOW = pytest.mark.slow
QUICK = "usual"  # the others are tried by `make test-all`
OTHER_EVENTS = (0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 12)


def exported(directory: Path, sent: Iterable[Documents], allow_partial: bool = False) -> Path:
    """Export runs one by one as the existing programs do, and finish."""
    first = ""
    for documents in sent:
        first = first or documents[0][1]["uid"]
        nxstxm.export(documents, directory, "C1", first)
    done = nxstxm.finish_export(directory, "C1", first, allow_partial=allow_partial)
    assert Path(done) == directory / "C1.hdf5"
    assert [each.name for each in directory.iterdir()] == ["C1.hdf5"]
    return Path(done)


def check(
    directory: Path, scan: StxmScan, sent: Mapping[int, Documents], allow_partial: bool = False
) -> None:
    check_file(exported(directory, sent.values(), allow_partial), scan, sent)


def numbered(documents: Iterable[Documents]) -> dict[int, Documents]:
    return dict(enumerate(documents))


@pytest.mark.parametrize(
    "variant", [pytest.param(each, marks=() if each == QUICK else SLOW) for each in VARIANTS]
)
@pytest.mark.parametrize("kind", SCANS)
def test_every_value_is_where_it_was_measured(kind: int, variant: str, tmp_path: Path) -> None:
    scan = replace(SCANS[kind], **VARIANTS[variant])
    check(tmp_path, scan, numbered(runs(scan)))


@SLOW
@pytest.mark.parametrize("variant", ["usual", "snaking", "told_to_snake"])
@pytest.mark.parametrize("kind", OTHER_EVENTS)
def test_lines_told_point_by_point_and_points_told_line_by_line(
    kind: int, variant: str, tmp_path: Path
) -> None:
    scan = replace(SCANS[kind], **VARIANTS[variant])
    scan = replace(scan, per_line=not scan.lines)
    check(tmp_path, scan, numbered(runs(scan)))


@SLOW
@pytest.mark.parametrize("kind", SCANS)
def test_pages_of_several_events(kind: int, tmp_path: Path) -> None:
    sent = numbered(runs(SCANS[kind]))
    path = exported(tmp_path, [paged(documents, 4) for documents in sent.values()])
    check_file(path, SCANS[kind], sent)


@pytest.mark.parametrize(
    "exit_status", ["abort", pytest.param("fail", marks=SLOW), pytest.param(None, marks=SLOW)]
)
@pytest.mark.parametrize(
    "kind",
    [pytest.param(each, marks=() if each in (5, 7) else SLOW) for each in SCANS],
)
def test_the_rest_of_an_aborted_scan_is_not_a_number(
    kind: int, exit_status: str | None, tmp_path: Path
) -> None:
    scan = replace(SCANS[kind], jitter=0.05, snaking=True)
    sent = numbered(runs(scan))
    last = max(sent)
    sent[last] = cut(sent[last], 2, exit_status)
    check(tmp_path, scan, sent)


@pytest.mark.parametrize("kind", [7, pytest.param(11, marks=SLOW)])
def test_a_set_whose_later_runs_never_were(kind: int, tmp_path: Path) -> None:
    scan = SCANS[kind]
    sent = numbered(runs(scan)[:4])
    sent[3] = cut(sent[3], 1)
    check(tmp_path, scan, sent, allow_partial=True)


@pytest.mark.parametrize("kind", [4, *(pytest.param(each, marks=SLOW) for each in (6, 7, 8))])
def test_a_run_that_ended_before_its_first_point(kind: int, tmp_path: Path) -> None:
    documents = cut(runs(SCANS[kind])[0], 0)
    uid = documents[0][1]["uid"]
    nxstxm.export(documents, tmp_path, "C1")
    with pytest.raises(StxmDataError, match=f"[Nn]o point.*{uid}.*exit status"):
        nxstxm.finish_export(tmp_path, "C1", allow_partial=True)
    assert not (tmp_path / "C1.hdf5").exists()


def test_the_other_regions_stay_when_one_ended_before_its_first_point(tmp_path: Path) -> None:
    scan = SCANS[7]
    first, second, *_ = runs(scan)
    sent = [first, cut(second, 0)]
    with pytest.raises(IncompleteScanError, match="entry2, of which no point was measured"):
        exported(tmp_path, sent)
    path = exported(tmp_path, sent, allow_partial=True)
    check_file(path, scan, {0: first})


def test_an_image_that_ended_before_its_first_point(tmp_path: Path) -> None:
    scan = SCANS[11]
    sent = numbered(runs(scan))
    last = max(sent)
    sent[last] = cut(sent[last], 0)
    check(tmp_path, scan, sent)


@pytest.mark.parametrize("kind", [0, pytest.param(6, marks=SLOW)])
def test_one_reading_of_the_baseline_and_success(kind: int, tmp_path: Path) -> None:
    scan = replace(SCANS[kind], baseline=1)
    check(tmp_path, scan, numbered(runs(scan)))


def test_two_regions_of_single_images(tmp_path: Path) -> None:
    scan = StxmScan(6, regions=(4, 9))
    check(tmp_path, scan, numbered(runs(scan)))


@SLOW
def test_angles_with_two_polarizations_each(tmp_path: Path) -> None:
    scan = replace(SCANS[11], polarizations=LEFT_RIGHT)
    check(tmp_path, scan, numbered(runs(scan)))


@SLOW
@pytest.mark.parametrize(
    "polarizations", [((2, 0.0, 0.0), (5, 30.0, 0.0)), ((3, 0.0, 0.0), (4, 0.0, 0.0))]
)
def test_linear_light(polarizations: tuple[tuple[int, float, float], ...], tmp_path: Path) -> None:
    scan = replace(SCANS[7], polarizations=polarizations)
    check(tmp_path, scan, numbered(runs(scan)))


def test_a_number_that_means_no_polarization_we_know(tmp_path: Path) -> None:
    scan = replace(SCANS[6], polarizations=((-1, 0.0, 0.0),))
    with opened(exported(tmp_path, runs(scan))) as file:
        assert "beam" not in file["entry0/sample"]


@pytest.mark.parametrize(
    ("positioner", "axis"), [("GoniX", "gonix"), ("OSA.X", "osa_x"), ("ZonePlate.Z", "zoneplate_z")]
)
def test_a_generic_scan_names_its_axis_after_the_positioner(
    positioner: str, axis: str, tmp_path: Path
) -> None:
    scan = replace(SCANS[8], positioner=positioner)
    sent = numbered(runs(scan))
    path = exported(tmp_path, sent.values())
    with opened(path) as file:
        group = file["entry0/counter0"]
        assert [each.decode() for each in group.attrs["axes"]] == [axis]
        same(group[axis], scan.x_setpoints(), axis)


@pytest.mark.parametrize("type_name", ["<u2", "<u8", "<f4"])
def test_no_counter_becomes_narrower(type_name: str, tmp_path: Path) -> None:
    largest = np.iinfo(type_name).max if np.dtype(type_name).kind in "iu" else 2.0**24 - 1
    (documents,) = runs(StxmScan(6, counters=("counter0",)))
    for name, doc in documents:
        if name == "descriptor" and doc["name"] == "primary":
            doc["data_keys"]["counter0"]["dtype_numpy"] = type_name
        if name == "event" and "counter0" in doc["data"]:
            doc["data"]["counter0"] = np.full(5, largest, type_name)
    with opened(exported(tmp_path, [documents])) as file:
        for each in (file["entry0/counter0/data"], file["entry0/instrument/counter0/data"]):
            assert np.can_cast(np.dtype(type_name), each.dtype)
            assert each.dtype.kind == np.dtype(type_name).kind
            assert (each[()] == np.array(largest, type_name)).all()


def test_frames_beside_counters(tmp_path: Path) -> None:
    scan = SCANS[13]
    with opened(exported(tmp_path, runs(scan))) as file:
        frames = file["entry0/instrument/ccd/data"][()]
    expected = [scan.frame_at(i, j) for i in range(scan.ny) for j in range(scan.nx)]
    np.testing.assert_array_equal(frames, expected)
    assert frames.dtype == np.uint16


def test_the_baseline_stays(tmp_path: Path) -> None:
    with opened(exported(tmp_path, runs(SCANS[6]))) as file:
        log = file["entry0/collection/baseline/Epu_gap_fbk"]
        assert text(log.attrs["NX_class"]) == "NXlog"
        np.testing.assert_array_equal(log["value"][()], [31.2, 31.2])
        assert log["time"].shape == (2,)


def test_the_undulator_stays(tmp_path: Path) -> None:
    with opened(exported(tmp_path, runs(SCANS[6]))) as file:
        device = file["entry0/instrument/epu"]
        assert text(device.attrs["NX_class"]) == "NXinsertion_device"
        np.testing.assert_allclose(np.ravel(device["gap"][()])[0], 31.2)
        assert text(device["gap"].attrs["units"]) == "mm"
