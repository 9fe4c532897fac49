"""Packing runs: what is in the pack, as other programs read it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adsupport.documents import asset_of, replay
from adsupport.documents.json_lines import read_documents
from adsupport.errors import (
    ConfigurationError,
    DocumentError,
    OutputExistsError,
    PackError,
    RunNotFoundError,
)
from adsupport.pack import PackProgress, msgpack_text, open_pack, pack
from adsupport.pack.layout import place_of

from .made_packs import images, resource, run_of, write_hdf5
from .source_runs import (
    TAG,
    hdf5_run,
    packed,
    pixels,
    streamed_run,
    sums_are_right,
    tiff_run,
    tree,
    write_bytes,
)


def manifest_of(directory: Path) -> dict[str, Any]:
    return json.loads((directory / "manifest.json").read_text())


def test_a_run_and_its_images_are_in_the_pack(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    documents = hdf5_run(data)
    os.utime(data / "scan_1.h5", ns=(1, 1_700_000_000_123_456_789))

    result = pack(documents, out)

    uid = documents[0][1]["uid"]
    lines = (out / f"documents/{uid}.jsonl").read_text().splitlines()
    assert [tuple(json.loads(line)) for line in lines] == documents
    there = out / packed(data / "scan_1.h5")
    assert there.read_bytes() == (data / "scan_1.h5").read_bytes()
    assert there.stat().st_mtime_ns == 1_700_000_000_123_456_789
    assert result.added == (uid,)
    assert result.missing == ()
    assert sums_are_right(out)
    found = manifest_of(out)
    assert found["runs"][0] | {"sha256": ""} == {
        "uid": uid,
        "path": f"documents/{uid}.jsonl",
        "size": (out / f"documents/{uid}.jsonl").stat().st_size,
        "sha256": "",
        "documents": len(documents),
        "time": documents[0][1]["time"],
        "scan_id": 1,
    }
    assert found["files"][0]["source"] == str(data / "scan_1.h5")
    assert found["files"][0]["documents"] == [f"{uid}-r"]
    assert found["roots"] == {
        "/": f"external_files/{TAG}",
        str(data): packed(data),
    }


def test_a_pack_has_the_lists_of_databroker_pack(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    pack(documents, tmp_path / "out")
    names = tree(tmp_path / "out")
    assert names["documents_manifest.txt"].decode() == f"documents/{documents[0][1]['uid']}.jsonl\n"
    assert names[f"external_files_manifest_{TAG}.txt"].decode() == f"{tmp_path}/data/scan_1.h5\n"
    assert not [name for name in names if name.startswith(".")]


def test_a_result_is_told_in_short(tmp_path: Path) -> None:
    runs = [hdf5_run(tmp_path / "data", 1), run_of(2, resource(2, root=str(tmp_path / "data")))]
    size = (tmp_path / "data/scan_1.h5").stat().st_size
    out = tmp_path / "out"
    assert str(pack(runs[0], out)) == f"{out}: 1 run, 1 of them new; 1 file, {size} bytes."
    assert str(pack(runs, out, strict=False)).splitlines() == [
        f"{out}: 2 runs, 1 of them new; 1 file, {size} bytes; 1 missing or damaged:",
        f"{tmp_path}/data/2026/scan_2.h5: there is no such file",
    ]


def test_each_file_of_a_series_is_packed_and_no_other(tmp_path: Path) -> None:
    pack(tiff_run(tmp_path / "data"), tmp_path / "out")
    found = sorted(name for name in tree(tmp_path / "out") if name.endswith(".tif"))
    assert found == [packed(tmp_path / f"data/im_{point:03d}.tif") for point in range(3)]


def test_images_of_stream_resources_are_packed(tmp_path: Path) -> None:
    documents = streamed_run(tmp_path / "data")
    pack(documents, tmp_path / "out")
    asset = asset_of(documents[2][1], lambda path: tmp_path / "out" / place_of(path))
    np.testing.assert_array_equal(pixels(asset.path), images())
    assert list(read_documents(next((tmp_path / "out/documents").iterdir()))) == documents


def test_documents_lose_nothing_in_either_format(tmp_path: Path) -> None:
    documents = run_of()
    odd = {
        "nan": math.nan,
        "complex": 1 + 2j,
        "bytes": b"\0",
        "array": np.arange(3.0),
        "big": 2**70,
    }
    documents[0][1].update(odd=odd)
    pack(documents, tmp_path / "lines")
    pack(documents, tmp_path / "msgpack", format="msgpack")
    uid = documents[0][1]["uid"]
    for read, path in (
        (read_documents, tmp_path / f"lines/documents/{uid}.jsonl"),
        (msgpack_text.read_documents, tmp_path / f"msgpack/documents/{uid}.msgpack"),
    ):
        found = dict(read(path))["start"].pop("odd")
        assert math.isnan(found["nan"])
        np.testing.assert_array_equal(found["array"], odd["array"])
        assert {key: found[key] for key in ("complex", "bytes", "big")} == {
            key: odd[key] for key in ("complex", "bytes", "big")
        }


def test_a_file_of_several_runs_is_packed_once(tmp_path: Path) -> None:
    runs = [hdf5_run(tmp_path / "data", number, "one.h5") for number in (1, 2)]
    told: list[PackProgress] = []
    pack(runs, tmp_path / "out", progress=told.append)
    (file,) = manifest_of(tmp_path / "out")["files"]
    assert len(file["documents"]) == 2
    assert told[-1].runs == 2
    assert told[-1].files == 1
    assert told[-1].size == (tmp_path / "data/one.h5").stat().st_size


def test_two_roots_of_one_file_lead_to_one_place(tmp_path: Path) -> None:
    first = hdf5_run(tmp_path / "data/x", 1, "one.h5")
    second = run_of(2, resource(2, root=str(tmp_path), resource_path="data/x/one.h5"))
    pack([first, second], tmp_path / "out")
    found = manifest_of(tmp_path / "out")
    assert len(found["files"]) == 1
    for root, path in ((f"{tmp_path}/data/x", "one.h5"), (f"{tmp_path}", "data/x/one.h5")):
        assert (tmp_path / "out" / found["roots"][root] / path).is_file()


def test_runs_come_in_many_forms(tmp_path: Path) -> None:
    first, second = run_of(1), run_of(2)
    uids = (first[0][1]["uid"], second[0][1]["uid"])
    mixed = tmp_path / "both.jsonl"
    pairs = [each for pair in zip(first, second, strict=True) for each in pair]
    mixed.write_text("".join(json.dumps(each) + "\n" for each in pairs))
    whole = tree(pack([first, second], tmp_path / "one").directory)
    for number, source in enumerate([iter(first + second), mixed, [str(mixed)], (second, first)]):
        assert tree(pack(source, tmp_path / f"out{number}").directory) == whole
    assert pack(mixed, tmp_path / "one").known == uids


def test_runs_of_a_catalog_are_packed(tmp_path: Path) -> None:
    databroker = pytest.importorskip("databroker")
    catalog = databroker.temp()
    documents = hdf5_run(tmp_path / "data")
    for name, doc in documents:
        catalog.v1.insert(name, doc)
    for source, where in ((catalog.v2, "all"), (catalog.v2[-1], "run"), (catalog[-1], "header")):
        pack(source, tmp_path / where)
        found = list(read_documents(next((tmp_path / where / "documents").iterdir())))
        assert {name for name, _ in found} >= {"descriptor", "resource", "stop"}
        assert found[0] == documents[0]
        assert (tmp_path / where / packed(tmp_path / "data/scan_1.h5")).is_file()


def test_a_pack_can_be_replayed(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    pack(documents, tmp_path / "out")
    found: list[Any] = []
    path = next((tmp_path / "out/documents").iterdir())
    replay(path, lambda name, doc: found.append((name, doc)))
    assert found == documents


def test_runs_are_added_to_a_pack(tmp_path: Path) -> None:
    first, second = hdf5_run(tmp_path / "data", 1), hdf5_run(tmp_path / "data", 2)
    pack(first, tmp_path / "out")
    result = pack([first, second], tmp_path / "out")
    assert (len(result.added), len(result.known)) == (1, 1)
    assert sums_are_right(tmp_path / "out")
    assert tree(tmp_path / "out") == tree(pack([second, first], tmp_path / "new").directory)


def test_a_run_that_is_there_with_other_documents_is_refused(tmp_path: Path) -> None:
    pack(run_of(1), tmp_path / "out")
    before = tree(tmp_path / "out")
    with pytest.raises(DocumentError, match="in the pack already, with other documents"):
        pack(run_of(1, points=4), tmp_path / "out")
    pack(run_of(1), tmp_path / "out")
    assert tree(tmp_path / "out") == before


def test_runs_of_a_pack_are_packed_from_there(tmp_path: Path) -> None:
    runs = [hdf5_run(tmp_path / "data", 1), streamed_run(tmp_path / "data", 2)]
    whole = tree(pack(runs, tmp_path / "first").directory)
    (tmp_path / "data").rename(tmp_path / "gone")
    (tmp_path / "first").rename(tmp_path / "moved")
    again = open_pack(tmp_path / "moved")
    found = tree(pack(again, tmp_path / "out").directory)
    assert found.keys() == whole.keys()
    same = [name for name in whole if name.startswith(("documents", "external_files/"))]
    assert len(same) == 5
    assert all(found[name] == whole[name] for name in same)
    assert pack(again[2], tmp_path / "one").added == (runs[1][0][1]["uid"],)


def test_options_of_a_pack_stay(tmp_path: Path) -> None:
    pack(run_of(1), tmp_path / "out", format="msgpack", external="ignore")
    result = pack(hdf5_run(tmp_path / "data", 2), tmp_path / "out")
    assert result.manifest.documents == "msgpack"
    assert result.manifest.files == ()
    with pytest.raises(ConfigurationError, match="begun with format='msgpack', not 'jsonl'"):
        pack(run_of(1), tmp_path / "out", format="jsonl")
    with pytest.raises(ConfigurationError, match="begun with external='ignore', not 'copy'"):
        pack(run_of(1), tmp_path / "out", external="copy")


@pytest.mark.parametrize("option", [{"format": "json"}, {"external": "move"}])
def test_unknown_options_are_refused(tmp_path: Path, option: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="isn't known"):
        pack(run_of(1), tmp_path / "out", **option)
    assert not (tmp_path / "out").exists()


def test_a_directory_with_something_else_is_refused(tmp_path: Path) -> None:
    write_bytes(tmp_path / "out/mine.txt", b"mine")
    with pytest.raises(OutputExistsError, match=r"isn't a pack: it has 'mine\.txt'"):
        pack(run_of(1), tmp_path / "out")
    assert tree(tmp_path / "out") == {"mine.txt": b"mine"}


def test_a_pack_that_is_damaged_is_refused(tmp_path: Path) -> None:
    pack(run_of(1), tmp_path / "out")
    path = tmp_path / "out/manifest.json"
    path.write_text(path.read_text().replace('"scan_id": 1', '"scan_id": 2'))
    with pytest.raises(PackError, match="damaged"):
        pack(run_of(2), tmp_path / "out")


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    pack(run_of(1), tmp_path / "out")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/external_files").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PackError, match="or a link to one"):
        pack(hdf5_run(tmp_path / "data", 2), tmp_path / "out")
    assert not any((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    ("documents", "problem"),
    [
        ([("stop", {"run_start": "x"})], "begin with a 'stop' document"),
        ([("start", {"time": 1.0})], "has the uid None"),
        ([("start", {"uid": "a"}), ("start", {"uid": "b"})], "are mixed"),
        ([("start", {"uid": "a"}), ("resource", {"spec": "AD_HDF5"})], "isn't understood"),
        ([("start", {"uid": "a", "x": object()})], "can't be written as JSON"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, documents: Any, problem: str) -> None:
    with pytest.raises(DocumentError, match=problem):
        pack(documents, tmp_path / "out")
    pack(run_of(1), tmp_path / "out")  # and doesn't stand in the way
    assert sums_are_right(tmp_path / "out")


def test_without_strict_odd_values_are_remarked(tmp_path: Path) -> None:
    result = pack(
        [("start", {"uid": "a", "x": object()}), ("stop", {})], tmp_path / "out", strict=False
    )
    assert result.remarks == ("start['x']: only the text of a object is in the pack.",)


def test_no_run_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError, match="no run to pack"):
        pack([], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_uids_are_not_paths(tmp_path: Path) -> None:
    documents = run_of(1)
    documents[0][1]["uid"] = "../../../evil"
    documents = documents[:1]
    pack(documents, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    assert sums_are_right(tmp_path / "out")


def test_packing_is_imported_without_much() -> None:
    code = "import sys, adsupport.pack.making.packing as p; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"h5py", "pandas", "databroker", "tiled", "msgpack"} & set(done.stdout.split())


def test_files_of_a_run_that_grew_are_brought_again(tmp_path: Path) -> None:
    first = hdf5_run(tmp_path / "data", 1, "one.h5")

    def runs() -> Any:
        yield first
        write_hdf5(tmp_path / "data/one.h5", images(9))
        yield hdf5_run(tmp_path / "data", 2, "one.h5")

    pack(runs(), tmp_path / "out")
    assert len(pixels(tmp_path / "out" / packed(tmp_path / "data/one.h5"))) == 9
    assert sums_are_right(tmp_path / "out")
