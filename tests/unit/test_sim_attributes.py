"""NDAttributes of a driver: the XML file, its macros, and where the values come from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.attributes import AttributeFileError, Status, read_attributes
from adsupport.sim.ca.pv_values import channel_reader
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


def read_pv(name, wanted):
    return {("t:mode", "STRING"): "Multiple", ("t:mode", "NATIVE"): np.int16(1)}.get((name, wanted))


def test_values_of_all_sources(port, tmp_path):
    file = tmp_path / "attributes.xml"
    file.write_text(XML)
    values = read_attributes(str(file), "WHAT=7").values(port, read_pv)
    nothing = next(item for item in values if item.name == "Nothing")
    assert np.isnan(nothing.value)
    values = [item for item in values if item is not nothing]
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
    native = one('name="a" type="EPICS_PV" source="t:mode"', port, read_pv)
    assert (native, native.dtype) == (1, np.int16)
    assert one('name="a" source="t:mode" dbrtype="DBR_STRING"', port, read_pv) == "Multiple"
    assert one('name="a" type="CONST" source="5"', port) == "5"
    assert one('name="a" type="CONST" source="5" datatype="double"', port) == 5.0
    assert one('name="a" type="PARAM" source="ARRAY_COUNTER"', port) == 57
    port.define("ARRAY_COUNTER@2", int, 3)
    assert one('name="a" type="PARAM" source="ARRAY_COUNTER" addr="2"', port) == 3


@pytest.mark.parametrize(
    "text",
    [
        'name="a" type="PARAM" source="NO_SUCH"',
        'name="a" type="PARAM" source="GAIN" datatype="INT"',
        'name="a" type="PARAM" source="MANUFACTURER"',
        'name="a" type="EPICS_PV" source="t:none"',
        'name="a" type="FUNCTION" source="f"',
        'name="a" type="CONST" source="five" datatype="int"',
        'name="a" type="CONST" source="2147483648" datatype="int"',
        f'name="a" type="CONST" source="{"9" * 5000}" datatype="int"',
        f'name="a" type="PARAM" source="NO_SUCH" addr="{"9" * 5000}"',
    ],
)
def test_what_has_no_value_is_undefined(text, port):
    for reader in (read_pv, None):
        value = one(text, port, reader)
        assert value.dtype == np.float32
        assert np.isnan(value)


def _one(text):
    return f'<Attributes><Attribute name="a" source="b" {text}/></Attributes>'


@pytest.mark.parametrize(
    ("file", "macros", "status"),
    [
        ("/no/such/file.xml", "", Status.FILE_NOT_FOUND),
        ("/dev/zero", "", Status.FILE_NOT_FOUND),
        ("<Attributes><Attribute></Attributes>", "", Status.XML_SYNTAX_ERROR),
        ("<Attributes><Attribute/></Attributes>", "", Status.XML_SYNTAX_ERROR),
        ('<Attributes><Attribute name="a"/></Attributes>', "", Status.XML_SYNTAX_ERROR),
        (_one('type="param"'), "", Status.XML_SYNTAX_ERROR),
        (_one('dbrtype="DBR_WORD"'), "", Status.XML_SYNTAX_ERROR),
        (_one('type="PARAM" datatype="WORD"'), "", Status.XML_SYNTAX_ERROR),
        ("<Other><Attributes></Attributes></Other>", "", Status.XML_SYNTAX_ERROR),
        (
            '<!DOCTYPE a [<!ENTITY b "b">]><Attributes></Attributes>',
            "",
            Status.XML_SYNTAX_ERROR,
        ),
        ('<Attributes><Attribute name="$(A)"/></Attributes>', "B=1", Status.MACRO_ERROR),
    ],
)
def test_what_is_wrong_with_a_file(file, macros, status):
    with pytest.raises(AttributeFileError) as caught:
        read_attributes(file, macros)
    assert caught.value.status == status


def test_macros():
    text = '<Attributes><Attribute name="$(A)${B}$(C=z)" type="CONST" source=""/></Attributes>'
    (source,) = read_attributes(text, "A=x, B=y").sources
    assert source.name == "xyz"
    (source,) = read_attributes(text).sources
    assert source.name == "$(A)${B}$(C=z)"


@given(st.text(), st.text())
def test_any_text_is_read_or_refused(text, macros):
    for file in (text, f"<Attributes>{text}</Attributes>"):
        try:
            read_attributes(file, macros)
        except AttributeFileError as error:
            assert error.status != Status.OK


def test_an_empty_name_is_an_empty_list():
    assert read_attributes("").sources == ()


def test_pvs_of_the_ioc_itself_as_attributes():
    ioc = IOC("test", "t:")
    ioc.load(("NDArrayBase", "ADBase", "simDetector"), "cam1:", SimDetector("SIM1"))
    read = channel_reader(ioc.database)
    assert read("t:cam1:ImageMode", "STRING") == "Continuous"
    assert read("t:cam1:ImageMode", "NATIVE") == 2
    assert read("t:cam1:ImageMode", "NATIVE").dtype == np.int16
    assert read("t:cam1:AcquireTime", "NATIVE") == 0.001
    assert read("t:cam1:AcquireTime", "STRING") == "0.001"
    assert read("t:cam1:AcquireTime.PREC", "LONG") == 3
    assert read("t:cam1:AcquireTime", "FLOAT").dtype == np.float32
    assert read("t:cam1:SizeX", "NATIVE").dtype == np.int32
    assert read("t:cam1:Manufacturer_RBV", "STRING") == "Simulated detector"
    assert read("t:cam1:Manufacturer_RBV", "DOUBLE") is None
    assert read("t:cam1:StatusMessage_RBV", "STRING") == ""
    assert read("t:cam1:NDAttributesFile", "STRING") == ""
    assert read("t:cam1:NoSuch", "STRING") is None
