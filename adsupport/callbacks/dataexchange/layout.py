"""The pair of XML files that makes an IOC write Data Exchange: layout and NDAttributes.

areaDetector's HDF5 plugin takes the layout (``XMLFileName``), the camera the attributes
(``NDAttributesFile``): every frame carries the address of its dataset as an NDAttribute, and the
plugin puts it there.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from xml.sax.saxutils import quoteattr

from ...errors import ConfigurationError, OutputExistsError
from ..choice import check_choice
from ..output.atomic_file import AtomicFile
from .texts import AXES

__all__ = [
    "ALWAYS", "DEFAULTS", "DX_FRAMES", "PROJECTIONS", "PV", "THETA", "UNIQUE_ID", "Param", "When",
    "write_dx_layout",
]  # fmt: skip

#: The dataset of frames that no other is named for.
PROJECTIONS = "/exchange/data"

#: The datasets of frames, and what they say of themselves.
DX_FRAMES = {
    "/exchange/data": "projections",
    "/exchange/data_dark": "dark fields",
    "/exchange/data_white": "white fields",
}

#: Where the angles of the frames of a dataset go.
THETA = {path: path.replace("/data", "/theta") for path in DX_FRAMES}

#: Group of the NDAttributes that have a value for each frame and no dataset of their own.
DEFAULTS = "/defaults"

UNIQUE_ID = "NDArrayUniqueId"
#: NDAttributes that every frame has, whether a file lists them or not.
ALWAYS = (UNIQUE_ID, "NDArrayTimeStamp", "NDArrayEpicsTSSec", "NDArrayEpicsTSnSec", "ColorMode")

#: When the plugin writes a value: when it opens the file, when it closes it, with each frame.
When = Literal["OnFileClose", "OnFileOpen", "OnFrame"]

_DBR = ("NATIVE", "STRING", "CHAR", "SHORT", "ENUM", "INT", "LONG", "FLOAT", "DOUBLE")
_DATATYPES = ("INT", "DOUBLE", "STRING")
_PART = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_GROUPS = "exchange, exchange_2 ..., measurement, process; defaults for values of each frame"
_TOP = re.compile(r"exchange(_[0-9]+)?|measurement|process|defaults")
_INT32 = 2**31
_FILES = ("dx_layout.xml", "dx_attributes.xml")


@dataclass(frozen=True)
class PV:
    """The value of a process variable.

    Parameters
    ----------
    name : str
        Its name; ``$(P)`` and the like stand for what ``NDAttributesMacros`` of the camera says.
    when : {"OnFileClose", "OnFileOpen", "OnFrame"}
        When it's written.  The value is that which came with the last frame before.
    dbr_type : str
        How it's read: ``"NATIVE"``, ``"STRING"``, ``"DOUBLE"`` ..., areaDetector's ``dbrtype``.
    description : str
        Of the value.
    """

    name: str
    when: When = "OnFileClose"
    dbr_type: str = "NATIVE"
    description: str = ""


@dataclass(frozen=True)
class Param:
    """The value of a parameter of the camera's driver, such as ``"MANUFACTURER"``.

    Parameters
    ----------
    name : str
        Of the asyn parameter.
    datatype : {"INT", "DOUBLE", "STRING"}
        Its type; of another one the IOC gets no value.
    when, description : optional
        See :class:`PV`.
    """

    name: str
    datatype: str
    when: When = "OnFileClose"
    description: str = ""


def write_dx_layout(
    directory: str | os.PathLike[str],
    *,
    location: str = "HDF5FrameLocation",
    source: str = "$(P)$(R)FrameType_RBV",
    values: Mapping[str, PV | Param | str | int | float] | None = None,
    exists: Literal["refuse", "replace"] = "refuse",
) -> tuple[Path, Path]:
    """Write the layout and the attributes that make an IOC write Data Exchange files.

    Frames go to ``/exchange/data``, ``data_dark`` and ``data_white``, which ``location`` chooses;
    ``/defaults`` has its value for each frame, beside ``NDArrayUniqueId`` and the time stamps.
    What else the file shall hold is in ``values``.  ``finish_dx`` adds the rest to a file that is
    done: the plugin writes neither ``/implements`` nor the angles.

    Parameters
    ----------
    directory : str or path
        Where; the IOC has to read it.  It's made when it's missing.
    location : str
        Name of the NDAttribute with the address of a frame's dataset.
    source : str
        The PV that it's taken from, a text: by default ``FrameType_RBV`` of the camera, whose
        states ``AD_setup_FrameType(prefix, "DataExchange")`` names after the datasets.  ``$(P)``
        and ``$(R)`` have to stand in ``NDAttributesMacros`` of the camera.
    values : mapping, optional
        By address of a dataset in groups, such as ``"/measurement/instrument/name"``: a
        constant (text or number), or :class:`PV` or :class:`Param`.  By address and name of an
        attribute, such as ``".../exposure_time@units"``: a constant.
    exists : {"refuse", "replace"}
        What to do when there are such files.

    Returns
    -------
    tuple of pathlib.Path
        ``dx_layout.xml`` and ``dx_attributes.xml``.

    Raises
    ------
    ConfigurationError
        An address or a name can't be used, is taken twice, or a value can't be written.
    OutputExistsError
        A file exists.
    OutputError
        A file can't be written.

    Notes
    -----
    Layout elements: ADCore's NDFileHDF5; groups: the Data Exchange schema.  The camera takes the
    value of a PV from its last monitor event: after a change of ``FrameType`` a frame may still
    have the old one.  Wait for ``FrameType_RBV``, and compare the numbers of frames afterwards.
    """
    check_choice("exists", exists, ("refuse", "replace"))
    if not _NAME.fullmatch(location) or location in ALWAYS:
        raise ConfigurationError(
            f"location={location!r} can't be the name of an NDAttribute",
            remedy=f"expected letters, digits and _, and none of {', '.join(ALWAYS)}.",
        )
    tree = _Tree(location)
    for path, value in (values or {}).items():
        tree.add(path, value)
    listed = {location: PV(source, dbr_type="STRING", description="dataset of the frame")}
    attributes = [_attribute(name, value) for name, value in (listed | tree.attributes).items()]
    layout, attribute_file = (Path(directory) / name for name in _FILES)
    for path in (layout, attribute_file):
        if exists == "refuse" and os.path.lexists(path):
            raise OutputExistsError(
                f"{path} exists already, and isn't replaced; nothing was written",
                path=path,
                remedy="choose another directory, or exists='replace'.",
            )
    with (
        AtomicFile(layout, exists=exists) as first,
        AtomicFile(attribute_file, exists=exists) as second,
    ):
        _write(first, tree.lines())
        _write(second, ["<Attributes>", *attributes, "</Attributes>"])
    return layout, attribute_file


def _write(file: AtomicFile, lines: list[str]) -> None:
    text = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *lines, ""])
    file.temporary.write_text(text, encoding="utf-8")


class _Tree:
    """Groups, datasets and attributes of a layout."""

    def __init__(self, location: str) -> None:
        self.attributes: dict[str, PV | Param] = {}
        self._location = location
        #: XML attributes of each dataset, by its address; in the order of the file.
        self._datasets: dict[str, str] = {}
        #: The same of the attributes of groups and datasets, by address and name.
        self._named: dict[tuple[str, str], str] = {}
        for path, description in DX_FRAMES.items():
            default = ' det_default="true"' if path == PROJECTIONS else ""
            self._datasets[path] = f' source="detector"{default}'
            self._named[path, "description"] = _constant(path, description)
            self._named[path, "units"] = _constant(path, "counts")
        self._named[PROJECTIONS, "axes"] = _constant(PROJECTIONS, AXES)

    def add(self, path: str, value: PV | Param | str | int | float) -> None:
        """Add what the user wants in the file."""
        place, at, name = path.partition("@")
        _check_address(path, place, least=1 if at else 2)
        if at:
            if not _PART.fullmatch(name):
                raise _bad(path, f"{name!r} can't be the name of an attribute")
            self._named[place, name] = _constant(path, value)
            return
        if place in DX_FRAMES:
            raise _bad(path, "frames go there")
        if place in (f"{DEFAULTS}/{each}" for each in (*ALWAYS, self._location)):
            raise _bad(path, "the plugin writes this value of each frame there")
        if place in THETA.values():
            raise _bad(path, "finish_dx writes the angles, once it is known which frames came")
        if isinstance(value, PV | Param):
            name = re.sub(r"\W", "_", place[1:], flags=re.ASCII)
            while name in self.attributes or name == self._location:
                name += "_"
            check_choice(f"values[{path!r}].when", value.when, get_args(When))
            self.attributes[name] = value
            self._datasets[place] = (
                f' source="ndattribute" ndattribute={quoteattr(name)} when="{value.when}"'
            )
        else:
            self._datasets[place] = _constant(path, value)

    def lines(self) -> list[str]:
        """Write the elements."""
        top: dict[str, Any] = {DEFAULTS[1:]: {}}
        for path in self._datasets:
            _put(top, path)
        groups = {"", *(path for path, inside in _walk(top, "") if inside is not None)}
        for path, name in self._named:
            if path not in groups and path not in self._datasets:
                raise _bad(f"{path}@{name}", f"{path} is neither a group nor a dataset")
        return [
            "<hdf5_layout>",
            f'  <global name="detector_data_destination" ndattribute={quoteattr(self._location)}/>',
            *self._inside(top, "", "  "),
            "</hdf5_layout>",
        ]

    def _inside(self, group: dict[str, Any], path: str, margin: str) -> Iterator[str]:
        for (place, name), rest in self._named.items():
            if place == path:
                yield f'{margin}<attribute name="{name}"{rest}/>'
        for name, inside in group.items():
            place = f"{path}/{name}"
            if inside is None:
                kind, rest = "dataset", self._datasets[place]
            else:
                kind, rest = "group", ' ndattr_default="true"' if place == DEFAULTS else ""
            held = list(self._inside(inside or {}, place, margin + "  "))
            if held:
                yield f'{margin}<{kind} name="{name}"{rest}>'
                yield from held
                yield f"{margin}</{kind}>"
            else:
                yield f'{margin}<{kind} name="{name}"{rest}/>'


def _put(top: dict[str, Any], path: str) -> None:
    """Put a dataset, as None, into groups, which are dictionaries."""
    *groups, name = path[1:].split("/")
    for depth, group in enumerate(groups, 1):
        top = top.setdefault(group, {})
        if top is None:
            raise _bad(path, f"/{'/'.join(groups[:depth])} is a dataset, which can't hold one")
    if name in top:
        raise _bad(path, "it is a group, too")
    top[name] = None


def _walk(group: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any] | None]]:
    for name, inside in group.items():
        yield f"{path}/{name}", inside
        yield from _walk(inside or {}, f"{path}/{name}")


def _check_address(path: str, place: str, least: int) -> None:
    parts = place.split("/")
    if not place.startswith("/") or len(parts) <= least:
        raise _bad(path, "expected /group/dataset, such as '/measurement/instrument/name'")
    for part in parts[1:]:
        if not _PART.fullmatch(part):
            raise _bad(path, f"{part!r} can't be a name: expected letters, digits, _ . and -")
    if not _TOP.fullmatch(parts[1]):
        raise _bad(path, f"Data Exchange has no group {parts[1]!r}: {_GROUPS}")


def _constant(path: str, value: object) -> str:
    """Return the XML attributes of a constant."""
    if isinstance(value, str):
        # HDF5 files of an IOC have ASCII texts; a blank or nothing ends them in ADCore's parser
        if not value.isascii() or not value.isprintable() or not value.strip():
            raise _bad(path, f"{value!r} isn't a printable ASCII text, as IOCs write ('um', 'deg')")
        kind = "string"
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(path, f"a {type(value).__name__} was given; expected text, number, PV or Param")
    elif isinstance(value, int) and not -_INT32 <= value < _INT32:
        raise _bad(path, f"{value} has more than the 32 bits of a layout's integers")
    elif not math.isfinite(value):
        raise _bad(path, f"{value} can't be written in a layout")
    else:
        kind = "int" if isinstance(value, int) else "float"
    return f' source="constant" type="{kind}" value={quoteattr(str(value))}'


def _attribute(name: str, value: PV | Param) -> str:
    """Return an element of the file of attributes."""
    if isinstance(value, PV):
        check_choice("dbr_type", value.dbr_type, _DBR)
        kind, rest = "EPICS_PV", f'dbrtype="DBR_{value.dbr_type}"'
    else:
        check_choice("datatype", value.datatype, _DATATYPES)
        kind, rest = "PARAM", f'datatype="{value.datatype}"'
    for what, text in (("name", value.name), ("description", value.description)):
        if (
            not isinstance(text, str)
            or not text.isprintable()
            or (what == "name" and (not text or " " in text))
        ):
            raise ConfigurationError(
                f"{type(value).__name__} of NDAttribute {name}: {what} {text!r} can't be used",
                remedy="expected printable text, and a name without blanks.",
            )
    return (
        f"  <Attribute name={quoteattr(name)} type={quoteattr(kind)} "
        f"source={quoteattr(value.name)} {rest} description={quoteattr(value.description)}/>"
    )


def _bad(path: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"values[{path!r}] can't be used: {why}.")
