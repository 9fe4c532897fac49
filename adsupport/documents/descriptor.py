"""From an event descriptor to the columns of its stream."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DocumentError
from .run import Column, Stream

__all__ = ["add_descriptor"]

_DTYPES = ("number", "integer", "string", "boolean", "array")


def add_descriptor(stream: Stream, document: dict[str, Any]) -> list[str]:
    """Add what an event descriptor says to its stream.

    Parameters
    ----------
    stream : Stream
        The stream; changed.
    document : dict
        The event descriptor.

    Returns
    -------
    list of str
        What isn't as the event model says, and what doesn't agree with an earlier descriptor of
        the stream, each a sentence.

    Raises
    ------
    DocumentError
        The descriptor has no data keys.
    """
    uid = document["uid"]
    keys = document.get("data_keys")
    if not isinstance(keys, dict):
        raise DocumentError(f"Descriptor {uid!r} has no data_keys: {keys!r}.")
    problems: list[str] = []
    parts = _Parts(f"Descriptor {uid!r}", problems)
    objects = {
        str(name): [str(key) for key in parts.listed(names, f"object_keys[{name!r}]")]
        for name, names in parts.mapping(document.get("object_keys"), "object_keys").items()
    }
    owners = {key: name for name, names in objects.items() for key in names}
    for key, data_key in keys.items():
        column = _column(str(key), data_key, owners.get(str(key), ""), parts)
        known = stream.columns.setdefault(column.name, column)
        if (known.dtype, known.shape, known.external) != (
            column.dtype,
            column.shape,
            column.external,
        ):
            problems.append(
                f"Stream {stream.name!r}: {key!r} has been {known.dtype} of shape "
                f"{list(known.shape)}, and a later descriptor says {column.dtype} of shape "
                f"{list(column.shape)}."
            )
    stream.descriptors.append(document)
    for name, names in objects.items():
        stream.object_keys.setdefault(name, names)
    for name, hint in parts.mapping(document.get("hints"), "hints").items():
        hint = parts.mapping(hint, f"hints[{name!r}]")
        if "fields" in hint:
            fields = parts.listed(hint["fields"], f"hints[{name!r}]['fields']")
            hint = {**hint, "fields": [str(each) for each in fields]}
        stream.hints.setdefault(str(name), hint)
    configuration = parts.mapping(document.get("configuration"), "configuration")
    for name, content in configuration.items():
        where = f"configuration[{name!r}]"
        content = parts.mapping(content, where)
        known_parts = {
            each: parts.mapping(content.get(each), f"{where}[{each!r}]")
            for each in ("data", "timestamps", "data_keys")
        }
        stream.configuration.setdefault(str(name), {**content, **known_parts})
    return problems


class _Parts:
    """Parts of a document: empty ones in place of nonsense, which is noted."""

    def __init__(self, where: str, problems: list[str]) -> None:
        self._where = where
        self.problems = problems

    def mapping(self, found: Any, what: str) -> dict[Any, Any]:
        if isinstance(found, Mapping):
            return dict(found)
        return {} if found is None else self.note(found, what, "a dictionary", {})

    def listed(self, found: Any, what: str) -> list[Any]:
        if isinstance(found, (list, tuple, np.ndarray)):
            return list(found)
        return [] if found is None else self.note(found, what, "a list", [])

    def note(self, found: Any, what: str, expected: str, instead: Any) -> Any:
        self.problems.append(f"{self._where}: {what} must be {expected}, got {repr(found)[:60]}.")
        return instead


def _column(name: str, data_key: Any, owner: str, parts: _Parts) -> Column:
    what = f"data_keys[{name!r}]"
    data_key = parts.mapping(data_key, what)
    shape = _shape(parts.listed(data_key.get("shape"), f"{what}['shape']"))
    external = "external" in data_key
    dtype = data_key.get("dtype")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        likely = "array" if shape or external else "number"  # the values will tell
        dtype = parts.note(dtype, f"{what}['dtype']", f"one of {', '.join(_DTYPES)}", likely)
    return Column(
        name=name,
        dtype=dtype,
        shape=shape,
        dtype_numpy=_numpy_name(data_key.get("dtype_numpy")),
        units=_text(data_key.get("units")),
        precision=_whole(data_key.get("precision")),
        limits=_limits(data_key),
        source=_text(data_key.get("source")),
        object_name=_text(data_key.get("object_name")) or owner,
        external=external,
        dims=tuple(map(str, parts.listed(data_key.get("dims"), f"{what}['dims']"))),
        data_key=data_key,
    )


def _text(found: Any) -> str:
    return "" if found is None else str(found)


def _numpy_name(found: Any) -> str | None:
    return found if isinstance(found, str) and found else None


def _whole(found: Any) -> int | None:
    number = _finite(found)
    return None if number is None else int(number)


def _finite(found: Any) -> float | None:
    try:
        number = float(found)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _shape(found: list[Any]) -> tuple[int | None, ...]:
    lengths = [_whole(each) for each in found]
    return tuple(None if each is None or each < 0 else each for each in lengths)


def _limits(data_key: dict[str, Any]) -> tuple[float | None, float | None]:
    """Find the limits of control as ophyd and as ophyd-async write them."""
    limits = data_key.get("limits")
    control = limits.get("control") if isinstance(limits, dict) else None
    if isinstance(control, dict):
        return _finite(control.get("low")), _finite(control.get("high"))
    return _finite(data_key.get("lower_ctrl_limit")), _finite(data_key.get("upper_ctrl_limit"))
