"""Images that a walker writes: TIFF files, each or rolled, and HDF5."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.documents import json_text
from adsupport.errors import ConfigurationError, NamingError, OutputError, OutputExistsError
from adsupport.imaging.storage.image_file import TIFFImageFile
from adsupport.imaging.storage.walker import DirectoryWalker


def images(n, shape=(8, 16), dtype=np.uint16):
    return (np.full(shape, k, dtype) for k in range(n))


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_an_image_a_file_with_what_is_known_of_it(tmp_path):
    with DirectoryWalker(tmp_path, start_index=1).create_writer("radios") as writer:
        for k, image in enumerate(images(3)):
            writer.write(image, {"angle": k * 0.5, "unique_id": 10 + k, "units": "°"})
            assert (writer.images, writer.files) == (k + 1, k + 1)
            assert writer.path == tmp_path / "radios" / f"frame_{k + 1:06d}.tif"
            assert (tifffile.imread(writer.path) == k).all()  # it's there before the next one
    assert names(tmp_path / "radios") == [f"frame_{k:06d}.tif" for k in (1, 2, 3)]
    with tifffile.TiffFile(tmp_path / "radios" / "frame_000003.tif") as file:
        page = file.pages.first
        assert (page.shape, page.dtype, file.is_bigtiff) == ((8, 16), np.uint16, False)
        about = json.loads(page.description)
    assert about == {"angle": 1.0, "unique_id": 12, "units": "°", "number": 2}


def test_a_frame_that_was_dropped_leaves_a_gap(tmp_path):
    with DirectoryWalker(tmp_path).create_writer("radios") as writer:
        for sequence in (0, 1, 4):
            writer.write(np.full((2, 2), sequence), number=sequence)
        with pytest.raises(ConfigurationError, match="expected 5 or more"):
            writer.write(np.zeros((2, 2), int), number=4)
    assert names(tmp_path / "radios") == [f"frame_{k:06d}.tif" for k in (0, 1, 4)]
    assert (tifffile.imread(tmp_path / "radios" / "frame_000004.tif") == 4).all()


def test_tiff_files_are_rolled(tmp_path):
    limit = 10_000  # of images of 2048 bytes, and 1 kB for each beside them
    walker = DirectoryWalker(tmp_path, bytes_per_file=limit)
    with walker.create_writer("darks") as writer:
        for k, image in enumerate(images(7, (32, 32))):
            writer.write(image, {"k": k})
    assert (writer.images, writer.files) == (7, 3)
    found, numbers = [], []
    for path in sorted((tmp_path / "darks").iterdir()):
        assert path.stat().st_size <= limit
        with tifffile.TiffFile(path) as file:
            assert not file.is_bigtiff
            found += [int(page.asarray()[0, 0]) for page in file.pages]
            numbers += [json.loads(page.description)["number"] for page in file.pages]
    assert found == numbers == list(range(7))


def test_an_image_longer_than_a_file_has_one_of_its_own(tmp_path):
    walker = DirectoryWalker(tmp_path, bytes_per_file=100)
    assert walker.write(images(2), "darks") == 2
    assert names(tmp_path / "darks") == ["frame_000000.tif", "frame_000001.tif"]


def test_the_threshold_of_bigtiff(tmp_path):
    for limit, big in ((2**32 - 2**25, True), (2**31, False), (2**40, True)):
        walker = DirectoryWalker(tmp_path, bytes_per_file=limit)
        walker.write(images(2), f"to{limit}")
        with tifffile.TiffFile(tmp_path / f"to{limit}" / "frame_000000.tif") as file:
            assert (file.is_bigtiff, len(file.pages)) == (big, 2)
    single = TIFFImageFile(tmp_path / "a.tif", 2**32)
    assert single._big
    single.abandon()


@pytest.mark.parametrize("extension", ["h5", "hdf5", "HDF5"])
def test_one_hdf5_file_that_grows(tmp_path, extension):
    walker = DirectoryWalker(tmp_path, f"frame_{{:>06}}.{extension}")
    with walker.create_writer("darks") as writer:
        for k, image in enumerate(images(5)):
            writer.write(image, {"angle": float("nan"), "k": k})
            assert writer.files == 0
    path = tmp_path / "darks" / f"frame_000000.{extension}"
    assert names(tmp_path / "darks") == [path.name] and writer.path == path
    with h5py.File(path) as file:
        data = file["entry/data/data"]
        assert (data.shape, data.dtype, data.chunks) == ((5, 8, 16), np.uint16, (1, 8, 16))
        assert data[:, 0, 0].tolist() == list(range(5))
        about = [json_text.decode(text) for text in file["entry/data/about"].asstr()]
        assert [each["k"] for each in about] == list(range(5))
        assert np.isnan(about[0]["angle"])
        assert file["entry"].attrs["default"] == "data"
        assert file["entry/data"].attrs["signal"] == "data"


def test_hdf5_files_are_rolled(tmp_path):
    walker = DirectoryWalker(tmp_path, "f{}.h5", bytes_per_file=300_000)
    walker.write(images(10, (128, 256)), "darks")  # 64 KiB each
    assert names(tmp_path / "darks") == ["f0.h5", "f1.h5", "f2.h5"]
    lengths = []
    for path in sorted((tmp_path / "darks").iterdir()):
        assert path.stat().st_size <= 300_000
        with h5py.File(path) as file:
            lengths.append(file["entry/data/data"].shape[0])
    assert lengths == [4, 4, 2]


@pytest.mark.parametrize("extension", ["tif", "h5"])
@pytest.mark.parametrize(
    "dtype", ["?", "i1", "u1", ">u2", "i4", "u8", "f2", "f4", "f8", "c8", "c16"]
)
def test_numbers_stay_as_they_are(tmp_path, dtype, extension):
    image = np.arange(24).reshape(4, 6).astype(dtype)
    strided = np.zeros((8, 12), dtype)[::2, ::2]
    strided[...] = image
    walker = DirectoryWalker(tmp_path, f"f{{}}.{extension}")
    walker.write([image, strided])
    if extension == "tif":
        read = np.stack([tifffile.imread(tmp_path / f"f{k}.tif") for k in (0, 1)])
    else:
        with h5py.File(tmp_path / "f0.h5") as file:
            read = file["entry/data/data"][:]
    assert read.dtype.newbyteorder("=") == image.dtype.newbyteorder("=")
    assert (read == image).all()


def test_colours(tmp_path):
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    DirectoryWalker(tmp_path).write([image])
    assert (tifffile.imread(tmp_path / "frame_000000.tif") == image).all()
    DirectoryWalker(tmp_path, "f{}.h5").write([image])
    with h5py.File(tmp_path / "f0.h5") as file:
        assert (file["entry/data/data"][0] == image).all()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros(5),
        np.zeros((2, 3, 5)),
        np.zeros((0, 5)),
        np.array([["a"]]),
        np.array([[None]]),
        np.zeros((2, 2), "M8[s]"),
        np.zeros((2, 2), np.longdouble),
        "text",
    ],
)
def test_what_isnt_an_image(tmp_path, image):
    with DirectoryWalker(tmp_path).create_writer() as writer:
        with pytest.raises(ConfigurationError, match="expected numbers, of shape"):
            writer.write(image)
        writer.write(np.zeros((2, 2)))
        with pytest.raises(ConfigurationError, match=r"\(2, 3\).*expected \(2, 2\) and float64"):
            writer.write(np.zeros((2, 3)))
        with pytest.raises(ConfigurationError, match="as those before"):
            writer.write(np.zeros((2, 2), int))
    assert writer.images == 1
    with pytest.raises(ConfigurationError, match="is closed"):
        writer.write(np.zeros((2, 2)))
    writer.close()


def test_settings_that_cant_be(tmp_path):
    with pytest.raises(NamingError, match=r"'.edf', which tells no format.*\.tif, \.tiff, \.h5"):
        DirectoryWalker(tmp_path, "frame_{}.edf")
    for wrong in (-1, 1.5, True, "1"):
        with pytest.raises(ConfigurationError, match="bytes_per_file"):
            DirectoryWalker(tmp_path, bytes_per_file=wrong)  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="start_index"):
            DirectoryWalker(tmp_path, start_index=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [{"bytes_per_file": 10**9}, {"dsetname": "f{}.h5"}, {}])
def test_what_was_measured_before_a_failure_is_kept(tmp_path, how):
    walker = DirectoryWalker(tmp_path, **how)
    with pytest.raises(ZeroDivisionError), walker.create_writer() as writer:
        for image in images(3):
            writer.write(image)
        raise ZeroDivisionError
    assert writer.images == 3
    assert writer.path is not None and names(tmp_path)[-1] == writer.path.name
    if writer.path.suffix == ".h5":
        with h5py.File(writer.path) as file:
            assert file["entry/data/data"].shape[0] == 3


@pytest.mark.parametrize("how", [{"bytes_per_file": 10**9}, {"dsetname": "f{}.h5"}, {}])
def test_a_file_that_came_meanwhile_isnt_replaced(tmp_path, how):
    writer = DirectoryWalker(tmp_path, **how).create_writer()
    taken = writer.data_set.file(0)
    taken.write_text("mine")
    with pytest.raises(OutputExistsError, match="exists already") as told:
        writer.write(np.zeros((2, 2)))
        writer.close()
    writer.close()
    assert taken.read_text() == "mine"
    assert told.value.kept is not None and told.value.kept.endswith(".kept")
    assert names(tmp_path) == sorted([taken.name, os.path.basename(told.value.kept)])


@pytest.mark.parametrize("how", [{"bytes_per_file": 10**9}, {"dsetname": "f{}.h5"}, {}])
def test_no_room(tmp_path, monkeypatch, how):
    """What has been written is finished, and nothing comes behind the gap."""
    writer = DirectoryWalker(tmp_path, **how).create_writer()
    for image in images(2):
        writer.write(image)
    with monkeypatch.context() as patch:
        full = SimpleNamespace(f_bavail=1, f_frsize=100, f_blocks=10)
        patch.setattr(os, "statvfs", lambda path: full)
        with pytest.raises(OutputError, match="has room for 100"):
            writer.write(np.zeros((8, 16), np.uint16))
    with pytest.raises(OutputError, match="since number 2 failed"):
        writer.write(np.zeros((8, 16), np.uint16))
    writer.close()
    assert writer.images == 2
    if "dsetname" in how:
        with h5py.File(tmp_path / "f0.h5") as file:
            assert file["entry/data/data"].shape[0] == 2
    elif how:
        with tifffile.TiffFile(tmp_path / "frame_000000.tif") as file:
            assert len(file.pages) == 2
    else:
        assert names(tmp_path) == ["frame_000000.tif", "frame_000001.tif"]


FULL = """
import os, resource, sys
import numpy as np
from adsupport.errors import OutputError
from adsupport.imaging.storage.walker import DirectoryWalker
cases = ("tif", 0, 600), ("tif", 10**9, 150), ("h5", 0, 150), ("h5", 0, 600)
for extension, per_file, rows in cases:
    walker = DirectoryWalker(f"{sys.argv[1]}/{extension}{rows}", "f{}." + extension)
    walker.bytes_per_file = per_file
    writer = walker.create_writer()
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    try:
        for k in range(10):
            writer.write(np.full((rows, 100), k, np.uint16))
    except OutputError as error:
        left = os.listdir(walker.root)
        assert left == ([os.path.basename(error.kept)] if error.kept else [])
        print(extension, rows, writer.images, "f0." in str(error), bool(error.kept))
    writer.close()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


def test_a_disk_that_refuses(tmp_path):
    """Like one that is full without telling: a file of 100 kB at most, of images of 30 or 120."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "tif 600 0 True False",
        "tif 150 3 True True",
        "h5 150 2 True True",
        "h5 600 0 True False",
    ]


@pytest.mark.slow
def test_memory_doesnt_grow(tmp_path):
    for extension, per_file in (("tif", 0), ("tif", 10**9), ("h5", 0)):
        walker = DirectoryWalker(tmp_path / extension / str(per_file), f"f{{}}.{extension}")
        walker.bytes_per_file = per_file
        image = np.zeros((64, 64), np.uint16)
        with walker.create_writer() as writer:
            for _ in range(20):
                writer.write(image)
            tracemalloc.start()
            for _ in range(150):
                writer.write(image)
            grown, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert grown < 150 * 500, (extension, per_file, grown)
