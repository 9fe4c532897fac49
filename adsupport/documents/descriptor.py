"""From an event descriptor to the columns of its stream."""

from __future__ import annotations

import math
from typing import Any

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
        What doesn't agree with an earlier descriptor of the stream, each a sentence.

    Raises
    ------
    DocumentError
        A part of the descriptor isn't what the event model says.
    """
    uid = document["uid"]
    keys = document.get("data_keys")
    if not isinstance(keys, dict):
        raise DocumentError(f"Descriptor {uid!r} has no data_keys: {keys!r}.")
    problems = []
    objects = document.get("object_keys") or {}
    owners = {key: name for name, names in objects.items() for key in names}
    for key, data_key in keys.items():
        column = _column(str(key), data_key, owners.get(key, ""), uid)
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
    for mine, theirs in (
        (stream.hints, document.get("hints") or {}),
        (stream.object_keys, objects),
        (stream.configuration, document.get("configuration") or {}),
    ):
        for name, content in theirs.items():
            mine.setdefault(str(name), content)  # type: ignore[arg-type]
    return problems


def _column(name: str, data_key: Any, owner: str, uid: str) -> Column:
    if not isinstance(data_key, dict) or data_key.get("dtype") not in _DTYPES:
        raise DocumentError(
            f"Descriptor {uid!r}: data key {name!r} must have a dtype of {', '.join(_DTYPES)}, "
            f"got {data_key!r}."
        )
    return Column(
        name=name,
        dtype=data_key["dtype"],
        shape=_shape(data_key.get("shape") or ()),
        dtype_numpy=_numpy_name(data_key.get("dtype_numpy")),
        units=_text(data_key.get("units")),
        precision=_whole(data_key.get("precision")),
        limits=_limits(data_key),
        source=_text(data_key.get("source")),
        object_name=_text(data_key.get("object_name")) or owner,
        external="external" in data_key,
        dims=tuple(str(each) for each in data_key.get("dims") or ()),
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


def _shape(found: Any) -> tuple[int | None, ...]:
    lengths = [_whole(each) for each in found]
    return tuple(None if each is None or each < 0 else each for each in lengths)


def _limits(data_key: dict[str, Any]) -> tuple[float | None, float | None]:
    """Find the limits of control as ophyd and as ophyd-async write them."""
    limits = data_key.get("limits")
    control = limits.get("control") if isinstance(limits, dict) else None
    if isinstance(control, dict):
        return _finite(control.get("low")), _finite(control.get("high"))
    return _finite(data_key.get("lower_ctrl_limit")), _finite(data_key.get("upper_ctrl_limit"))
