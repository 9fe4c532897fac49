"""What becomes of the values that an inquiry gets."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

from adsupport.devices.signals.inquiry import _plain


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (b"SIM1", "SIM1"),
        (np.frombuffer(b"/data/\0x", np.uint8), "/data/"),
        ((ctypes.c_ubyte * 1)(0), ""),
        ((ctypes.c_ubyte * 1)(65), "A"),
        (np.int32(3), 3),
        ("text", "text"),
    ],
)
def test_characters_become_text(value: Any, plain: Any) -> None:
    assert _plain(value) == plain
    assert type(_plain(value)) is type(plain)
