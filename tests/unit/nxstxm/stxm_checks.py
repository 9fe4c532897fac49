"""Compares a file with what it has to have, value by value, as h5py reads it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .stxm_expected import COMPANIONS, LABELS, Expected, measured
from .stxm_runs import Documents
from .stxm_scan import StxmScan

#: By pyStxm's numbers: of circular left and right, linear horizontal, vertical (twice), inclined.
STOKES = {
    0: lambda angle: (1, 0, 0, -1),
    1: lambda angle: (1, 0, 0, 1),
    2: lambda angle: (1, 1, 0, 0),
    3: lambda angle: (1, -1, 0, 0),
    4: lambda angle: (1, -1, 0, 0),
    5: lambda angle: (1, np.cos(2 * angle), np.sin(2 * angle), 0),
}
UNITS = {"energy": "eV", "count_time": "s"}


def opened(path: Path) -> Any:
    """The file, to be read, as whatever its members are."""
    return h5py.File(path, "r")


def text(value: Any) -> str:
    """A text, whichever way HDF5 has it."""
    value = np.asarray(value).reshape(-1)[0]
    return value.decode() if isinstance(value, bytes) else str(value)


def of_class(group: Any, nx_class: str) -> list[str]:
    """Names of the members of a class."""
    return [
        name for name, each in group.items() if text(each.attrs.get("NX_class", "")) == nx_class
    ]


def same(found: Any, expected: Any, where: str) -> None:
    """The same numbers, to the last of what means leave."""
    found = np.asarray(found[()] if isinstance(found, h5py.Dataset) else found)
    assert found.shape == np.shape(expected), where
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-9, err_msg=where)


def exactly(found: Any, expected: np.ndarray, where: str) -> None:
    """The same values of a type that isn't narrower."""
    values = found[()]
    assert values.shape == expected.shape, where
    assert values.dtype.kind == expected.dtype.kind, where
    assert np.can_cast(expected.dtype, values.dtype), where
    np.testing.assert_array_equal(values, expected, err_msg=where)


def check_file(path: Path, scan: StxmScan, sent: Mapping[int, Documents]) -> None:
    """Compare a file with the runs (by their number in the scan) that were exported."""
    baselines = {run: _readings(documents) for run, documents in sent.items()}
    with h5py.File(path, "r") as file:
        points = measured(scan, sent)
        of_entry = {
            scan.entry(region, index["pol"], index["angle"]): (region, index)
            for number, index in enumerate(scan.indexes())
            if number in sent
            for region in (range(len(scan.regions)) if scan.scan_type == 4 else [index["region"]])
        }
        assert set(of_class(file, "NXentry")) == set(of_entry)
        assert text(file.attrs["default"]) in of_entry
        for entry, (region, index) in of_entry.items():
            expected = Expected(scan, points.get(entry, []), region, baselines)
            _check_entry(file[entry], expected, _sent_of(scan, sent, entry), index)


def _readings(documents: Documents) -> int:
    streams = {
        doc["uid"] for name, doc in documents if name == "descriptor" and doc["name"] == "baseline"
    }
    return sum(name == "event" and doc["descriptor"] in streams for name, doc in documents)


def _sent_of(scan: StxmScan, sent: Mapping[int, Documents], entry: str) -> list[Documents]:
    """The runs of an entry, in the order of time."""
    indexes = list(scan.indexes())
    return [
        sent[run]
        for run in sorted(sent)
        if scan.scan_type == 4 or scan.index_map(**indexes[run])["entry"] == entry
    ]


def _check_entry(
    entry: Any, expected: Expected, sent: list[Documents], index: dict[str, int]
) -> None:
    scan = expected.scan
    assert entry["definition"].shape == (1,)
    assert entry["definition"].dtype.kind == "S"
    assert entry["definition"][0] == b"NXstxm"
    assert text(entry["title"][()])
    keys = [scan.key(counter) for counter in scan.counters]
    groups = of_class(entry, "NXdata")
    assert set(keys) <= set(groups)
    assert text(entry.attrs["default"]) == keys[0]
    for number, key in enumerate(keys):
        _check_data(entry[key], expected, number)
    assert text(entry["control"].attrs["NX_class"]) == "NXmonitor"
    assert text(entry["control/data"].attrs["units"]) == "mA"
    same(entry["control/data"], expected.grid([expected.ring(p) for p in expected.points]), "ring")
    _check_instrument(entry["instrument"], expected, keys)
    _check_sample(entry["sample"], expected, index)
    code, angle, _offset = scan.polarizations[index["pol"]]
    np.testing.assert_allclose(stokes_of(entry), STOKES[code](np.deg2rad(angle)), atol=1e-12)
    _check_times(entry, sent)
    check_runs(entry, sent)
    assert json.loads(text(entry["collection/scan_request"][()]))


def _check_plot(group: Any, expected: Expected) -> None:
    """Attributes and axes."""
    where = group.name
    assert text(group.attrs["signal"]) == "data", where
    axes = group.attrs["axes"]
    assert isinstance(axes, np.ndarray), where
    assert axes.dtype.kind == "S", where  # MANTiS decodes them
    assert [each.decode() for each in axes] == expected.axes, where
    for dimension, name in enumerate(expected.axes):
        assert int(np.ravel(group.attrs[f"{name}_indices"])[0]) == dimension, (where, name)
        same(group[name], expected.field(name), f"{where}/{name}")
        assert group[name].dtype.kind == "f", (where, name)


def _check_data(group: Any, expected: Expected, counter: int) -> None:
    where, kind = group.name, expected.scan.scan_type
    _check_plot(group, expected)
    exactly(group["data"], expected.data(counter), where)
    assert int(group["data"].attrs["signal"]) == 1
    label = group["stxm_scan_type"]
    assert label.shape == (1,) and label.dtype.kind == "S", where
    assert label[0].decode() == LABELS[kind]
    same(group["energy"], expected.axis("energy"), f"{where}/energy")
    same(group["count_time"], expected.dwells(), f"{where}/count_time")
    for dimension, name in enumerate(expected.axes):
        assert int(group[name].attrs["axis"]) == dimension + 1, (where, name)
    for name in COMPANIONS.get(kind, []):
        same(group[name], expected.field(name), f"{where}/{name}")
        assert int(group[name].attrs["axis"]) == 2, (where, name)
        assert int(np.ravel(group.attrs[f"{name}_indices"])[0]) == 1, (where, name)
    for name in ("sample_x", "sample_y"):
        if name not in expected.axes and name not in COMPANIONS.get(kind, []):
            assert group[name].shape == (1,), (where, name)
            assert "axis" not in group[name].attrs, (where, name)
        assert group[name].dtype.kind == "f", (where, name)
    if kind == 4:
        same(group["sample_x"], expected.axis("x"), where)
        same(group["sample_y"], expected.axis("y"), where)
    elif kind in (0, 1, 2) and all(expected.baselines.get(p.run) for p in expected.points[:1]):
        standing = bool(expected.points)
        same(group["sample_x"], [3.5], where) if standing else None
        same(group["sample_y"], [-4.5], where) if standing else None
    for name, field in group.items():
        if name not in ("data", "stxm_scan_type"):
            assert text(field.attrs["units"]) == UNITS.get(name, "um"), (where, name)


def _check_instrument(instrument: Any, expected: Expected, keys: list[str]) -> None:
    points, kind = expected.points, expected.scan.scan_type
    source = instrument["source"]
    assert {"type", "name", "probe"} <= set(source)
    assert text(source["probe"][()]) == "x-ray"
    energies = np.array([expected.energy(p) for p in points])
    same(instrument["monochromator/energy"], energies, "monochromator")
    assert text(instrument["monochromator/energy"].attrs["units"]) == "eV"
    assert instrument["monochromator/energy"].dtype.kind == "f"
    detectors = of_class(instrument, "NXdetector")
    assert set(keys) <= set(detectors)
    assert all("units" in instrument[f"{name}/data"].attrs for name in detectors)
    for number, key in enumerate(keys):
        if points:
            exactly(instrument[f"{key}/data"], expected.flat(number), f"instrument/{key}")
        dwells = [expected.dwells()[p.e] for p in points]
        same(instrument[f"{key}/count_time"], np.array(dwells), f"{key}/count_time")
        assert text(instrument[f"{key}/count_time"].attrs["units"]) == "s"
    xs, ys = (np.array([at(p) for p in points]) for at in (expected.x, expected.y))
    if kind in (3, 4, 5, 6, 7, 9, 10, 11, 12, 13):
        for name, values in (("sample_x", xs), ("sample_y", ys)):
            same(instrument[f"{name}/data"], values, f"instrument/{name}")
            assert instrument[f"{name}/data"].dtype.kind == "f"
    elif points and expected.scan.positions == "both":
        assert any(_equal(instrument[f"{name}/data"], xs) for name in detectors)
    plate = instrument["zoneplate"]
    assert text(plate.attrs["NX_class"]) == "NXcollection"
    lengths = {"um": 1e-6, "nm": 1e-9, "mm": 1e-3, "m": 1.0}
    for name, metres in (("outer_diameter", 250e-6), ("outermost_zone_width", 25e-9),
                         ("central_stop_diameter", 100e-6)):  # fmt: skip
        factor = lengths[text(plate[name].attrs["units"])]
        np.testing.assert_allclose(np.ravel(plate[name][()])[0] * factor, metres, err_msg=name)


def _equal(found: Any, values: np.ndarray) -> bool:
    return found.shape == values.shape and np.allclose(found[()], values)


def _check_sample(sample: Any, expected: Expected, index: dict[str, int]) -> None:
    scan = expected.scan
    angle = sample["rotation_angle"]
    assert angle.shape == (1,) and angle.dtype.kind == "f"
    assert text(angle.attrs["units"]) in ("degree", "degrees", "deg")
    if scan.scan_type == 11 or scan.baseline:
        same(angle, [scan.angles[index["angle"]]], "rotation_angle")


def stokes_of(entry: Any) -> np.ndarray:
    """The Stokes vector of an entry's beam."""
    found = np.atleast_2d(entry["sample/beam/incident_polarization_stokes"][()])
    assert text(entry["sample/beam"].attrs["NX_class"]) == "NXbeam"
    assert len(np.unique(found, axis=0)) == 1
    return found[0]


def _check_times(entry: Any, sent: list[Documents]) -> None:
    first, last = sent[0][0][1]["time"], sent[-1][-1][1]["time"]
    begin = datetime.datetime.fromisoformat(text(entry["start_time"][()]))
    assert begin.tzinfo is not None
    np.testing.assert_allclose(begin.timestamp(), first, atol=1e-3)
    end = datetime.datetime.fromisoformat(text(entry["end_time"][()]))
    assert end.tzinfo is not None
    np.testing.assert_allclose(end.timestamp(), last, atol=1e-3)


def check_runs(entry: Any, sent: list[Documents]) -> None:
    """Compare what an entry says about its runs."""
    runs = entry["collection/runs"]
    uids = [text(each) for each in np.atleast_1d(runs["uid"][()])]
    assert uids == [documents[0][1]["uid"] for documents in sent]
    found = [text(each) for each in np.atleast_1d(runs["exit_status"][()])]
    for documents, status in zip(sent, found, strict=True):
        name, doc = documents[-1]
        if name == "stop":
            assert status == doc["exit_status"]
        else:
            assert status != "success"
