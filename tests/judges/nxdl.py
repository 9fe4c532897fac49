"""What NeXus definitions ask for: the NXDL files that nexusformat ships, as dataclasses."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

__all__ = ["Field", "Group", "application", "base_class"]

_XMLNS = "{http://definition.nexusformat.org/nxdl/3.1}"


@dataclass(frozen=True)
class Field:
    """A dataset as a definition describes it; ``items`` is its closed enumeration, if any."""

    name: str
    nx_type: str = "NX_CHAR"
    units: str = ""
    items: tuple[str, ...] = ()
    minimum: int = 0


@dataclass(frozen=True)
class Group:
    """A group as a definition describes it; without a name it may have any."""

    nx_class: str
    name: str = ""
    minimum: int = 0
    maximum: int | None = None
    fields: dict[str, Field] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    attributes: frozenset[str] = frozenset()
    open_to_fields: bool = False
    open_to_groups: bool = False

    @property
    def patterns(self) -> list[str]:
        """Names of fields of which the part in capitals is free, such as FIELDNAME_errors."""
        return [name for name in self.fields if any(part.isupper() for part in name.split("_"))]


@cache
def application(name: str) -> Group:
    """Read the NXentry of an application definition: what isn't said to be optional is required."""
    root = _root(f"applications/{name}.nxdl.xml")
    if root is None:
        raise LookupError(f"nexusformat has no application definition {name}")
    entry = root.find(f"{_XMLNS}group[@type='NXentry']")
    if entry is None:
        raise LookupError(f"{name} describes no NXentry")
    return _group(entry, default_minimum=1)


@cache
def base_class(name: str) -> Group | None:
    """Read a base class with all that it extends; None when there's no such class."""
    root = _root(f"base_classes/{name}.nxdl.xml")
    if root is None:
        return None
    own = replace(_group(root, default_minimum=0), nx_class=name)
    parent = base_class(root.get("extends", "")) if root.get("extends") else None
    if parent is None:
        return own
    return replace(
        own,
        fields={**parent.fields, **own.fields},
        groups=parent.groups + own.groups,
        attributes=parent.attributes | own.attributes,
    )


def _root(path: str) -> ET.Element | None:
    spec = find_spec("nexusformat")
    if spec is None or spec.origin is None:
        raise LookupError("nexusformat isn't installed: its NXDL files are what files are held to")
    file = Path(spec.origin).parent / "definitions" / path
    return ET.parse(file).getroot() if file.exists() else None


def _group(element: ET.Element, default_minimum: int) -> Group:
    children = element.findall(f"{_XMLNS}group")
    for choice in element.findall(f"{_XMLNS}choice"):
        children += choice.findall(f"{_XMLNS}group")
    fields = [_field(child, default_minimum) for child in element.findall(f"{_XMLNS}field")]
    return Group(
        nx_class=element.get("type", ""),
        name=element.get("name", ""),
        minimum=_minimum(element, default_minimum),
        maximum=_maximum(element),
        fields={each.name: each for each in fields},
        groups=tuple(_group(child, default_minimum) for child in children),
        attributes=frozenset(
            child.get("name", "") for child in element.findall(f"{_XMLNS}attribute")
        ),
        open_to_fields=element.get("ignoreExtraFields") == "true",
        open_to_groups=element.get("ignoreExtraGroups") == "true",
    )


def _field(element: ET.Element, default_minimum: int) -> Field:
    enumeration = element.find(f"{_XMLNS}enumeration")
    closed = enumeration is not None and enumeration.get("open") != "true"
    items = enumeration.findall(f"{_XMLNS}item") if enumeration is not None and closed else []
    return Field(
        name=element.get("name", ""),
        nx_type=element.get("type", "NX_CHAR"),
        units=element.get("units", ""),
        items=tuple(item.get("value", "") for item in items),
        minimum=_minimum(element, default_minimum),
    )


def _minimum(element: ET.Element, default: int) -> int:
    if "minOccurs" in element.attrib:
        return int(element.attrib["minOccurs"])
    optional = element.get("optional") == "true" or element.get("recommended") == "true"
    return 0 if optional else default


def _maximum(element: ET.Element) -> int | None:
    maximum = element.get("maxOccurs", "unbounded")
    return None if maximum == "unbounded" else int(maximum)
