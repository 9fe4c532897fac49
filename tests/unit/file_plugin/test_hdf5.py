"""What the HDF5 plugin adds, and what arrays tell it."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.sim.ndarray import NDAttribute
from adsupport.sim.plugins import file
from adsupport.sim.port import PortError

pytestmark = pytest.mark.conformance

IMAGE = "/entry/data/data"
SIZE = (20, 30)


# ---- what HDF5 adds


@pytest.mark.parametrize(
    ("columns", "rows", "frames", "auto", "readback"),
    [
        (0, 0, 0, 1, [30, 20, 1]),
        (12, 10, 0, 0, [12, 10, 1]),
        (30, 5, 4, 0, [30, 5, 4]),
        (200, 200, 1, 0, [30, 20, 1]),
    ],
)
def test_chunk_sizes_are_shown(
    columns: int, rows: int, frames: int, auto: int, readback: list, stream: Any
) -> None:
    stream.put(HDF5_nColChunks=columns, HDF5_nRowChunks=rows, HDF5_nFramesChunks=frames,
               HDF5_chunkSizeAuto=auto, CAPTURE=1)  # fmt: skip
    shown = stream.state("HDF5_nColChunks", "HDF5_nRowChunks", "HDF5_nFramesChunks")
    assert shown == readback
    stream.feed(5)
    with h5py.File(stream.directory / "f_0000.h5") as file:
        assert list(file[IMAGE].chunks) == readback[::-1]
        np.testing.assert_array_equal(file[IMAGE][:, 0, 0], [2, 3, 4, 5, 6])


def test_extra_dimensions(stream: Any) -> None:
    stream.put(HDF5_nExtraDims=1, HDF5_extraDimSizeN=3, HDF5_extraDimSizeX=2)
    assert stream.get("NUM_CAPTURE") == 6
    stream.put(NUM_CAPTURE=9)
    assert stream.get("NUM_CAPTURE") == 6
    stream.put(CAPTURE=1)
    stream.feed(6)
    assert stream.state() == [0, 6, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((2, 3, *SIZE), (2, 3, *SIZE))
    stream.put(NUM_CAPTURE=0)
    assert stream.get("HDF5_nExtraDims") == 0


def test_three_extra_dimensions_slowest_first(stream: Any) -> None:
    stream.put(HDF5_nExtraDims=3, HDF5_extraDimSizeN=2, HDF5_extraDimSizeX=3,
               HDF5_extraDimSizeY=1, HDF5_extraDimSize3=2, CAPTURE=1)  # fmt: skip
    stream.feed(12)
    assert stream.state()[:3] == [0, 12, 0]
    with h5py.File(stream.directory / "f_0000.h5") as file:
        numbers = file[IMAGE][..., 0, 0]
    np.testing.assert_array_equal(numbers, np.arange(2, 14).reshape(2, 1, 3, 2))


def test_swmr(stream: Any) -> None:
    stream.put(HDF5_SWMRMode=1, NUM_CAPTURE=3, CAPTURE=1)
    assert stream.state("HDF5_SWMRRunning", "HDF5_SWMRCbCounter") == [1, 0]
    stream.feed(3)
    assert stream.state("HDF5_SWMRRunning", "HDF5_SWMRCbCounter") == [0, 8]
    assert stream.shape("f_0000.h5") == ((3, *SIZE), (3, *SIZE))


def test_flush_now(stream: Any) -> None:
    stream.put(HDF5_SWMRMode=1, HDF5_flushNthFrame=100, CAPTURE=1)
    stream.feed()
    stream.put(HDF5_SWMRFlushNow=1)
    assert stream.state("HDF5_SWMRFlushNow", "HDF5_SWMRCbCounter") == [0, 1]
    stream.put(CAPTURE=0)
    stream.put(HDF5_SWMRFlushNow=1)
    assert stream.get("HDF5_SWMRFlushNow") == 0


@pytest.mark.parametrize("value", range(7))
def test_compressions(value: int, stream: Any) -> None:
    stream.put(HDF5_compressionType=value, CAPTURE=1)
    stream.feed(5)
    assert stream.state() == [0, 5, 0, "", 1]
    assert stream.ids("f_0000.h5") == [2, 3, 4, 5, 6]


def test_compression_without_its_filter(stream: Any) -> None:
    with pytest.raises(PortError, match=r"filter \(32019\) not available"):
        stream.put(HDF5_compressionType=7)
    assert stream.get("HDF5_compressionType") == 0


@pytest.mark.parametrize(
    ("param", "good", "bad"),
    [
        ("NUM_CAPTURE", 3, -1),
        ("HDF5_zCompressLevel", 9, 10),
        ("HDF5_szipNumPixels", 32, 33),
        ("HDF5_jpegQuality", 100, 0),
        ("HDF5_extraDimSizeX", 2, 0),
        ("HDF5_nExtraDims", 9, 10),
        ("HDF5_bloscCompressLevel", 0, -1),
    ],
)
def test_limits(param: str, good: int, bad: int, bench: Any) -> None:
    bench.put(**{param: good})
    with pytest.raises(PortError):
        bench.put(**{param: bad})
    assert bench.get(param) == good


@pytest.mark.parametrize(
    "param", ["HDF5_nRowChunks", "HDF5_storeAttributes", "HDF5_zCompressLevel", "HDF5_nExtraDims"]
)
def test_fixed_while_a_file_is_open(param: str, stream: Any) -> None:
    before = stream.get(param)
    stream.put(CAPTURE=1)
    with pytest.raises(PortError, match="cannot change while"):
        stream.put(**{param: 1})
    stream.put(CAPTURE=0)
    assert stream.get(param) in (before, 20), "unchanged, or set by opening"
    stream.put(**{param: 1})
    assert stream.get(param) == 1


def test_runtime_and_speed(stream: Any) -> None:
    stream.put(CAPTURE=1)
    stream.feed(5)
    runtime, speed = stream.state("HDF5_totalRuntime", "HDF5_totalIoSpeed")
    assert runtime > 0
    assert speed == pytest.approx(5 * 8 * 600 / 2**20 / runtime)


def test_layout_file_that_is_not_there(stream: Any) -> None:
    layout = stream.full("none.xml")
    with pytest.raises(PortError, match="cannot be opened"):
        stream.put(HDF5_layoutFilename=layout)
    assert stream.get("HDF5_layoutFilename") == layout
    shown = stream.state("HDF5_layoutValid", "HDF5_layoutErrorMsg")
    assert shown == [0, "XML description file cannot be opened"]
    stream.put(CAPTURE=1)
    message = f"Error opening file {stream.full('f_0000.h5')}, status=3"
    assert stream.state() == [0, 0, 1, message, 1]
    stream.put(HDF5_layoutFilename="")
    assert stream.state("HDF5_layoutValid", "HDF5_layoutErrorMsg") == [1, "Default layout selected"]


def test_layouts_that_cannot_be_used(stream: Any) -> None:
    with pytest.raises(PortError, match="parser error"):
        stream.put(HDF5_layoutFilename="<?xml version='1.0'?><hdf5_layout>")
    shown = stream.state("HDF5_layoutValid", "HDF5_layoutErrorMsg")
    assert shown == [0, "XML description file parser error"]
    (stream.directory / "layout.xml").write_text("<hdf5_layout/>")
    stream.put(HDF5_layoutFilename=stream.full("layout.xml"))
    assert stream.state("HDF5_layoutValid", "HDF5_layoutErrorMsg") == [1, ""]
    stream.put(CAPTURE=1)
    message = f"Error opening file {stream.full('f_0000.h5')}, status=3"
    assert stream.state()[3] == message, "a layout without a dataset for frames"


# ---- what arrays tell the plugin


def test_driver_file_is_deleted(stream: Any) -> None:
    raw = stream.directory / "raw.dat"
    raw.touch()
    attributes = (NDAttribute("DriverFileName", str(raw)),)
    stream.put(CAPTURE=1)
    stream.feed(attributes=attributes)
    assert raw.exists()
    stream.put(DELETE_DRIVER_FILE=1)
    stream.feed(attributes=attributes)
    assert not raw.exists()
    stream.feed(attributes=attributes)
    assert stream.state()[:3] == [1, 3, 0]


def test_destination(stream: Any) -> None:
    stream.put(CAPTURE=1)
    for name in ("other", "FILEHDF1", "all"):
        stream.feed(attributes=(NDAttribute("FilePluginDestination", name),))
    assert stream.get("NUM_CAPTURED") == 2


def test_close_on_demand(stream: Any) -> None:
    stream.put(CAPTURE=1)
    stream.feed(attributes=(NDAttribute("FilePluginClose", 0),))
    stream.feed(attributes=(NDAttribute("FilePluginClose", 1),))
    assert stream.state()[:3] == [0, 2, 0]
    assert stream.ids("f_0000.h5") == [2, 3]


def test_names_from_arrays(stream: Any) -> None:
    def feed(name: str, number: int) -> None:
        names = NDAttribute("FilePluginFileName", name), NDAttribute("FilePluginFileNumber", number)
        stream.feed(attributes=names)

    feed("a", 1)
    stream.put(CAPTURE=1)
    assert stream.files == []
    for name, number in (("a", 1), ("a", 1), ("b", 1), ("b", 2)):
        feed(name, number)
    stream.put(CAPTURE=0)
    assert stream.files == ["a_0001.h5", "b_0001.h5", "b_0002.h5"]
    assert stream.ids("a_0001.h5") == [3, 4]
    assert stream.get("AUTO_INCREMENT") == 0


@pytest.mark.parametrize("number", ["seven", float("nan"), float("-inf")])
def test_a_number_from_arrays_that_is_none_is_passed_over(
    stream: Any, caplog: pytest.LogCaptureFixture, number: object
) -> None:
    names = NDAttribute("FilePluginFileName", "a"), NDAttribute("FilePluginFileNumber", number)
    stream.feed(attributes=names)
    stream.put(CAPTURE=1)
    stream.feed(2, attributes=names)
    stream.put(CAPTURE=0)
    assert stream.files == ["a_0000.h5"]
    assert stream.ids("a_0000.h5") == [3, 4]
    assert stream.state("AUTO_INCREMENT", "FILE_NUMBER") == [1, 1]
    assert "FilePluginFileNumber" in caplog.text


def test_frames_that_fill_the_capture_buffer_end_the_capture(
    stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "MOST_BUFFERED", 3 * SIZE[0] * SIZE[1])
    stream.put(WRITE_MODE=1, NUM_CAPTURE=1000, CAPTURE=1)
    stream.feed(5)
    assert stream.state() == [0, 3, 1, "ERROR, 3 frames fill the capture buffer", 0]
    stream.put(WRITE_FILE=1)  # what has been kept is not lost
    assert stream.state() == [0, 0, 0, "", 1]
    assert stream.ids("f_0000.h5") == [2, 3, 4]


# ---- end


def test_stop_closes_the_file(stream: Any) -> None:
    stream.put(CAPTURE=1)
    stream.feed(2)
    stream.plugin.stop()
    assert stream.shape("f_0000.h5") == ((2, *SIZE), (5, *SIZE))
