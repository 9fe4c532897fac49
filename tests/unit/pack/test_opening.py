"""Packs opened: runs chosen, documents played, images read; wherever the pack has been moved."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.hdf5.writer import HDF5Writer
from adsupport.documents import replay
from adsupport.documents.selection import find_runs
from adsupport.errors import DocumentError, ImageFileError, PackError, RunNotFoundError
from adsupport.pack import open_pack, pack, verify

from .made_packs import UID, images, make_pack, resource, run_of, seal, write_hdf5


def test_a_pack_that_was_moved_has_its_runs_and_images(tmp_path: Path) -> None:
    make_pack(tmp_path / "made", runs=3)
    (tmp_path / "made").rename(tmp_path / "moved")
    opened = open_pack(tmp_path / "moved")
    assert [run.uid for run in opened] == [UID.format(number) for number in (1, 2, 3)]
    run = opened[3]
    assert run.start["scan_id"] == 3 and run.stop and run.stop["exit_status"] == "success"
    data = run.read()
    assert data["m1"].tolist() == [0.0, 0.5, 1.0]
    assert data["seq_num"].tolist() == [1, 2, 3] and data["time"][0] == 1.7e9 + 3
    found = data["det_image"]
    assert found.shape == (3, 1, 4, 5) and found.dtype == np.dtype("<u2") and len(found) == 3
    assert np.array_equal(np.asarray(found), images()[:, None] + 300)
    assert np.array_equal(found[1, 0, 2:], images()[1, 2:] + 300)
    assert np.array_equal(found[::-2], images()[::-2, None] + 300)
    assert np.array_equal(found[[2, 0], 0, 1], images()[[2, 0], 1] + 300)
    assert np.array_equal(found[..., 0], images()[:, None, :, 0] + 300)
    with pytest.raises(IndexError):
        found[3]


@pytest.mark.parametrize(
    ("asked", "number"), [(2, 2), (-1, 3), ("-2", 2), (UID.format(1), 1), ("3", 3)]
)
def test_runs_are_named_as_everywhere(tmp_path: Path, asked: Any, number: int) -> None:
    opened = open_pack(make_pack(tmp_path / "made", runs=3))
    assert opened[asked].uid == UID.format(number)


def test_runs_that_are_not_there(tmp_path: Path) -> None:
    opened = open_pack(make_pack(tmp_path / "made"))
    with pytest.raises(RunNotFoundError, match="made has no run '17'"):
        opened[17]
    with pytest.raises(RunNotFoundError, match="beginning of 2 uids"):
        opened[UID[:8]]
    with pytest.raises(DocumentError, match="no stream 'baseline'; it has primary"):
        opened[1].read("baseline")


def test_runs_go_wherever_stored_runs_do(tmp_path: Path) -> None:
    opened = open_pack(make_pack(tmp_path / "made"))
    played: list[Any] = []
    replay(opened, lambda name, doc: played.append((name, doc)))
    assert played == run_of(1) + run_of(2, resource(2))
    played.clear()
    replay(opened[1], lambda name, doc: played.append((name, doc)))
    assert played == run_of(1)
    assert [run.uid for run in find_runs(opened, ["1-2"])] == [run.uid for run in opened]
    assert [run.uid for run in find_runs(opened, since=1.7e9 + 2)] == [UID.format(2)]


def test_writers_find_the_images(tmp_path: Path) -> None:
    run = open_pack(make_pack(tmp_path / "made"))[2]
    writer = HDF5Writer(tmp_path / "out", images="copy", path_map=run.path_map)
    replay(run, writer.receiver)
    writer.wait_writer()
    (path,) = writer.results[-1].paths
    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, node: found.update({name: getattr(node, "shape", None)}))
        (name,) = [each for each in found if found[each] == (3, 1, 4, 5)]
        stored: Any = file[name]
        assert np.array_equal(stored, images()[:, None] + 200)


@pytest.mark.parametrize("external", ["copy", "hardlink", "list", "fill", "ignore"])
@pytest.mark.parametrize("form", ["jsonl", "msgpack"])
def test_what_pack_made(tmp_path: Path, form: Any, external: Any) -> None:
    write_hdf5(tmp_path / "here/2026/scan_2.h5")
    mapping = {"/beamline": tmp_path / "here"}
    runs = [run_of(1), run_of(2, resource(2))]
    directory = tmp_path / "pack"
    pack(runs, directory, format=form, external=external, path_map=mapping)
    assert verify(directory).ok
    found = open_pack(directory, path_map=mapping if external in ("list", "ignore") else None)
    if external != "fill":
        assert [list(run.documents()) for run in found] == runs
    assert found[2].stop == runs[1][-1][1]
    assert np.array_equal(found[2].read()["det_image"], images()[:, None])


def test_opening_and_reading_need_no_catalog(tmp_path: Path) -> None:
    make_pack(tmp_path / "made")
    script = (
        "import sys; from adsupport.pack import open_pack; import numpy as np; "
        f"np.asarray(open_pack({str(tmp_path / 'made')!r})[2].read()['det_image']); "
        "print({'databroker', 'intake', 'tiled', 'pandas', 'dask'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout == "set()\n", found.stderr


def test_documents_are_read_only_when_they_are_asked_for(tmp_path: Path) -> None:
    directory = make_pack(tmp_path / "made")
    for path in (directory / "documents").iterdir():
        path.unlink()
    opened = open_pack(directory)
    assert len(opened) == 2 and opened[-1].time == 1.7e9 + 2
    with pytest.raises(PackError, match="can't be read"):
        list(opened[-1].documents())


def test_filled_images_and_missing_values(tmp_path: Path) -> None:
    documents = run_of(1, resource(1))
    for name, doc in documents:
        if name == "event":
            doc["data"]["det_image"] = images()[doc["seq_num"] - 1 : doc["seq_num"]].tolist()
            doc["data"]["label"] = "a"
            doc["filled"]["det_image"] = True
    documents[1][1]["data_keys"]["label"] = {"dtype": "string", "shape": [], "source": "x"}
    del next(doc for name, doc in documents if name == "event")["data"]["label"]
    data = open_pack(seal(tmp_path, [documents]))[1].read()
    assert np.array_equal(data["det_image"], images()[:, None])
    label = data["label"]
    assert isinstance(label, np.ma.MaskedArray) and label.mask.tolist() == [True, False, False]


def test_images_that_are_missing_cost_nothing_else(tmp_path: Path) -> None:
    directory = seal(tmp_path, [run_of(1, resource(1))])
    data = open_pack(directory)[1].read()
    assert data["m1"].tolist() == [0.0, 0.5, 1.0]
    with pytest.raises(ImageFileError, match="is missing"):
        np.asarray(data["det_image"])


def test_files_that_a_pack_only_lists_need_a_path_map(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "here/2026/scan_1.h5")
    directory = seal(tmp_path / "pack", [run_of(1, resource(1))])
    data = open_pack(directory, path_map={"/beamline": tmp_path / "here"})[1].read()
    assert np.array_equal(data["det_image"], images()[:, None])


def test_lazy_images_say_what_they_are_and_how_to_calculate(tmp_path: Path) -> None:
    run = open_pack(make_pack(tmp_path))[-1]
    found = run.read()["det_image"]
    assert repr(found) == "LazyImages('det_image', shape=(3, 1, 4, 5), dtype=uint16)"
    assert np.asarray(found).mean() == found[...].mean()
    with pytest.raises(AttributeError, match=r"no 'mean'; read .* np.asarray\(images\).mean"):
        found.mean()
    assert not hasattr(found, "colour")


@pytest.mark.parametrize("external", ["list", "ignore"])
def test_an_image_that_the_pack_does_not_hold_is_told_so(tmp_path: Path, external: Any) -> None:
    pack([open_pack(make_pack(tmp_path / "first"))[-1]], tmp_path / "out", external=external)
    found = open_pack(tmp_path / "out")[-1].read()["det_image"]
    with pytest.raises(ImageFileError, match=r"the pack doesn't hold it. path_map={} looks"):
        found[0]
    assert "can't be read" in repr(found)


def test_documents_of_another_run_or_too_few(tmp_path: Path) -> None:
    directory = make_pack(tmp_path / "made")
    run = open_pack(directory)[1]
    path = directory / run.entry.path
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(PackError, match="has 5 documents; expected 6"):
        list(run.documents())
    path.write_text(json.dumps(["start", {"uid": "other"}]) + "\n")
    with pytest.raises(PackError, match="expected the start of run"):
        list(run.documents())


def test_what_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="isn't a pack"):
        open_pack(tmp_path)
