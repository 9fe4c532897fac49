"""Messages with frames: what was sent comes, and nothing else is taken for one."""

from __future__ import annotations

import datetime
import math
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.errors import FrameMessageError
from adsupport.imaging.remote import wire
from adsupport.imaging.remote.wire import (
    Begin,
    Bye,
    End,
    FrameHeader,
    Hello,
    Probe,
    Refused,
    RunOver,
    Taken,
    Welcome,
    decode,
    encode,
    pixels_of,
)

HEADER = FrameHeader("u", "primary", 3, 7, 1.5, 1e9, "<u2", (2, 3), {"gain": 2}, 5)
MESSAGES = [
    Hello(2, "recon", "block", 8, ("primary",)),
    Hello(2, "recon", "drop", 1, None),
    Taken(5, 2),
    Bye(),
    Welcome(2),
    Refused("too late"),
    Begin("u", "flats", None, {}, ()),
    Begin("u", "primary", 3, {"a": [1, {"b": None}]}, (0.0, 60.0, 120.0), 5, "recorded"),
    HEADER,
    End("u", "primary", 3, 3, 1, "", (0.0, 1.5)),
    Probe(),
    RunOver(),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
def test_a_message_comes_as_it_was_sent(message: Any) -> None:
    parts = encode(message)
    if isinstance(message, FrameHeader):
        parts.append(b"")
    assert decode(parts, (type(message),)) == message


def test_metadata_come_as_they_were() -> None:
    md = {
        "when": datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC),
        "count": np.int32(3),
        "table": np.arange(4.0),
        "nothing": math.nan,
    }
    found = decode(encode(Begin("u", "s", 1, md, ())), (Begin,)).md
    assert found["when"] == md["when"]
    assert found["count"] == 3
    np.testing.assert_array_equal(found["table"], md["table"])
    assert math.isnan(found["nothing"])


def test_numbers_of_numpy_are_numbers() -> None:
    header = FrameHeader("u", "s", 0, np.int64(4), np.float32(0.5), None, "|u1", (1,))  # type: ignore[arg-type]
    assert decode([*encode(header), b""], (FrameHeader,)).unique_id == 4


@pytest.mark.parametrize("dtype", ["|b1", "|u1", "<u2", ">u2", "<i8", "<f4", "<f8"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (3, 2, 3), (0, 4)])
def test_pixels(dtype: str, shape: tuple[int, ...]) -> None:
    pixels = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    header = FrameHeader("u", "s", 0, None, None, None, dtype, shape)
    found = pixels_of(header, pixels.tobytes())
    assert found.dtype == pixels.dtype
    np.testing.assert_array_equal(found, pixels)
    assert not found.flags.writeable


@pytest.mark.parametrize("size", [0, 11, 13, 10**6])
def test_pixels_are_as_many_as_the_header_tells(size: int) -> None:
    with pytest.raises(FrameMessageError, match=rf"Frame 3 .*{size} bytes came.* make 12"):
        pixels_of(HEADER, bytes(size))


def test_ten_gigabytes_are_only_announced() -> None:
    header = FrameHeader("u", "s", 0, None, None, None, "<f8", (10**5, 10**5))
    with pytest.raises(FrameMessageError, match="8 bytes came"):
        pixels_of(header, bytes(8))


def changed(key: str, value: Any) -> list[bytes]:
    kind, header = encode(HEADER)
    fields = msgpack.unpackb(header)
    fields[key] = value
    return [kind, msgpack.packb(fields) or b"", b""]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dtype", "|O"), ("dtype", "<c8"), ("dtype", "<U9"), ("dtype", "no"), ("dtype", 3),
        ("dtype", "i4,i4"), ("dtype", "06"), ("dtype", "(2"), ("dtype", "<u3"), ("dtype", "a"),
        ("shape", [-1, 2]), ("shape", []), ("shape", [1] * 9),
        ("shape", [True]), ("shape", 5), ("shape", [1.5]), ("sequence", -1), ("sequence", "3"),
        ("sequence", None), ("unique_id", 1.5), ("angle", "1"), ("angle", True), ("stream", 1),
        ("place", -1),
        ("facts", {}), ("facts", b"[]"), ("facts", b"{"), ("facts", b'{"$adsupport": "?"}'),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(key: str, value: Any) -> None:
    with pytest.raises(FrameMessageError, match=f"FrameHeader.{key}"):
        decode(changed(key, value), (FrameHeader,))


@pytest.mark.parametrize(
    "parts",
    [
        [], [b"hello"], [b"hello", b""], [b"hello", b"\xc1"], [b"hello", msgpack.packb([1])],
        [b"hello", msgpack.packb({"version": 1})], [b"unheard", b"\x80"], [b"bye", b"\x80", b"x"],
        [b"frameheader", b"\x80"], [b"x" * 10**6, b"\x80"],
        [b"taken", msgpack.packb({"frames": -1})],
        [b"hello", b"\x80" + bytes(10**5)], [b"bye", b"\x81\xa1a\x01"],
        [b"hello", b"\xdd\xff\xff\xff\xff"], [b"hello", b"\x91" * 5000],
    ],
)  # fmt: skip
def test_garbage_is_no_message(parts: list[bytes]) -> None:
    with pytest.raises(FrameMessageError):
        decode(parts, (Hello, Taken, Bye, FrameHeader))


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_any_bytes_are_refused_in_one_way(parts: list[bytes]) -> None:
    with pytest.raises(FrameMessageError):
        decode([b"begin", *parts[:1]] if parts else parts, (Begin, FrameHeader))


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", ""), ("name", "x" * 101), ("name", "a\nb"), ("queue", 0), ("queue", 10**9)],
)
def test_a_consumer_asks_for_what_can_be(key: str, value: Any) -> None:
    kind, header = encode(MESSAGES[0])
    fields = msgpack.unpackb(header) | {key: value}
    with pytest.raises(FrameMessageError, match=f"Hello.{key}: expected"):
        decode([kind, msgpack.packb(fields) or b""], (Hello,))


def test_what_a_publisher_says_is_none_of_a_consumer() -> None:
    with pytest.raises(FrameMessageError, match=r"kind b'refused': expected one of Hello"):
        decode(encode(Refused("x")), (Hello, Taken, Bye))


def test_what_cannot_be_sent_is_named() -> None:
    with pytest.raises(FrameMessageError, match="Begin can't be sent.*metadata"):
        encode(Begin("u", "s", 1, {"thing": object()}, ()))


def test_both_sides_speak_of_one_version() -> None:
    assert wire.VERSION == 2


@pytest.mark.parametrize(("key", "value"), [("angles_from", "guessed"), ("per_event", 0)])
def test_what_is_told_of_an_acquisition_is_checked(key: str, value: Any) -> None:
    kind, header = encode(MESSAGES[7])
    fields = msgpack.unpackb(header) | {key: value}
    with pytest.raises(FrameMessageError, match=f"Begin.{key}: expected"):
        decode([kind, msgpack.packb(fields) or b""], (Begin,))


def test_the_version_is_told_whatever_the_fields_are() -> None:
    old = {"version": 1, "name": "recon", "policy": "block", "queue": 8, "streams": None}
    with pytest.raises(FrameMessageError, match=r"Hello is of version 1 .*expected 2"):
        decode([b"hello", msgpack.packb(old) or b""], (Hello,))
