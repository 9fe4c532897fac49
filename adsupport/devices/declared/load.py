"""Detectors that are declared in a file: YAML or TOML."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, ConfigurationTypeError
from .detector import DeclaredDetector, declared_paths
from .limits import check_content, check_size, read_text
from .place import Place

__all__ = ["load_detectors"]

_FORMATS = {".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}
_SECTIONS = ("detectors", "defaults", "paths")
#: A beamline has some hundred.
_MOST_VALUES = 100_000


def load_detectors(
    source: str | os.PathLike[str], *, format: str | None = None, timeout: float | None = None
) -> dict[str, Any]:
    """Build the detectors that a file declares.

    The file has a list ``detectors``; each has ``name`` and ``prefix``, and may have
    ``plugins``, ``bases``, ``adcore``, ``class_name``, ``validate_ports``, and keyword
    arguments of the detector's class such as ``image_name`` and ``frame_policy``.  A plugin is
    given as to :func:`~adsupport.devices.ad_creator`, its class by a dotted name.  ``defaults``
    holds what all detectors have unless they say otherwise; ``paths`` names pairs of
    ``write_path_template`` and ``read_path_template``, which file plugins take by
    ``paths: NAME``.

    Classes named in the file are imported: load files that you trust.  No IOC is asked, unless
    ``adcore`` is ``auto``.

    Parameters
    ----------
    source : str or path
        A file; or the text itself, when it is a str of several lines.
    format : {"yaml", "toml"}, optional
        Language of a text, YAML by default; of a file, what its extension says (``.yaml``,
        ``.yml``, ``.toml``).
    timeout : float, optional
        Longest wait for the answer of each detector whose ``adcore`` is ``auto``, in seconds; its
        ``connection_timeout`` by default.

    Returns
    -------
    dict
        Detectors by name, in the order of the file.

    Raises
    ------
    ConfigurationTypeError
        ``source`` is neither a name nor a text.
    ConfigurationError
        The file can't be read, or something in it can't be used; the message says where.
        Nothing is built then.
    ConnectionTimeoutError
        ``adcore`` is ``auto``, and an IOC doesn't answer.

    Examples
    --------
    >>> text = '''
    ... detectors:
    ...   - name: det
    ...     prefix: "ad:"
    ...     plugins: [cam, image]
    ... '''
    >>> load_detectors(text)["det"].image.prefix
    'ad:image1:'
    """
    declared = _declared(*_content(source, format))
    for each in declared:
        each.check()
    made: dict[str, Any] = {}
    try:
        for each in declared:
            made[each.name] = each.make(timeout)
    except BaseException:
        for detector in made.values():
            detector.destroy()
        raise
    return made


def _content(source: str | os.PathLike[str], language: str | None) -> tuple[Place, object]:
    """Read and parse the file or the text."""
    if language not in (None, "yaml", "toml"):
        raise Place("format").error(f"expected 'yaml' or 'toml', got {language!r}.")
    if not (isinstance(source, str) or isinstance(source, os.PathLike)):
        raise ConfigurationTypeError(
            "load_detectors: expected the name of a file, or the text itself as a str of several "
            f"lines, got {type(source).__name__}."
        )
    if isinstance(source, str) and "\n" in source:
        place, text = Place("the text"), source
        check_size(place, len(text))
        language = language or "yaml"
    else:
        path = Path(os.fsdecode(source))
        place = Place(str(path).replace("\0", r"\0"))
        language = language or _FORMATS.get(path.suffix.lower())
        if language is None:
            raise place.error(
                f"the extension {path.suffix!r} tells no format; expected one of "
                f"{', '.join(_FORMATS)}, or give format='yaml' or 'toml'."
            )
        text = read_text(place, path)
    try:
        content = (_toml if language == "toml" else _yaml)(place, text)
    except RecursionError:
        raise place.error(f"isn't {language.upper()} that can be used: nested too deep.") from None
    check_content(place, content)
    return place, content


def _toml(place: Place, text: str) -> object:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also numbers of thousands of digits
        raise place.error(f"isn't TOML: {error}.") from error


def _yaml(place: Place, text: str) -> object:
    import yaml

    class Loader(yaml.SafeLoader):
        """Plain values only, and no key twice: YAML would take the last without a word."""

        def compose_mapping_node(self, anchor: Any) -> Any:
            node = super().compose_mapping_node(anchor)
            seen: set[str] = set()
            # as they are written: what '<<' merges in later may be given again
            for key, _ in node.value if node is not None else ():
                if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                    continue
                if key.value in seen:
                    line = key.start_mark.line + 1
                    raise place.error(f"line {line}: {key.value!r} is given twice.")
                seen.add(key.value)
            return node

    loader = None
    try:
        loader = Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _extent(node, {}) > _MOST_VALUES:
            raise place.error(
                f"holds more than {_MOST_VALUES} values when its '*' references are followed, or "
                "one that leads back to itself; write out what is meant."
            )
        return loader.construct_document(node)
    except ConfigurationError:
        raise
    # the last two: values that aren't what their '!!' tags say
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        raise place.error(
            f"isn't YAML that can be used: {' '.join(str(error).split())}. A text that holds a "
            "colon needs quotes, as in prefix: 'ad:'."
        ) from error
    finally:
        if loader is not None:
            loader.dispose()


def _extent(node: Any, known: dict[int, float]) -> float:
    """Count the values below a node of YAML as if each reference to it were written out.

    A few lines can stand for more of them than a computer has memory.

    Parameters
    ----------
    node : yaml.Node
        The node.
    known : dict
        Counts by identity of the nodes; infinite while a node is being counted, so that a
        cycle has no end.

    Returns
    -------
    float
        The count; infinite when a node holds itself.
    """
    if isinstance(node.value, str):
        return 1
    if id(node) not in known:
        known[id(node)] = math.inf
        parts = [
            part for each in node.value for part in (each if isinstance(each, tuple) else [each])
        ]
        known[id(node)] = 1 + sum(_extent(part, known) for part in parts)
    return known[id(node)]


def _declared(place: Place, content: object) -> list[DeclaredDetector]:
    """Check the file as a whole, and take it apart."""
    sections = place.mapping(content, "the list 'detectors'")
    place.known(sections, _SECTIONS)
    if "detectors" not in sections:
        raise place.error("there is no list 'detectors'.")
    paths = declared_paths(place / "paths", sections.get("paths"))
    defaults: Mapping[str, Any] = {}
    if sections.get("defaults") is not None:
        defaults = (place / "defaults").mapping(sections["defaults"], "settings of detectors")
        if "name" in defaults:
            raise (place / "defaults" / "name").error("each detector needs a name of its own.")
    entries = (place / "detectors").items(sections["detectors"])
    declared: dict[str, DeclaredDetector] = {}
    for where, entry in entries:
        settings = where.mapping(entry, "settings such as name and prefix")
        each = DeclaredDetector(where, {**defaults, **settings}, paths)
        if each.name in declared:
            raise (where / "name").error(
                f"{each.name!r} is the name of {declared[each.name].place.keys} too; names must "
                "differ."
            )
        declared[each.name] = each
    return list(declared.values())
