"""The files of runs: each way to pack them, and files that can't be packed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adsupport.documents.json_lines import read_documents
from adsupport.errors import OutputError, PackError
from adsupport.pack import open_pack, pack
from adsupport.pack.making import copying

from .made_packs import images, resource, run_of, write_hdf5
from .source_runs import (
    hdf5_run,
    packed,
    pixels,
    sums_are_right,
    tiff_run,
    tree,
    write_bytes,
)


def test_a_hard_link_is_the_same_file(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    for _ in range(2):
        pack(documents, tmp_path / "out", external="hardlink")
    there = tmp_path / "out" / packed(tmp_path / "data/scan_1.h5")
    assert there.samefile(tmp_path / "data/scan_1.h5")
    assert there.stat().st_nlink == 2
    assert sums_are_right(tmp_path / "out")


def test_a_hard_link_that_cannot_be_says_to_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*_: Any, **__: Any) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    documents = hdf5_run(tmp_path / "data")
    with monkeypatch.context() as patch:
        patch.setattr(copying.os, "link", other_disk)
        with pytest.raises(OutputError, match="use external='copy'"):
            pack(documents, tmp_path / "out", external="hardlink")
    pack(documents, tmp_path / "out")  # and copying is possible then
    assert sums_are_right(tmp_path / "out")


def test_a_reflink_is_a_file_of_its_own_or_an_error(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    try:
        pack(documents, tmp_path / "out", external="reflink")
    except OutputError as error:
        assert "use external='copy'" in str(error)
        assert not list(tmp_path.glob("out/external_files/*"))
    else:
        there = tmp_path / "out" / packed(tmp_path / "data/scan_1.h5")
        assert not there.samefile(tmp_path / "data/scan_1.h5")
        assert sums_are_right(tmp_path / "out")


def test_a_reflink_has_the_content_and_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clone(writer: int, request: int, reader: int) -> None:
        assert request == 0x40049409
        os.write(writer, os.pread(reader, 10**6, 0))

    monkeypatch.setattr(copying.fcntl, "ioctl", clone)
    documents = hdf5_run(tmp_path / "data")
    os.utime(tmp_path / "data/scan_1.h5", ns=(5, 5))
    pack(documents, tmp_path / "out", external="reflink")
    there = tmp_path / "out" / packed(tmp_path / "data/scan_1.h5")
    assert there.stat().st_mtime_ns == 5
    assert sums_are_right(tmp_path / "out")


def test_a_list_leaves_files_where_they_are(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    source = tmp_path / "data/scan_1.h5"
    pack(documents, tmp_path / "out", external="list")
    assert not (tmp_path / "out/external_files").exists()
    found = json.loads((tmp_path / "out/manifest.json").read_text())
    assert found["files"] == [
        {
            "path": "",
            "source": str(source),
            "size": source.stat().st_size,
            "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
            "mtime_ns": source.stat().st_mtime_ns,
            "documents": [f"{documents[0][1]['uid']}-r"],
        }
    ]
    assert found["roots"] == {}
    (listed,) = (tmp_path / "out").glob("external_files_manifest_*.txt")
    assert listed.read_text() == f"{source}\n"
    assert sums_are_right(tmp_path / "out")


def test_files_that_are_ignored_need_not_be(tmp_path: Path) -> None:
    documents = run_of(1, resource(1, spec="UNHEARD_OF"))
    result = pack(documents, tmp_path / "out", external="ignore")
    assert result.missing == result.manifest.files == ()
    assert list(read_documents(next((tmp_path / "out/documents").iterdir()))) == documents


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (Path.unlink, "there is no such file"),
        (make_pipe, "it isn't a regular file"),
        (make_directory, "it isn't a regular file"),
        (make_loop, "it can't be opened: Too many levels of symbolic links"),
    ],
)
@pytest.mark.parametrize("external", ["copy", "hardlink", "list"])
def test_a_missing_file_is_named_once_all_others_are_packed(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str, external: Any
) -> None:
    runs = [hdf5_run(tmp_path / "data", number) for number in (1, 2, 3)]
    lost = tmp_path / "data/scan_2.h5"
    shutil.copy2(lost, tmp_path / "kept.h5")
    spoil(lost)
    with pytest.raises(PackError, match=r"1 file is missing or damaged .*scan_2\.h5: ") as refused:
        pack(runs, tmp_path / "out", external=external)
    assert refused.value.path == str(lost)
    found = json.loads((tmp_path / "out/manifest.json").read_text())
    uid = runs[1][0][1]["uid"]
    assert found["missing"] == [{"source": str(lost), "reason": reason, "documents": [f"{uid}-r"]}]
    assert len(found["files"]) == 2
    assert len(found["runs"]) == 3
    assert sums_are_right(tmp_path / "out")
    result = pack(runs, tmp_path / "out", strict=False)
    assert [each.source for each in result.missing] == [str(lost)]

    # once it's back, the pack is completed
    lost.rmdir() if lost.is_dir() else lost.unlink(missing_ok=True)
    shutil.copy2(tmp_path / "kept.h5", lost)
    assert pack(runs, tmp_path / "out").missing == ()
    assert tree(tmp_path / "out") == tree(pack(runs, tmp_path / "new", external=external).directory)


def test_a_file_nobody_refers_to_need_not_be_there(tmp_path: Path) -> None:
    documents = run_of(1, resource(1, root=str(tmp_path)), points=0)  # stopped before any image
    assert pack(documents, tmp_path / "out").missing == ()


def test_a_source_that_is_gone_stays_in_the_pack(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    before = tree(pack(documents, tmp_path / "out").directory)
    shutil.rmtree(tmp_path / "data")
    assert pack(documents, tmp_path / "out").missing == ()
    assert tree(tmp_path / "out") == before


def test_a_source_that_is_another_now_is_not_taken(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    pack(documents, tmp_path / "out")
    os.utime(tmp_path / "data/scan_1.h5")
    assert pack(documents, tmp_path / "out").missing == ()  # content is as it was
    before = tree(tmp_path / "out")
    write_hdf5(tmp_path / "data/scan_1.h5", images(5))
    with pytest.raises(PackError, match="the pack has it as it was before it was changed"):
        pack(documents, tmp_path / "out")
    after = tree(tmp_path / "out")
    name = packed(tmp_path / "data/scan_1.h5")
    assert after[name] == before[name]
    assert sums_are_right(tmp_path / "out")


@pytest.mark.parametrize("changes", [1, 2])
def test_a_source_that_changes_is_read_once_more(tmp_path: Path, changes: int) -> None:
    path = write_bytes(tmp_path / "data/a.bin", os.urandom(9 * 2**20))
    documents = run_of(1, resource(1, spec="OTHER", root=str(tmp_path), resource_path="data/a.bin"))
    seen: list[int] = []

    def grow(progress: Any) -> None:
        if progress.name == str(path) and len(seen) < changes * 3:
            seen.append(progress.size)
            if len(seen) % 3 == 2:
                with path.open("ab") as file:
                    file.write(b"more")

    if changes == 1:
        pack(documents, tmp_path / "out", progress=grow)
        assert (tmp_path / "out" / packed(path)).read_bytes() == path.read_bytes()
    else:
        with pytest.raises(PackError, match="it is being written: it changed while it was read"):
            pack(documents, tmp_path / "out", progress=grow)
        assert not (tmp_path / "out" / packed(path)).exists()
    assert sums_are_right(tmp_path / "out")


def test_the_only_file_of_an_unknown_spec_is_packed(tmp_path: Path) -> None:
    write_bytes(tmp_path / "data/x.cbf", b"pixels")
    asset = resource(1, spec="EIGER2", root=str(tmp_path), resource_path="data/x.cbf")
    pack(run_of(1, asset), tmp_path / "out")
    assert (tmp_path / "out" / packed(tmp_path / "data/x.cbf")).read_bytes() == b"pixels"


@pytest.mark.parametrize(
    ("more", "source", "reason"),
    [
        ({"spec": "EIGER2", "resource_path": "data"}, "data", "spec 'EIGER2' isn't known, and it"),
        ({"spec": "X", "root": "C:\\d", "resource_path": "a"}, "a", "is a path of Windows"),
        ({"resource_path": "a\0b"}, "a\0b", "holds a NUL"),
        ({"resource_path": "back\\slash.h5"}, "back\\slash.h5", "backslash"),
    ],
)
def test_a_resource_that_is_not_understood_is_named(
    tmp_path: Path, more: dict[str, Any], source: str, reason: str
) -> None:
    write_bytes(tmp_path / "data/back\\slash.h5", b"")
    asset = resource(1, **{"root": str(tmp_path), **more})
    result = pack(run_of(1, asset), tmp_path / "out", strict=False)
    (missing,) = result.missing
    assert missing.source.endswith(source)
    assert reason in missing.reason
    assert missing.documents == (asset["uid"],)


def test_a_datum_without_resource_is_named(tmp_path: Path) -> None:
    documents = [each for each in hdf5_run(tmp_path / "data") if each[0] != "resource"]
    result = pack(documents, tmp_path / "out", strict=False)
    assert [each.reason for each in result.missing] == ["its document isn't in the run"]


def test_files_are_found_by_a_path_map(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "here/2026/scan_1.h5")
    for number, path_map in enumerate(
        [
            {"/beamline": tmp_path / "here"},
            lambda path: path.replace("/beamline", f"{tmp_path}/here"),
        ]
    ):
        out = tmp_path / f"out{number}"
        pack(run_of(1, resource(1)), out, path_map=path_map)
        there = out / packed(Path("/beamline/2026/scan_1.h5"))  # as the documents call it
        assert there.read_bytes() == (tmp_path / "here/2026/scan_1.h5").read_bytes()


def test_two_files_of_one_name_are_not_mixed_up(tmp_path: Path) -> None:
    for number, values in ((1, images()), (2, images() + 1), (3, images())):
        asset = resource(number, resource_path="2026/scan.h5")
        write_hdf5(tmp_path / f"here{number}/2026/scan.h5", values)
        os.utime(tmp_path / f"here{number}/2026/scan.h5", ns=(number, number))
        path_map = {"/beamline": tmp_path / f"here{number}"}
        pack(run_of(number, asset), tmp_path / f"pack{number}", path_map=path_map)
    packs = [open_pack(tmp_path / f"pack{number}") for number in (1, 2, 3)]
    result = pack([packs[0][-1], packs[1][-1]], tmp_path / "out", strict=False)
    assert [*result.failed] == [packs[1][-1].uid]
    assert "can't be packed beside" in str(result.failed[packs[1][-1].uid])
    with pytest.raises(PackError, match=r"1 run is refused .* packed beside .*pack1/external_file"):
        pack([packs[0][-1], packs[1][-1]], tmp_path / "out")
    there = tmp_path / "out" / packed(Path("/beamline/2026/scan.h5"))
    np.testing.assert_array_equal(pixels(there), images())
    assert tree(tmp_path / "out") == tree(pack(packs[0][-1], tmp_path / "one").directory)
    pack([packs[0][-1], packs[2][-1]], tmp_path / "same")  # of one content
    assert sums_are_right(tmp_path / "same")


def test_files_of_windows_have_their_place(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "here/scan_1.h5")
    asset = resource(1, root="D:\\data", resource_path="run\\scan_1.h5")
    path_map = {"D:\\data\\run": str(tmp_path / "here")}
    found = pack(run_of(1, asset), tmp_path / "out", path_map=path_map).manifest
    tag = hashlib.sha256(b"d:/").hexdigest()[:12]
    assert found.files[0].path == f"external_files/{tag}/data/run/scan_1.h5"
    assert found.roots["D:\\data"] == f"external_files/{tag}/data"


def test_a_series_of_files_is_filled_or_listed(tmp_path: Path) -> None:
    result = pack(tiff_run(tmp_path / "data"), tmp_path / "out", external="list")
    assert [Path(each.source).name for each in result.manifest.files] == [
        f"im_{point:03d}.tif" for point in range(3)
    ]
