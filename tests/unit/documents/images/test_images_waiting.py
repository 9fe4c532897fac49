"""Files that come late, are held, damaged, too short, replaced, or never come."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import threading
import time
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from adsupport.documents.assets import asset_of
from adsupport.documents.images import frames_of, read, store_images, wait_for_images
from adsupport.documents.images.reading import FrameReader
from adsupport.errors import ConfigurationError, ImageFileError

from .stacks import files_asset, hdf5_asset, pixels, points, write_stack

#: Holds a file open for writing until a line comes, then adds frames and closes it.
HOLDER = """
import sys, h5py, numpy as np
path, mode = sys.argv[1:]
file = h5py.File(path, "w", libver="latest" if mode == "swmr" else None)
data = file.create_dataset("entry/data/data", (2, 4, 5), "u2", maxshape=(None, 4, 5))
data[...] = 5
if mode == "swmr":
    file.swmr_mode = True
file.flush()
print("held", flush=True)
sys.stdin.readline()
data.resize(4, axis=0)
data[2:] = 6
file.close()
print("closed", flush=True)
"""


class Holder:
    """Another program that has a file open."""

    def __init__(self, path: pathlib.Path, mode: str) -> None:
        command = [sys.executable, "-c", HOLDER, str(path), mode]
        self.program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.program.stdout is not None
        assert self.program.stdout.readline() == "held\n"

    def let_go(self) -> None:
        self.program.communicate("\n", timeout=20)


def test_a_file_that_its_writer_holds(tmp_path: pathlib.Path) -> None:
    holder = Holder(tmp_path / "s.h5", "plain")
    rows = points(hdf5_asset(tmp_path / "s.h5"), 0, 1, 2, 3)
    try:
        with pytest.raises(ImageFileError, match="can't be opened") as caught:
            wait_for_images(rows, timeout=0)
        assert "stop the capture" in str(caught.value)
        later = threading.Timer(0.2, holder.let_go)
        later.start()
        column, notes = wait_for_images(rows, timeout=20)
    finally:
        holder.program.kill()
        holder.program.wait()
    assert column is not None and not notes
    assert [int(image[0, 0]) for image in frames_of(column)] == [5, 5, 6, 6]


def test_a_file_in_swmr_mode_is_read_while_it_grows(tmp_path: pathlib.Path) -> None:
    holder = Holder(tmp_path / "s.h5", "swmr")
    asset = hdf5_asset(tmp_path / "s.h5", 2)
    try:
        (early,) = points(asset, 0)
        assert early is not None
        assert (read(early) == 5).all()
        with h5py.File(tmp_path / "t.h5", "w") as file:
            stored = store_images(file, "d", [early], tmp_path / "t.h5", images="copy", timeout=0)
            assert stored.dataset is not None and (stored.dataset[()] == 5).all()
        with pytest.raises(ImageFileError, match="holds 2 frames; the run's documents tell of 4"):
            wait_for_images(points(asset, 0, 1), timeout=0)
        holder.let_go()
        column, _ = wait_for_images(points(asset, 0, 1), timeout=20)
        assert column is not None and column.shape == (2, 2, 4, 5)
    finally:
        holder.program.kill()
        holder.program.wait()


@pytest.mark.parametrize("suffix", ["h5", "tif"])
def test_files_that_come_late(tmp_path: pathlib.Path, suffix: str) -> None:
    data = pixels(2)
    asset = hdf5_asset(tmp_path / "late.h5")
    if suffix == "tif":
        asset = files_asset(tmp_path, "AD_TIFF", "%s%s_%d.tif")

    def write() -> None:
        if suffix == "tif":
            for number, image in enumerate(data):
                tifffile.imwrite(tmp_path / f"a_{number}.tif", image)
            return
        write_stack(tmp_path / "part.h5", data)
        (tmp_path / "part.h5").rename(tmp_path / "late.h5")

    later = threading.Timer(0.15, write)
    later.start()
    column, _ = wait_for_images(points(asset, 0, 1), timeout=20)
    later.join()
    assert column is not None
    assert np.array_equal(np.array(list(frames_of(column))), data)


def test_waiting_ends_early_when_it_is_cancelled(tmp_path: pathlib.Path) -> None:
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()
    began = time.monotonic()
    with pytest.raises(ImageFileError, match="missing"):
        wait_for_images(points(hdf5_asset(tmp_path / "n.h5"), 0), timeout=60, cancelled=cancelled)
    assert time.monotonic() - began < 20


def _directory(path: pathlib.Path) -> None:
    path.mkdir()


def _empty(path: pathlib.Path) -> None:
    path.touch()


def _cut(path: pathlib.Path) -> None:
    write_stack(path, pixels(40, (32, 32)))
    with open(path, "r+b") as file:
        file.truncate(9000)


def _other_address(path: pathlib.Path) -> None:
    with h5py.File(path, "w") as file:
        file["elsewhere"] = 1


def _text(path: pathlib.Path) -> None:
    path.write_text("not HDF5" * 999)


def _few(path: pathlib.Path) -> None:
    write_stack(path, pixels(1))


def _shape(path: pathlib.Path) -> None:
    write_stack(path, pixels(40, (5, 4)))


def _type(path: pathlib.Path) -> None:
    write_stack(path, pixels(40, dtype="f4"))


def _objects(path: pathlib.Path) -> None:
    with h5py.File(path, "w") as file:
        file["entry/data/data"] = ["a", "b"] * 20


DAMAGES = [
    (None, "is missing"),
    (_directory, "is a directory"),
    (_empty, "is empty"),
    (_cut, "isn't a whole HDF5 file"),
    (_other_address, "nothing at /entry/data/data"),
    (_text, "isn't a whole HDF5 file"),
    (_few, "holds 1 frames; the run's documents tell of 2"),
    (_shape, "frames of (5, 4) uint16; expected (4, 5) uint16"),
    (_type, "frames of (4, 5) float32; expected (4, 5) uint16"),
    (_objects, "expected numbers"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
@pytest.mark.parametrize("images", ["link", "copy", "repack"])
def test_each_damage_is_told_or_stands_as_a_gap(
    tmp_path: pathlib.Path, damage: Any, words: str, images: Any
) -> None:
    data = pixels(2)
    write_stack(tmp_path / "good.h5", data, chunks=(1, 4, 5))
    bad, target = tmp_path / "bad.h5", tmp_path / "t.h5"
    if damage is not None:
        damage(bad)
    rows = points(hdf5_asset(tmp_path / "good.h5"), 0, 1)
    rows += points(hdf5_asset(bad, uid="r2"), 0, 1)
    with h5py.File(target, "w") as file:
        with pytest.raises(ImageFileError) as caught:
            store_images(file, "x", rows, target, images=images, timeout=0)
        assert words in str(caught.value) and caught.value.path == str(bad)
        stored = store_images(
            file, "x", rows, target, images=images, timeout=0, missing="placeholder"
        )
    assert len(stored.notes) == 1
    lost = 1 if damage is _few else 2
    assert words in stored.notes[0] and f"{lost} frames are missing" in stored.notes[0]
    with h5py.File(target) as file:
        found: Any = file["x"]
        assert np.array_equal(found[:2, 0], data) and (found[4 - lost :] == 65535).all()
        assert lost == 2 or np.array_equal(found[2, 0], data[0])


def test_gaps_have_the_shape_of_the_documents_when_no_file_tells(tmp_path: pathlib.Path) -> None:
    rows = points(hdf5_asset(tmp_path / "never.h5", 2), 0, 1, 2)
    for images in ("link", "copy", "repack"):
        with h5py.File(tmp_path / f"{images}.h5", "w") as file:
            stored = store_images(
                file, "x", rows, tmp_path / f"{images}.h5", images=images, timeout=0,
                missing="placeholder", frame_shape=(4, 5), dtype="<f4",
            )  # fmt: skip
            assert stored.dataset is not None
            assert stored.dataset.shape == (3, 2, 4, 5)
            assert np.isnan(stored.dataset[()]).all() and "6 frames" in stored.notes[0]


def test_unknown_resources_are_gaps_too(tmp_path: pathlib.Path) -> None:
    write_stack(tmp_path / "s.h5", pixels(1))
    strange = asset_of({"uid": "x", "spec": "AD_CBF"})
    rows = points(hdf5_asset(tmp_path / "s.h5"), 0) + points(strange, 0, 1)
    with pytest.raises(ImageFileError, match="AD_CBF"):
        wait_for_images(rows, timeout=0)
    column, notes = wait_for_images(rows, timeout=0, missing="placeholder")
    assert column is not None and column.missing == 2
    assert "AD_CBF" in notes[0] and "2 frames are missing" in notes[0]


def test_many_bad_files_make_few_notes(tmp_path: pathlib.Path) -> None:
    rows = points(files_asset(tmp_path, "AD_TIFF", "%s%s_%d.tif"), *range(50))
    _, notes = wait_for_images(rows, timeout=0, missing="placeholder")
    assert len(notes) == 6 and "45 more files" in notes[-1]


def test_the_policy_is_one_of_two(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigurationError, match="'skip'"):
        wait_for_images([], missing="skip")  # pyright: ignore


def test_a_file_that_is_replaced_meanwhile(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "s.h5"
    write_stack(path, pixels(3))
    column, _ = wait_for_images(points(hdf5_asset(path), 0, 1, 2), timeout=0)
    assert column is not None
    shutil.copy(path, tmp_path / "other.h5")
    (tmp_path / "other.h5").rename(path)
    with pytest.raises(ImageFileError, match="was replaced"):
        list(frames_of(column))
    column, _ = wait_for_images(points(hdf5_asset(path), 0, 1, 2), timeout=0)
    assert column is not None
    with pytest.raises(ImageFileError, match="was replaced"), FrameReader(column.contents) as it:
        it.frames(column.pieces[0], 0, 1)
        write_stack(tmp_path / "third.h5", pixels(3) + 1)
        (tmp_path / "third.h5").rename(path)


def test_single_images_that_are_cut_short(tmp_path: pathlib.Path) -> None:
    image = pixels(1, (64, 64), "u1")[0]
    tifffile.imwrite(tmp_path / "a_0.tif", image)
    Image.fromarray(image).save(tmp_path / "a_0.jpg")
    np.save(tmp_path / "x_0.npy", image)
    npy = hdf5_asset(tmp_path / "x", spec="NPY_SEQ")
    for asset, name in (
        (files_asset(tmp_path, "AD_TIFF", "%s%s_%d.tif"), "a_0.tif"),
        (files_asset(tmp_path, "AD_JPEG", "%s%s_%d.jpg"), "a_0.jpg"),
        (npy, "x_0.npy"),
    ):
        frames = asset.frames_of_datum({"index": 0})
        assert read(frames).shape == (1, 64, 64)
        path = tmp_path / name
        with open(path, "r+b") as file:
            file.truncate(path.stat().st_size - 900)
        with pytest.raises(ImageFileError, match=name):
            wait_for_images([frames], timeout=0)


def test_pages_and_colours_of_single_images(tmp_path: pathlib.Path) -> None:
    pages = pixels(3)
    tifffile.imwrite(tmp_path / "p0.tif", pages, photometric="minisblack")
    document = {
        **{"uid": "s", "mimetype": "multipart/related;type=image/tiff"},
        "uri": f"file://localhost{tmp_path}/",
        "parameters": {"template": "p{:d}.tif", "chunk_shape": [3, 4, 5]},
    }
    assert np.array_equal(read(asset_of(document).frames_of_indices(1, 3)), pages[1:])
    colours = pixels(1, (8, 8, 3), "u1")[0]
    Image.fromarray(colours).save(tmp_path / "a_0.jpg", quality=100)
    (frames,) = points(files_asset(tmp_path, "AD_JPEG", "%s%s_%d.jpg"), 0)
    assert frames is not None
    assert read(frames).shape == (1, 8, 8, 3)


def test_the_shape_of_most_frames_counts(tmp_path: pathlib.Path) -> None:
    write_stack(tmp_path / "odd.h5", pixels(1, (2, 2)))
    write_stack(tmp_path / "s.h5", pixels(3))
    rows = points(hdf5_asset(tmp_path / "odd.h5"), 0)
    rows += points(hdf5_asset(tmp_path / "s.h5", uid="r2"), 0, 1, 2)
    column, notes = wait_for_images(rows, timeout=0, missing="placeholder")
    assert column is not None and column.shape == (4, 1, 4, 5) and column.missing == 1
    assert "odd.h5 has frames of (2, 2)" in notes[0]


def test_files_of_one_length_and_two_shapes(tmp_path: pathlib.Path) -> None:
    tifffile.imwrite(tmp_path / "a_0.tif", pixels(1)[0])
    tifffile.imwrite(tmp_path / "a_1.tif", pixels(1, (5, 4))[0])
    rows = points(files_asset(tmp_path, "AD_TIFF", "%s%s_%d.tif"), 0, 1)
    column, _ = wait_for_images(rows, timeout=0)
    assert column is not None
    with pytest.raises(ImageFileError, match="a_1.tif has frames of"):
        list(frames_of(column))


@pytest.mark.parametrize(
    ("path", "kwargs"),
    [
        ("/x" * 5000, {}),
        ("/\ud800.h5", {}),
        ("/dev/null", {}),
        ("/dev/zero", {}),
        ("s.h5", {"dataset": "a\0b"}),
        ("s.h5", {"dataset": "/entry/../../.."}),
        ("s.h5", {"frame_per_point": 10**15}),
    ],
)
def test_hostile_documents(tmp_path: pathlib.Path, path: str, kwargs: Any) -> None:
    write_stack(tmp_path / "s.h5", pixels(2))
    place = path if path.startswith("/") else f"{tmp_path}/{path}"
    asset = hdf5_asset(pathlib.Path(place))
    asset = asset_of({**asset.document, "resource_kwargs": {"frame_per_point": 1, **kwargs}})
    for number in (0, 10**30):
        with pytest.raises(ImageFileError):
            wait_for_images(points(asset, number), timeout=0)
    many = files_asset(tmp_path, "AD_TIFF", "%s%s_%d.tif", per_point=10**9)
    with pytest.raises(ImageFileError, match="believable"):
        wait_for_images(points(many, 0), timeout=0)


def test_pickled_arrays_are_refused(tmp_path: pathlib.Path) -> None:
    np.save(tmp_path / "x_0.npy", np.array([{}, []], object), allow_pickle=True)
    frames = hdf5_asset(tmp_path / "x", spec="NPY_SEQ").frames_of_datum({"index": 0})
    with pytest.raises(ImageFileError, match="x_0.npy"):
        read(frames)
