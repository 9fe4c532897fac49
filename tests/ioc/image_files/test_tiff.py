"""TIFF1 and Proc1:TIFF: what is in the files, and what comes back out of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tifffile

TYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32",
         "float64"]  # fmt: skip
ATTRIBUTES = """<?xml version="1.0"?><Attributes>
<Attribute name="Exposure" type="PARAM" source="ACQ_TIME" datatype="DOUBLE"/>
<Attribute name="Sample" type="CONST" source="steel" datatype="STRING"/>
</Attributes>"""


def single(bench: Any, **camera: object) -> str:
    """Write one frame; return its file's name."""
    bench.put(FileWriteMode=0)
    bench.acquire(1, **camera)
    bench.put(WriteFile=1)
    assert bench.state()[3:] == [0, ""]
    return bench.get("FullFileName_RBV")


def test_pixels_keep_their_type(make_bench: Any) -> None:
    bench = make_bench("TIFF1")
    for number, dtype in enumerate(TYPES):
        image = tifffile.imread(single(bench, DataType=number, Reset=1))
        assert image.dtype == dtype
        expected = np.add.outer(np.arange(48), np.arange(64)).astype(dtype)
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize(("mode", "planar"), [("RGB1", False), ("RGB2", True), ("RGB3", True)])
def test_colours(mode: str, planar: bool, make_bench: Any) -> None:
    bench = make_bench("TIFF1")
    bench.put(part="cam1", GainRed=1, GainGreen=2, GainBlue=3)
    try:
        path = single(bench, ColorMode=mode, Reset=1)
    finally:
        bench.put(part="cam1", GainGreen=1, GainBlue=1)
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        assert page.photometric == tifffile.PHOTOMETRIC.RGB
        assert (page.planarconfig == tifffile.PLANARCONFIG.SEPARATE) == planar
        image = page.asarray()
    image = np.moveaxis(image, 0, 2) if planar else image
    assert image.shape == (48, 64, 3)
    ramp = np.add.outer(np.arange(48), np.arange(64))
    for color in range(3):
        expected = ((color + 1) * ramp).astype(np.uint8)
        np.testing.assert_array_equal(image[..., color], expected)


def test_tags(make_bench: Any) -> None:
    bench = make_bench("TIFF1")
    bench.put(part="cam1", NDAttributesFile=ATTRIBUTES)
    path = single(bench, AcquireTime=0.002)
    with tifffile.TiffFile(path) as file:
        tags = {tag.code: tag.value for tag in file.pages.first.tags.values()}
    assert tags[305] == "EPICS areaDetector"
    assert tags[65001] == bench.get("UniqueId_RBV")
    assert tags[65000] == pytest.approx(bench.get("TimeStamp_RBV"), abs=1e-3)
    assert tags[65002] == bench.get("EpicsTSSec_RBV")
    assert tags[65003] == bench.get("EpicsTSNsec_RBV")
    texts = {value for code, value in tags.items() if 65010 <= code <= 65500}
    assert texts >= {"ColorMode:0", "Exposure:0.002000", "Sample:steel"}


def test_the_plugins_own_attributes_are_written_too(make_bench: Any) -> None:
    bench = make_bench("TIFF1")
    bench.put(NDAttributesFile=ATTRIBUTES.replace("ACQ_TIME", "FILE_NUMBER"))
    path = single(bench)
    with tifffile.TiffFile(path) as file:
        texts = {tag.value for tag in file.pages.first.tags.values() if tag.code >= 65010}
    assert "Sample:steel" in texts


# ---- reading


@pytest.mark.parametrize("part", ["TIFF1", "Proc1:TIFF"])
def test_a_file_that_is_read_goes_to_the_plugins_behind(part: str, make_bench: Any) -> None:
    bench = make_bench(part)
    port = {"TIFF1": "FileTIFF1", "Proc1:TIFF": "PROC1TIFF"}[part]
    image = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    tags = [(65001, 4, 1, 77, True), (65010, 2, 0, "Sample:steel", True)]
    tifffile.imwrite(bench.path("f_0003.tif"), image, extratags=tags)
    bench.put(part="image1", NDArrayPort=port, EnableCallbacks=1)
    try:
        before = bench.get("ArrayCounter_RBV", "image1")
        bench.put(FileNumber=3, ReadFile=1)
        bench.put(part="image1", BlockingCallbacks=0)
        assert bench.get("ReadFile") == 0
        # the number goes on, as after writing
        assert bench.get("FileNumber") == 4
        assert bench.alarm("ReadFile") == (0, 0)
        for _ in range(100):
            if bench.get("ArrayCounter_RBV", "image1") == before + 1:
                break
        assert bench.get("UniqueId_RBV", "image1") == 77
        assert [bench.get(f"ArraySize{n}_RBV", "image1") for n in (0, 1)] == [30, 20]
        served = bench.get("ArrayData", "image1")[: image.size]
        np.testing.assert_array_equal(served, image.ravel())
        # it is the array that is written next
        bench.put(FileWriteMode=0, WriteFile=1)
        np.testing.assert_array_equal(tifffile.imread(bench.path("f_0004.tif")), image)
    finally:
        bench.put(part="image1", NDArrayPort="SIM1", EnableCallbacks=0)


@pytest.mark.parametrize("content", [None, b"", b"II*\0", b"no TIFF at all" * 100])
def test_a_file_that_cannot_be_read(content: bytes | None, make_bench: Any) -> None:
    """The console tells of it, the records do not."""
    bench = make_bench("TIFF1")
    if content is not None:
        bench.path("f_0000.tif").write_bytes(content)
    bench.put(AutoIncrement=0, ReadFile=1)
    assert bench.get("ReadFile") == bench.get("ReadFile_RBV") == 0
    assert bench.alarm("ReadFile") == (0, 0)
    bench.put(FileName="after")
    bench.capture()
    bench.acquire(2)
    assert bench.state()[:2] == [0, 2] and "after_0000.tif" in bench.files


def test_other_formats_cannot_be_read(make_bench: Any) -> None:
    for part in ("JPEG1", "netCDF1"):
        bench = make_bench(part)
        bench.put(ReadFile=1)
        assert bench.get("ReadFile") == 0
