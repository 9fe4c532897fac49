"""XML definitions of a file's layout: what is read from them, and what is refused."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.hdf5.layout import DEFAULT_LAYOUT, Kind, Layout, Source, When
from adsupport.sim.hdf5.layout_xml import LayoutError, parse_layout, read_layout

HEAD = '<?xml version="1.0"?>'
NO_FILE = "XML description file cannot be opened"
NOT_XML = "XML description file parser error"

ROUTED = f"""{HEAD}
<hdf5_layout>
  <global name="detector_data_destination" ndattribute="FrameType"/>
  <group name="entry">
    <attribute name="NX_class" source="constant" value="NXentry" type="string"/>
    <group name="data">
      <dataset name="white" source="detector"/>
      <dataset name="data" source="detector" det_default="true">
        <attribute name="signal" source="constant" value="1" type="int"/>
        <attribute name="gain" source="ndattribute" ndattribute="Gain" when="OnFileClose"/>
      </dataset>
      <dataset name="dark" source="detector"/>
    </group>
    <group name="notes" ndattr_default="true">
      <dataset name="offsets" source="constant" value="1.5, 2.5" type="float"/>
      <dataset name="exposure" source="ndattribute" ndattribute="AcquireTime" when="OnFileOpen"/>
      <hardlink name="image" target="/entry/data/data"/>
    </group>
  </group>
</hdf5_layout>
"""


def layout(inside: str, root: str = "hdf5_layout") -> Layout:
    return parse_layout(f"{HEAD}<{root}>{inside}</{root.split()[0]}>")


def test_what_a_definition_says() -> None:
    found = parse_layout(ROUTED)
    assert found.destination == "FrameType"
    assert [item.path for item in found.image_datasets] == [
        "/entry/data/dark", "/entry/data/data", "/entry/data/white",
    ]  # fmt: skip
    assert found.default_image == "/entry/data/data"
    assert found.attributes_group == "/entry/notes"
    assert found.performance_group == "/entry/notes"
    assert [(link.path, link.target) for link in found.links()] == [
        ("/entry/notes/image", "/entry/data/data")
    ]
    offsets = next(item for item in found.datasets() if item.path == "/entry/notes/offsets")
    assert (offsets.value.source, offsets.value.text) == (Source.CONSTANT, "1.5, 2.5")
    assert offsets.value.kind is Kind.FLOAT
    exposure = found.dataset_of("AcquireTime")
    assert exposure is not None
    assert (exposure.path, exposure.value.when) == ("/entry/notes/exposure", When.OPEN)
    gain, signal = next(item for item in found.image_datasets if item.det_default).attributes
    assert (gain.value.when, gain.value.text, signal.value.kind) == (When.CLOSE, "Gain", Kind.INT)


def test_as_file_as_text_and_by_default(tmp_path: Path) -> None:
    file = tmp_path / "layout.xml"
    file.write_text(ROUTED)
    assert read_layout(str(file)) == read_layout(ROUTED) == parse_layout(ROUTED.encode())
    assert read_layout("") is DEFAULT_LAYOUT
    assert DEFAULT_LAYOUT.default_image == "/entry/instrument/detector/data"
    assert DEFAULT_LAYOUT.performance_group == "/entry/instrument/performance"
    assert DEFAULT_LAYOUT.attributes_group == "/entry/instrument/NDAttributes"


def test_where_attributes_go_without_a_default_group() -> None:
    inside = '<group name="a"><dataset name="d" source="detector"/></group>'
    assert layout(inside).attributes_group == "/"
    none = layout(inside, 'hdf5_layout auto_ndattr_default="false"')
    assert none.attributes_group is None
    assert none.performance_group is None
    assert none.default_image == "/a/d", "the first when none is the default"
    times = '<group name="performance"><dataset name="timestamp"/></group>'
    assert layout(inside + times).performance_group == "/performance"


def test_what_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    found = layout(
        '<dataset name="lost" source="detector"/><group/>'
        '<group name="a"><dataset name="x" source="detector"/><dataset name="x"/>'
        '<what><group name="b"/></what></group><group name="a"/>'
    )
    assert [group.path for group in found.all_groups()] == ["/a", "/a/b"]
    assert [item.path for item in found.image_datasets] == ["/a/x"]
    assert "no name of its own" in caplog.text
    assert "element what" in caplog.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/no/such/layout.xml", NO_FILE),
        ("<hdf5_layout/>", NO_FILE),
        ("a\0b", NO_FILE),
        ("/dev/zero", NOT_XML),
        ("/tmp", NOT_XML),
        (HEAD, NOT_XML),
        (f"{HEAD}<hdf5_layout>", NOT_XML),
        (f"{HEAD}<a/><b/>", NOT_XML),
        ("<?xml version='1.0' encoding='nonsense'?><a/>", None),
        (f'{HEAD}<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>', NOT_XML),
        (f'{HEAD}<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', NOT_XML),
        (HEAD + "<group name='a'>" * 300 + "</group>" * 300, NOT_XML),
    ],
)
def test_what_is_refused(text: str, shown: str | None) -> None:
    if shown is None:
        assert read_layout(text) == Layout(), "of a text, the declared encoding does not matter"
        return
    with pytest.raises(LayoutError) as caught:
        read_layout(text)
    assert caught.value.shown == shown


names = st.sampled_from(["group", "dataset", "attribute", "hardlink", "global", "hdf5_layout", "x"])
keys = st.sampled_from(
    ["name", "source", "value", "type", "when", "ndattribute", "target", "det_default",
     "ndattr_default", "auto_ndattr_default"]
)  # fmt: skip
texts = st.sampled_from(
    ["", "a", "/", "true", "detector", "ndattribute", "constant", "int", "float", "OnFileOpen"]
) | st.text(st.characters(exclude_characters='<&"', exclude_categories=["Cs", "Cc"]), max_size=5)


def _element(name: str, attributes: dict[str, str], inside: list[str]) -> str:
    written = "".join(f' {key}="{text}"' for key, text in attributes.items())
    return f"<{name}{written}>{''.join(inside)}</{name}>"


elements = st.recursive(
    st.builds(_element, names, st.dictionaries(keys, texts, max_size=5), st.just([])),
    lambda inner: st.builds(
        _element, names, st.dictionaries(keys, texts, max_size=5), st.lists(inner, max_size=4)
    ),
    max_leaves=15,
)


@given(elements)
def test_any_tree_of_elements_is_a_layout(text: str) -> None:
    found = parse_layout(text)
    paths = [group.path for group in found.all_groups()]
    assert len(paths) == len(set(paths))
    assert found.default_image in {None, *(item.path for item in found.image_datasets)}
    assert found.attributes_group in {None, "/", *paths}
    assert found.performance_group in {None, "/", *paths}


@given(st.text() | st.binary() | st.text().map(lambda text: HEAD + text))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    try:
        parse_layout(text)
    except LayoutError as error:
        assert error.shown == NOT_XML
