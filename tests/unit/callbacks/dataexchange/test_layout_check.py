"""The check of a Data Exchange layout against the NDAttributes: every mistake gets its sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from adsupport.callbacks.dataexchange import check_dx_layout, write_dx_layout
from adsupport.errors import ConfigurationError

LAYOUT = """<hdf5_layout>
<global name="detector_data_destination" ndattribute="Where"/>
<group name="exchange">
<dataset name="data" source="detector" det_default="true"/>
<dataset name="data_dark" source="detector"/>
<dataset name="data_white" source="detector"/>
</group>
<group name="measurement">
<dataset name="a" source="ndattribute" ndattribute="A" when="OnFileClose"/>
<attribute name="b" source="ndattribute" ndattribute="B"/>
</group>
<group name="defaults" ndattr_default="true"/>
</hdf5_layout>"""
ATTRIBUTES = """<Attributes>
<Attribute name="Where" type="EPICS_PV" source="x" dbrtype="DBR_STRING"/>
<Attribute name="A" type="PARAM" source="A" datatype="INT"/>
<Attribute name="B" source="pv:b"/>
</Attributes>"""


def check(directory: Path, layout: str, attributes: str) -> list[str]:
    (directory / "layout.xml").write_text(layout)
    (directory / "attributes.xml").write_text(attributes)
    return check_dx_layout(directory / "layout.xml", directory / "attributes.xml")


def test_a_pair_that_fits(tmp_path: Path) -> None:
    assert check(tmp_path, LAYOUT, ATTRIBUTES) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"a" source="ndattribute" ndattribute="A"', '"a" source="ndattribute" ndattribute="Z"',
         "/measurement/a takes NDAttribute Z, which the attributes don't define."),
        ('ndattribute="B"', 'ndattribute="Y"',
         "/measurement@b takes NDAttribute Y, which the attributes don't define."),
        ('ndattribute="Where"', 'ndattribute="There"',
         "detector_data_destination is NDAttribute There, which the attributes don't define"),
        ('<global name="detector_data_destination" ndattribute="Where"/>', "",
         "The layout has no global detector_data_destination with an ndattribute"),
        ('<global name="det', '<global name="detector_data_destination" ndattribute="W"/>'
         '<global name="det', "The layout has 2 of global detector_data_destination."),
        ('<global name="detector_data', '<global name="other"/><global name="detector_data',
         "expected global detector_data_destination"),
        ('<dataset name="data_dark" source="detector"/>', "",
         "Dataset /exchange/data_dark for dark fields is missing."),
        ('"data_white" source="detector"', '"data_white" source="constant" value="1"',
         'Dataset /exchange/data_white for white fields isn\'t source="detector".'),
        (' det_default="true"', "",
         'det_default="true" stands at no dataset; expected /exchange/data alone.'),
        ('"data_dark" source="detector"', '"data_dark" source="detector" det_default="true"',
         'det_default="true" stands at /exchange/data, /exchange/data_dark; expected'),
        ('<dataset name="data_dark" source="detector"/>',
         '<dataset name="data_dark" source="detector"/>\n<dataset name="data" source="detector"/>',
         "Line 6 of the layout: /exchange/data is there twice, first in line 4."),
        ('"a" source="ndattribute"', '"a" source="attribute"',
         "Line 9 of the layout: source 'attribute' of /measurement/a is none of detector, "
         "ndattribute, constant."),
        ('<attribute name="b" source="ndattribute"', '<attribute name="b" source="detector"',
         "Line 10 of the layout: source 'detector' of /measurement@b is none of"),
        ('when="OnFileClose"', 'when="Sometimes"',
         "Line 9 of the layout: when 'Sometimes' of /measurement/a is none of"),
        ('"a" source="ndattribute" ndattribute="A"', '"a" source="constant"',
         "constant /measurement/a has no value."),
        ('"a" source="ndattribute" ndattribute="A"', '"a" source="constant" value="1" type="real"',
         "type 'real' of /measurement/a is none of int, float, string."),
        ('"a" source="ndattribute" ndattribute="A"', '"a" source="ndattribute"',
         "/measurement/a doesn't say which ndattribute it takes."),
        ('<attribute name="b" source="ndattribute"', '<dataset name="b" source="ndattribute"',
         ""),
        ('<attribute name="b" source="ndattribute" ndattribute="B"',
         '<dataset name="b" source="ndattribute" ndattribute="A"',
         "/measurement/b isn't written: NDAttribute A goes to /measurement/a alone."),
        ('"a" source="ndattribute" ndattribute="A"',
         '"a" source="ndattribute" ndattribute="NDArrayUniqueId"',
         "The file has no NDArrayUniqueId of each frame"),
        ('"a" source="ndattribute" ndattribute="A"', '"a" source="ndattribute" ndattribute="Where"',
         "The file has no Where of each frame"),
        ('<group name="defaults" ndattr_default="true"/>', "", ""),
        ('<group name="defaults" ndattr_default="true"/>',
         '<group name="d" ndattr_default="true"/><group name="defaults" ndattr_default="true"/>',
         "/d has ndattr_default already"),
        ('<group name="measurement">', '<group name="a/b"/><group name="measurement">',
         "'a/b' can't be the name of a group"),
        ('<group name="measurement">', '<grp name="x"/><group name="measurement">',
         "element grp is unknown"),
        ("hdf5_layout", "layout", "the root is layout; expected hdf5_layout"),
    ],
)  # fmt: skip
def test_layouts_with_a_mistake(old: str, new: str, problem: str, tmp_path: Path) -> None:
    assert old in LAYOUT
    found = check(tmp_path, LAYOUT.replace(old, new), ATTRIBUTES)
    if problem:
        assert any(problem in each for each in found), found
    else:
        assert found == []


def test_attributes_that_go_nowhere(tmp_path: Path) -> None:
    layout = LAYOUT.replace(' ndattr_default="true"', "").replace(
        "<hdf5_layout>", '<hdf5_layout auto_ndattr_default="false">'
    )
    more = ATTRIBUTES.replace("</A", '<Attribute name="C" source="pv:c"/></A')
    found = check(tmp_path, layout, more)
    assert len(found) == 3
    assert found[0].startswith("NDAttribute C is defined, but goes nowhere")
    assert found[1].startswith("The file has no NDArrayUniqueId of each frame")
    assert found[2].startswith("The file has no Where of each frame")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (' dbrtype="DBR_STRING"', "", "NDAttribute Where, the destination, isn't read as a text"),
        ('source="pv:b"', "", "Line 4 of the attributes: an attribute needs a name and a source."),
        ('type="PARAM"', 'type="PARAMETER"', "type 'PARAMETER' of A is none of EPICS_PV, PARAM"),
        ('name="B"', 'name="A"', "Line 4 of the attributes: A is there twice, first in line 3."),
        ("Attributes>", "attributes>", "The root of the attributes is attributes; expected"),
    ],
)
def test_attributes_with_a_mistake(old: str, new: str, problem: str, tmp_path: Path) -> None:
    found = check(tmp_path, LAYOUT, ATTRIBUTES.replace(old, new))
    assert any(problem in each for each in found), found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<hdf5_layout>", "no element found: line 1"),
        ("", "no element found"),
        ('<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>', "declares the entity b"),
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "declares the entity"),
        ("<a>" * 300 + "</a>" * 300, "nest deeper than 256"),
    ],
)
def test_files_that_are_no_xml(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check(tmp_path, text, ATTRIBUTES)
    assert message in str(caught.value)
    assert "layout.xml can't be used" in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    _, attributes = write_dx_layout(tmp_path)
    with pytest.raises(ConfigurationError, match="there is no such file"):
        check_dx_layout(tmp_path / "none.xml", attributes)
    with pytest.raises(ConfigurationError, match="there is no such file"):
        check_dx_layout(tmp_path, attributes)
    huge = tmp_path / "huge.xml"
    with huge.open("wb") as file:
        file.truncate(10_000_001)
    with pytest.raises(ConfigurationError, match="expected at most 10000000"):
        check_dx_layout(huge, attributes)
