"""Image files that aren't whole: they are told, and replaced once they are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import h5py
import pytest

from adsupport.errors import PackError
from adsupport.pack import pack, verify

from .made_packs import images, resource, run_of, write_hdf5
from .source_runs import hdf5_run, packed, streamed_run, sums_are_right, tree


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def shorten(path: Path) -> None:
    write_hdf5(path, images(2))


def hold(path: Path) -> None:
    """Leave the mark of a writer that has the file open."""
    path.unlink()
    with h5py.File(path, "w", libver="latest") as file:
        file["/entry/data/data"] = images()
        file.flush()
        held = path.read_bytes()
    path.write_bytes(held)


def hold_for_readers(path: Path) -> None:
    path.unlink()
    with h5py.File(path, "w", libver="latest") as file:
        file["/entry/data/data"] = images()
        file.swmr_mode = True
        held = path.read_bytes()
    path.write_bytes(held)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (truncate, "it isn't whole: .* can't be opened"),
        (shorten, "it isn't whole: .* holds 2 frames; the run's documents tell of 3"),
        (hold, "it isn't whole: "),
        (hold_for_readers, "it isn't whole: its writer still has it"),
    ],
)
@pytest.mark.parametrize("external", ["copy", "list"])
def test_a_file_that_is_not_whole_is_told_and_replaced(
    tmp_path: Path, spoil: Any, reason: str, external: Any
) -> None:
    documents = hdf5_run(tmp_path / "data")
    source = tmp_path / "data/scan_1.h5"
    whole = source.read_bytes()
    spoil(source)
    with pytest.raises(PackError, match=rf"1 file is missing or damaged.*scan_1\.h5: {reason}"):
        pack(documents, tmp_path / "out", external=external)
    assert sums_are_right(tmp_path / "out")
    (told,) = json.loads((tmp_path / "out/manifest.json").read_text())["missing"]
    assert told["source"] == str(source)
    assert told["documents"] == [f"{documents[0][1]['uid']}-r"]
    again = pack(documents, tmp_path / "out", external=external, strict=False)
    assert len(again.missing) == 1  # as long as it's as it was
    source.write_bytes(whole)
    assert pack(documents, tmp_path / "out").missing == ()
    assert tree(tmp_path / "out") == tree(
        pack(documents, tmp_path / "b", external=external).directory
    )
    assert verify(tmp_path / "out").ok


def test_a_whole_file_from_elsewhere_replaces_a_damaged_one(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    write_hdf5(tmp_path / "backup/scan_1.h5")
    truncate(tmp_path / "data/scan_1.h5")
    assert len(pack(documents, tmp_path / "out", strict=False).missing) == 1
    path_map = {str(tmp_path / "data"): str(tmp_path / "backup")}
    (file,) = pack(documents, tmp_path / "out", path_map=path_map).manifest.files
    assert file.source == str(tmp_path / "backup/scan_1.h5")
    assert verify(tmp_path / "out").ok and not verify(tmp_path / "out").lacking


def test_a_linked_file_that_is_not_whole_is_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "scan_1.h5", "w") as file:
        file["/entry/data/data"] = h5py.ExternalLink("raw.h5", "/entry/data/data")
    write_hdf5(tmp_path / "raw.h5")
    assert pack(hdf5_run(tmp_path), tmp_path / "first").missing == ()
    truncate(tmp_path / "raw.h5")
    (missing,) = pack(hdf5_run(tmp_path), tmp_path / "out", strict=False).missing
    assert missing.source == str(tmp_path / "raw.h5")


def test_an_error_of_hdf5_itself_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("bad heap")

    monkeypatch.setattr("adsupport.pack.making.damage.contents_of", fail)
    with pytest.raises(PackError, match="it isn't whole: it can't be read: bad heap"):
        pack(hdf5_run(tmp_path), tmp_path / "out")


def test_frames_of_streams_are_counted(tmp_path: Path) -> None:
    documents = streamed_run(tmp_path)
    write_hdf5(tmp_path / "streamed 1.h5", images(2))
    with pytest.raises(PackError, match="holds 2 frames"):
        pack(documents, tmp_path / "out")


def test_each_file_of_a_series_needs_its_frame(tmp_path: Path) -> None:
    kwargs = {"template": "%s%s_%d.h5", "filename": "im"}
    asset = resource(1, spec="AD_HDF5_SINGLE", root=str(tmp_path), resource_path="")
    asset["resource_kwargs"] = kwargs
    for point in range(3):
        write_hdf5(tmp_path / f"im_{point}.h5", images(1))
    assert pack(run_of(1, asset), tmp_path / "first").missing == ()
    truncate(tmp_path / "im_1.h5")
    (missing,) = pack(run_of(1, asset), tmp_path / "out", strict=False).missing
    assert missing.source == str(tmp_path / "im_1.h5")


def test_a_whole_file_that_changed_is_not_replaced(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    pack(documents, tmp_path / "out")
    truncate(tmp_path / "data/scan_1.h5")
    for _ in range(2):
        with pytest.raises(PackError, match="before it was changed; another directory can"):
            pack(documents, tmp_path / "out")
    write_hdf5(tmp_path / "data/scan_1.h5", images(4))
    with pytest.raises(PackError, match="before it was changed; another directory can"):
        pack(documents, tmp_path / "out")
    assert (tmp_path / "out" / packed(tmp_path / "data/scan_1.h5")).stat().st_size > 3000
    assert verify(tmp_path / "out").ok


@pytest.mark.parametrize("same_size", [True, False])
def test_a_hard_link_whose_source_changed_is_told(tmp_path: Path, same_size: bool) -> None:
    documents = hdf5_run(tmp_path / "data")
    pack(documents, tmp_path / "out", external="hardlink")
    if same_size:
        with h5py.File(tmp_path / "data/scan_1.h5", "r+") as file:
            file["/entry/data/data"].write_direct(images() + 1)  # type: ignore[union-attr]
    else:
        with (tmp_path / "data/scan_1.h5").open("ab") as file:
            file.write(b"more")
    for _ in range(2):
        with pytest.raises(PackError, match=r"scan_1\.h5: its hard link in the pack was changed"):
            pack(documents, tmp_path / "out")
        assert not verify(tmp_path / "out").ok
