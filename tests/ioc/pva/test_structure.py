"""Pva1:Image as p4p's NTNDArray client sees it; fields as EPICS normative types define them."""

from __future__ import annotations

import time

import numpy as np
import pytest

POSIX_AT_EPICS_EPOCH = 631152000

DTYPES = (
    "Int8", "UInt8", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float32", "Float64",
)  # fmt: skip


def ramp(rows: int, columns: int, dtype: str) -> np.ndarray:
    """The first frame of ADSimDetector's linear ramp with all gains 1: x + y."""
    return np.add.outer(np.arange(rows), np.arange(columns)).astype(dtype)


def test_name_is_the_one_that_the_record_shows(det, adsim):
    text = bytes(np.asarray(det.get("Pva1:PvName_RBV"), np.uint8)).split(b"\0")[0].decode()
    assert text == det.name == f"{adsim.prefix}Pva1:Image"


def test_before_the_first_array_there_is_an_empty_one(fresh_adsim, pva_client):
    image = pva_client(fresh_adsim).get(f"{fresh_adsim.prefix}Pva1:Image", timeout=30)
    assert image.shape == (0,)
    assert image.attrib == {}
    assert image.raw.getID() == "epics:nt/NTNDArray:1.0"
    assert image.raw.uniqueId == 0
    assert image.raw.dimension == []


@pytest.mark.parametrize("name", DTYPES)
def test_element_types(det, name):
    image = det.acquire(DataType=name, SizeX=300, SizeY=200, Reset=1)
    assert image.dtype == np.dtype(name.lower())
    assert np.array_equal(image, ramp(200, 300, name.lower()))
    assert image.raw.compressedSize == image.raw.uncompressedSize == image.nbytes


@pytest.mark.parametrize(
    ("mode", "number", "color_axis"), [("RGB1", 2, 2), ("RGB2", 3, 1), ("RGB3", 4, 0)]
)
def test_color_modes(det, mode, number, color_axis):
    image = det.acquire(ColorMode=mode, SizeX=40, SizeY=30, Reset=1)
    assert image.attrib["ColorMode"] == number
    assert image.shape == tuple(np.insert([30, 40], color_axis, 3))
    for color in range(3):
        plane = image.take(color, axis=color_axis)
        assert np.array_equal(plane, ramp(30, 40, "uint8"))


def test_dimensions_tell_how_the_image_was_cut(det):
    image = det.acquire(MinX=10, SizeX=300, BinX=3, ReverseX=1, MinY=20, SizeY=100, BinY=2, Reset=1)
    assert image.shape == (50, 100)
    fields = ("size", "offset", "fullSize", "binning", "reverse")
    described = [tuple(dim[name] for name in fields) for dim in image.raw.dimension]
    assert described == [(100, 10, 100, 3, True), (50, 20, 50, 2, False)]


def test_unique_id_and_times(det):
    before = time.time()
    image = det.acquire(SizeX=16, SizeY=16)
    assert image.raw.uniqueId == det.get("cam1:ArrayCounter_RBV")
    stamp, data_stamp = image.raw.timeStamp, image.raw.dataTimeStamp
    seconds = det.get("Pva1:EpicsTSSec_RBV") + POSIX_AT_EPICS_EPOCH
    assert (stamp.secondsPastEpoch, stamp.nanoseconds) == (
        seconds,
        det.get("Pva1:EpicsTSNsec_RBV"),
    )
    assert before - 1 <= image.timestamp <= time.time() + 1
    exposed = det.get("Pva1:TimeStamp_RBV") + POSIX_AT_EPICS_EPOCH
    told = data_stamp.secondsPastEpoch + 1e-9 * data_stamp.nanoseconds
    assert told == pytest.approx(exposed, abs=1e-5)


def test_attributes(det, tmp_path):
    (tmp_path / "attributes.xml").write_text(
        '<?xml version="1.0"?><Attributes>'
        '<Attribute name="Sample" type="CONST" source="gold" datatype="STRING"'
        ' description="what is seen"/>'
        '<Attribute name="Images" type="PARAM" source="NIMAGES" datatype="INT"/>'
        '<Attribute name="Exposure" type="PARAM" source="ACQ_TIME" datatype="DOUBLE"'
        ' description="s"/></Attributes>'
    )
    det.put("cam1:NDAttributesFile", str(tmp_path / "attributes.xml"))
    image = det.acquire(SizeX=16, SizeY=16, AcquireTime=0.002)
    assert image.attrib == {"ColorMode": 0, "Sample": "gold", "Images": 1, "Exposure": 0.002}
    described = {
        item.name: (item.descriptor, item.source, item.sourceType)
        for item in image.raw.attribute
        if item.name != "ColorMode"
    }
    # numbers of NDAttrSource: 0 driver, 1 parameter, 2 EPICS PV, 3 function, 4 constant
    assert described == {
        "Sample": ("what is seen", "gold", 4),
        "Images": ("", "NIMAGES", 1),
        "Exposure": ("s", "ACQ_TIME", 1),
    }


def test_display_and_descriptor_are_there(det):
    fields = det.structure().todict()
    assert {"descriptor", "display", "alarm"} <= set(fields)
    assert set(fields["display"]) == {"limitLow", "limitHigh", "description", "format", "units"}
