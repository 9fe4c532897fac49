"""What devices tell in other units, not at all, or in files of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport import nxstxm
from adsupport.errors import DocumentError

from .slow_params import mostly_slow
from .stxm_checks import check_file, exactly, opened, same, text
from .stxm_runs import Documents, cut, runs
from .stxm_scan import StxmScan

FRAMES = StxmScan(13, frame=(2, 3))
ALL_FRAMES = [FRAMES.frame_at(i, j) for i in range(FRAMES.ny) for j in range(FRAMES.nx)]


def primary(documents: Documents) -> list[dict[str, Any]]:
    return [doc for name, doc in documents if name == "event" and "primary" in doc["uid"]]


def keys(documents: Documents) -> dict[str, Any]:
    """Data keys of the primary stream."""
    return next(doc["data_keys"] for _, doc in documents if doc.get("name") == "primary")


def finished(directory: Path, documents: Documents) -> Any:
    nxstxm.export(documents, directory, "C1")
    return nxstxm.finish_export(directory, "C1")


def test_other_units_become_those_of_the_file(tmp_path: Path) -> None:
    scan = StxmScan(6)
    (documents,) = runs(scan)
    for key, units, factor in (
        ("SampleFineX", "mm", 1e-3), ("SampleFineY", "nm", 1e3), ("ENERGY", "keV", 1e-3),
        ("StorageRingCurrent", "A", 1e-3), ("counter1", "V", 1),
    ):  # fmt: skip
        keys(documents)[key]["units"] = units
        for doc in primary(documents):
            doc["data"][key] = (np.asarray(doc["data"][key]) * factor).tolist()
    done = finished(tmp_path, documents)
    check_file(done.path, scan, {0: documents})
    with opened(done.path) as file:
        assert text(file["entry0/counter1/data"].attrs["units"]) == "V"
        assert text(file["entry0/instrument/SampleFineX/data"].attrs["units"]) == "mm"


def test_units_that_nobody_knows_stay_as_a_text(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6))
    keys(documents)["counter1"]["units"] = "furlong_per_x"
    with opened(finished(tmp_path, documents).path) as file:
        device = file["entry0/instrument/counter1"]
        assert text(device["data"].attrs["units"]) == ""
        assert text(device["description"][()]) == "in furlong_per_x"


@pytest.mark.parametrize("event", mostly_slow([5, 7, 9], quick=[7]))
def test_a_position_that_is_missing_turns_no_line(event: int, tmp_path: Path) -> None:
    scan = StxmScan(6, per_line=False, snaking=True)
    (documents,) = runs(scan)
    primary(documents)[event]["data"]["SampleFineX"] = float("nan")
    with opened(finished(tmp_path, documents).path) as file:
        expected = scan.value(0, *np.ogrid[: scan.ny, : scan.nx])
        exactly(file["entry0/counter0/data"], expected, "grid")
        same(file["entry0/counter0/sample_x"], scan.x_setpoints(), "sample_x")
        assert np.isnan(file["entry0/instrument/sample_x/data"][event])


def test_truth_values_are_numbers(tmp_path: Path) -> None:
    scan = StxmScan(6, per_line=False)
    (documents,) = runs(scan)
    keys(documents)["counter0"] = {"dtype": "boolean", "shape": [], "source": "PV:gate"}
    for doc in primary(documents):
        doc["data"]["counter0"] = doc["seq_num"] % 2 == 1
    with opened(finished(tmp_path, documents).path) as file:
        expected = (np.arange(15).reshape(3, 5) % 2 == 0).astype(np.uint8)
        exactly(file["entry0/counter0/data"], expected, "grid")
        exactly(file["entry0/instrument/counter0/data"], expected.ravel(), "flat")


def test_spectra_of_points_are_summed_for_the_image(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6, per_line=False))
    keys(documents)["counter0"] = {"dtype": "array", "shape": [4], "source": "PV:mca"}
    for doc in primary(documents):
        doc["data"]["counter0"] = [doc["seq_num"], 1, 2, 3]
    with opened(finished(tmp_path, documents).path) as file:
        same(file["entry0/counter0/data"], np.arange(1, 16).reshape(3, 5) + 6, "sums")
        assert file["entry0/instrument/counter0/data"].shape == (15, 4)


def test_a_counter_that_was_asked_for_and_never_came(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6))
    for doc in [keys(documents), *(doc["data"] for doc in primary(documents))]:
        del doc["counter1"]
    for doc in primary(documents):
        del doc["timestamps"]["counter1"]
    done = finished(tmp_path, documents)
    assert any("'counter1' of metadata['primary_det'] isn't" in text for text in done.remarks)


def with_file(path: Path, frames: list[np.ndarray]) -> Documents:
    """The run of FRAMES whose frames are in a file of an area detector."""
    with h5py.File(path, "w") as file:
        file.create_dataset("entry/data/data", data=np.array(frames), chunks=(1, 2, 3))
    (documents,) = runs(FRAMES)
    made: Documents = []
    for name, doc in documents:
        if "data" in doc and "ccd" in doc["data"]:
            datum = f"frames/{doc['seq_num']}"
            where = {"point_number": doc["seq_num"] - 1}
            made.append(("datum", {"datum_id": datum, "resource": "frames", "datum_kwargs": where}))
            doc["data"]["ccd"], doc["filled"] = datum, {"ccd": False}
        made.append((name, doc))
        if doc.get("name") == "primary":
            doc["data_keys"]["ccd"] |= {"external": "FILESTORE:", "shape": [1, 2, 3]}
            resource = {"uid": "frames", "run_start": doc["run_start"], "spec": "AD_HDF5",
                        "root": "/", "resource_path": str(path).lstrip("/"),
                        "path_semantics": "posix", "resource_kwargs": {"frame_per_point": 1}}  # fmt: skip  # noqa: E501
            made.append(("resource", resource))
    return made


@pytest.mark.parametrize("events", [15, 7])
def test_frames_in_a_file_are_linked(events: int, tmp_path: Path) -> None:
    documents = with_file(tmp_path / "frames.h5", ALL_FRAMES)
    sent = documents if events == 15 else cut(documents, events)
    (tmp_path / "out").mkdir()
    done = finished(tmp_path / "out", sent)
    check_file(done.path, FRAMES, {0: sent})
    with opened(done.path) as file:
        frames = file["entry0/instrument/ccd/data"]
        assert frames.is_virtual
        exactly(frames, np.array(ALL_FRAMES[:events]), "frames")


def test_frames_that_are_missing_are_told_and_the_rest_stays(tmp_path: Path) -> None:
    documents = with_file(tmp_path / "frames.h5", ALL_FRAMES[:10])
    with pytest.raises(DocumentError, match="5 frames are missing"):
        nxstxm.export(documents, tmp_path / "out", "C1", image_timeout=0.1)
    done = nxstxm.finish_export(tmp_path / "out", "C1")
    assert any("5 frames are missing" in text for text in done.remarks)
    with opened(done.path) as file:
        frames = file["entry0/instrument/ccd/data"]
        np.testing.assert_array_equal(frames[:10], ALL_FRAMES[:10])
        assert frames.shape == (15, 2, 3)


def with_column(documents: Documents, key: str, values: Any) -> None:
    """Add a number to each event."""
    keys(documents)[key] = {"dtype": "number", "shape": [], "source": f"PV:{key}"}
    for doc, value in zip(primary(documents), values, strict=True):
        doc["data"][key], doc["timestamps"][key] = value, doc["time"]


@pytest.mark.parametrize(
    "key",
    mostly_slow(["source", "zoneplate", "epu", "monochromator", "sample_y"], quick=["epu"]),
)
def test_columns_with_names_that_an_instrument_has_for_else(key: str, tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6))
    with_column(documents, key, [5.0, 6.0, 7.0])
    with opened(finished(tmp_path, documents).path) as file:
        device = file[f"entry0/instrument/{key}_"]
        assert text(device["local_name"][()]) == key
        same(device["data"], np.repeat([5.0, 6.0, 7.0], 5), key)


def test_a_column_that_is_sample_x_is_there_once(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(1, per_line=False))
    values = np.linspace(3, 4, 15).tolist()
    with_column(documents, "sample_x", values)
    told = json.loads(documents[0][1]["metadata"])
    told["rev_lu_dct"]["SampleX"] = "sample_x"
    documents[0][1]["metadata"] = json.dumps(told)
    with opened(finished(tmp_path, documents).path) as file:
        instrument = file["entry0/instrument"]
        assert "sample_x_" not in instrument
        assert text(instrument["sample_x/local_name"][()]) == "sample_x"
        same(instrument["sample_x/data"], values, "sample_x")


def test_a_line_tells_by_one_number_where_it_stands_still(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(5, energies=(700.0, 701.0), positions="none"))
    told = json.loads(documents[0][1]["metadata"])
    told["rois"]["0"]["Y"] |= {"SETPOINTS": [7.0] * 5, "START": 7.0, "STOP": 7.0}
    documents[0][1]["metadata"] = json.dumps(told)
    with_column(documents, told["rois"]["0"]["Y"]["POSITIONER"], [7.25, 7.35])
    with opened(finished(tmp_path, documents).path) as file:
        same(file["entry0/instrument/sample_y/data"], np.repeat([7.25, 7.35], 5), "sample_y")
        same(file["entry0/counter0/sample_y"], np.full(5, 7.3), "sample_y")


@pytest.mark.parametrize(
    ("units", "factor"),
    mostly_slow(
        [("cm", 1e4), ("millimetre", 1e3), ("Angstrom", 1e-4), ("\u00b5m", 1), ("micron", 1)],
        quick=[("cm", 1e4)],
    ),
)
def test_units_of_length_as_people_write_them(units: str, factor: float, tmp_path: Path) -> None:
    scan = StxmScan(6)
    (documents,) = runs(scan)
    keys(documents)["SampleFineX"]["units"] = units
    for doc in primary(documents):
        doc["data"]["SampleFineX"] = (np.asarray(doc["data"]["SampleFineX"]) / factor).tolist()
    check_file(finished(tmp_path, documents).path, scan, {0: documents})
