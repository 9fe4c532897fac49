"""Metadata as YAML text, which ``yaml.safe_load`` reads."""

from __future__ import annotations

import datetime
import enum
import os
import uuid
from collections.abc import Mapping, Set
from typing import Any

import numpy as np
import yaml

__all__ = ["yaml_text"]

_DEEPEST = 100


class _Tuple(list):
    """A tuple whose text shall say so."""


class _PythonDumper(yaml.SafeDumper):
    """Writes what only this one of the two can write: lone surrogates."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Fast: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _FastDumper(_Fast):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _tuple_node(dumper: Any, value: _Tuple) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:python/tuple", value)


for _dumper in (_PythonDumper, _FastDumper):
    _dumper.add_representer(_Tuple, _tuple_node)


def yaml_text(value: Any, *, python_tuples: bool = False) -> str:
    """Write a value as YAML.

    Parameters
    ----------
    value : any
        Dictionaries, lists, numbers, texts, dates, numpy's values.  Of any other object its
        ``str()``, as bluesky itself does with devices.
    python_tuples : bool
        Whether tuples are spelled ``!!python/tuple`` as by apstools, which ``yaml.safe_load``
        refuses.

    Returns
    -------
    str
        In block style, keys in alphabetical order.
    """
    plain = _plain(value, python_tuples, 0)
    try:
        return yaml.dump(plain, Dumper=_FastDumper, default_flow_style=False)
    except UnicodeEncodeError:
        return yaml.dump(plain, Dumper=_PythonDumper, default_flow_style=False)


def _plain(value: Any, tuples: bool, depth: int) -> Any:
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if depth > _DEEPEST:  # a list that holds itself has no end
        return "..."
    if isinstance(value, Mapping):
        return _mapping(value, tuples, depth)
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist(), tuples, depth + 1) if value.dtype.kind != "V" else str(value)
    if isinstance(value, (list, tuple, Set)):
        items = [_plain(each, tuples, depth + 1) for each in value]
        if isinstance(value, Set):
            return sorted(items, key=str)
        return _Tuple(items) if tuples and isinstance(value, tuple) else items
    if isinstance(value, enum.Enum):
        return _plain(value.value, tuples, depth + 1)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value
    # Of a subclass, Python's own value: the class may have another idea of str() and so on.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return bytes(memoryview(value))
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, (os.PathLike, uuid.UUID)):
        return str(value)
    return _told(value)


def _mapping(value: Mapping[Any, Any], tuples: bool, depth: int) -> dict[Any, Any]:
    found = {}
    for key, each in value.items():
        name = key if isinstance(key, (bool, int, float)) else str(key)
        found[name] = _plain(each, tuples, depth + 1)
    try:
        sorted(found)
    except TypeError:  # keys of several types have no order
        return {str(key): each for key, each in found.items()}
    return found


def _told(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:  # an object's own code may fail in any way
        return f"<{type(value).__name__}, whose str() raises {type(error).__name__}>"
