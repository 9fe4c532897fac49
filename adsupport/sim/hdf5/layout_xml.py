"""Layouts as people write them: ADCore's XML definition of an HDF5 file.

A root ``hdf5_layout`` holds ``group`` elements, these ``group``, ``dataset``, ``attribute`` and
``hardlink`` elements; ``global`` may stand anywhere. As in ADCore, only the XML itself is judged:
an element without a name or with one that is taken is left out, an unknown one is passed over.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from typing import TypeVar
from xml.etree.ElementTree import Element

from adsupport.sim.hdf5.layout import (
    DEFAULT_LAYOUT,
    Kind,
    Layout,
    LayoutAttribute,
    LayoutDataset,
    LayoutGroup,
    LayoutLink,
    Source,
    Value,
    When,
)
from adsupport.sim.xml_text import XMLTextError, parse_xml, read_xml_file

NO_FILE = "XML description file cannot be opened"
NOT_XML = "XML description file parser error"
DEFAULT_SELECTED = "Default layout selected"
"""Texts of ``XMLErrorMsg_RBV``, as ADCore gives them."""

log = logging.getLogger(__name__)

_KINDS = {kind.value: kind for kind in Kind}
_SOURCES = {source.value: source for source in Source}
_WHEN = {when.value: when for when in When}
_Item = TypeVar("_Item", LayoutGroup, LayoutDataset, LayoutLink)


class LayoutError(ValueError):
    """A layout cannot be used.

    Attributes
    ----------
    shown : str
        What ``XMLErrorMsg_RBV`` says.
    """

    def __init__(self, shown: str, why: str) -> None:
        super().__init__(f"{shown}: {why}")
        self.shown = shown


def read_layout(text: str) -> Layout:
    """Return the layout that ``XMLFileName`` chooses.

    Parameters
    ----------
    text : str
        Path of an XML file, the XML itself (it has ``<?xml`` in it), or nothing for the default.

    Returns
    -------
    Layout
        The layout.

    Raises
    ------
    LayoutError
        When there is no such file, or what it holds is no XML.
    """
    if not text:
        return DEFAULT_LAYOUT
    document: str | bytes = text
    if "<?xml" not in text:
        if not _exists(text):
            raise LayoutError(NO_FILE, text)
        try:
            document = read_xml_file(text)
        except OSError as error:
            raise LayoutError(NOT_XML, str(error)) from error
    return parse_layout(document)


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:  # a NUL in it, with some versions of Python
        return False


def parse_layout(document: str | bytes) -> Layout:
    """Read a layout from XML.

    Parameters
    ----------
    document : str or bytes
        The XML.

    Returns
    -------
    Layout
        The layout.

    Raises
    ------
    LayoutError
        When it is no XML, declares entities or nests too deep.
    """
    try:
        root = parse_xml(document)
    except XMLTextError as error:
        raise LayoutError(NOT_XML, str(error)) from error
    top = _Children("")
    top.add_all([root] if root.tag == "group" else root)
    destination = ""
    for item in root.iter("global"):
        if item.get("name") == "detector_data_destination":
            destination = item.get("ndattribute", destination)
    return Layout(
        groups=top.of(LayoutGroup),
        auto_ndattr_default=root.get("auto_ndattr_default") != "false",
        destination=destination,
    )


class _Children:
    """What a group or a dataset holds, by name; the first of two with the same name stays."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._items: dict[str, LayoutGroup | LayoutDataset | LayoutLink] = {}
        self._attributes: dict[str, LayoutAttribute] = {}

    @property
    def attributes(self) -> tuple[LayoutAttribute, ...]:
        return tuple(self._attributes[name] for name in sorted(self._attributes))

    def of(self, kind: type[_Item]) -> tuple[_Item, ...]:
        """Return the children of a kind, by name."""
        named = sorted(self._items.items())
        return tuple(item for _, item in named if isinstance(item, kind))

    def add_all(self, elements: Iterable[Element]) -> None:
        for element in elements:
            if element.tag in ("group", "dataset", "hardlink", "attribute"):
                self._add(element, element.get("name"))
            elif element.tag != "global":
                log.warning("element %s in %s of a layout is unknown", element.tag, self.path)
                self.add_all(element)

    def _add(self, element: Element, name: str | None) -> None:
        known: Mapping[str, object] = (
            self._attributes if element.tag == "attribute" else self._items
        )
        if name is None or name in known:
            log.warning("a %s in %s of a layout has no name of its own", element.tag, self.path)
            return
        path = f"{self.path}/{name}"
        match element.tag:
            case "group":
                self._items[name] = _group(path, element)
            case "dataset":
                self._items[name] = _dataset(path, element)
            case "hardlink":
                self._items[name] = LayoutLink(path, element.get("target", ""))
            case "attribute":
                self._attributes[name] = LayoutAttribute(name, _value(element))


def _group(path: str, element: Element) -> LayoutGroup:
    inside = _Children(path)
    inside.add_all(element)
    return LayoutGroup(
        path,
        ndattr_default=element.get("ndattr_default") == "true",
        attributes=inside.attributes,
        datasets=inside.of(LayoutDataset),
        groups=inside.of(LayoutGroup),
        links=inside.of(LayoutLink),
    )


def _dataset(path: str, element: Element) -> LayoutDataset:
    inside = _Children(path)
    inside.add_all(element)
    return LayoutDataset(
        path,
        _value(element),
        det_default=element.get("det_default") == "true",
        attributes=inside.attributes,
    )


def _value(element: Element) -> Value:
    source = _SOURCES.get(element.get("source", ""), Source.NONE)
    return Value(
        source,
        element.get("value" if source is Source.CONSTANT else "ndattribute", ""),
        _KINDS.get(element.get("type", ""), Kind.STRING),
        _WHEN.get(element.get("when", ""), When.FRAME),
    )
