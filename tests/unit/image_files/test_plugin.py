"""Plugins of one frame a file, without Channel Access: names by attributes, errors, buffers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from adsupport.sim.ioc import IOC
from adsupport.sim.ndarray import ColorMode, NDArray, NDAttribute
from adsupport.sim.plugins.file import WriteMode
from adsupport.sim.plugins.jpeg import JPEGPlugin
from adsupport.sim.plugins.netcdf import NetCDFPlugin
from adsupport.sim.plugins.tiff import TIFFPlugin

KINDS = {"tif": TIFFPlugin, "jpg": JPEGPlugin, "nc": NetCDFPlugin}


class Bench:
    """A plugin that gets arrays by hand, and what it emits."""

    def __init__(self, directory: Path, suffix: str) -> None:
        self.directory = directory
        self.plugin: Any = KINDS[suffix]("FILE1", {})
        IOC("bench", "t:").load(
            self.plugin.tables, "X1:", self.plugin, {"NDARRAY_PORT": "SIM1", "NDARRAY_ADDR": "0"}
        )
        self.emitted: list[NDArray] = []
        self.plugin.connect(self.emitted.append)
        self.put(
            FILE_PATH=str(directory), FILE_NAME="f", FILE_TEMPLATE=f"%s%s_%4.4d.{suffix}",
            AUTO_INCREMENT=1, WRITE_MODE=WriteMode.STREAM, NUM_CAPTURE=100,
        )  # fmt: skip
        self._numbers = itertools.count(1)

    def put(self, **values: object) -> None:
        for param, value in values.items():
            self.plugin.write(param, value)

    def get(self, *params: str) -> list:
        return [self.plugin.get(param) for param in params]

    def feed(self, count: int = 1, dtype: str = "uint8", **more: Any) -> None:
        for _ in range(count):
            number = next(self._numbers)
            array = NDArray(np.full((4, 5), number, dtype), unique_id=number, **more)
            self.plugin.last_array = array
            self.plugin.process(array)

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())


@pytest.fixture
def bench(tmp_path: Path) -> Callable[[str], Bench]:
    return lambda suffix="tif": Bench(tmp_path, suffix)


def values(bench: Bench) -> list[int]:
    return [int(tifffile.imread(bench.directory / name)[0, 0]) for name in bench.files]


def test_arrays_can_name_their_files(bench: Callable) -> None:
    it = bench("tif")
    named = [NDAttribute("FilePluginFileName", "mine"), NDAttribute("FilePluginFileNumber", 7)]
    it.feed(attributes=tuple(named))
    it.put(CAPTURE=1)
    it.feed(attributes=tuple(named))
    named[1] = NDAttribute("FilePluginFileNumber", 9)
    it.feed(attributes=tuple(named))
    assert it.files == ["mine_0007.tif", "mine_0009.tif"] and values(it) == [2, 3]
    assert it.get("CAPTURE", "NUM_CAPTURED", "WRITE_STATUS") == [1, 2, 0]


def test_an_array_can_end_the_capture(bench: Callable) -> None:
    it = bench("tif")
    it.feed()
    it.put(CAPTURE=1)
    it.feed(2)
    it.feed(attributes=(NDAttribute("FilePluginClose", 1),))
    it.feed()
    assert it.get("CAPTURE", "WRITE_STATUS") == [0, 0]
    assert values(it) == [2, 3, 4]


def test_arrays_for_others_are_left_out(bench: Callable) -> None:
    it = bench("tif")
    it.feed()
    it.put(CAPTURE=1)
    for name in ("OTHER", "file1", "all"):
        it.feed(attributes=(NDAttribute("FilePluginDestination", name),))
    assert values(it) == [3, 4]


def test_lazy_opening_is_no_different(bench: Callable) -> None:
    it = bench("tif")
    it.put(FILE_LAZY_OPEN=1, CAPTURE=1)
    assert it.get("CAPTURE", "WRITE_MESSAGE") == [1, "Lazy Open..."]
    it.feed(3)
    assert it.get("NUM_CAPTURED", "FILE_NUMBER", "WRITE_MESSAGE") == [3, 3, ""]
    assert values(it) == [1, 2, 3]


def test_the_drivers_file_is_deleted_after_the_write(bench: Callable, tmp_path: Path) -> None:
    it = bench("tif")
    (tmp_path / "raw").touch()
    it.feed()
    it.put(DELETE_DRIVER_FILE=1, CAPTURE=1)
    it.feed(attributes=(NDAttribute("DriverFileName", str(tmp_path / "raw")),))
    assert it.files == ["f_0000.tif"]


@pytest.mark.parametrize("suffix", ["tif", "jpg", "nc"])
def test_arrays_are_passed_on_when_they_are_written(suffix: str, bench: Callable) -> None:
    it = bench(suffix)
    it.put(ARRAY_CALLBACKS=1)
    it.feed()
    assert it.emitted == []
    it.put(CAPTURE=1)
    it.feed(2)
    it.put(CAPTURE=0)
    it.feed()
    assert [array.unique_id for array in it.emitted] == [2, 3]


def test_one_frame_of_a_buffer_that_fails_leaves_the_others(bench: Callable) -> None:
    it = bench("jpg")
    it.feed()
    it.put(WRITE_MODE=WriteMode.CAPTURE, NUM_CAPTURE=3, CAPTURE=1)
    it.feed()
    # it fits by its sizes, and JPEG does not know it
    it.plugin.process(
        NDArray(np.zeros((2, 4, 5), np.uint8), color_mode=ColorMode.YUV444, unique_id=9)
    )
    it.feed()
    assert it.get("NUM_CAPTURED", "CAPTURE") == [3, 0]
    it.put(WRITE_FILE=1)
    assert it.files == ["f_0000.jpg", "f_0002.jpg"]
    assert it.get("NUM_CAPTURED", "FILE_NUMBER", "WRITE_STATUS") == [0, 3, 0]


def test_a_read_array_goes_to_those_behind_whatever_array_callbacks_says(bench: Callable) -> None:
    it = bench("tif")
    image = np.arange(20, dtype=np.float32).reshape(4, 5)
    tifffile.imwrite(it.directory / "f_0000.tif", image)
    it.put(ARRAY_CALLBACKS=0, READ_FILE=1)
    assert it.get("READ_FILE", "FILE_NUMBER") == [0, 1]
    np.testing.assert_array_equal(it.emitted[0].data, image)
    it.put(READ_FILE=1)
    assert len(it.emitted) == 1


def test_a_plugin_that_is_stopped_leaves_whole_files(bench: Callable) -> None:
    it = bench("nc")
    it.feed()
    it.put(CAPTURE=1)
    it.feed(2)
    it.plugin.stop()
    from scipy.io import netcdf_file

    with netcdf_file(it.directory / "f_0000.nc", mmap=False) as file:
        assert file.variables["uniqueId"][:].tolist() == [2, 3]


def test_a_frame_that_cannot_be_written_leaves_a_netcdf_stream_going(
    bench: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = bench("nc")
    it.feed()
    it.put(CAPTURE=1)
    it.feed()
    # as many columns and rows, but colours: it fits by its sizes
    it.plugin.process(NDArray(np.zeros((3, 4, 5), np.uint8), color_mode=ColorMode.RGB3))
    assert it.get("CAPTURE", "NUM_CAPTURED", "WRITE_MESSAGE") == [
        1, 1, "Error writing file, status=3"
    ]  # fmt: skip
    it.put(CAPTURE=0)
    assert it.get("CAPTURE", "WRITE_STATUS") == [0, 0]
