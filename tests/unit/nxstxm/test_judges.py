"""The judges of NXstxm files see the defects that they're for, and none in files without."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from ...judges import nxvalidate_judge, pynxtools_judge
from ...judges.nxstxm_rules import violations
from ...judges.plain_stxm import KINDS, write_plain
from ...judges.stxm_defects import DEFECTS
from ...judges.stxm_readers import als_like, default_plot, mantis_like
from .slow_params import mostly_slow

NO_LINE_NOR_SAMPLE = ["point", "focus", "osa focus", "osa", "detector", "generic"]
NO_IMAGE = ["point", "generic"]


def nxvalidate(path: Path) -> list[str]:
    return nxvalidate_judge.judge_file(path).all + nxvalidate_judge.judge_application(path).all


def spoilt(path: Path, name: str) -> Path:
    defect = DEFECTS[name]
    write_plain(path, KINDS[defect.kind])
    with h5py.File(path, "r+") as file:
        defect.spoil(file["entry0"])
    return path


@pytest.mark.parametrize("kind", mostly_slow(KINDS, quick=("stack", "line")))
def test_a_file_as_it_should_be(kind, tmp_path):
    path = write_plain(tmp_path / "plain.h5", KINDS[kind])
    assert violations(path) == []
    assert nxvalidate(path) == []


@pytest.mark.parametrize("name", mostly_slow(DEFECTS, quick=[*DEFECTS][::7]))
def test_a_defect_is_found(name, tmp_path):
    path = spoilt(tmp_path / "spoilt.h5", name)
    found = violations(path)
    assert bool(found) == DEFECTS[name].rules, found
    found = nxvalidate(path)
    assert bool(found) == DEFECTS[name].nxvalidate, found


@pynxtools_judge.needs_pynxtools
@pytest.mark.slow
def test_what_pynxtools_finds(tmp_path):
    plain = [write_plain(tmp_path / f"{kind}.h5", KINDS[kind]) for kind in KINDS]
    paths = {name: spoilt(tmp_path / f"{i}.h5", name) for i, name in enumerate(DEFECTS)}
    found = pynxtools_judge.judge(*plain, *paths.values())
    assert [found[str(path)] for path in plain] == [[]] * len(plain)
    seen = {name: bool(found[str(path)]) for name, path in paths.items()}
    assert seen == {name: defect.pynxtools for name, defect in DEFECTS.items()}


def test_nothing_is_measured(tmp_path):
    """An aborted run's grid of NaN, with no points."""
    path = write_plain(tmp_path / "empty.h5", KINDS["image"])
    with h5py.File(path, "r+") as file:
        entry = file["entry0"]
        for name in ("counter0/data", "control/data"):
            units = entry[name].attrs["units"]
            del entry[name]
            entry[name] = np.full((4, 5), np.nan)
            entry[name].attrs["units"] = units
        instrument = entry["instrument"]
        flat = [f"{name}/data" for name in ("counter0", "sample_x", "sample_y")]
        for name in [*flat, "counter0/count_time", "monochromator/energy"]:
            units = instrument[name].attrs["units"]
            del instrument[name]
            instrument[name] = np.zeros(0)
            instrument[name].attrs["units"] = units
    assert violations(path) == []
    assert nxvalidate(path) == []


def test_older_attributes_when_allowed(tmp_path):
    path = spoilt(tmp_path / "older.h5", "class of a dataset")
    assert violations(path, older_attributes=True) == []


def level(path: Path) -> None:
    """Make a line horizontal."""
    with h5py.File(path, "r+") as file:
        file["entry0/counter0/sample_y"][...] = 1.5


def test_mantis_knows_no_other_lines(tmp_path):
    with pytest.raises(ValueError, match="horizontal"):
        mantis_like(write_plain(tmp_path / "plain.h5", KINDS["line"]))


@pytest.mark.parametrize("kind", KINDS)
def test_viewers_find_what_to_plot(kind, tmp_path):
    path = write_plain(tmp_path / "plain.h5", KINDS[kind])
    assert default_plot(path) == list(KINDS[kind].sizes)


@pytest.mark.parametrize("kind", KINDS)
def test_mantis_reads_what_it_can(kind, tmp_path):
    path = write_plain(tmp_path / "plain.h5", KINDS[kind])
    if kind == "line":
        level(path)
    if kind in NO_LINE_NOR_SAMPLE:
        with pytest.raises(ValueError, match="is not in list"):
            mantis_like(path)
        return
    [stack] = mantis_like(path)
    sizes = KINDS[kind].sizes
    assert stack.scan_type == KINDS[kind].scan_type
    assert stack.data.shape == tuple(sizes.values())[::-1]
    assert len(stack.dwells) == len(stack.energies) == sizes.get("energy", 1)
    # The first point is 0, its neighbour in x 1.
    assert stack.data.ravel()[0] == 0
    assert stack.data[1].ravel()[0] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_als_reads_images(kind, tmp_path):
    path = write_plain(tmp_path / "plain.h5", KINDS[kind])
    if kind in NO_IMAGE:
        with pytest.raises(ValueError, match="no image"):
            als_like(path, "entry0", "counter0")
        return
    found = als_like(path, "entry0", "counter0")
    assert found["scan_type"] == KINDS[kind].scan_type
    assert found["frame"].shape == tuple(KINDS[kind].sizes.values())[-2:]
    assert found["dwell"] == 0.005


@pytest.mark.parametrize(
    ("path", "value"),
    [("definition", "NXstxm"), ("counter0/stxm_scan_type", "sample image")],
)
def test_single_strings_are_no_good_for_mantis(path, value, tmp_path):
    file_path = write_plain(tmp_path / "plain.h5", KINDS["image"])
    with h5py.File(file_path, "r+") as file:
        del file["entry0"][path]
        file["entry0"][path] = value
    with pytest.raises(ValueError, match="scalar"):
        mantis_like(file_path)


def test_axes_of_any_length_are_no_good_for_mantis(tmp_path):
    path = write_plain(tmp_path / "plain.h5", KINDS["image"])
    with h5py.File(path, "r+") as file:
        plot = file["entry0/counter0"]
        plot.attrs["axes"] = np.array(["sample_y", "sample_x"], dtype=h5py.string_dtype())
    with pytest.raises(AttributeError, match="decode"):
        mantis_like(path)
