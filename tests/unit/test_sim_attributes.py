"""NDAttributes of a driver: the XML file, its macros, and where the values come from."""

import pytest

from adsupport.sim.attributes import AttributeFileError, Status, channel_reader, read_attributes
from adsupport.sim.camera.detector import SimDetector
from adsupport.sim.ioc import IOC
from adsupport.sim.port import Port

XML = """<?xml version="1.0"?>
<Attributes>
  <Attribute name="Maker" type="PARAM" source="MANUFACTURER" datatype="STRING"
             description="who made it"/>
  <Attribute name="Counter" type="PARAM" source="ARRAY_COUNTER" datatype="INT" description=""/>
  <Attribute name="Gain" type="PARAM" source="GAIN" datatype="DOUBLE" description="gain"/>
  <Attribute name="Nothing" type="PARAM" source="NO_SUCH" datatype="INT" description=""/>
  <Attribute name="Fixed" type="CONST" source="$(WHAT=7)" datatype="INT" description=""/>
  <Attribute name="Mode" type="EPICS_PV" source="t:mode" dbrtype="DBR_STRING" description=""/>
</Attributes>
"""


@pytest.fixture
def port():
    port = Port("P")
    port.define("MANUFACTURER", str, "Simulated detector")
    port.define("ARRAY_COUNTER", int, 57)
    port.define("GAIN", float, 1.0)
    return port


def read_pv(name, text):
    return {("t:mode", True): "Multiple", ("t:mode", False): 1}.get((name, text))


def test_values_of_all_sources(port, tmp_path):
    file = tmp_path / "attributes.xml"
    file.write_text(XML)
    values = read_attributes(str(file)).values(port, read_pv)
    assert {item.name: item.value for item in values} == {
        "Maker": "Simulated detector",
        "Counter": 57,
        "Gain": 1.0,
        "Fixed": 7,
        "Mode": "Multiple",
    }
    by_name = {item.name: item for item in values}
    maker = by_name["Maker"]
    assert (maker.description, maker.source) == ("who made it", "MANUFACTURER")
    assert {name: item.source_type for name, item in by_name.items()} == {
        "Maker": "NDAttrSourceParam",
        "Counter": "NDAttrSourceParam",
        "Gain": "NDAttrSourceParam",
        "Fixed": "NDAttrSourceConst",
        "Mode": "NDAttrSourceEPICSPV",
    }


def one(text, port, reader=None):
    (value,) = read_attributes(f"<Attributes><Attribute {text}/></Attributes>").values(port, reader)
    return value.value


def test_types(port):
    assert one('name="a" type="EPICS_PV" source="t:mode"', port, read_pv) == 1
    assert one('name="a" type="CONST" source="5"', port) == "5"
    assert one('name="a" type="CONST" source="5" datatype="double"', port) == 5.0
    assert one('name="a" type="param" source="GAIN" datatype="int"', port) == 1


@pytest.mark.parametrize(
    "text",
    [
        'name="a" type="PARAM" source="NO_SUCH"',
        'name="a" type="PARAM" source="MANUFACTURER" datatype="INT"',
        'name="a" type="EPICS_PV" source="t:none"',
        'name="a" type="FUNCTION" source="f"',
    ],
)
def test_what_has_no_value_is_left_out(port, text):
    attributes = read_attributes(f"<Attributes><Attribute {text}/></Attributes>")
    assert attributes.values(port, read_pv) == ()
    assert attributes.values(port, None) == ()


@pytest.mark.parametrize(
    ("file", "macros", "status"),
    [
        ("/no/such/file.xml", "", Status.FILE_NOT_FOUND),
        ("/dev/zero", "", Status.FILE_NOT_FOUND),
        ("<Attributes><Attribute></Attributes>", "", Status.XML_SYNTAX_ERROR),
        ('<Attributes><Attribute name="$(A)"/></Attributes>', "B=1", Status.MACRO_ERROR),
    ],
)
def test_what_is_wrong_with_a_file(file, macros, status):
    with pytest.raises(AttributeFileError) as caught:
        read_attributes(file, macros)
    assert caught.value.status == status


def test_macros():
    text = '<Attributes><Attribute name="$(A)${B}$(C=z)" type="CONST"/></Attributes>'
    (source,) = read_attributes(text, "A=x, B=y").sources
    assert source.name == "xyz"


def test_an_empty_name_is_an_empty_list():
    assert read_attributes("").sources == ()


def test_pvs_of_the_ioc_itself_as_attributes():
    ioc = IOC("test", "t:")
    ioc.load(("NDArrayBase", "ADBase", "simDetector"), "cam1:", SimDetector("SIM1"))
    read = channel_reader(ioc.database)
    assert read("t:cam1:ImageMode", True) == "Continuous"
    assert read("t:cam1:ImageMode", False) == 2
    assert read("t:cam1:AcquireTime", False) == 0.001
    assert read("t:cam1:Manufacturer_RBV", True) == "Simulated detector"
    assert read("t:cam1:StatusMessage_RBV", True) == ""
    assert read("t:cam1:NoSuch", True) is None
