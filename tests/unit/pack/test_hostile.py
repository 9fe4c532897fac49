"""Packs made to do harm: each refused with the reason, and nothing opened outside of them."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.errors import AdsupportError, DocumentError, ImageFileError, PackError
from adsupport.naming import PathMap
from adsupport.pack import open_pack, unpack, verify
from adsupport.pack.manifest import Manifest, PackedFile, PackedRunEntry
from adsupport.pack.reading import packed_documents as packed_documents_module

from .made_packs import (
    UID,
    images,
    make_pack,
    place,
    refused,
    resource,
    run_of,
    seal,
    write_hdf5,
)

# paths


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../outside.h5",
        "external_files/../../outside.h5",
        "external_files/a\\..\\b",
        "C:/a.h5",
        "external_files//a",
        "external_files/a\0b",
        "documents/a.jsonl",
        "",
    ],
)
def test_paths_of_the_manifest(tmp_path: Path, path: str) -> None:
    directory = make_pack(tmp_path / "pack")
    file = PackedFile(path, "/a", 1, "0" * 64, 0)
    (directory / "manifest.json").write_bytes(Manifest("jsonl", "copy", files=(file,)).text())
    with pytest.raises(PackError):
        open_pack(directory)
    assert any("isn't the path" in each or "damaged" in each for each in verify(directory).problems)


@pytest.mark.parametrize("uid", ["../../evil", "/etc/passwd", "a/b", "..", "a\0b", ""])
def test_uids_that_are_paths(tmp_path: Path, uid: str) -> None:
    documents = run_of(1)
    documents[0][1]["uid"] = uid
    directory = seal(tmp_path / "pack", [documents])
    assert [run.uid for run in open_pack(directory)] == [uid]
    assert {path.parent.name for path in tmp_path.rglob("*.jsonl")} == {"documents"}
    entry = PackedRunEntry(uid, f"documents/{uid}.jsonl", 1, "0" * 64, 1)
    text = Manifest("jsonl", "copy", runs=(entry,)).text()
    (directory / "manifest.json").write_bytes(text)
    with pytest.raises(PackError):
        list(next(iter(open_pack(directory))).documents())


@pytest.mark.parametrize(
    "more",
    [
        {"root": "/", "resource_path": "../../etc/passwd"},
        {"root": "", "resource_path": "../../../etc/passwd"},
        {"root": "/beamline", "resource_path": "a/../../../x.h5"},
        {"root": "/", "resource_path": "a\0b"},
        {"root": "/", "resource_path": "a\\..\\..\\b"},
    ],
)
def test_resources_that_lead_out(tmp_path: Path, more: Any) -> None:
    text = refused(seal(tmp_path / "pack", [run_of(1, resource(1, **more))]))
    assert UID.format(1) in text


def test_absolute_paths_are_looked_for_in_the_pack_alone(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "secret.h5")
    asset = resource(1, root="/", resource_path=str(tmp_path / "secret.h5"))
    assert "which the pack lacks" in refused(seal(tmp_path / "pack", [run_of(1, asset)]))


@pytest.mark.parametrize("path", ["/home/me/secret.h5", "/beamline/../home/me/secret.h5"])
@pytest.mark.parametrize("form", [dict, PathMap])
def test_a_path_map_lets_no_other_files_in(tmp_path: Path, path: str, form: Any) -> None:
    path = path.replace("/home/me", str(tmp_path))
    write_hdf5(tmp_path / "secret.h5")
    directory = seal(tmp_path / "pack", [run_of(1, resource(1, root="/", resource_path=path[1:]))])
    mapping = form({"/beamline": str(tmp_path / "mine")})
    data = open_pack(directory, path_map=mapping)[1].read()
    with pytest.raises(ImageFileError, match="pack/external_files/.*secret.h5 is missing"):
        np.asarray(data["det_image"])
    there = open_pack(directory, path_map={})[1].read()
    if ".." not in path:
        assert len(there["det_image"]) == 3 and there["det_image"].shape == (3, 1, 4, 5)


@pytest.mark.parametrize("template", ["%s../../../../%s_%d.tif", "../../../{:d}.tif"])
def test_names_of_series_that_lead_out(tmp_path: Path, template: str) -> None:
    kwargs = {"template": template, "filename": "../secret", "frame_per_point": 1}
    asset = resource(1, spec="AD_TIFF", resource_path="2026/", resource_kwargs=kwargs)
    directory = seal(tmp_path / "pack", [run_of(1, asset)])
    for mapping in (None, {"/beamline": tmp_path}):
        with pytest.raises(PackError, match="file names lead out of its directory"):
            list(open_pack(directory, mapping)[1].documents())


# what isn't a file


def _link(path: Path) -> None:
    outside = path.parents[5] / "secret.h5"
    write_hdf5(outside)
    path.symlink_to(outside)


def _directory_link(path: Path) -> None:
    outside = path.parents[5] / "outside"
    write_hdf5(outside / path.name)
    path.parent.rmdir()
    path.parent.symlink_to(outside)


def _socket(path: Path) -> None:
    where = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as found:
        found.bind(f"/proc/self/fd/{where}/{path.name}")
    os.close(where)


@pytest.mark.parametrize(
    ("make", "expected"),
    [(_link, "a link"), (_directory_link, "a link"), (os.mkfifo, "a pipe"), (_socket, "a socket")],
)
def test_links_pipes_and_sockets(
    tmp_path: Path, make: Callable[[Path], Any], expected: str
) -> None:
    directory = tmp_path / "pack"
    path = place(directory)
    path.parent.mkdir(parents=True)
    make(path)
    assert expected in refused(seal(directory, [run_of(1, resource(1))]))


def test_a_link_among_the_files_of_a_series(tmp_path: Path) -> None:
    directory = tmp_path / "pack"
    kwargs = {"template": "%s%s_%d.tif", "filename": "a", "frame_per_point": 1}
    asset = resource(1, spec="AD_TIFF", resource_path="2026/", resource_kwargs=kwargs)
    series = place(directory).parent
    series.mkdir(parents=True)
    for number in range(3):
        tifffile.imwrite(series / f"a_{number}.tif", images()[number])
    (series / "a_1.tif").rename(tmp_path / "secret.tif")
    (series / "a_1.tif").symlink_to(tmp_path / "secret.tif")
    assert "a_1.tif is a link" in refused(seal(directory, [run_of(1, asset)]))


def test_a_link_among_directories_with_numbers(tmp_path: Path) -> None:
    directory = tmp_path / "pack"
    asset = {
        "uid": "sr",
        "run_start": UID.format(1),
        "data_key": "det_image",
        "mimetype": "multipart/related;type=image/tiff",
        "uri": "file://localhost/beamline/2026/",
        "parameters": {"template": "{:d}/a.tif", "chunk_shape": [1]},
    }
    series = place(directory).parent
    for path in (series / "0", series / "2", tmp_path / "outside"):
        path.mkdir(parents=True)
        tifffile.imwrite(path / "a.tif", images()[0])
    (series / "1").symlink_to(tmp_path / "outside")
    documents = run_of(1)
    documents.insert(2, ("stream_resource", asset))
    with pytest.raises(PackError, match="1 is a link"):
        list(open_pack(seal(directory, [documents]))[1].documents())
    (series / "1").unlink()
    assert len(list(open_pack(seal(directory, [documents]))[1].documents())) == 7


def test_more_rows_than_any_list_has(tmp_path: Path) -> None:
    documents = run_of(1)
    spans = {"indices": {"start": 0, "stop": 10**12}, "seq_nums": {"start": 1, "stop": 10**12 + 1}}
    datum = {"uid": "sd", "stream_resource": "sr", "descriptor": f"{UID.format(1)}-d", **spans}
    documents.insert(2, ("stream_datum", datum))
    directory = seal(tmp_path / "pack", [documents])
    assert any("stream_datum of 1000000000000 rows" in each for each in verify(directory).problems)
    with pytest.raises(PackError, match="stream_datum of"):
        open_pack(directory)[1].read()


_ODD: list[Any] = [None, -1, 10**30, 10**12, 1.5, [], {}, "", "/", "../..", "\0", True, [[]]]
_ODD += ["{:d}", {"start": 0, "stop": 10**9}, "file:///etc/passwd", "AD_TIFF", "NPY_SEQ"]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: list[Any] = []
    if isinstance(value, dict | list):
        items = list(value.items() if isinstance(value, dict) else enumerate(value))
    return [path, *(deep for key, each in items for deep in _places(each, (*path, key)))]


@given(st.data())
@settings(max_examples=30)
def test_documents_with_anything_in_them(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("odd")
    write_hdf5(place(directory))
    documents: Any = [list(each) for each in run_of(1, resource(1))]
    for *way, last in data.draw(
        st.lists(
            st.sampled_from([p for p in _places(documents) if len(p) > 2 and p[0]]), max_size=3
        )
    ):
        found = documents
        for key in way:
            found = found[key] if isinstance(found, list) or key in found else {}
        found[last] = data.draw(st.sampled_from(_ODD))
    seal(directory, [documents])
    verify(directory)
    with contextlib.suppress(AdsupportError, OSError):
        for values in open_pack(directory)[1].read().values():
            np.asarray(values)
    unpacked = unpack(directory, directory.with_suffix(".mine"), verify=False)
    assert all(isinstance(each, AdsupportError | OSError) for each in unpacked.failed.values())


def test_documents_that_are_a_link(tmp_path: Path) -> None:
    directory = make_pack(tmp_path / "pack")
    path = next((directory / "documents").iterdir())
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PackError, match="is a link"):
        list(open_pack(directory)[1].documents())


# objects


class _Harm:
    def __reduce__(self) -> Any:
        return os.system, ("touch harm",)


def test_pickled_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "pack"
    asset = resource(1, spec="NPY_SEQ", resource_path="2026/a", resource_kwargs={})
    series = place(directory).parent
    series.mkdir(parents=True)
    for number in range(3):
        np.save(series / f"a_{number}.npy", np.array([_Harm()], object), allow_pickle=True)
    assert "a_2.npy of the pack is refused" in refused(seal(directory, [run_of(1, asset)]))
    assert not (tmp_path / "harm").exists()


def test_pickles_in_place_of_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    directory = make_pack(tmp_path / "pack")
    run = open_pack(directory)[1]
    (directory / run.entry.path).write_bytes(pickle.dumps(_Harm()))
    with pytest.raises(AdsupportError):
        list(run.documents())
    (directory / "manifest.json").write_bytes(pickle.dumps(_Harm()))
    with pytest.raises(PackError, match="isn't JSON"):
        open_pack(directory)
    assert not (tmp_path / "harm").exists()


def test_our_catalog_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    directory = make_pack(tmp_path / "pack")
    (directory / "catalog.yml").write_text("!!python/object/apply:os.system [touch harm]")
    (problem,) = verify(directory).problems
    assert "catalog.yml isn't as the manifest says" in problem and len(open_pack(directory)) == 2
    assert not (tmp_path / "harm").exists()


# JSON


def test_keys_that_are_there_twice(tmp_path: Path) -> None:
    directory = make_pack(tmp_path / "pack")
    run = open_pack(directory)[1]
    path = directory / run.entry.path
    path.write_text(path.read_text().replace('"m1": 0.5', '"m1": 0.5, "m1": 7', 1))
    with pytest.raises(DocumentError, match="key 'm1' twice"):
        list(run.documents())
    manifest = directory / "manifest.json"
    manifest.write_text(manifest.read_text().replace("{", '{"runs": [],', 1))
    with pytest.raises(PackError, match="a key twice"):
        open_pack(directory)


def test_lines_longer_than_any_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = make_pack(tmp_path / "pack")
    monkeypatch.setattr(packed_documents_module, "_LONGEST_LINE", 300)
    with pytest.raises(PackError, match="line 2 of .* is longer than 300 bytes"):
        list(open_pack(directory)[2].documents())
    assert any("is longer" in each for each in verify(directory).problems)


def test_nests_of_brackets(tmp_path: Path) -> None:
    directory = make_pack(tmp_path / "pack")
    run = open_pack(directory)[1]
    (directory / run.entry.path).write_text("[" * 10**6)
    with pytest.raises(DocumentError, match="nested too deep"):
        list(run.documents())
    (directory / "manifest.json").write_text("[" * 10**6)
    with pytest.raises(PackError, match="isn't JSON"):
        open_pack(directory)


def test_names_that_differ_only_in_case(tmp_path: Path) -> None:
    directory = make_pack(tmp_path / "pack")
    write_hdf5(place(directory, 2).with_name("Scan_2.H5"))
    sealed = seal(directory, [run_of(1)])
    assert any("differ only in case" in each for each in verify(sealed).problems)
