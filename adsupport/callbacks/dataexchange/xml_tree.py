"""XML that people or IOCs bring: read whole, without entities, not too deep, with line numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from ...errors import ConfigurationError

__all__ = ["Element", "read_xml"]

_MOST_BYTES = 10_000_000
_DEEPEST = 256


@dataclass
class Element:
    """An element of an XML file.

    Parameters
    ----------
    tag : str
        Its name.
    attributes : dict of str to str
        Its attributes.
    line : int
        Where it begins, from 1.
    children : list of Element
        What it holds.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)

    def all_below(self) -> Iterator[Element]:
        """Yield what it holds, and what that holds, in the order of the file."""
        for child in self.children:
            yield child
            yield from child.all_below()


def read_xml(path: str | os.PathLike[str]) -> Element:
    """Read an XML file.

    A declaration of an entity is refused: a short text could grow without end by it, or read
    other files.

    Parameters
    ----------
    path : str or path
        A regular file of at most 10 MB.

    Returns
    -------
    Element
        Its root.

    Raises
    ------
    ConfigurationError
        It can't be read, isn't XML, declares an entity or nests deeper than 256 elements.
    """
    text = _bytes_of(Path(path))
    root = Element("", {}, 0)
    above = [root]

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(above) > _DEEPEST:
            raise _wrong(path, f"its elements nest deeper than {_DEEPEST}")
        element = Element(tag, attributes, parser.CurrentLineNumber)
        above[-1].children.append(element)
        above.append(element)

    def end(_: str) -> None:
        above.pop()

    def refuse(name: str, *_: object) -> None:
        raise _wrong(path, f"it declares the entity {name}, which isn't allowed")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except ConfigurationError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise _wrong(path, str(error)) from error
    return root.children[0]


def _bytes_of(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise _wrong(path, "there is no such file")
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise _wrong(path, f"it has {size} bytes, expected at most {_MOST_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from error


def _wrong(path: object, why: str) -> ConfigurationError:
    return ConfigurationError(f"XML file {path} can't be used: {why}.")
