"""Layouts, attributes files and compressed arrays over Channel Access; files read with h5py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  the reader needs the filters
import numpy as np
import pytest

from adsupport.devices import AD_FrameType_schemes, AD_setup_FrameType

HEAD = '<?xml version="1.0"?>'
DESTINATION = '<global name="detector_data_destination" ndattribute="FrameType"/>'
LAYOUTS = {
    "NeXus": f"""{HEAD}<hdf5_layout>{DESTINATION}
      <group name="entry"><group name="data">
        <dataset name="data" source="detector" det_default="true"/>
        <dataset name="dark" source="detector"/>
        <dataset name="white" source="detector"/>
      </group></group></hdf5_layout>""",
    "DataExchange": f"""{HEAD}<hdf5_layout>{DESTINATION}
      <group name="exchange">
        <dataset name="data" source="detector" det_default="true"/>
        <dataset name="data_dark" source="detector"/>
        <dataset name="data_white" source="detector"/>
      </group></hdf5_layout>""",
}
ENTITY = f'{HEAD}<!DOCTYPE a [<!ENTITY b "b">]><hdf5_layout/>'
INVALID_WRITE = (3, 2)


@pytest.fixture
def layouts(bench: Any) -> Iterator[Any]:
    """A plugin and a camera whose layout, attributes and frame types are put back."""
    bench.cam(SizeX=64, SizeY=48)
    bench.prime()
    yield bench
    bench.put(Capture=0, XMLFileName="", NDAttributesFile="")
    bench.cam(NDAttributesFile="", NDAttributesMacros="", FrameType=0)
    AD_setup_FrameType(bench.prefix, "reset")


def checked(bench: Any) -> list:
    """What the records say of the layout."""
    return [bench.get("XMLValid_RBV"), bench.text("XMLErrorMsg_RBV")]


@pytest.mark.parametrize("scheme", ["NeXus", "DataExchange"])
def test_frames_are_filed_by_their_type(layouts: Any, scheme: str) -> None:
    bench = layouts
    AD_setup_FrameType(bench.prefix, scheme)
    file = bench.directory / "layout.xml"
    file.write_text(LAYOUTS[scheme])
    attributes = bench.directory / "attributes.xml"
    attributes.write_text(
        '<Attributes><Attribute name="FrameType" type="EPICS_PV" dbrtype="DBR_STRING" '
        'source="$(P)$(R)FrameType_RBV" description="where the frame goes"/></Attributes>'
    )
    bench.cam(NDAttributesMacros=f"P={bench.prefix},R=cam1:", NDAttributesFile=str(attributes))
    assert bench.get("NDAttributesStatus", "cam1") == 0
    bench.put(XMLFileName=str(file), NumCapture=9)
    assert checked(bench) == [1, ""]
    bench.prime()  # the file gets the attributes of the array that came last before it is opened
    bench.capture()
    for frame_type, count in ((1, 2), (2, 3), (0, 3), (1, 1)):
        bench.cam(FrameType=frame_type)
        bench.acquire(count)
    assert bench.state()[:4] == [0, 0, 9, 0]
    paths = list(AD_FrameType_schemes[scheme].values())
    with h5py.File(bench.directory / "f_0000.h5") as written:
        assert [written[path].shape[0] for path in paths] == [3, 3, 3]
        # the ramp grows by one a frame: frames are in the order in which they were taken
        starts = [written[path][:, 0, 0].astype(int) for path in paths]
        types = written["FrameType"][:].tolist()
    first = starts[1][0]
    assert [((start - first) % 256).tolist() for start in starts] == [
        [5, 6, 7],
        [0, 1, 8],
        [2, 3, 4],
    ]
    image, dark, white = (path.encode() for path in paths)
    assert types == [dark] * 2 + [white] * 3 + [image] * 3 + [dark]


def test_frames_of_an_unknown_type_go_to_the_default(layouts: Any) -> None:
    bench = layouts
    bench.cam(NDAttributesFile='<Attributes><Attribute name="FrameType" dbrtype="DBR_STRING" '
              f'source="{bench.prefix}cam1:FrameType"/></Attributes>')  # fmt: skip
    bench.put(XMLFileName=LAYOUTS["NeXus"], NumCapture=2)
    bench.prime()
    bench.capture()
    bench.acquire(2)
    with h5py.File(bench.directory / "f_0000.h5") as written:
        assert written["/entry/data/data"].shape[0] == 2
        assert written["FrameType"][:].tolist() == [b"Normal"] * 2


def test_a_layout_that_is_no_xml(layouts: Any) -> None:
    bench = layouts
    for layout, message in (
        (f"{HEAD}<hdf5_layout>", "XML description file parser error"),
        ("/no/such/layout.xml", "XML description file cannot be opened"),
        (
            f'{HEAD}<!DOCTYPE a [<!ENTITY b "b">]><hdf5_layout/>',
            "XML description file parser error",
        ),
    ):
        bench.put(XMLFileName=layout)
        assert checked(bench) == [0, message]
        assert bench.alarm("XMLFileName") == INVALID_WRITE
        assert bench.text("XMLFileName_RBV") == layout
        bench.put(FileNumber=0, Capture=1)
        full = bench.full("f_0000.h5")
        assert bench.state() == [0, 0, 0, 1, f"Error opening file {full}, status=3"]
    bench.put(XMLFileName="")
    assert checked(bench) == [1, "Default layout selected"]
    assert bench.alarm("XMLFileName") == (0, 0)
    bench.capture()
    bench.acquire(5)
    assert bench.state()[:4] == [0, 0, 5, 0]


def test_a_layout_without_a_dataset_for_frames(layouts: Any) -> None:
    bench = layouts
    bench.put(XMLFileName=f'{HEAD}<hdf5_layout><group name="a"/></hdf5_layout>')
    assert checked(bench) == [1, ""], "the XML alone is judged"
    bench.put(Capture=1)
    assert bench.state()[3] == 1


def test_attributes_of_every_source(layouts: Any) -> None:
    """The attributes of a file that a real IOC wrote, and their types there."""
    bench = layouts
    file = bench.directory / "attributes.xml"
    file.write_text(f"""<?xml version="1.0"?>
      <Attributes>
        <Attribute name="AcquireTime" type="EPICS_PV" source="{bench.prefix}cam1:AcquireTime"
                   dbrtype="DBR_NATIVE" description="Camera acquire time"/>
        <Attribute name="ImageMode" type="EPICS_PV" source="{bench.prefix}cam1:ImageMode"
                   dbrtype="DBR_STRING" description="image mode"/>
        <Attribute name="CameraManufacturer" type="PARAM" source="MANUFACTURER"
                   datatype="STRING" description="Camera manufacturer"/>
        <Attribute name="ArrayCounterP" type="PARAM" source="ARRAY_COUNTER" datatype="INT"
                   description="counter"/>
        <Attribute name="Gain" type="PARAM" source="GAIN" datatype="DOUBLE" description="gain"/>
        <Attribute name="Fixed" type="CONST" source="seven" description="constant"/>
        <Attribute name="Nowhere" type="EPICS_PV" source="no:such:pv" description=""/>
      </Attributes>""")
    bench.cam(NDAttributesFile=str(file))
    bench.prime()
    # those of the plugin itself are in its files, too
    bench.put(NDAttributesFile='<Attributes><Attribute name="Written" type="PARAM" '
              'source="NUM_CAPTURED"/></Attributes>', NumCapture=3)  # fmt: skip
    bench.capture()
    bench.acquire(3)
    with h5py.File(bench.directory / "f_0000.h5") as written:
        group = written["/entry/instrument/NDAttributes"]
        values = {name: group[name][:].tolist() for name in group}
        types = {name: str(group[name].dtype) for name in group}
        sources = {name: group[name].attrs["NDAttrSourceType"].decode() for name in group}
        description = group["ImageMode"].attrs["NDAttrDescription"]
    first = values["NDArrayUniqueId"][0]
    assert values["AcquireTime"] == [0.001] * 3
    assert values["ImageMode"] == [b"Multiple"] * 3
    assert values["CameraManufacturer"] == [b"Simulated detector"] * 3
    assert values["ArrayCounterP"] == [first, first + 1, first + 2]
    assert (values["Gain"], values["Fixed"]) == ([1.0] * 3, [b"seven"] * 3)
    assert np.isnan(values["Nowhere"]).all()
    assert values["Written"] == [0, 1, 2]
    assert description == b"image mode"
    assert {types[name] for name in ("ImageMode", "CameraManufacturer", "Fixed")} == {"|S256"}
    assert [types[name] for name in ("AcquireTime", "Gain", "ArrayCounterP", "Nowhere")] == [
        "float64", "float64", "int32", "float32",
    ]  # fmt: skip
    assert sources["ImageMode"] == "NDAttrSourceEPICSPV"
    assert sources["Gain"] == sources["Written"] == "NDAttrSourceParam"
    assert sources["Fixed"] == "NDAttrSourceConst"


@pytest.mark.parametrize(
    ("file", "macros", "status"),
    [
        ("/nonexist.xml", "", 1),
        ("<Attributes><Attribute></Attributes>", "", 2),
        ('<Attributes><Attribute name="a"/></Attributes>', "", 2),
        ('<Attributes><Attribute name="$(A)" source="b"/></Attributes>', "B=1", 3),
    ],
)
def test_attributes_files_that_are_wrong(layouts: Any, file: str, macros: str, status: int) -> None:
    bench = layouts
    for part in ("cam1", "HDF1"):
        bench.write(part, NDAttributesMacros=macros, NDAttributesFile=file)
        assert bench.get("NDAttributesStatus", part) == status
        bench.write(part, NDAttributesMacros="", NDAttributesFile="")
        assert bench.get("NDAttributesStatus", part) == 0


def test_attributes_of_a_plugin_travel_on(layouts: Any) -> None:
    bench = layouts
    bench.write(
        "ROI1",
        EnableCallbacks=1,
        NDAttributesFile='<Attributes><Attribute name="Region" type="PARAM" '
        'source="ARRAY_COUNTER"/></Attributes>',
    )
    bench.put(NDArrayPort="ROI1", NumCapture=2)
    try:
        bench.prime()
        bench.capture()
        bench.acquire(2)
    finally:
        bench.put(NDArrayPort="SIM1")
        bench.write("ROI1", EnableCallbacks=0, NDAttributesFile="")
    with h5py.File(bench.directory / "f_0000.h5") as written:
        first, second = written["/entry/instrument/NDAttributes/Region"][:].tolist()
    assert second == first + 1


@pytest.mark.parametrize(("compressor", "code"), [(2, 32001), (3, 32004), (4, 32008)])
def test_arrays_that_codec1_compresses(layouts: Any, compressor: int, code: int) -> None:
    bench = layouts
    bench.write("Codec1", EnableCallbacks=1, Mode=0, Compressor=compressor)
    bench.put(NDArrayPort="CODEC1", NumCapture=3)
    try:
        bench.prime()
        bench.capture()
        bench.acquire(3)
        assert bench.state()[:4] == [0, 0, 3, 0]
    finally:
        bench.put(NDArrayPort="SIM1")
        bench.write("Codec1", EnableCallbacks=0, Compressor=0)
    with h5py.File(bench.directory / "f_0000.h5") as written:
        dataset = written["/entry/data/data"]
        assert dataset.shape == (3, 48, 64)
        assert dataset.id.get_create_plist().get_filter(0)[0] == code
        steps = np.diff(dataset[:].astype(np.int16), axis=0) % 256
        assert (steps == 1).all(), "the frames of a ramp"
        assert (np.diff(dataset[0, 0].astype(np.int16)) % 256 == 1).all()


def test_arrays_that_come_compressed_in_the_middle_of_a_file(layouts: Any) -> None:
    bench = layouts
    bench.write("Codec1", EnableCallbacks=1, Mode=0, Compressor=0)
    bench.put(NDArrayPort="CODEC1", NumCapture=3)
    try:
        bench.prime()
        bench.capture()
        bench.acquire(1)
        bench.write("Codec1", Compressor=3)
        bench.acquire(1)
        assert bench.state() == [1, 1, 1, 1, "Error writing file, status=3"]
        bench.write("Codec1", Compressor=0)
        bench.acquire(2)
        assert bench.state()[:4] == [0, 0, 3, 0]
    finally:
        bench.put(NDArrayPort="SIM1")
        bench.write("Codec1", EnableCallbacks=0, Compressor=0)
    assert bench.shape("f_0000.h5")[0] == (3, 48, 64)


def test_frames_at_positions(layouts: Any) -> None:
    bench = layouts
    bench.cam(NDAttributesFile='<Attributes><Attribute name="x" type="PARAM" source="BIN_X"/>'
              '<Attribute name="y" type="PARAM" source="BIN_Y"/></Attributes>')  # fmt: skip
    bench.put(ExtraDimSizeN=3, ExtraDimSizeX=3, NumExtraDims=1, PosNameDimN="x", PosNameDimX="y",
              PositionMode=1)  # fmt: skip
    try:
        bench.capture()
        # of the positions, which start at 0, those that a binning can name
        for x, y in ((2, 1), (1, 2), (1, 1)):
            bench.cam(BinX=x, BinY=y, SizeX=64 * x, SizeY=48 * y)
            bench.acquire(1)
        bench.put(Capture=0)
        assert bench.state()[3] == 0
    finally:
        bench.put(PositionMode=0, NumExtraDims=0, ExtraDimSizeN=1, ExtraDimSizeX=1)
        bench.cam(BinX=1, BinY=1)
    with h5py.File(bench.directory / "f_0000.h5") as written:
        data = written["/entry/data/data"]
        assert data.shape == (3, 3, 48, 64)
        assert data[:, :, 1:, :].any(axis=(2, 3)).tolist() == [
            [False] * 3, [False, True, True], [False, True, False],
        ]  # fmt: skip
