"""HDF5 files made to do harm: refused before anything that they lead to is opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from h5py import h5d, h5p, h5s, h5t  # pyright: ignore[reportAttributeAccessIssue]

from adsupport.errors import ImageFileError, PackError
from adsupport.pack import open_pack, verify

from .made_packs import images, place, refused, resource, run_of, seal, write_hdf5


def _external_link(path: Path, target: str) -> None:
    with h5py.File(path, "w") as file:
        file["/entry/data/data"] = h5py.ExternalLink(target, "/entry/data/data")


def _virtual(path: Path, target: str) -> None:
    layout = h5py.VirtualLayout((3, 4, 5), "<u2")
    layout[:] = h5py.VirtualSource(target, "/entry/data/data", (3, 4, 5))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("/entry/data/data", layout)


def _external_storage(path: Path, target: str) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("/entry/data/data", (3, 4, 5), "<u2", external=[(target, 0, 120)])


def _aside(path: Path, target: str) -> None:
    write_hdf5(path)
    with h5py.File(path, "a") as file:
        file["/entry/far/away"] = h5py.ExternalLink(target, "/")


def hdf5_pack(directory: Path, make: Callable[[Path], Any]) -> Path:
    path = place(directory)
    path.parent.mkdir(parents=True)
    make(path)
    return seal(directory, [run_of(1, resource(1))])


@pytest.mark.parametrize("make", [_external_link, _virtual, _external_storage, _aside])
@pytest.mark.parametrize("relative", [True, False])
def test_hdf5_that_leads_out_of_the_pack(
    tmp_path: Path, make: Callable[[Path, str], None], relative: bool
) -> None:
    secret = tmp_path / "secret.h5"
    write_hdf5(secret)
    directory = tmp_path / "pack"
    target = os.path.relpath(secret, place(directory).parent) if relative else str(secret)
    text = refused(hdf5_pack(directory, lambda path: make(path, target)))
    assert "leads out of the pack" in text and "scan_1.h5" in text


@pytest.mark.parametrize("make", [_external_link, _virtual])
def test_hdf5_that_leads_to_what_is_not_there(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # where HDF5 would look next
    write_hdf5(tmp_path / "other.h5")
    monkeypatch.chdir(tmp_path)
    text = refused(hdf5_pack(tmp_path / "pack", lambda path: make(path, "other.h5")))
    assert "which is no file of the pack" in text


def test_hdf5_that_leads_out_by_another_file(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "secret.h5")

    def make(path: Path) -> None:
        _external_link(path.with_name("second.h5"), str(tmp_path / "secret.h5"))
        _virtual(path, "second.h5")

    text = refused(hdf5_pack(tmp_path / "pack", make))
    assert "second.h5 of the pack is refused" in text


def test_hdf5_in_a_series_that_was_looked_at_as_one_of_tiff(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "secret.h5")
    directory = tmp_path / "pack"
    path = place(directory).with_name("a_0.h5")
    path.parent.mkdir(parents=True)
    _external_link(path, str(tmp_path / "secret.h5"))
    kwargs = {"template": "%s%s_%d.h5", "filename": "a", "frame_per_point": 1}
    more = {"resource_path": "2026/", "resource_kwargs": kwargs}
    documents = run_of(1, resource(1, spec="AD_HDF5_SINGLE", **more))
    documents.insert(2, ("resource", resource(1, spec="AD_TIFF", uid="first", **more)))
    assert "leads out of the pack" in refused(seal(directory, [documents]))


def test_a_soft_link_through_an_external_one(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "secret.h5")

    def make(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["far"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/")
            file["/entry/data/data"] = h5py.SoftLink("/far/entry/data/data")

    assert "external link /far leads out" in refused(hdf5_pack(tmp_path / "pack", make))


def test_soft_links_that_go_round(tmp_path: Path) -> None:
    def make(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["/entry/data/data"] = h5py.SoftLink("/there")
            file["/there"] = h5py.SoftLink("/entry/data/data")

    directory = hdf5_pack(tmp_path / "pack", make)
    assert verify(directory).ok  # nothing of it leads anywhere
    with pytest.raises(ImageFileError):
        np.asarray(open_pack(directory)[1].read()["det_image"])


def test_a_link_through_a_directory_that_is_not_there(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "x.h5")
    name = f"gone/../{'../' * 5}x.h5"
    text = refused(hdf5_pack(tmp_path / "pack", lambda path: _external_link(path, name)))
    assert "leads out of the pack" in text


def _pattern(path: Path) -> None:
    creation = h5p.create(h5p.DATASET_CREATE)
    where = h5s.create_simple((0, 4, 5), (h5s.UNLIMITED, 4, 5))
    where.select_hyperslab((0, 0, 0), (h5s.UNLIMITED, 1, 1), (3, 4, 5), (3, 4, 5))
    source = h5s.create_simple((3, 4, 5))
    creation.set_virtual(where, b"%b.h5", b"/entry/data/data", source)
    with h5py.File(path, "w") as file:
        group = file.create_group("/entry/data")
        h5d.create(group.id, b"data", h5t.STD_U16LE, where, creation)


def test_names_of_files_that_are_a_pattern(tmp_path: Path) -> None:
    text = refused(hdf5_pack(tmp_path / "pack", _pattern))
    assert "leads to files by the pattern '%b.h5'" in text


@pytest.mark.parametrize("make", [_external_link, _virtual])
def test_hdf5_that_leads_to_a_file_of_the_pack_is_read(tmp_path: Path, make: Any) -> None:
    def both(path: Path) -> None:
        write_hdf5(path.with_name("100%.h5"))
        make(path, "100%%.h5" if make is _virtual else "100%.h5")
        with h5py.File(path, "a") as file:
            file["soft"] = h5py.SoftLink("/entry/data")
            file["entry/again"] = file["/"]

    directory = hdf5_pack(tmp_path / "pack", both)
    assert verify(directory).ok
    found = open_pack(directory)[1].read()["det_image"]
    assert np.array_equal(found, images()[:, None])


def test_a_long_chain_of_files(tmp_path: Path) -> None:
    def make(path: Path) -> None:
        names = [path.name, *(f"{number}.h5" for number in range(12))]
        for name, target in zip(names, names[1:], strict=False):
            _external_link(path.with_name(name), target)
        write_hdf5(path.with_name(names[-1]))

    assert "files that lead to each other" in refused(hdf5_pack(tmp_path / "pack", make))


def test_deep_groups(tmp_path: Path) -> None:
    def make(path: Path) -> None:
        write_hdf5(path)
        with h5py.File(path, "a") as file:
            file.create_group("/a" * 200)

    assert "nested more than 64 deep" in refused(hdf5_pack(tmp_path / "pack", make))


# more than it seems


def _huge_chunks(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "/entry/data/data", (3, 2**15, 2**15), "<u2", chunks=(1, 2**15, 2**15), compression=9
        )


def _huge_extent(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("/entry/data/data", (3, 2**20, 2**20), "<u2", chunks=(1, 64, 64))


def _huge_virtual(path: Path) -> None:
    layout = h5py.VirtualLayout((3, 2**20, 2**20), "<u2")
    layout[0, :4, :5] = h5py.VirtualSource(".", "/small", (4, 5))
    with h5py.File(path, "w") as file:
        file["small"] = images()[0]
        file.create_virtual_dataset("/entry/data/data", layout)


def _huge_length(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("/entry/data/data", (2**30, 2**10, 2**10), "<u2", chunks=(1, 64, 64))


def _few_of_many_frames(path: Path) -> None:
    """A file that was made for more frames than came: no harm."""
    with h5py.File(path, "w") as file:
        data = file.create_dataset("/entry/data/data", (20_000, 512, 512), "<u2", chunks=True)
        data[0, :4, :5] = images()[0]


@pytest.mark.parametrize("make", [_huge_chunks, _huge_extent, _huge_virtual, _huge_length])
def test_hdf5_that_unfolds_to_more_than_the_memory(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    directory = hdf5_pack(tmp_path / "pack", make)
    assert "unfolds to" in "\n".join(verify(directory).problems)
    with pytest.raises(PackError, match="unfolds to"):
        list(open_pack(directory)[1].documents())


def test_hdf5_that_was_made_for_more_frames_than_came(tmp_path: Path) -> None:
    directory = hdf5_pack(tmp_path / "pack", _few_of_many_frames)
    assert verify(directory).ok
    found = open_pack(directory)[1].read()["det_image"]
    assert found.shape == (3, 1, 512, 512)
    assert np.array_equal(found[0, 0, :4, :5], images()[0])


def test_a_tiff_that_unfolds_to_more_than_the_memory(tmp_path: Path) -> None:
    directory = tmp_path / "pack"
    kwargs = {"template": "%s%s_%d.tif", "filename": "a", "frame_per_point": 1}
    asset = resource(1, spec="AD_TIFF", resource_path="2026/", resource_kwargs=kwargs)
    path = place(directory).with_name("a_0.tif")
    path.parent.mkdir(parents=True)
    tifffile.imwrite(path, images()[0])
    with tifffile.TiffFile(path, mode="r+") as file:
        for tag in ("ImageWidth", "ImageLength"):
            file.pages.first.tags[tag].overwrite(2**16 - 1)
    directory = seal(directory, [run_of(1, asset)])
    assert "unfolds to" in "\n".join(verify(directory).problems)
    with pytest.raises(PackError, match="unfolds to"):
        list(open_pack(directory)[1].documents())
