"""NDAttributes that a driver attaches to its arrays, as an XML file lists them.

The file holds an ``Attributes`` element with ``Attribute`` elements; each has ``name``, ``type``
(``PARAM``, ``EPICS_PV`` or ``CONST``), ``source``, ``datatype``, ``dbrtype`` and ``description``
(areaDetector's NDAttributes file). ``FUNCTION`` attributes call code of a C IOC, which a
simulation does not have: they are left out, as an IOC leaves out functions it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from adsupport.sim.ndarray import NDAttribute

if TYPE_CHECKING:
    from adsupport.sim.ca.channel import Channel
    from adsupport.sim.port import Port

PVReader = Callable[[str, bool], "int | float | str | None"]
"""Takes a PV's name and whether text is wanted; returns its value, None when it is not known."""

_SOURCE_TYPES = {
    "PARAM": "NDAttrSourceParam",
    "EPICS_PV": "NDAttrSourceEPICSPV",
    "CONST": "NDAttrSourceConst",
}
_MACRO = re.compile(r"\$[({](\w+)(?:=([^)}]*))?[)}]")


class Status(IntEnum):
    """Values of parameter ``ND_ATTRIBUTES_STATUS``."""

    OK = 0
    FILE_NOT_FOUND = 1
    XML_SYNTAX_ERROR = 2
    MACRO_ERROR = 3


class AttributeFileError(ValueError):
    """An attributes file cannot be used.

    Attributes
    ----------
    status : Status
        What ``NDAttributesStatus`` shows.
    """

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class AttributeSource:
    """Where one attribute takes its value from; fields as in the file, upper case for kinds."""

    name: str
    kind: str
    source: str
    data_type: str
    description: str

    def value(self, port: Port, read_pv: PVReader | None) -> NDAttribute | None:
        """Return the attribute with its present value, or None when it has none.

        Parameters
        ----------
        port : Port
            Whose parameters ``PARAM`` attributes read.
        read_pv : callable or None
            Reads ``EPICS_PV`` attributes.
        """
        convert = _converter(self.data_type)
        if self.kind == "PARAM":
            found = port.get(self.source) if self.source in port else None
        elif self.kind == "EPICS_PV":
            found = None if read_pv is None else read_pv(self.source, convert is str)
        else:
            found = self.source
        if not isinstance(found, (int, float, str)):
            return None
        try:
            value = found if convert is None else convert(found)
        except ValueError:
            return None
        return NDAttribute(
            self.name, value, self.description, self.source, _SOURCE_TYPES[self.kind]
        )


def _converter(data_type: str) -> type[int] | type[float] | type[str] | None:
    if "STRING" in data_type:
        return str
    if data_type.endswith(("DOUBLE", "FLOAT")):
        return float
    return None if data_type.endswith("NATIVE") else int


@dataclass(frozen=True, slots=True)
class AttributeList:
    """The attributes that a file lists."""

    sources: tuple[AttributeSource, ...]

    def values(self, port: Port, read_pv: PVReader | None) -> tuple[NDAttribute, ...]:
        """Return the attributes with their present values; see :class:`AttributeSource`."""
        found = (source.value(port, read_pv) for source in self.sources)
        return tuple(attribute for attribute in found if attribute is not None)


def read_attributes(file: str, macros: str = "") -> AttributeList:
    """Read a list of attributes.

    Parameters
    ----------
    file : str
        Path of an XML file, or the XML text itself; empty is an empty list.
    macros : str
        ``NAME=value`` pairs, separated by commas, for ``$(NAME)`` in the file.

    Raises
    ------
    AttributeFileError
        With the status to show, when there is no such file, or its macros or XML are wrong.
    """
    if not file:
        return AttributeList(())
    text = file
    if "<Attributes>" not in file:
        try:
            if not Path(file).is_file():  # a device would be read for ever
                raise FileNotFoundError("no such file")
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise AttributeFileError(
                Status.FILE_NOT_FOUND, f"cannot read attributes file {file!r}: {error}"
            ) from error
    text = _expand(text, macros)
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise AttributeFileError(
            Status.XML_SYNTAX_ERROR, f"attributes file {file!r} is not XML: {error}"
        ) from error
    return AttributeList(
        tuple(
            AttributeSource(
                name=element.get("name", ""),
                kind=kind,
                source=element.get("source", ""),
                data_type=_data_type(kind, element),
                description=element.get("description", ""),
            )
            for element in root.iter("Attribute")
            if (kind := element.get("type", "EPICS_PV").upper()) in _SOURCE_TYPES
        )
    )


def _data_type(kind: str, element: ElementTree.Element) -> str:
    if kind == "EPICS_PV":
        return element.get("dbrtype", "DBR_NATIVE").upper()
    return element.get("datatype", "INT" if kind == "PARAM" else "STRING").upper()


def _expand(text: str, macros: str) -> str:
    values = dict(pair.strip().split("=", 1) for pair in macros.split(",") if "=" in pair)

    def expand(match: re.Match[str]) -> str:
        name, default = match.groups()
        value = values.get(name, default)
        if value is None:
            raise AttributeFileError(
                Status.MACRO_ERROR, f"attributes file uses macro {name}, which has no value"
            )
        return value

    return _MACRO.sub(expand, text)


def channel_reader(channels: Mapping[str, Channel]) -> PVReader:
    """Return a reader of the PVs that an IOC serves itself.

    Parameters
    ----------
    channels : mapping of str to Channel
        The IOC's database.
    """

    def read(name: str, text: bool) -> int | float | str | None:
        if name not in channels:
            return None
        channel = channels[name]
        value, states = channel.value, channel.meta.enums
        if isinstance(value, bytes):
            return value.split(b"\0", 1)[0].decode("latin-1")
        if text and isinstance(value, int) and 0 <= value < len(states):
            return states[value]
        if not isinstance(value, (int, float, str)):
            return None
        return str(value) if text else value

    return read
