"""What the page and the server tell each other."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .contrast import Limits
from .rendering import Region

__all__ = ["LONGEST_COMMAND", "Look", "Shown", "WrongCommandError", "command_of", "packed", "plain"]

#: Of a command, in bytes: what is longer ends the connection.
LONGEST_COMMAND = 4096
#: Pixels that a picture is drawn with at most, along a side.
_LARGEST = 4096
_FAR = 1e7  # pixels


class WrongCommandError(ValueError):
    """A viewer sent what is no command."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a viewer wants to see: all of it, so that a new connection needs no other command.

    Parameters
    ----------
    channel : str
        Empty: the first one.
    limits : Limits or None
        None: as the view has them.
    region : Region or None
        None: the whole image.
    size : tuple of int
        Width and height in pixels of the screen.
    profile : tuple or None
        Two points (column, row) of a line.
    cursor : tuple of int or None
        Column and row.
    paused : bool
        Whether nothing new is wanted.
    """

    channel: str = ""
    limits: Limits | None = None
    region: Region | None = None
    size: tuple[int, int] = (1024, 1024)
    profile: tuple[tuple[float, float], tuple[float, float]] | None = None
    cursor: tuple[int, int] | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A viewer has drawn a picture: another one may come.

    Parameters
    ----------
    serial : int
        Which.
    """

    serial: int


def command_of(text: str) -> Look | Shown:
    """Understand a command.

    Parameters
    ----------
    text : str
        JSON.

    Returns
    -------
    Look or Shown
        The command.

    Raises
    ------
    WrongCommandError
        It's none, or has more or less than it must.
    """
    if len(text) > LONGEST_COMMAND:
        raise WrongCommandError(f"a command of {len(text)} characters")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise WrongCommandError("no JSON") from None
    if not isinstance(given, dict):
        raise WrongCommandError("no JSON object")
    do = given.pop("do", None)
    if do == "shown":
        _has(given, {"serial"})
        return Shown(_whole(given["serial"], "serial", 0, 1 << 53))
    if do == "look":
        _has(given, {"channel", "limits", "region", "size", "profile", "cursor", "paused"})
        if not isinstance(given["channel"], str) or len(given["channel"]) > 200:
            raise WrongCommandError("channel: expected a name")
        if not isinstance(given["paused"], bool):
            raise WrongCommandError("paused: expected true or false")
        size = _numbers(given["size"], "size", 2)
        return Look(
            given["channel"],
            _limits(given["limits"]),
            _region(given["region"]),
            (
                _whole(size[0], "size", 1, _LARGEST),
                _whole(size[1], "size", 1, _LARGEST),
            ),
            _line(given["profile"]),
            _cursor(given["cursor"]),
            given["paused"],
        )
    raise WrongCommandError("an unknown command")


def _has(given: dict[str, Any], wanted: set[str]) -> None:
    if set(given) != wanted:
        raise WrongCommandError(f"expected {', '.join(sorted(wanted))}, and nothing else")


def _whole(value: Any, what: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        raise WrongCommandError(f"{what}: expected a whole number")
    if not least <= value <= most:
        raise WrongCommandError(f"{what}: expected {least} to {most}")
    return int(value)


def _numbers(given: Any, what: str, length: int) -> list[float]:
    if not isinstance(given, list) or len(given) != length:
        raise WrongCommandError(f"{what}: expected {length} numbers")
    for each in given:
        if isinstance(each, bool) or not isinstance(each, (int, float)) or not _finite(each):
            raise WrongCommandError(f"{what}: expected {length} numbers")
    return given


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float has room for
        return False


def _limits(given: Any) -> Limits | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise WrongCommandError("limits: expected kind, low and high")
    _has(given, {"kind", "low", "high"})
    if given["kind"] == "auto":
        return Limits()
    low, high = _numbers([given["low"], given["high"]], "limits", 2)
    try:
        return Limits(given["kind"], float(low), float(high))
    except (TypeError, ValueError) as error:
        raise WrongCommandError(str(error)) from None


def _region(given: Any) -> Region | None:
    if given is None:
        return None
    found = [_whole(each, "region", -int(_FAR), int(_FAR)) for each in _numbers(given, "region", 4)]
    return Region(*found)


def _cursor(given: Any) -> tuple[int, int] | None:
    if given is None:
        return None
    x, y = (_whole(each, "cursor", -int(_FAR), int(_FAR)) for each in _numbers(given, "cursor", 2))
    return x, y


def _line(given: Any) -> tuple[tuple[float, float], tuple[float, float]] | None:
    if given is None:
        return None
    x0, y0, x1, y1 = _numbers(given, "profile", 4)
    if max(map(abs, (x0, y0, x1, y1))) > _FAR:
        raise WrongCommandError("profile: too far away")
    return (x0, y0), (x1, y1)


def packed(header: Mapping[str, Any], levels: np.ndarray) -> bytes:
    """Put a picture into a message.

    Parameters
    ----------
    header : mapping of str to object
        What JSON can have.
    levels : numpy.ndarray
        (h, w), uint8.

    Returns
    -------
    bytes
        Length of the header (4 bytes, little endian), header (JSON), levels row by row.
    """
    text = json.dumps(header, allow_nan=False).encode()
    return b"".join((struct.pack("<I", len(text)), text, np.ascontiguousarray(levels).data))


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what a page can show: texts and numbers, not too long and not too many.

    Parameters
    ----------
    facts : mapping of str to object
        All.

    Returns
    -------
    dict of str to object
        Text, int, float or bool by name.
    """
    found: dict[str, Any] = {}
    for name, value in facts.items():
        one = value.item() if isinstance(value, np.generic) else value
        if isinstance(one, str):
            one = one[:200]
        is_number = isinstance(one, (int, float)) and _finite(one)
        if isinstance(one, str) or (is_number and (isinstance(one, float) or abs(one) <= 1 << 64)):
            found[str(name)[:80]] = one
        if len(found) >= 40:
            break
    return found
