"""Files that HDF5 files name: they come along, or are told."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from adsupport.pack import pack

from .made_packs import images, write_hdf5
from .source_runs import (
    hdf5_run,
    packed,
    pixels,
    write_bytes,
)


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


def test_a_damaged_hdf5_file_without_frames_is_packed_and_remarked(tmp_path: Path) -> None:
    documents = [each for each in hdf5_run(tmp_path / "data") if each[0] != "datum"]
    (tmp_path / "data/scan_1.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    result = pack(documents, tmp_path / "out")
    assert len(result.manifest.files) == 1
    assert "can't be told" in result.remarks[0]
