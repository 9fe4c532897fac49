"""Plugins whose files hold one frame, in the modes of recording D14 of a real IOC, and others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from adsupport.launch import IOCProcess

SINGLE_FRAME = ["TIFF1", "JPEG1"]


def read(path: Path) -> np.ndarray:
    if path.suffix == ".tif":
        return tifffile.imread(path)
    with Image.open(path) as image:
        return np.array(image)


@pytest.mark.conformance
@pytest.mark.parametrize(("part", "suffix"), [("TIFF1", "tif"), ("JPEG1", "jpg")])
def test_stream_then_single(
    part: str, suffix: str, start_fresh: Callable[..., IOCProcess], tmp_path: Path, caput: Callable,
    caget: Callable, watch: type,
) -> None:  # fmt: skip
    """D14: two frames streamed, one written on command; an IOC that had no array before."""
    prefix = start_fresh("adsim").prefix

    def put(**values: object) -> None:
        for name, value in values.items():
            caput(f"{prefix}{part}:{name}", value)

    def state(*names: str) -> list:
        texts = {"FullFileName_RBV", "WriteMessage"}
        return [caget(f"{prefix}{part}:{name}", as_string=name in texts) for name in names]

    def acquire(count: int) -> None:
        caput(f"{prefix}cam1:NumImages", count)
        caput(f"{prefix}cam1:Acquire", 1)

    for name, value in {"ImageMode": 1, "WaitForPlugins": 1, "AcquirePeriod": 0.01}.items():
        caput(f"{prefix}cam1:{name}", value)
    put(EnableCallbacks=1, FilePath=str(tmp_path), FileName=part, AutoIncrement=1, NumCapture=2)
    put(FileTemplate=f"%s%s_%4.4d.{suffix}", FileWriteMode=2, Capture=1)
    assert state("Capture_RBV", "WriteMessage", "WriteStatus") == [0, "", 0]
    acquire(1)
    with watch(f"{prefix}{part}:", "Capture") as seen:
        caput(f"{prefix}{part}:Capture", 1, False)
        seen.wait_for("Capture", 1)
    assert state("Capture", "FullFileName_RBV", "FileNumber") == [1, "", 0]
    acquire(2)
    assert state("FullFileName_RBV", "FileNumber", "NumCaptured_RBV", "Capture_RBV", "WriteStatus")\
        == [f"{tmp_path}/{part}_0001.{suffix}", 2, 2, 0, 0]  # fmt: skip
    put(FileWriteMode=0, WriteFile=1)
    assert state("FullFileName_RBV", "FileNumber", "NumCaptured_RBV") == [
        f"{tmp_path}/{part}_0002.{suffix}", 3, 1
    ]  # fmt: skip
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"{part}_000{number}.{suffix}" for number in range(3)]
    assert all(read(path).shape == (1024, 1024) for path in tmp_path.iterdir())


@pytest.mark.parametrize("part", SINGLE_FRAME)
def test_capture_mode_writes_a_file_a_frame(part: str, make_bench: Any) -> None:
    bench = make_bench(part)
    bench.put(FileWriteMode=1, NumCapture=3)
    bench.capture()
    bench.acquire(5)
    assert bench.state() == [0, 3, 0, 0, ""] and bench.files == []
    bench.put(WriteFile=1)
    assert bench.state() == [0, 0, 3, 0, ""]
    images = [read(bench.path(name)) for name in bench.files]
    assert len(images) == 3
    if part == "TIFF1":
        assert np.diff([image[3, 3] for image in images]).tolist() == [1, 1]
    bench.put(WriteFile=1)
    assert bench.state()[3:] == [1, "ERROR, no capture buffer present"]


@pytest.mark.parametrize("part", SINGLE_FRAME)
def test_auto_save_writes_each_frame(part: str, make_bench: Any) -> None:
    bench = make_bench(part)
    bench.put(FileWriteMode=0, AutoSave=1)
    bench.acquire(3)
    assert bench.state() == [0, 1, 3, 0, ""] and len(bench.files) == 3
    bench.put(Capture=1)
    assert bench.get("WriteMessage") == "ERROR: capture not supported in Single mode"


def test_each_file_of_a_stream_has_the_size_of_its_frame(make_bench: Any) -> None:
    """A frame opens a file of its own, so that it always fits: other than in HDF5 files."""
    bench = make_bench("TIFF1")
    bench.put(NumCapture=4)
    bench.capture()
    bench.acquire(1)
    bench.acquire(1, SizeX=32)
    bench.acquire(1, DataType=3)
    bench.acquire(1, ColorMode=1)
    assert bench.state() == [0, 4, 4, 0, ""]
    images = [tifffile.imread(bench.path(name)) for name in bench.files]
    assert [image.shape for image in images] == [(48, 64), (48, 32), (48, 32), (48, 32, 3)]
    assert [image.dtype for image in images] == ["u1", "u1", "u2", "u2"]


def test_without_a_number_each_frame_overwrites_the_one_before(make_bench: Any) -> None:
    bench = make_bench("TIFF1")
    bench.put(NumCapture=3, FileTemplate="%s%s.tif")
    before = bench.get("ArrayCounter_RBV", "cam1")
    bench.capture()
    bench.acquire(3)
    assert bench.files == ["f.tif"]
    assert bench.state() == [0, 3, 3, 0, ""]
    with tifffile.TiffFile(bench.path("f.tif")) as file:
        assert file.pages.first.tags[65001].value == before + 3


def test_a_name_for_the_time_of_writing(make_bench: Any) -> None:
    bench = make_bench("TIFF1")
    bench.put(TempSuffix=".part", FileWriteMode=0, WriteFile=1)
    assert bench.files == ["f_0000.tif"]
    assert bench.get("FullFileName_RBV") == str(bench.path("f_0000.tif"))


def test_a_plugin_passes_on_what_it_wrote(make_bench: Any) -> None:
    bench = make_bench("TIFF1")
    bench.put(part="image1", NDArrayPort="FileTIFF1", EnableCallbacks=1)
    try:
        before = bench.get("ArrayCounter_RBV", "image1")
        bench.put(ArrayCallbacks=1)
        bench.capture()
        bench.acquire(5)
        assert bench.get("ArrayCounter_RBV", "image1") == before + 2
        bench.put(ArrayCallbacks=0)
        bench.capture()
        bench.acquire(5)
        assert bench.get("ArrayCounter_RBV", "image1") == before + 2
    finally:
        bench.put(part="image1", NDArrayPort="SIM1", EnableCallbacks=0)


# ---- what goes wrong


@pytest.mark.parametrize("part", [*SINGLE_FRAME, "netCDF1"])
def test_a_directory_that_is_missing(part: str, make_bench: Any) -> None:
    bench = make_bench(part)
    bench.put(FilePath=f"{bench.directory}/none")
    assert bench.get("FilePathExists_RBV") == 0
    bench.put(FileWriteMode=0, WriteFile=1)
    suffix = {"TIFF1": "tif", "JPEG1": "jpg", "netCDF1": "nc"}[part]
    full = f"{bench.directory}/none/f_0000.{suffix}"
    assert bench.state() == [0, 1, 1, 1, f"Error opening file {full}, status=3"]
    assert bench.alarm("WriteStatus") == (2, 7)
    bench.put(FilePath=str(bench.directory), WriteFile=1)
    assert bench.state()[3:] == [0, ""] and len(bench.files) == 1


@pytest.mark.parametrize("part", SINGLE_FRAME)
def test_a_stream_tries_again_at_each_frame(part: str, make_bench: Any) -> None:
    bench = make_bench(part)
    bench.put(FilePath=f"{bench.directory}/none")
    bench.capture()
    bench.acquire(3)
    assert bench.state()[:4] == [1, 0, 3, 1]
    (bench.directory / "none").mkdir()
    bench.acquire(2)
    assert bench.state() == [0, 2, 5, 0, ""]
    assert len(list((bench.directory / "none").iterdir())) == 2


def test_a_file_that_cannot_be_written(make_bench: Any) -> None:
    """On /dev/full a file can be opened, but not filled."""
    bench = make_bench("TIFF1")
    bench.put(FileTemplate="/dev/full")
    bench.capture()
    bench.acquire(2)
    assert bench.state() == [1, 0, 2, 1, "Error writing file, status=3"]
    bench.put(FileTemplate="%s%s_%4.4d.tif")
    bench.acquire(2)
    assert bench.state() == [0, 2, 4, 0, ""]
    assert bench.files == ["f_0002.tif", "f_0003.tif"]


@pytest.mark.parametrize("part", SINGLE_FRAME)
def test_compressed_arrays_are_dropped(part: str, make_bench: Any) -> None:
    bench = make_bench(part)
    bench.put(part="Codec1", NDArrayPort="SIM1", EnableCallbacks=1, Mode=0, Compressor="LZ4")
    try:
        bench.put(NDArrayPort="CODEC1")
        dropped, counted = bench.get("DroppedArrays_RBV"), bench.get("ArrayCounter_RBV")
        bench.capture()
        bench.acquire(3)
        assert bench.get("DroppedArrays_RBV") == dropped + 3
        assert bench.get("ArrayCounter_RBV") == counted
        assert bench.state() == [1, 0, 0, 0, ""] and bench.files == []
        bench.put(part="Codec1", Compressor="None")
        bench.acquire(2)
        assert bench.state() == [0, 2, 2, 0, ""]
    finally:
        bench.put(part="Codec1", EnableCallbacks=0, Compressor="None")
        bench.put(NDArrayPort="SIM1")
