"""A check of an IOC's layout against its NDAttributes, before a scan finds out."""

from __future__ import annotations

import os
from collections.abc import Iterator

from .layout import ALWAYS, DX_FRAMES, PROJECTIONS, UNIQUE_ID
from .xml_tree import Element, read_xml

__all__ = ["check_dx_layout"]

#: What each element of a layout may take its value from.
_SOURCES = {
    "dataset": ("detector", "ndattribute", "constant"),
    "attribute": ("ndattribute", "constant"),
}
_ONCE = ("OnFileOpen", "OnFileClose")
_WHEN = (*_ONCE, "OnFrame", "OnFileWrite")
_TYPES = ("int", "float", "string")
_KINDS = ("EPICS_PV", "PARAM", "FUNCTION", "CONST")
_DESTINATION = "detector_data_destination"


def check_dx_layout(
    layout: str | os.PathLike[str], attributes: str | os.PathLike[str]
) -> list[str]:
    """Check a Data Exchange layout and the NDAttributes that belong to it.

    What areaDetector says nothing of: a dataset whose attribute nobody defines is left out of the
    file, and a frame that is sent nowhere goes to the default dataset.

    Parameters
    ----------
    layout : str or path
        XML file of the layout, as the HDF5 plugin takes it.
    attributes : str or path
        XML file of the NDAttributes of the camera.

    Returns
    -------
    list of str
        What is wrong, a sentence each; empty when nothing is.

    Raises
    ------
    ConfigurationError
        A file can't be read, isn't XML or declares entities.
    """
    defined, problems = _attributes_of(read_xml(attributes))
    found = _Layout(read_xml(layout))
    return [*found.problems, *problems, *found.against(defined)]


def _attributes_of(root: Element) -> tuple[dict[str, Element], list[str]]:
    """Return the NDAttributes by name, and what is wrong with their list."""
    if root.tag != "Attributes":
        return {}, [f"The root of the attributes is {root.tag}; expected Attributes."]
    defined: dict[str, Element] = {}
    problems = []
    for element in root.children:
        where = f"Line {element.line} of the attributes"
        name, kind = element.attributes.get("name"), element.attributes.get("type", "EPICS_PV")
        if not name or not element.attributes.get("source"):
            problems.append(f"{where}: an attribute needs a name and a source.")
        elif kind not in _KINDS:
            problems.append(f"{where}: type {kind!r} of {name} is none of {', '.join(_KINDS)}.")
        elif name in defined:
            problems.append(f"{where}: {name} is there twice, first in line {defined[name].line}.")
        else:
            defined[name] = element
    return defined, problems


class _Layout:
    """A layout, and what is wrong with it alone."""

    def __init__(self, root: Element) -> None:
        self.problems: list[str] = []
        #: NDAttributes by what takes them, and the datasets of frames.
        self._used: list[tuple[str, str]] = []
        self._frames: dict[str, Element] = {}
        self._places: dict[str, int] = {}
        #: The dataset of an NDAttribute, and when it's written.
        self._taken: dict[str, tuple[str, str]] = {}
        self._default_group = ""
        self._automatic = root.attributes.get("auto_ndattr_default") != "false"
        if root.tag != "hdf5_layout":
            self._say(root, f"the root is {root.tag}; expected hdf5_layout")
        self._children(root, "")
        self.destination = self._destination(root)
        self._check_frames()

    def against(self, defined: dict[str, Element]) -> Iterator[str]:
        """Yield what doesn't fit the NDAttributes."""
        known = {*defined, *ALWAYS}
        for name, where in self._used:
            if name not in known:
                yield f"{where} takes NDAttribute {name}, which the attributes don't define."
        used = {name for name, _ in self._used}
        if self.destination:
            element = defined.get(self.destination)
            if element is None:
                yield (
                    f"{_DESTINATION} is NDAttribute {self.destination}, which the attributes don't "
                    "define: all frames go to one dataset."
                )
            elif not _is_text(element):
                yield (
                    f"NDAttribute {self.destination}, the destination, isn't read as a text: "
                    'frames are refused; expected dbrtype="DBR_STRING" (or datatype="STRING").'
                )
        keeps_rest = bool(self._default_group) or self._automatic
        if not keeps_rest:
            for name in defined:
                if name not in used and name != self.destination:
                    yield (
                        f"NDAttribute {name} is defined, but goes nowhere: no dataset takes it, "
                        "and no group has ndattr_default."
                    )
        for name in (UNIQUE_ID, self.destination):
            kept = self._taken[name][1] not in _ONCE if name in self._taken else keeps_rest
            if name and not kept:
                yield (
                    f"The file has no {name} of each frame: finish_dx couldn't tell which frames "
                    "are missing."
                )

    def _say(self, element: Element, what: str) -> None:
        self.problems.append(f"Line {element.line} of the layout: {what}.")

    def _children(self, parent: Element, path: str) -> None:
        for element in parent.children:
            name = element.attributes.get("name", "")
            if element.tag == "global":
                continue
            if element.tag not in ("group", "dataset", "attribute", "hardlink"):
                self._say(element, f"element {element.tag} is unknown")
                continue
            place = f"{path}@{name}" if element.tag == "attribute" else f"{path}/{name}"
            if not name or "/" in name:
                self._say(element, f"{name!r} can't be the name of a {element.tag}")
                continue
            if place in self._places:
                self._say(element, f"{place} is there twice, first in line {self._places[place]}")
            self._places.setdefault(place, element.line)
            if element.tag in _SOURCES:
                self._value(element, place)
            if element.tag == "group" and element.attributes.get("ndattr_default") == "true":
                if self._default_group:
                    self._say(element, f"{self._default_group} has ndattr_default already")
                self._default_group = self._default_group or place
            self._children(element, place)

    def _value(self, element: Element, place: str) -> None:
        given = element.attributes
        source, when = given.get("source", ""), given.get("when", "OnFrame")
        expected = _SOURCES[element.tag]
        if source not in expected:
            self._say(element, f"source {source!r} of {place} is none of {', '.join(expected)}")
        if when not in _WHEN:
            self._say(element, f"when {when!r} of {place} is none of {', '.join(_WHEN)}")
        if source == "detector":
            self._frames.setdefault(place, element)
        elif source == "constant":
            if "value" not in given:
                self._say(element, f"constant {place} has no value")
            if given.get("type", "string") not in _TYPES:
                self._say(
                    element, f"type {given['type']!r} of {place} is none of {', '.join(_TYPES)}"
                )
        elif source == "ndattribute":
            name = given.get("ndattribute", "")
            if not name:
                self._say(element, f"{place} doesn't say which ndattribute it takes")
                return
            self._used.append((name, place))
            if element.tag == "dataset":
                first = self._taken.setdefault(name, (place, when))[0]
                if first != place:
                    self._say(
                        element,
                        f"{place} isn't written: NDAttribute {name} goes to {first} alone",
                    )

    def _destination(self, root: Element) -> str:
        names = []
        for element in root.all_below():
            if element.tag == "global":
                if element.attributes.get("name") != _DESTINATION:
                    self._say(element, f"expected global {_DESTINATION}")
                else:
                    names.append(element.attributes.get("ndattribute", ""))
        if len(names) > 1:
            self.problems.append(f"The layout has {len(names)} of global {_DESTINATION}.")
        if not any(names):
            self.problems.append(
                f"The layout has no global {_DESTINATION} with an ndattribute: all frames go to "
                "one dataset."
            )
        return names[-1] if names else ""

    def _check_frames(self) -> None:
        for path, what in DX_FRAMES.items():
            if path in self._frames:
                continue
            found = ' isn\'t source="detector"' if path in self._places else " is missing"
            self.problems.append(f"Dataset {path} for {what}{found}.")
        defaults = [
            path
            for path, element in self._frames.items()
            if element.attributes.get("det_default") == "true"
        ]
        if defaults != [PROJECTIONS]:
            self.problems.append(
                f'det_default="true" stands at {", ".join(defaults) or "no dataset"}; expected '
                f"{PROJECTIONS} alone."
            )


def _is_text(element: Element) -> bool:
    given = element.attributes
    if given.get("type", "EPICS_PV") == "EPICS_PV":
        return given.get("dbrtype") == "DBR_STRING"
    default = "STRING" if given.get("type") == "CONST" else "INT"
    return given.get("datatype", default).upper() == "STRING"
