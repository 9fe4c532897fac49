"""Rules: what was seen on a real IOC, as data; read from ``rules/*.toml``.

A rule has

``id``, ``says``
    Its section in the recording, and what it means in words.
``needs``
    ``fresh`` when it tells of an IOC that has just been started, ``directory`` when files have to
    be looked at, ``small`` when the disk has to be full after two frames.
``before``
    What is written first, beyond the common settings.
``steps``
    What is done, see :mod:`steps`.
``timeline``
    Recorded events, see :mod:`timeline`; ``start`` says from which values they began, and
    ``any_time`` that only their order counts.
``values``, ``alarms``
    What is read in the end: values, and ``[severity, status]``.

``/data`` stands for the directory that the IOC writes to, ``/tiny`` for the small one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("rules")
DIRECTORY, SMALL = "/data", "/tiny"


@dataclass(frozen=True)
class Rule:
    """One rule; see the module for its parts."""

    id: str
    says: str
    needs: tuple[str, ...] = ()
    before: dict[str, Any] = field(default_factory=dict)
    steps: tuple[list[Any], ...] = ()
    start: dict[str, Any] = field(default_factory=dict)
    timeline: str = ""
    any_time: bool = False
    values: dict[str, Any] = field(default_factory=dict)
    alarms: dict[str, list[int]] = field(default_factory=dict)


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules, in the order of the files' names."""
    found = []
    for path in sorted(FOLDER.glob("[0-9]*.toml")):
        for entry in tomllib.loads(path.read_text())["rule"]:
            entry |= {key: tuple(entry.get(key, ())) for key in ("needs", "steps")}
            found.append(Rule(**entry))
    return tuple(found)


@cache
def settings() -> dict[str, Any]:
    """Return the common settings, which every rule begins with."""
    return tomllib.loads((FOLDER / "settings.toml").read_text())["settings"]


def placed(value: Any, places: Mapping[str, str]) -> Any:
    """Put the IOC's directories where a rule says ``/data`` and ``/tiny``."""
    if isinstance(value, str):
        for place, directory in places.items():
            value = value.replace(place, directory)
        return value
    if isinstance(value, list):
        return [placed(item, places) for item in value]
    if isinstance(value, dict):
        return {key: placed(item, places) for key, item in value.items()}
    return value
