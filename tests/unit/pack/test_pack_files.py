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

import h5py
import numpy as np
import pytest

from adsupport.documents.json_lines import read_documents
from adsupport.errors import OutputError, PackError
from adsupport.pack import copying, open_pack, pack

from .made_packs import images, resource, run_of, write_hdf5
from .source_runs import (
    hdf5_run,
    packed,
    pixels,
    streamed_run,
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


def test_events_are_filled_with_images(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    pack(documents, tmp_path / "out", external="fill")
    found = list(read_documents(next((tmp_path / "out/documents").iterdir())))
    assert [name for name, _ in found] == ["start", "descriptor", *["event"] * 3, "stop"]
    uid = documents[0][1]["uid"]
    for point, (_, event) in enumerate(found[2:-1]):
        np.testing.assert_array_equal(event["data"]["det_image"], images()[[point]] + 100)
        assert event["filled"] == {"det_image": f"{uid}-r/{point}"}
        assert event["data"]["m1"] == point / 2
    assert not (tmp_path / "out/external_files").exists()


def test_pages_of_events_are_filled_with_images(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    events = [doc for name, doc in documents if name == "event"]
    datums = [doc for name, doc in documents if name == "datum"]
    page: dict[str, Any] = {
        key: [each[key] for each in events] for key in ("uid", "seq_num", "time")
    }
    page |= {
        key: {name: [each[key][name] for each in events] for name in events[0][key]}
        for key in ("data", "timestamps", "filled")
    }
    page["descriptor"] = events[0]["descriptor"]
    datum_page = {
        "resource": datums[0]["resource"],
        "datum_id": [each["datum_id"] for each in datums],
        "datum_kwargs": {"point_number": [0, 1, 2]},
    }
    paged = [*documents[:3], ("datum_page", datum_page), ("event_page", page), documents[-1]]
    pack(paged, tmp_path / "out", external="fill")
    read = list(read_documents(next((tmp_path / "out/documents").iterdir())))
    (found,) = [doc for name, doc in read if name == "event_page"]
    np.testing.assert_array_equal(np.squeeze(found["data"]["det_image"]), images() + 100)
    assert found["filled"]["det_image"] == page["data"]["det_image"]


def test_images_of_streams_cannot_fill_events(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="its images aren't in events; external='copy' takes"):
        pack(streamed_run(tmp_path / "data"), tmp_path / "out", external="fill")


def test_images_that_cannot_be_read_fill_nothing(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    (tmp_path / "data/scan_1.h5").write_bytes(b"no HDF5")
    result = pack(documents, tmp_path / "out", external="fill", strict=False)
    assert [each.source for each in result.missing] == [str(tmp_path / "data/scan_1.h5")]
    events = [doc for name, doc in documents if name == "event"]
    found = [
        doc
        for name, doc in read_documents(next((tmp_path / "out/documents").iterdir()))
        if name == "event"
    ]
    assert found == events


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
    with pytest.raises(PackError, match=r"1 file is missing .*scan_2\.h5: ") as refused:
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
    with pytest.raises(PackError, match=r"can't be packed beside .*pack1/external_files/"):
        pack([packs[0][-1], packs[1][-1]], tmp_path / "out", strict=False)
    pack(packs[0][-1], tmp_path / "out")  # without it
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


def test_files_that_an_hdf5_file_names_come_along(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_hdf5(data / "raw/a.h5")
    write_hdf5(data / "raw/b%.h5")
    layout = h5py.VirtualLayout((3, 4, 5), "<u2")
    layout[:] = h5py.VirtualSource("raw/b%%.h5", "/entry/data/data", (3, 4, 5))
    with h5py.File(data / "scan_1.h5", "w") as file:
        file["/entry/data/data"] = h5py.ExternalLink("raw/a.h5", "/entry/data/data")
        file.create_virtual_dataset("/entry/data/all", layout)
    with h5py.File(data / "raw/a.h5", "r+") as file:
        file["back"] = h5py.ExternalLink("../scan_1.h5", "/entry/data/all")
    documents = hdf5_run(data)
    result = pack(documents, tmp_path / "out")
    uid = documents[0][1]["uid"]
    assert {(each.source, each.documents) for each in result.manifest.files} == {
        (str(data / name), (f"{uid}-r",)) for name in ("scan_1.h5", "raw/a.h5", "raw/b%.h5")
    }
    moved = (tmp_path / "out").rename(tmp_path / "moved")
    shutil.rmtree(data)
    for address in ("/entry/data/data", "/entry/data/all"):
        there = pixels(moved / packed(data / "scan_1.h5"), address)
        np.testing.assert_array_equal(there, images())


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("{data}/other.h5", "absolute"),
        ("gone.h5", "there is no such file"),
        ("secret.txt", "isn't an HDF5 file"),
        ("../../../../../../../../../../../x.h5", "isn't below the same directory"),
    ],
)
def test_files_that_cannot_come_along_are_named(tmp_path: Path, target: str, reason: str) -> None:
    data = tmp_path / "data"
    write_bytes(data / "secret.txt", b"secret")
    write_hdf5(data / "other.h5")
    with h5py.File(data / "scan_1.h5", "w") as file:
        file["link"] = h5py.ExternalLink(target.format(data=data), "/")
    result = pack(hdf5_run(data), tmp_path / "out", strict=False)
    assert [each.source for each in result.manifest.files] == [str(data / "scan_1.h5")]
    (missing,) = result.missing
    assert reason in missing.reason


def test_a_damaged_hdf5_file_is_packed_and_remarked(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    (tmp_path / "data/scan_1.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    result = pack(documents, tmp_path / "out")
    assert len(result.manifest.files) == 1
    assert "can't be told" in result.remarks[0]


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_named_and_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    runs = [hdf5_run(tmp_path / "data", number) for number in (1, 2)]
    whole = tree(pack(runs, tmp_path / "whole").directory)
    real = getattr(os, call)
    for allowed in range(1, 60, 3):
        left = [allowed]

        def full(*arguments: Any, left: list[int] = left) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            if left[0] == 0 and call == "write":
                return real(arguments[0], arguments[1][:7])
            return real(*arguments)

        out = tmp_path / f"out{allowed}"
        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            try:
                pack(runs, out)
            except OutputError as error:
                assert "no room for a file of" in str(error) or "No space left" in str(error)
            else:
                break
        found = tree(out)
        assert not [name for name in found if name.endswith(".tmp")]
        for name in found.keys() - {".adsupport-pack.journal"}:
            assert found[name] == whole[name]
        pack(runs, out)
        assert tree(out) == whole
    else:
        pytest.fail("it never had enough")


def test_a_disk_that_fails_in_the_middle_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bytes(tmp_path / "data/a.bin", bytes(9 * 2**20))
    asset = resource(1, spec="OTHER", root=str(tmp_path), resource_path="data/a.bin")

    def failing(file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(copying, "_FLUSH", 2**22)
    pack(run_of(1, asset), tmp_path / "whole")
    monkeypatch.setattr(copying.os, "fdatasync", failing)
    with pytest.raises(OutputError, match="can't be written: Input/output error"):
        pack(run_of(1, asset), tmp_path / "out")
    assert not (tmp_path / "out" / packed(path)).exists()


def test_a_file_that_is_too_large_for_the_disk_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = hdf5_run(tmp_path / "data")
    size = (tmp_path / "data/scan_1.h5").stat().st_size
    found = list(os.statvfs(tmp_path))
    found[4] = 0  # blocks that users may have
    monkeypatch.setattr(copying.os, "statvfs", lambda path: os.statvfs_result(found))
    with pytest.raises(OutputError, match=f"no room for a file of {size} bytes: 0 are free"):
        pack(documents, tmp_path / "out")
    assert tree(tmp_path / "out").keys() == {".adsupport-pack.journal"}


def test_a_series_of_files_is_filled_or_listed(tmp_path: Path) -> None:
    result = pack(tiff_run(tmp_path / "data"), tmp_path / "out", external="list")
    assert [Path(each.source).name for each in result.manifest.files] == [
        f"im_{point:03d}.tif" for point in range(3)
    ]
