"""XML that people or files bring: read whole, without entities, and not too deep."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

MAX_DEPTH = 256
"""Nested elements, as many as libxml2 takes; deeper text is an attack, or a mistake."""

MAX_BYTES = 10_000_000
"""Longest file, in bytes."""


class XMLTextError(ValueError):
    """A text is no XML that can be used; the message says where and why."""


def read_xml_file(path: str) -> bytes:
    """Return the bytes of an XML file.

    Parameters
    ----------
    path : str
        A regular file of at most :data:`MAX_BYTES`; a device or a pipe would be read for ever.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    OSError
        When it is not there, no regular file, too long or cannot be read.
    """
    try:
        file = Path(path)
        if not file.is_file():
            raise FileNotFoundError(f"no such file: {path}")
        if file.stat().st_size > MAX_BYTES:
            raise OSError(f"{path} is longer than {MAX_BYTES} bytes")
        return file.read_bytes()
    except ValueError as error:  # a NUL in the path
        raise FileNotFoundError(f"no such file: {path!r}") from error


def parse_xml(text: str | bytes) -> ElementTree.Element:
    """Parse a text.

    Declarations of entities are refused, so that a short text cannot grow in memory nor read
    other files.

    Parameters
    ----------
    text : str or bytes
        The document.

    Returns
    -------
    xml.etree.ElementTree.Element
        Its root; names keep their prefixes.

    Raises
    ------
    XMLTextError
        When it is not well-formed, declares entities, or nests deeper than :data:`MAX_DEPTH`.
    """
    builder = ElementTree.TreeBuilder()
    depth = 0

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise XMLTextError(f"elements nest deeper than {MAX_DEPTH}")
        builder.start(tag, dict(attributes))

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(name: str, *_: object) -> None:
        raise XMLTextError(f"the text declares entity {name}, which is not allowed")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, XMLTextError):
            raise
        raise XMLTextError(f"not XML: {error}") from error
    return builder.close()
