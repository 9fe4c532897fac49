"""The layout and the attributes of an IOC that writes Data Exchange, and their check."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.callbacks.dataexchange import PV, Param, check_dx_layout, write_dx_layout
from adsupport.devices import AD_FrameType_schemes
from adsupport.errors import ConfigurationError, OutputExistsError

from .ioc_file import DATA, WHITE, frame, open_file

VALUES: dict[str, Any] = {
    "/measurement/instrument/name": 'a "quoted" <name> & more',
    "/measurement/instrument@description": "of a group",
    "/measurement/instrument/detector/exposure_time": PV("$(P)$(R)AcquireTime_RBV"),
    "/measurement/instrument/detector/exposure_time@units": "s",
    "/measurement/instrument/detector/manufacturer": Param("MANUFACTURER", "STRING"),
    "/process/acquisition/rotation/start": PV("gp:m1.RBV", when="OnFileOpen", dbr_type="DOUBLE"),
    "/process/acquisition/rotation/step": 0.5,
    "/process/acquisition/rotation/num_angles": 5,
    "/defaults/ring_current": PV("S:current", when="OnFrame", description="of the ring"),
    "/exchange/data@units": "ADU",
}


def test_the_layout_by_itself(tmp_path: Path) -> None:
    layout, attributes = write_dx_layout(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["dx_attributes.xml", "dx_layout.xml"]
    root = ElementTree.parse(layout).getroot()
    (destination,) = root.iter("global")
    assert destination.attrib == {
        "name": "detector_data_destination",
        "ndattribute": "HDF5FrameLocation",
    }
    exchange = root.find("group[@name='exchange']")
    assert exchange is not None
    places = {f"/exchange/{each.get('name')}": each for each in exchange.iter("dataset")}
    # what AD_setup_FrameType gives FrameType are the datasets
    assert set(places) == set(AD_FrameType_schemes["DataExchange"].values())
    assert {each.get("source") for each in places.values()} == {"detector"}
    assert [name for name, each in places.items() if each.get("det_default")] == [DATA]
    (attribute,) = ElementTree.parse(attributes).getroot()
    assert attribute.attrib == {
        "name": "HDF5FrameLocation",
        "type": "EPICS_PV",
        "source": "$(P)$(R)FrameType_RBV",
        "dbrtype": "DBR_STRING",
        "description": "dataset of the frame",
    }
    assert check_dx_layout(layout, attributes) == []


def test_what_the_user_wants_is_in_the_file(tmp_path: Path) -> None:
    layout, attributes = write_dx_layout(tmp_path / "xml", values=VALUES)
    assert check_dx_layout(layout, attributes) == []
    listed = {each.get("name"): each.attrib for each in ElementTree.parse(attributes).getroot()}
    taken = {
        each.get("ndattribute"): each.attrib
        for each in ElementTree.parse(layout).getroot().iter("dataset")
        if each.get("source") == "ndattribute"
    }
    assert {*taken, "HDF5FrameLocation"} == set(listed)
    start = taken["process_acquisition_rotation_start"]
    assert start == {
        "name": "start",
        "source": "ndattribute",
        "ndattribute": "process_acquisition_rotation_start",
        "when": "OnFileOpen",
    }
    assert listed["process_acquisition_rotation_start"]["dbrtype"] == "DBR_DOUBLE"
    maker = listed["measurement_instrument_detector_manufacturer"]
    assert (maker["type"], maker["source"]) == ("PARAM", "MANUFACTURER")
    assert maker["datatype"] == "STRING"

    named = {name: 1.5 for name in listed if name and name != "HDF5FrameLocation"}
    first = frame(DATA, 1, **named)
    file = open_file(tmp_path / "scan.h5", VALUES, first)
    file.write(first)
    file.write(frame(WHITE, 2, **(named | {"defaults_ring_current": 2.5})))
    file.close()
    with h5py.File(tmp_path / "scan.h5") as scan:
        instrument = scan["measurement/instrument"]
        assert instrument["name"][0] == b'a "quoted" <name> & more'
        assert instrument.attrs["description"] == b"of a group"
        assert instrument["detector/exposure_time"][:].tolist() == [1.5]
        assert instrument["detector/exposure_time"].attrs["units"] == b"s"
        assert scan["process/acquisition/rotation/num_angles"][()] == 5
        assert scan["defaults/ring_current"][:].tolist() == [1.5, 2.5]
        assert set(scan["defaults"]) >= {
            "HDF5FrameLocation", "NDArrayUniqueId", "NDArrayTimeStamp", "NDArrayEpicsTSSec",
        }  # fmt: skip
        assert scan["exchange/data"].attrs["units"] == b"ADU"
        assert scan["exchange/data_white"].attrs["units"] == b"counts"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("measurement/name", 1, "expected /group/dataset"),
        ("/measurement", 1, "expected /group/dataset"),
        ("/entry/data", 1, "Data Exchange has no group 'entry'"),
        ("/measurement/a b", 1, "'a b' can't be a name"),
        ("/measurement//b", 1, "'' can't be a name"),
        ("/measurement/../b", 1, "'..' can't be a name"),
        ("/measurement/a@b c", "x", "can't be the name of an attribute"),
        ("/measurement/a@units", PV("x"), "expected text, number"),
        ("/measurement/nowhere@units", "s", "neither a group nor a dataset"),
        ("/exchange/data", 1, "frames go there"),
        ("/exchange/data/x", 1, "is a dataset"),
        ("/exchange/theta", 1, "finish_dx writes the angles"),
        ("/exchange/theta_dark", PV("x"), "finish_dx writes the angles"),
        ("/defaults/NDArrayUniqueId", 1, "writes this value of each frame"),
        ("/defaults/HDF5FrameLocation", PV("x"), "writes this value of each frame"),
        ("/measurement/instrument", 1, "it is a group, too"),
        ("/measurement/instrument/name/x", 1, "is a dataset"),
        ("/measurement/a", "5 µm", "printable ASCII"),
        ("/measurement/a", "", "printable ASCII"),
        ("/measurement/a", "a\nb", "printable ASCII"),
        ("/measurement/a", float("nan"), "can't be written"),
        ("/measurement/a", 2**31, "32 bits"),
        ("/measurement/a", True, "a bool was given"),
        ("/measurement/a", [1], "a list was given"),
        ("/measurement/a", PV(5), "name 5 can't be used"),  # type: ignore[arg-type]
        ("/measurement/a", PV("two words"), "'two words' can't be used"),
        ("/measurement/a", PV("x", description="a\0b"), "description"),
        ("/measurement/a", PV("x", when="OnFileWrite"), "expected 'OnFileClose'"),  # type: ignore[arg-type]
        ("/measurement/a", PV("x", dbr_type="STR"), "expected 'NATIVE'"),
        ("/measurement/a", Param("X", "FLOAT"), "expected 'INT'"),
    ],
)
def test_values_that_cannot_be_used(path: str, value: Any, message: str, tmp_path: Path) -> None:
    values = {"/measurement/instrument/name": "x", path: value}
    with pytest.raises(ConfigurationError) as caught:
        write_dx_layout(tmp_path, values=values)
    assert message in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_names_that_cannot_be_used(tmp_path: Path) -> None:
    for location in ("", "a b", '"', "1a", "NDArrayUniqueId", "ColorMode"):
        with pytest.raises(ConfigurationError, match="can't be the name of an NDAttribute"):
            write_dx_layout(tmp_path, location=location)
    with pytest.raises(ConfigurationError, match="exists='bump'"):
        write_dx_layout(tmp_path, exists="bump")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="can't be used"):
        write_dx_layout(tmp_path, source="")
    assert os.listdir(tmp_path) == []


def test_files_that_exist_are_kept(tmp_path: Path) -> None:
    (tmp_path / "dx_attributes.xml").write_text("mine")
    with pytest.raises(OutputExistsError, match="dx_attributes.xml exists already"):
        write_dx_layout(tmp_path)
    assert os.listdir(tmp_path) == ["dx_attributes.xml"]
    assert (tmp_path / "dx_attributes.xml").read_text() == "mine"
    layout, attributes = write_dx_layout(tmp_path, exists="replace")
    assert check_dx_layout(layout, attributes) == []


def test_addresses_whose_attributes_would_have_one_name(tmp_path: Path) -> None:
    values = {"/process/a_b": PV("x"), "/process/a/b": PV("y"), "/process/a.b": PV("z")}
    layout, attributes = write_dx_layout(tmp_path, values=values)
    assert check_dx_layout(layout, attributes) == []
    names = [each.get("name") for each in ElementTree.parse(attributes).getroot()]
    assert len(set(names)) == 4


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,5}", fullmatch=True)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1).filter(str.strip)


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.builds("/process/{}/{}".format, NAMES, NAMES),
        st.one_of(
            TEXTS,
            st.floats(allow_nan=False, allow_infinity=False),
            st.integers(-(2**31), 2**31 - 1),
            TEXTS.filter(lambda text: " " not in text).map(PV),
        ),
        max_size=6,
    )
)
def test_any_values_come_through(values: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        layout, attributes = write_dx_layout(directory, values=values)
        assert check_dx_layout(layout, attributes) == []
        written = ElementTree.parse(layout).getroot()
        sources = {each.get("source") for each in ElementTree.parse(attributes).getroot()}
        for path, value in values.items():
            _, group, name = path[1:].split("/")
            element = written.find(
                f"group[@name='process']/group[@name='{group}']/dataset[@name='{name}']"
            )
            assert element is not None
            if isinstance(value, PV):
                assert value.name in sources
            else:
                assert type(value)(element.get("value")) == value  # type: ignore[arg-type]
