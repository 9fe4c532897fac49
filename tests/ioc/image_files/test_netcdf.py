"""netCDF1: any number of frames in a file."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.io import netcdf_file

ATTRIBUTES = """<?xml version="1.0"?><Attributes>
<Attribute name="Exposure" type="PARAM" source="ACQ_TIME" datatype="DOUBLE"/>
<Attribute name="Sample" type="CONST" source="steel" datatype="STRING"/>
</Attributes>"""


def test_a_stream_is_one_file(make_bench: Any) -> None:
    bench = make_bench("netCDF1")
    bench.put(part="cam1", NDAttributesFile=ATTRIBUTES)
    bench.acquire(1, Reset=1)
    bench.put(NumCapture=3)
    bench.capture()
    assert bench.state() == [1, 0, 1, 0, ""]
    assert bench.files == ["f_0000.nc"], "it is there before the first frame"
    last = bench.get("ArrayCounter_RBV", "cam1")
    bench.acquire(5)
    assert bench.state() == [0, 3, 1, 0, ""]
    with netcdf_file(bench.path("f_0000.nc"), mmap=False) as file:
        frames = file.variables["array_data"][:].view(np.uint8)
        ramp = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
        np.testing.assert_array_equal(frames, [ramp + n for n in (1, 2, 3)])
        assert file.variables["uniqueId"][:].tolist() == [last + n for n in (1, 2, 3)]
        assert (file.dataType, list(file.dimSize)) == (1, [64, 48])
        assert file.variables["Attr_Exposure"][:].tolist() == [0.001] * 3
        assert file.variables["Attr_Sample"][0].tobytes().rstrip(b"\0") == b"steel"


def test_capture_and_single(make_bench: Any) -> None:
    bench = make_bench("netCDF1")
    bench.put(FileWriteMode=1, NumCapture=2, AutoSave=1)
    bench.acquire(1, DataType=9)
    bench.capture()
    bench.acquire(2)
    assert bench.state() == [0, 0, 1, 0, ""]
    with netcdf_file(bench.path("f_0000.nc"), mmap=False) as file:
        assert file.variables["array_data"].shape == (2, 48, 64)
    bench.put(FileWriteMode=0, AutoSave=0, WriteFile=1)
    with netcdf_file(bench.path("f_0001.nc"), mmap=False) as file:
        assert file.dimensions["numArrays"] == 1
        assert file.variables["array_data"].data.dtype == ">f8"


def test_frames_that_do_not_fit(make_bench: Any) -> None:
    bench = make_bench("netCDF1")
    bench.put(NumCapture=3)
    bench.capture()
    bench.acquire(1)
    bench.acquire(1, SizeX=32)
    assert bench.state() == [1, 1, 1, 1, "Invalid frame. Ignoring."]
    bench.acquire(2, SizeX=64)
    assert bench.state() == [0, 3, 1, 0, ""]
    with netcdf_file(bench.path("f_0000.nc"), mmap=False) as file:
        assert file.variables["array_data"].shape == (3, 48, 64)


def test_a_full_disk_does_not_end_the_capture(make_bench: Any) -> None:
    bench = make_bench("netCDF1")
    bench.put(FileTemplate="/dev/full")
    bench.put(Capture=1)
    assert bench.state()[3:] == [1, "Error opening file /dev/full, status=3"]
    bench.put(FileTemplate="%s%s_%4.4d.nc")
    bench.capture()
    bench.acquire(2)
    assert bench.state()[:2] == [0, 2] and bench.state()[3:] == [0, ""]
