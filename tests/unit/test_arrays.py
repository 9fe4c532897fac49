"""Kinds of arrays and how they differ."""

from __future__ import annotations

import numpy as np
import pytest

from adsupport.devices.arrays import ArrayKind, array_mismatch

MONO = ArrayKind((1024, 512), "UInt8", "Mono")


def test_shape_is_that_of_the_file_and_type_that_of_numpy() -> None:
    assert MONO.shape == (512, 1024)
    assert MONO.dtype == np.uint8
    assert ArrayKind((3, 96, 64), "Float64", "RGB1").shape == (64, 96, 3)
    assert ArrayKind((8, 8)).dtype is None


@pytest.mark.parametrize(
    ("delivered", "words"),
    [
        (ArrayKind((512, 512), "UInt8", "Mono"), "1024 x 512.*512 x 512"),
        (ArrayKind((1024, 512), "UInt16", "Mono"), "UInt8.*UInt16"),
        (ArrayKind((1024, 512), "UInt8", "Bayer"), "Mono.*Bayer"),
        (ArrayKind((3, 1024, 512), "UInt8", "RGB1"), "size.*colour mode"),
    ],
)
def test_a_difference_is_told(delivered: ArrayKind, words: str) -> None:
    import re

    assert re.search(words, array_mismatch(MONO, delivered))


@pytest.mark.parametrize(
    "delivered", [None, MONO, ArrayKind((1024, 512)), ArrayKind((1024, 512), None, "Mono")]
)
def test_what_is_not_known_is_no_difference(delivered: ArrayKind | None) -> None:
    assert array_mismatch(MONO, delivered) == ""
