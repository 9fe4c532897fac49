"""JPEG1: 8-bit images, mono or RGB, in a chosen quality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image


def single(bench: Any, **camera: object) -> Image.Image:
    bench.put(FileWriteMode=0)
    bench.acquire(1, **camera)
    bench.put(WriteFile=1)
    assert bench.state()[3:] == [0, ""]
    with Image.open(bench.get("FullFileName_RBV")) as image:
        assert image.format == "JPEG"
        image.load()
        return image


def test_grey(make_bench: Any) -> None:
    bench = make_bench("JPEG1")
    bench.put(JPEGQuality=95)
    image = single(bench, Reset=1)
    assert (image.mode, image.size) == ("L", (64, 48))
    ramp = np.add.outer(np.arange(48), np.arange(64))
    np.testing.assert_allclose(np.array(image).astype(int), ramp, atol=3)


@pytest.mark.parametrize("mode", ["RGB1", "RGB2", "RGB3"])
def test_colours(mode: str, make_bench: Any) -> None:
    bench = make_bench("JPEG1")
    bench.put(JPEGQuality=100)
    bench.put(part="cam1", GainRed=1, GainGreen=2, GainBlue=0)
    try:
        image = single(bench, ColorMode=mode, Reset=1)
    finally:
        bench.put(part="cam1", GainGreen=1, GainBlue=1)
    assert (image.mode, image.size) == ("RGB", (64, 48))
    pixels = np.array(image).astype(int)
    ramp = np.add.outer(np.arange(48), np.arange(64))
    for color, gain in enumerate((1, 2, 0)):
        np.testing.assert_allclose(pixels[..., color], gain * ramp, atol=12)


def test_quality(make_bench: Any) -> None:
    bench = make_bench("JPEG1")
    assert bench.get("JPEGQuality_RBV") >= 1
    sizes = []
    for quality in (10, 90):
        bench.put(JPEGQuality=quality)
        single(bench, SimMode=3, Noise=100.0)
        sizes.append(bench.path(bench.files[-1]).stat().st_size)
    bench.put(part="cam1", SimMode=0, Noise=0.0)
    assert sizes[0] < sizes[1] / 2
    bench.put(JPEGQuality=200)
    assert bench.get("JPEGQuality_RBV") == 100
    bench.put(JPEGQuality=50)


def test_wide_pixels_are_refused_frame_by_frame(make_bench: Any) -> None:
    bench = make_bench("JPEG1")
    bench.capture()
    bench.acquire(2, DataType=3)
    full = bench.path("f_0001.jpg")
    assert bench.state() == [1, 0, 2, 1, f"Error opening file {full}, status=3"]
    assert bench.alarm("WriteStatus") == (2, 7)
    assert bench.files == []
    bench.acquire(2, DataType=1)
    assert bench.state() == [0, 2, 4, 0, ""]
