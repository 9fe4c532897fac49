"""Events that contradict the metadata, and hostile ones: a named error, or the file is true."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adsupport import nxstxm
from adsupport.errors import DocumentError, StxmDataError

from .stxm_checks import check_file, opened
from .stxm_runs import Documents, cut, runs
from .stxm_scan import StxmScan

IMAGE = StxmScan(6)
POINTS = StxmScan(6, per_line=False)


def of(scan: StxmScan) -> Documents:
    return copy.deepcopy(runs(scan)[0])


def primary(documents: Documents) -> list[dict[str, Any]]:
    """The primary events."""
    streams = {
        doc["uid"] for name, doc in documents if name == "descriptor" and doc["name"] == "primary"
    }
    return [doc for name, doc in documents if name == "event" and doc["descriptor"] in streams]


def asked(documents: Documents, **changed: Any) -> None:
    """Change the metadata."""
    told = json.loads(documents[0][1]["metadata"])
    documents[0][1]["metadata"] = json.dumps({**told, **changed})


def without(documents: Documents, event: dict[str, Any], counted: bool) -> Documents:
    """A run without an event, which the stop document counts, or doesn't."""
    kept = [(name, doc) for name, doc in documents if doc is not event]
    if not counted:
        kept[-1][1]["num_events"]["primary"] -= 1
    return kept


def finished(directory: Path, documents: Documents) -> Any:
    nxstxm.export(documents, directory, "C1")
    return opened(nxstxm.finish_export(directory, "C1").path)


def too_few(documents: Documents) -> Documents:
    return without(documents, primary(documents)[-1], counted=False)


def too_many(documents: Documents) -> Documents:
    event = copy.deepcopy(primary(documents)[-1])
    event.update(uid="more", seq_num=event["seq_num"] + 1)
    documents[-1][1]["num_events"]["primary"] += 1
    place = documents.index(("event", primary(documents)[-1])) + 1
    return [*documents[:place], ("event", event), *documents[place:]]


def short_lines(
    documents: Documents, keys: tuple[str, ...] = ("counter0", "counter1")
) -> Documents:
    for event in primary(documents):
        for key in keys:
            event["data"][key] = event["data"][key][:4]
    for name, doc in documents:
        if name == "descriptor" and doc["name"] == "primary":
            for key in keys:
                doc["data_keys"][key]["shape"] = [4]
    return documents


def ragged(documents: Documents) -> Documents:
    primary(documents)[1]["data"]["counter0"] = [1, 2, 3]
    return documents


def texts(documents: Documents) -> Documents:
    for event in primary(documents):
        event["data"]["counter0"] = "many"
    return documents


def a_text(documents: Documents) -> Documents:
    primary(documents)[1]["data"]["counter0"] = "many"
    return documents


def unknown_counter(documents: Documents) -> Documents:
    asked(documents, primary_det="diode")
    return documents


def no_primary(documents: Documents) -> Documents:
    for name, doc in documents:
        if name == "descriptor" and doc["name"] == "primary":
            doc["name"] = "secondary"
    return documents


WRONG: dict[str, tuple[StxmScan, Callable[[Documents], Documents], str]] = {
    "too few lines": (IMAGE, too_few, "2 events, and by its metadata 3 lines: 3 x 5 points of a "
                      "sample image.*NPOINTS"),
    "too few points": (POINTS, too_few, "14 events, and by its metadata 15 points.*NPOINTS"),
    "too many lines": (IMAGE, too_many, "4 events, and by its metadata 3 lines.*NPOINTS"),
    "too many points": (POINTS, too_many, "16 events, and by its metadata 15 points.*NPOINTS"),
    "too many, aborted": (POINTS, lambda given: cut(too_many(given), 16), "16 events.*15 points"),
    "short lines": (IMAGE, short_lines, "'counter0' has 4 numbers.*a line has 5 points.*NPOINTS"),
    "one short counter": (IMAGE, lambda given: short_lines(given, ("counter1",)),
                          "'counter1' has 4 numbers.*5 points.*NPOINTS"),
    "ragged lines": (IMAGE, ragged, "'counter0' differ in length.*5 points.*one length"),
    "texts": (IMAGE, texts, "'counter0' aren't all numbers.*primary_det"),
    "a text": (POINTS, a_text, "'counter0' aren't all numbers.*primary_det"),
    "no such counter": (IMAGE, unknown_counter, "'diode'.*primary_det.*'counter0', 'counter1'"),
    "no primary": (IMAGE, no_primary, "no event in a stream 'primary'.*'baseline', 'secondary'"),
    "point spectra": (StxmScan(4, energies=(700.0, 701.0), regions=(1, 2)), too_few,
                      "3 events, and by its metadata 4 points: 2 x 2.*energies"),
    "line spectra": (StxmScan(5, energies=(700.0, 701.0)), too_many,
                     "3 events, and by its metadata 2 lines: 2 x 5.*energies"),
    "focus": (StxmScan(3), too_few, "3 events, and by its metadata 4 lines: 4 x 5"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_events_that_contradict_the_metadata(what: str, tmp_path: Path) -> None:
    scan, spoil, told = WRONG[what]
    with pytest.raises(StxmDataError, match=f"(?s)Run stxm-0000.*{told}"):
        nxstxm.export(spoil(of(scan)), tmp_path, "C1")
    assert not list(tmp_path.iterdir())


def test_a_counter_that_isnt_there_is_told(tmp_path: Path) -> None:
    documents = of(IMAGE)
    asked(documents, primary_det=["counter0", "diode"])
    nxstxm.export(documents, tmp_path, "C1")
    done = nxstxm.finish_export(tmp_path, "C1")
    assert any("'diode' of metadata['primary_det']" in each for each in done.remarks)


@pytest.mark.parametrize("lost", [1, 7, 15])
def test_an_event_that_never_came(lost: int, tmp_path: Path) -> None:
    documents = of(POINTS)
    documents = without(documents, primary(documents)[lost - 1], counted=True)
    with pytest.raises(DocumentError, match=r"never came|the last that came has seq_num 14"):
        nxstxm.export(documents, tmp_path, "C1")
    done = nxstxm.finish_export(tmp_path, "C1")
    assert done.remarks  # known there, too
    expected = POINTS.value(0, *np.ogrid[:3, :5]).astype(float).ravel()
    expected[lost - 1] = np.nan
    with opened(done.path) as file:
        np.testing.assert_array_equal(file["entry0/counter0/data"][()].ravel(), expected)
        assert file["entry0/instrument/counter0/data"].shape == (14,)


@pytest.mark.parametrize("first", [0, 2**60])
def test_keys_that_some_events_lack(first: int, tmp_path: Path) -> None:
    documents = of(POINTS)
    for number, event in enumerate(primary(documents)):
        event["data"]["counter0"] = first + number
    del primary(documents)[3]["data"]["counter0"]
    primary(documents)[4]["data"]["counter0"] = None
    del primary(documents)[6]["data"]["SampleFineX"]
    with pytest.raises(DocumentError, match="'counter0'"):
        nxstxm.export(documents, tmp_path, "C1")
    expected = np.arange(15.0) + first
    expected[3:5] = np.nan
    with opened(nxstxm.finish_export(tmp_path, "C1").path) as file:
        np.testing.assert_array_equal(file["entry0/counter0/data"][()].ravel(), expected)
        np.testing.assert_array_equal(file["entry0/instrument/counter0/data"], expected)
        np.testing.assert_allclose(file["entry0/counter0/sample_x"], IMAGE.x_setpoints())


def test_counts_that_arent_numbers_stay_so(tmp_path: Path) -> None:
    documents = of(POINTS)
    values = np.array([event["data"]["counter1"] for event in primary(documents)])
    values[[2, 5, 9]] = np.nan, np.inf, -np.inf
    for event, value in zip(primary(documents), values.tolist(), strict=True):
        event["data"]["counter1"] = value
    with finished(tmp_path, documents) as file:
        np.testing.assert_array_equal(file["entry0/counter1/data"][()].ravel(), values)
        np.testing.assert_array_equal(file["entry0/instrument/counter1/data"], values)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_positions_that_arent_numbers(bad: float, tmp_path: Path) -> None:
    documents = of(replace(POINTS, snaking=True))
    for event in primary(documents)[4:7]:
        event["data"]["SampleFineX"] = bad
    with finished(tmp_path, documents) as file:
        expected = POINTS.value(0, *np.ogrid[:3, :5])
        np.testing.assert_array_equal(file["entry0/counter0/data"], expected)
        np.testing.assert_allclose(file["entry0/counter0/sample_x"], POINTS.x_setpoints())


def in_units(documents: Documents, key: str, units: str, factor: float) -> None:
    for name, doc in documents:
        if name == "descriptor" and key in doc["data_keys"]:
            doc["data_keys"][key]["units"] = units
        elif name == "event" and key in doc["data"]:
            doc["data"][key] = (np.asarray(doc["data"][key]) * factor).tolist()


@pytest.mark.parametrize("scan", [IMAGE, POINTS])
def test_other_units(scan: StxmScan, tmp_path: Path) -> None:
    documents = of(replace(scan, snaking=True, jitter=0.05))
    in_units(documents, "SampleFineX", "mm", 1e-3)
    in_units(documents, "SampleFineY", "nm", 1e3)
    in_units(documents, "ENERGY", "keV", 1e-3)
    in_units(documents, "StorageRingCurrent", "A", 1e-3)
    nxstxm.export(documents, tmp_path, "C1")
    path = nxstxm.finish_export(tmp_path, "C1").path
    with opened(path) as file:
        expected = scan.value(0, *np.ogrid[:3, :5])
        np.testing.assert_array_equal(file["entry0/counter0/data"], expected)
        np.testing.assert_allclose(file["entry0/counter0/sample_x"], scan.x_setpoints(), atol=0.06)
        np.testing.assert_allclose(file["entry0/counter0/sample_y"], scan.y_setpoints(), atol=0.06)
        np.testing.assert_allclose(file["entry0/counter0/energy"], [700.0625])
        assert np.all(file["entry0/control/data"][()] > 200)


@pytest.mark.parametrize("sizes", [(1, 3), (5, 1), pytest.param((1, 1), marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "kind", [7, *(pytest.param(each, marks=pytest.mark.slow) for each in (3, 5))]
)
@pytest.mark.parametrize("per_line", [True, False])
def test_one_point_along_an_axis(
    sizes: tuple[int, int], kind: int, per_line: bool, tmp_path: Path
) -> None:
    nx, slow = sizes
    scan = StxmScan(kind, nx=nx, ny=slow, nz=slow, energies=(700.0,), per_line=per_line)
    documents = of(scan)
    nxstxm.export(documents, tmp_path, "C1")
    check_file(nxstxm.finish_export(tmp_path, "C1").path, scan, {0: documents})


class Descending(StxmScan):
    """Axes from high to low."""

    def x_setpoints(self, region: int = 0) -> np.ndarray:
        return super().x_setpoints(region)[::-1]

    def y_setpoints(self, region: int = 0) -> np.ndarray:
        return super().y_setpoints(region)[::-1]


@pytest.mark.parametrize("snaking", [True, False])
@pytest.mark.parametrize("per_line", [True, False])
@pytest.mark.parametrize("jitter", [pytest.param(0.0, marks=pytest.mark.slow), 0.1])
def test_descending_axes(snaking: bool, per_line: bool, jitter: float, tmp_path: Path) -> None:
    scan = Descending(6, per_line=per_line, snaking=snaking, jitter=jitter)
    documents = of(scan)
    nxstxm.export(documents, tmp_path, "C1")
    check_file(nxstxm.finish_export(tmp_path, "C1").path, scan, {0: documents})


def test_a_spectrum_of_as_many_channels_as_a_line_has_points(tmp_path: Path) -> None:
    documents = of(POINTS)
    for name, doc in documents:
        if name == "descriptor" and doc["name"] == "primary":
            doc["data_keys"]["counter1"].update(dtype="array", shape=[5])
            del doc["data_keys"]["counter1"]["dtype_numpy"]
    for number, event in enumerate(primary(documents)):
        event["data"]["counter1"] = [number, 1, 2, 3, 4]
    with finished(tmp_path, documents) as file:
        np.testing.assert_array_equal(file["entry0/instrument/counter1/data"][:, 0], np.arange(15))
        assert file["entry0/counter1/data"].shape == (3, 5)
        assert file["entry0/counter1/data"][1, 2] == 7 + 10


def test_several_descriptors_of_a_stream(tmp_path: Path) -> None:
    documents = of(POINTS)
    (number, descriptor), = [
        (number, doc) for number, (name, doc) in enumerate(documents)
        if name == "descriptor" and doc["name"] == "primary"
    ]  # fmt: skip
    another = {**copy.deepcopy(descriptor), "uid": "another"}
    for event in primary(documents)[8:]:
        event["descriptor"] = "another"
    documents.insert(number + 1, ("descriptor", another))
    with finished(tmp_path, documents) as file:
        expected = POINTS.value(0, *np.ogrid[:3, :5])
        np.testing.assert_array_equal(file["entry0/counter0/data"], expected)


def test_hostile_keys(tmp_path: Path) -> None:
    keys = ["instrument", "control", "a/b", "..", ".", "é", "0x", "counter0.", "counter0 ",
            "data", "title", "x" * 300, "sample", "energy"]  # fmt: skip
    documents = of(POINTS)
    for name, doc in documents:
        if name == "descriptor" and doc["name"] == "primary":
            for key in keys:
                doc["data_keys"][key] = {"dtype": "number", "shape": [], "source": key}
    for number, event in enumerate(primary(documents)):
        for at, key in enumerate(keys):
            event["data"][key] = float(at * 1000 + number)
            event["timestamps"][key] = event["time"]
    asked(documents, primary_det=["counter0", *keys])
    with finished(tmp_path, documents) as file:
        assert list(file) == ["entry0"]
        plots = [g for g in file["entry0"].values() if g.attrs.get("NX_class") == "NXdata"]
        first = sorted(float(group["data"][0, 0]) for group in plots)
        assert first[: len(keys)] == [1000.0 * at for at in range(len(keys))]
        assert file["entry0/counter0/data"][0, 0] == POINTS.value(0, 0, 0)


@pytest.mark.parametrize("count", [10**4, pytest.param(10**6, marks=pytest.mark.slow)])
def test_very_many_energies(count: int, tmp_path: Path) -> None:
    documents = of(StxmScan(7))
    told = json.loads(documents[0][1]["metadata"])
    energies = {"SINGLE_LST": {"EV_ROIS": np.linspace(280, 300, count).round(6).tolist()}}
    asked(documents, wdg_com=json.dumps({**json.loads(told["wdg_com"]), **energies}))
    told = json.loads(documents[0][1]["metadata"])
    nxstxm.export(documents, tmp_path, "C1")
    done = nxstxm.finish_export(tmp_path, "C1", allow_partial=True)
    (missing,) = done.missing
    assert missing.startswith(f"{count - 1} images of entry0: e_idx 1, 2") and len(missing) < 200
    with opened(done.path) as file:
        assert file["entry0/counter0/data"].shape == (count, 3, 5)
        assert np.isfinite(file["entry0/counter0/data"][0]).all()
