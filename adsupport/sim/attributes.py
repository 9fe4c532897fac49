"""NDAttributes that a driver or a plugin attaches to its arrays, as an XML file lists them.

The file holds an ``Attributes`` element with ``Attribute`` elements; each has ``name``, ``type``
(``EPICS_PV``, ``PARAM``, ``FUNCTION`` or ``CONST``), ``source``, ``description``, and ``dbrtype``,
or ``datatype`` and ``addr`` (areaDetector's NDAttributes file). ``FUNCTION`` attributes call code
of a C IOC, which a simulation does not have: they are undefined, as are those of functions that a
C IOC does not know.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

import numpy as np

from adsupport.sim.ndarray import NDAttribute
from adsupport.sim.port import at_address
from adsupport.sim.xml_text import XMLTextError, parse_xml, read_xml_file

if TYPE_CHECKING:
    from adsupport.sim.port import Port

Number = int | float | np.generic
PVReader = Callable[[str, str], "Number | str | None"]
"""Takes a PV's name and a DBR type without its ``DBR_``, such as ``STRING`` or ``NATIVE``;
returns the PV's value in that type, None when it is not known."""

UNDEFINED = np.float32("nan")
"""What an attribute without a value is: C IOCs write a float, NaN, to HDF5 files."""

_SOURCE_TYPES = {
    "PARAM": "NDAttrSourceParam",
    "EPICS_PV": "NDAttrSourceEPICSPV",
    "FUNCTION": "NDAttrSourceFunct",
    "CONST": "NDAttrSourceConst",
}
_DATA_TYPES: Mapping[str, type[int] | type[float] | type[str]] = {
    "INT": int,
    "DOUBLE": float,
    "STRING": str,
}
_DBR_TYPES = ("NATIVE", "STRING", "CHAR", "SHORT", "INT", "ENUM", "LONG", "FLOAT", "DOUBLE")

_MACRO = re.compile(r"\$[({](\w+)(?:=([^)}]*))?[)}]")
_log = logging.getLogger(__name__)


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
    """Where one attribute takes its value from.

    Attributes
    ----------
    name, description : str
        Of the attribute.
    kind : str
        Key of the source's type in the file.
    source : str
        Name of the PV or of the parameter, or the constant.
    data_type : str
        For a PV the DBR type without its ``DBR_``, else ``INT``, ``DOUBLE`` or ``STRING``.
    address : int
        asyn address of a parameter.
    """

    name: str
    kind: str
    source: str
    data_type: str
    description: str
    address: int = 0

    def attribute(self, port: Port, read_pv: PVReader | None) -> NDAttribute:
        """Return the attribute with its present value, or :data:`UNDEFINED`.

        Parameters
        ----------
        port : Port
            Whose parameters ``PARAM`` attributes read.
        read_pv : callable or None
            Reads ``EPICS_PV`` attributes.
        """
        value: Number | str | None = None
        if self.kind == "PARAM":
            value = self._parameter(port)
        elif self.kind == "EPICS_PV" and read_pv is not None:
            value = read_pv(self.source, self.data_type)
        elif self.kind == "CONST":
            value = self._constant()
        if value is None:
            value = UNDEFINED
        kind = _SOURCE_TYPES[self.kind]
        return NDAttribute(self.name, value, self.description, self.source, kind)

    def _parameter(self, port: Port) -> Number | str | None:
        name = at_address(self.source, self.address)
        if name not in port:
            return None
        value = port.get(name)
        # asyn reads a parameter in its own type alone
        return value if type(value) is _DATA_TYPES[self.data_type] else None

    def _constant(self) -> Number | str | None:
        try:
            value = _DATA_TYPES[self.data_type](self.source)
        except ValueError:
            return None
        # an attribute's integers have 32 bits
        fits = not isinstance(value, int) or -(2**31) <= value < 2**31
        return value if fits else None


@dataclass(frozen=True, slots=True)
class AttributeList:
    """The attributes that a file lists."""

    sources: tuple[AttributeSource, ...] = ()

    def values(self, port: Port, read_pv: PVReader | None) -> tuple[NDAttribute, ...]:
        """Return the attributes with their present values; see :class:`AttributeSource`."""
        return tuple(source.attribute(port, read_pv) for source in self.sources)


def read_attributes(file: str, macros: str = "") -> AttributeList:
    """Read a list of attributes.

    Parameters
    ----------
    file : str
        Path of an XML file, or the XML text itself (it has ``<Attributes>`` in it); empty is an
        empty list.
    macros : str
        ``NAME=value`` pairs, separated by commas, for ``$(NAME)`` in the file. Without any, the
        file is taken as it is.

    Raises
    ------
    AttributeFileError
        With the status to show, when there is no such file, or its macros or XML are wrong.
    """
    if not file:
        return AttributeList()
    if "<Attributes>" in file:
        text = file
    else:
        try:
            text = read_xml_file(file).decode("utf-8", "replace")
        except OSError as error:
            raise AttributeFileError(
                Status.FILE_NOT_FOUND, f"error opening file {file}: {error}"
            ) from error
    if macros:
        text = _expand(text, macros)
    try:
        root = parse_xml(text)
    except XMLTextError as error:
        raise _wrong(str(error)) from error
    if root.tag != "Attributes":
        raise _wrong(f"its root is {root.tag}, not Attributes")
    return AttributeList(tuple(_source(element) for element in root))


def _wrong(what: str) -> AttributeFileError:
    return AttributeFileError(Status.XML_SYNTAX_ERROR, f"attributes file: {what}")


def _source(element: Element) -> AttributeSource:
    name, source = element.get("name"), element.get("source")
    if name is None or source is None:
        raise _wrong(f"attribute {name or ''} needs a name and a source")
    kind = element.get("type", "EPICS_PV")
    if kind not in _SOURCE_TYPES:
        raise _wrong(f"attribute {name} has unknown type {kind}")
    if kind == "EPICS_PV":
        data_type = element.get("dbrtype", "DBR_NATIVE").removeprefix("DBR_")
        known = data_type in _DBR_TYPES
    else:
        default = "STRING" if kind == "CONST" else "INT"
        data_type = element.get("datatype", default).upper()
        known = data_type in _DATA_TYPES
    if not known:
        raise _wrong(f"attribute {name} has unknown data type {data_type}")
    address = element.get("addr", "0")
    return AttributeSource(
        name=name,
        kind=kind,
        source=source,
        data_type=data_type,
        description=element.get("description", ""),
        address=int(address) if re.fullmatch(r"[0-9]{1,9}", address) else 0,
    )


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


class OwnAttributes:
    """The attributes that a port attaches: the file that its clients chose, and their values.

    Parameters
    ----------
    port : Port
        Its ``PARAM`` attributes are read, its ``ND_ATTRIBUTES_*`` parameters say which there are.

    Attributes
    ----------
    read_pv : callable or None
        Reads ``EPICS_PV`` attributes; the IOC sets it.
    """

    def __init__(self, port: Port) -> None:
        self.read_pv: PVReader | None = None
        self._port = port
        self._listed = AttributeList()

    def read(self) -> None:
        """Read the chosen file, and show whether that went well."""
        port = self._port
        try:
            self._listed = read_attributes(
                port.get("ND_ATTRIBUTES_FILE"), port.get("ND_ATTRIBUTES_MACROS")
            )
        except AttributeFileError as error:
            _log.error("%s: %s", port.name, error)
            self._listed = AttributeList()
            port.set("ND_ATTRIBUTES_STATUS", error.status)
        else:
            port.set("ND_ATTRIBUTES_STATUS", Status.OK)

    def values(self) -> tuple[NDAttribute, ...]:
        """Return the attributes with their present values."""
        return self._listed.values(self._port, self.read_pv) if self._listed.sources else ()

    def after(self, attributes: tuple[NDAttribute, ...]) -> tuple[NDAttribute, ...]:
        """Return attributes of an array with those of the port, which replace their namesakes."""
        own = self.values()
        if not own:
            return attributes
        return tuple({item.name: item for item in (*attributes, *own)}.values())
