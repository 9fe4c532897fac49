"""Links to images: read back by h5py, also after all files have moved together."""

from __future__ import annotations

import pathlib
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.documents.images import link, store_images, wait_for_images
from adsupport.errors import ConfigurationError, ImageFileError

from .stacks import files_asset, hdf5_asset, pixels, points, write_stack


def stored(target: pathlib.Path, rows: Any, **options: Any) -> tuple[np.ndarray, list[str]]:
    with h5py.File(target, "w") as file:
        notes = store_images(file, "data", rows, target, timeout=0, **options).notes
    with h5py.File(target) as file:
        return file["data"][()], notes  # pyright: ignore


def test_files_that_move_together_stay_linked(tmp_path: pathlib.Path) -> None:
    (tmp_path / "before/raw").mkdir(parents=True)
    source, target = tmp_path / "before/raw/100%b %d.h5", tmp_path / "before/out.h5"
    data = pixels(12)
    write_stack(source, data, chunks=(1, 4, 5))
    found, notes = stored(target, points(hdf5_asset(source, 3), 0, 1, 2, 3))
    assert np.array_equal(found, data.reshape(4, 3, 4, 5)) and not notes
    (tmp_path / "before").rename(tmp_path / "after")
    with h5py.File(tmp_path / "after/out.h5") as file:
        linked: Any = file["data"]
        assert linked.is_virtual
        assert np.array_equal(linked[()], data.reshape(4, 3, 4, 5))
        assert linked.virtual_sources()[0].file_name == "raw/100%%b %%d.h5"


def test_a_target_behind_a_link_to_its_directory(tmp_path: pathlib.Path) -> None:
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "short").symlink_to(tmp_path / "deep/er")
    data = pixels(2)
    write_stack(tmp_path / "s.h5", data)
    found, _ = stored(tmp_path / "short/t.h5", points(hdf5_asset(tmp_path / "s.h5"), 0, 1))
    assert np.array_equal(found[:, 0], data)


def test_a_hundred_thousand_rows_are_one_mapping(tmp_path: pathlib.Path) -> None:
    source, target = tmp_path / "s.h5", tmp_path / "t.h5"
    with h5py.File(source, "w") as file:
        file.create_dataset("entry/data/data", shape=(100_000, 4), dtype="u2", chunks=(1000, 4))
    rows = points(hdf5_asset(source), *range(100_000))
    column, _ = wait_for_images(rows, timeout=0)
    assert column is not None
    with h5py.File(target, "w") as file:
        dataset, _ = link(file, "data", column, target)
        assert dataset.shape == (100_000, 1, 4)
        assert len(dataset.virtual_sources()) == 1


def test_gaps_read_as_no_dark_image(tmp_path: pathlib.Path) -> None:
    for dtype, fill in (("u2", 65535), ("i4", -(2**31)), ("f4", np.nan)):
        source = tmp_path / f"{dtype}.h5"
        data = pixels(6, dtype=dtype)
        write_stack(source, data)
        asset = hdf5_asset(source, 2)
        rows = [*points(asset, 0), None, *points(asset, 1, 2)]
        for images in ("link", "copy", "repack"):
            target = tmp_path / f"{dtype}{images}.h5"
            found, notes = stored(target, rows, images=images)
            assert found.dtype == data.dtype
            assert np.array_equal(found[[0, 2, 3]].reshape(6, 4, 5), data)
            assert np.array_equal(found[1], np.full((2, 4, 5), fill, dtype), equal_nan=True)
            assert len(notes) == 1 and "1 of 4 rows have no images" in notes[0]
            with h5py.File(target) as file:
                assert file["data"].attrs["missing_frames"] == 2


def test_several_files_and_any_order(tmp_path: pathlib.Path) -> None:
    data = pixels(8)
    write_stack(tmp_path / "a.h5", data[:5])
    write_stack(tmp_path / "b.h5", data[5:])
    first = hdf5_asset(tmp_path / "a.h5")
    second = hdf5_asset(tmp_path / "b.h5", uid="r2")
    rows = points(second, 2, 0) + points(first, 4, 3, 0, 1, 2) + points(second, 1)
    wanted = data[[7, 5, 4, 3, 0, 1, 2, 6]]
    for images in ("link", "copy", "repack"):
        found, notes = stored(tmp_path / f"{images}.h5", rows, images=images)
        assert np.array_equal(found[:, 0], wanted) and not notes


def test_colours_and_files_of_one_frame(tmp_path: pathlib.Path) -> None:
    data = pixels(4, (4, 5, 3), "u1")
    for number, image in enumerate(data):
        with h5py.File(tmp_path / f"a_{number}.h5", "w") as file:
            made = file.create_dataset("entry/data/data", data=image, chunks=image.shape)
            made.attrs["NDArrayNumDims"] = 3
    rows = points(files_asset(tmp_path, "AD_HDF5_SINGLE", "%s%s_%d.h5", 2), 0, 1)
    for images in ("link", "copy", "repack"):
        found, notes = stored(tmp_path / f"{images}.h5", rows, images=images)
        assert np.array_equal(found, data.reshape(2, 2, 4, 5, 3)) and not notes


def test_mode_single_of_a_stack_resource(tmp_path: pathlib.Path) -> None:
    data = pixels(1, (4, 5, 3), "u1")[0]
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["entry/data/data"] = data
        file["entry/data/data"].attrs["NDArrayNumDims"] = 3
    found, _ = stored(tmp_path / "t.h5", points(hdf5_asset(tmp_path / "s.h5"), 0))
    assert np.array_equal(found[0, 0], data)


def test_names_stand_for_files_that_hdf5_cannot_link(tmp_path: pathlib.Path) -> None:
    (tmp_path / "raw").mkdir()
    data = pixels(4)
    for number, image in enumerate(data):
        tifffile.imwrite(tmp_path / f"raw/a_{number:03}.tif", image)
    asset = files_asset(tmp_path / "raw", "AD_TIFF", "%s%s_%3.3d.tif", 2)
    rows = [*points(asset, 1), None, *points(asset, 0)]
    found, notes = stored(tmp_path / "t.h5", rows)
    wanted = [["raw/a_002.tif", "raw/a_003.tif"], ["", ""], ["raw/a_000.tif", "raw/a_001.tif"]]
    assert [[name.decode() for name in row] for row in found] == wanted
    assert any("names" in note for note in notes)
    with h5py.File(tmp_path / "t.h5") as file:
        attributes: Any = file["data"].attrs
        assert attributes["image_format"] == "tiff"
        assert attributes["image_shape"].tolist() == [4, 5]
        assert np.dtype(attributes["image_dtype"]) == np.uint16
        assert "relative" in attributes["description"]


def test_rows_of_npy_files_have_no_axis_of_frames(tmp_path: pathlib.Path) -> None:
    data = pixels(3, (2, 3), "f8")
    for number, image in enumerate(data):
        np.save(tmp_path / f"x_{number}.npy", image)
    asset = hdf5_asset(tmp_path / "x", spec="NPY_SEQ")
    rows = [asset.frames_of_datum({"index": number}) for number in range(3)]
    found, _ = stored(tmp_path / "t.h5", rows)
    assert [name.decode() for name in found] == ["x_0.npy", "x_1.npy", "x_2.npy"]
    for images in ("copy", "repack"):
        found, _ = stored(tmp_path / f"{images}.h5", rows, images=images)
        assert np.array_equal(found, data)


def test_files_of_two_formats_have_no_common_link(tmp_path: pathlib.Path) -> None:
    data = pixels(2)
    write_stack(tmp_path / "s.h5", data[:1])
    tifffile.imwrite(tmp_path / "a_0.tif", data[1])
    tiff = files_asset(tmp_path, "AD_TIFF", "%s%s_%d.tif", uid="r2")
    rows = points(hdf5_asset(tmp_path / "s.h5"), 0) + points(tiff, 0)
    with pytest.raises(ImageFileError, match="images='copy'"):
        stored(tmp_path / "t.h5", rows)
    found, _ = stored(tmp_path / "c.h5", rows, images="copy")
    assert np.array_equal(found[:, 0], data)


def test_nothing_known_makes_no_dataset(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "t.h5"
    with h5py.File(target, "w") as file:
        nothing = store_images(file, "data", [None, None], target, timeout=0)
        assert nothing.dataset is None and "2 of 2 rows" in nothing.notes[0]
        assert not file.keys()
        with pytest.raises(ConfigurationError, match="'move'"):
            store_images(file, "data", [None], target, images="move")  # pyright: ignore
