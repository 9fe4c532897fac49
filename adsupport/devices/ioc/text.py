"""Write down the detectors of an IOC: as Python, and as a declaration in YAML."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator
from typing import Any

from .description import IOCDescription, PartDescription

__all__ = ["code_of", "yaml_of"]

_INDENT = " " * 4
_WIDTH = 88


def code_of(description: IOCDescription) -> str:
    """Write the Python that builds the detectors of an IOC, one for each camera.

    Parameters
    ----------
    description : IOCDescription
        What the IOC has.

    Returns
    -------
    str
        Imports and calls of ``ad_creator``.  It runs as it is, without the IOC too.

    Raises
    ------
    ConfigurationError
        There is no camera, so no detector.
    """
    imports = {"adsupport.devices": {"ad_creator"}}
    calls: list[str] = []
    for name, detector in _detectors(description):
        loose = {part.key for part in detector.loose_ends()}
        lines = [f"{name} = ad_creator("]
        lines.append(f"{_INDENT}{_quoted(detector.prefix)},")
        lines.append(f"{_INDENT}name={_quoted(name)},")
        if detector.adcore is not None:
            lines.append(f"{_INDENT}adcore={_quoted(str(detector.adcore))},")
        lines.append(f"{_INDENT}plugins=[")
        for part in detector.parts:
            if part.key in loose:
                # repr: what an IOC says must not become code
                lines.append(
                    f"{_INDENT * 2}# its arrays come from port {part.source_port!r}, which no part "
                    "that was found has"
                )
            lines.extend(_spec_lines(part, imports))
        lines.extend([f"{_INDENT}],", ")"])
        calls.append("\n".join(lines) + "\n")
    head = [_import_lines(module, sorted(names)) for module, names in sorted(imports.items())]
    return "\n".join(["".join(head), *calls])


def yaml_of(description: IOCDescription) -> str:
    """Declare the detectors of an IOC, one for each camera.

    Parameters
    ----------
    description : IOCDescription
        What the IOC has.

    Returns
    -------
    str
        YAML for :func:`~adsupport.devices.load_detectors`.

    Raises
    ------
    ConfigurationError
        There is no camera, so no detector.
    """
    import yaml

    declared: list[dict[str, Any]] = []
    for name, detector in _detectors(description):
        entry: dict[str, Any] = {"name": name, "prefix": detector.prefix}
        if detector.adcore is not None:
            entry["adcore"] = str(detector.adcore)
        entry["plugins"] = [_plain_spec(part) for part in detector.parts]
        declared.append(entry)
    return yaml.safe_dump({"detectors": declared}, sort_keys=False, width=100)


def _detectors(description: IOCDescription) -> Iterator[tuple[str, IOCDescription]]:
    """Go through the cameras, each with a name for its detector."""
    name = re.sub(r"\W+", "_", description.prefix, flags=re.ASCII).strip("_") or "detector"
    if not name.isidentifier() or keyword.iskeyword(name) or name == "ad_creator":
        name = f"det_{name}"
    yield name, description.select()
    for camera in description.cameras[1:]:
        yield f"{name}_{camera.key}", description.select(camera=camera.key)


def _import_lines(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}\n"
    if len(line) <= _WIDTH:
        return line
    listed = "".join(f"{_INDENT}{name},\n" for name in names)
    return f"from {module} import (\n{listed})\n"


def _spec_lines(part: PartDescription, imports: dict[str, set[str]]) -> Iterator[str]:
    spec = part.spec
    if isinstance(spec, str):
        yield f"{_INDENT * 2}{_quoted(spec)},"
        return
    settings = spec[part.key]
    shown = {}
    if "class" in settings:
        module, _, name = part.class_name.rpartition(".")
        imports.setdefault(module, set()).add(name)
        shown["class"] = name
    if "suffix" in settings:
        shown["suffix"] = _quoted(part.suffix)
    text = ", ".join(f'"{key}": {value}' for key, value in shown.items())
    if not part.records:
        yield f"{_INDENT * 2}{{{_quoted(part.key)}: {{{text}}}}},"
        return
    yield f"{_INDENT * 2}{{"
    yield f"{_INDENT * 3}{_quoted(part.key)}: {{"
    yield from (f"{_INDENT * 4}{_quoted(key)}: {value}," for key, value in shown.items())
    yield f'{_INDENT * 4}# "write_path_template": "/data/%Y/%m/%d/",  # as the IOC sees it'
    yield f'{_INDENT * 4}# "read_path_template": "/mnt/ioc/data/%Y/%m/%d/",  # as seen from here'
    yield f"{_INDENT * 3}}}"
    yield f"{_INDENT * 2}}},"


def _plain_spec(part: PartDescription) -> str | dict[str, dict[str, str]]:
    spec = part.spec
    if isinstance(spec, str):
        return spec
    given = spec[part.key]
    plain = {"class": part.class_name} if "class" in given else {}
    return {part.key: plain | ({"suffix": part.suffix} if "suffix" in given else {})}


def _quoted(text: str) -> str:
    """Quote as Python does, with the quotes that formatters like."""
    return json.dumps(text)
