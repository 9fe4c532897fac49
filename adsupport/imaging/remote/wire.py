"""Messages between a publisher of frames and its consumers: msgpack headers, pixels as they are.

A message is two or three parts of ZeroMQ: its kind, a msgpack map, and of a frame the pixels in C
order.  Metadata and facts are JSON text within the map, as :mod:`adsupport.documents.json_text` has
it, so that they come as they were.

Whoever reads a message trusts nothing in it: fields, their types, and that the pixels are as many
bytes as shape and dtype tell.  Nothing is unpickled, nothing evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar

import msgpack
import numpy as np

from ...documents import json_text
from ...errors import DocumentError, FrameMessageError
from ..addons.base import Policy
from . import fields as check

__all__ = [
    "MOST_AHEAD",
    "MOST_NAME",
    "MOST_QUEUE",
    "VERSION",
    "Begin",
    "Bye",
    "End",
    "FrameHeader",
    "Hello",
    "Message",
    "Probe",
    "Refused",
    "RunOver",
    "Taken",
    "Welcome",
    "decode",
    "encode",
    "pixels_of",
]

#: Of the messages; publisher and consumer must have the same one.
VERSION = 2
_MOST_CONTROL_BYTES = 1 << 16  # of a consumer's message
MOST_NAME = check.MOST_NAME
#: Frames that may be on their way to a consumer at once.
MOST_QUEUE = 10_000
#: Messages without pixels that may be, too: a consumer keeps no more than it has to.
MOST_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Hello:
    """A consumer comes."""

    version: int
    name: str
    policy: Policy
    queue: int
    streams: tuple[str, ...] | None
    runs: int | None = None  # that it stays for; None: it doesn't say


@dataclass(frozen=True, slots=True)
class Taken:
    """A consumer has taken so many frames, and so many Begin, End and RunOver, since it came."""

    frames: int
    controls: int


@dataclass(frozen=True, slots=True)
class Bye:
    """A consumer goes; the reason is empty unless it failed."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Welcome:
    """The publisher will send frames."""

    version: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The publisher won't send any, or no more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Begin:
    """An acquisition begins."""

    run_uid: str
    stream: str
    expected: int | None
    md: Mapping[str, Any]
    angles: tuple[float, ...]
    per_event: int | None = None
    angles_from: str = "planned"


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What is known of a frame; the pixels are the message's third part."""

    run_uid: str
    stream: str
    sequence: int
    unique_id: int | None
    angle: float | None
    timestamp: float | None
    dtype: str
    shape: tuple[int, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    place: int | None = None

    KINDS: ClassVar[str] = check.KINDS
    MOST_AXES: ClassVar[int] = check.MOST_AXES


@dataclass(frozen=True, slots=True)
class End:
    """An acquisition has ended."""

    run_uid: str
    stream: str
    expected: int | None
    frames: int
    dropped: int
    reason: str
    angles: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """Nothing: sent to learn whether the consumer is still there."""


@dataclass(frozen=True, slots=True)
class RunOver:
    """No acquisition of this run follows."""


Message = (
    Hello | Taken | Bye | Welcome | Refused | Begin | FrameHeader | End | Probe | RunOver
)  # fmt: skip
_Message = TypeVar("_Message")


def encode(message: Message) -> list[bytes]:
    """Write a message, without the pixels of a frame.

    Parameters
    ----------
    message : Message
        Any of this module.

    Returns
    -------
    list of bytes
        Kind and header.

    Raises
    ------
    FrameMessageError
        Metadata hold what can't travel.
    """
    kind = type(message)
    try:
        header = {each.name: _plain(getattr(message, each.name)) for each in fields(message)}
        packed: Any = msgpack.packb(header, use_bin_type=True)
    except (DocumentError, TypeError, ValueError, OverflowError) as error:
        raise FrameMessageError(
            f"{kind.__name__} can't be sent: {error}",
            remedy="Metadata and facts may have what a bluesky document may.",
        ) from None
    return [_NAMES[kind], packed]


def decode(parts: Sequence[bytes | memoryview], known: tuple[type[_Message], ...]) -> _Message:
    """Read a message.

    Parameters
    ----------
    parts : sequence of bytes
        Kind and header; the pixels aren't looked at.
    known : tuple of type
        What may come here.

    Returns
    -------
    Message
        One of the types that are known.

    Raises
    ------
    FrameMessageError
        It's none of these, or a field is missing or of another type.
    """
    if len(parts) < 2:
        raise FrameMessageError(f"A message of {len(parts)} parts: expected 2, or 3 of a frame.")
    name = bytes(parts[0][:32])
    kind = next((each for each in known if _NAMES.get(each) == name), None)
    if kind is None:
        names = ", ".join(each.__name__ for each in known)
        raise FrameMessageError(f"A message of kind {name!r}: expected one of {names}.")
    whole = 3 if kind is FrameHeader else 2
    if len(parts) != whole:
        raise FrameMessageError(f"{kind.__name__} of {len(parts)} parts: expected {whole}.")
    if _is_control(kind) and len(parts[1]) > _MOST_CONTROL_BYTES:
        raise FrameMessageError(
            f"{kind.__name__} of {len(parts[1])} bytes: expected {_MOST_CONTROL_BYTES} at most."
        )
    try:
        header = msgpack.unpackb(parts[1], raw=False, use_list=True, strict_map_key=True)
    except Exception as error:  # msgpack raises many kinds, none of them its own
        raise FrameMessageError(f"{kind.__name__} isn't msgpack: {error}") from None
    if not isinstance(header, dict):
        raise FrameMessageError(f"{kind.__name__} is no map.")
    checks = _FIELDS[kind]
    if "version" in checks and header.get("version") != VERSION:  # its fields may be others
        raise FrameMessageError(
            f"{kind.__name__} is of version {header.get('version')!r:.20} of the messages, "
            f"expected {VERSION}: the publisher and the consumer need the same adsupport."
        )
    if header.keys() != checks.keys():
        raise FrameMessageError(
            f"{kind.__name__} has the fields {sorted(map(str, header))}: expected {sorted(checks)}."
        )
    values: dict[str, Any] = {}
    for key, checked in checks.items():
        try:
            values[key] = checked(header[key])
        except (TypeError, ValueError, OverflowError) as error:
            raise FrameMessageError(f"{kind.__name__}.{key}: {error}.") from None
    return kind(**values)


def pixels_of(header: FrameHeader, buffer: bytes | memoryview) -> np.ndarray:
    """View the third part of a frame's message as pixels.

    Parameters
    ----------
    header : FrameHeader
        Of the same message.
    buffer : bytes or memoryview
        The third part; it isn't copied.

    Returns
    -------
    numpy.ndarray
        Read-only, of the header's shape and dtype.

    Raises
    ------
    FrameMessageError
        It has more or fewer bytes than the header tells.
    """
    dtype = np.dtype(header.dtype)
    size = math.prod(header.shape) * dtype.itemsize
    if size != len(buffer):
        raise FrameMessageError(
            f"Frame {header.sequence} of stream {header.stream!r}: {len(buffer)} bytes came; "
            f"shape {header.shape} and dtype {header.dtype} make {size}."
        )
    pixels = np.frombuffer(buffer, dtype).reshape(header.shape)
    pixels.flags.writeable = False
    return pixels


# inside


def _plain(value: Any) -> Any:
    """Turn what msgpack hasn't into what it has."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return json_text.encode(dict(value), where="metadata")
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _is_control(kind: type) -> bool:
    return kind in (Hello, Taken, Bye)


_FIELDS: dict[type, dict[str, Callable[[Any], Any]]] = {
    Hello: {
        "version": check.whole(0),
        "name": check.name,
        "policy": check.policy,
        "queue": check.whole(1, MOST_QUEUE),
        "streams": check.maybe(check.many(check.text)),
        "runs": check.maybe(check.whole(0)),
    },
    Taken: {"frames": check.whole(0), "controls": check.whole(0)},
    Bye: {"reason": check.text},
    Welcome: {"version": check.whole(0)},
    Refused: {"reason": check.text},
    Begin: {
        "run_uid": check.text,
        "stream": check.text,
        "expected": check.maybe(check.whole(0)),
        "md": check.mapping,
        "angles": check.many(check.real),
        "per_event": check.maybe(check.whole(1)),
        "angles_from": check.one_of("planned", "recorded"),
    },
    FrameHeader: {
        "run_uid": check.text,
        "stream": check.text,
        "sequence": check.whole(0),
        "unique_id": check.maybe(check.whole(-(2**63))),
        "angle": check.maybe(check.real),
        "timestamp": check.maybe(check.real),
        "dtype": check.dtype,
        "shape": check.shape,
        "facts": check.mapping,
        "place": check.maybe(check.whole(0)),
    },
    End: {
        "run_uid": check.text,
        "stream": check.text,
        "expected": check.maybe(check.whole(0)),
        "frames": check.whole(0),
        "dropped": check.whole(0),
        "reason": check.text,
        "angles": check.many(check.real),
    },
    Probe: {},
    RunOver: {},
}
_NAMES = {kind: kind.__name__.lower().encode() for kind in _FIELDS}
