"""NDPluginColorConvert: conversions against formulas, tables against ADCore's listed values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adsupport.sim.arrays.color import FalseColor, false_color_table
from adsupport.sim.ndarray import ColorMode, DataType, Dimension, NDAttribute
from adsupport.sim.plugins.color_convert import ColorConvert

DTYPES = [member.dtype for member in DataType]
LAYOUTS = {ColorMode.RGB1: "yxc", ColorMode.RGB2: "ycx", ColorMode.RGB3: "cyx"}


def laid_out(image: np.ndarray, mode: ColorMode) -> np.ndarray:
    """Lay out an image of shape (y, x, 3)."""
    return np.transpose(image, ["yxc".index(axis) for axis in LAYOUTS[mode]])


@pytest.fixture
def convert(bench):
    one = bench(ColorConvert)

    def run(array, mode, false_color=0):
        one.write(COLOR_MODE_OUT=int(mode), FALSE_COLOR=false_color)
        return one.send(array)

    return run


@pytest.mark.parametrize("target", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_gray_to_colour(convert, picture_of, target, dtype):
    image = np.arange(8).astype(dtype).reshape(2, 4)
    dims = (Dimension(4, 5, 2, True), Dimension(2, 6, 3))
    made = convert(picture_of(image, dims=dims), target)
    assert made.data.dtype == dtype
    assert np.array_equal(made.data, laid_out(np.stack([image] * 3, axis=-1), target))
    assert made.color_mode is target
    assert made.attribute("ColorMode").value == int(target)
    assert made.attribute("Sample").value == "gold"
    by_name = {"x": dims[0], "y": dims[1], "c": Dimension(3)}
    assert made.dims == tuple(by_name[axis] for axis in reversed(LAYOUTS[target]))


@pytest.mark.parametrize("target", LAYOUTS)
@pytest.mark.parametrize("source", LAYOUTS)
def test_colour_to_colour(convert, picture_of, source, target):
    image = np.arange(2 * 4 * 3, dtype=np.uint16).reshape(2, 4, 3)
    made = convert(picture_of(laid_out(image, source), source), target)
    assert np.array_equal(made.data, laid_out(image, target))
    assert made.color_mode is target


@pytest.mark.parametrize("source", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_colour_to_gray_is_the_mean_without_its_fraction(convert, picture_of, source, dtype):
    numbers = [[0, 0, 1], [1, 1, 0], [100, 101, 103], [9, 9, 8], [127, 127, 127], [3, 5, 100]]
    if dtype.kind != "u":
        numbers += [[-1, -1, 0], [-100, -101, -103]]
    image = np.array([numbers]).astype(dtype)
    made = convert(picture_of(laid_out(image, source), source), ColorMode.MONO)
    means = [sum(triple) / 3 for triple in numbers]
    if dtype.kind == "f":
        assert np.allclose(made.data, [means])
    else:
        assert made.data.tolist() == [[math.trunc(mean) for mean in means]]
    assert (made.data.dtype, made.color_mode) == (dtype, ColorMode.MONO)
    assert made.dims == (Dimension(len(numbers)), Dimension(1))


def test_sums_of_narrow_integers_do_not_overflow(convert, picture_of):
    for dtype, top in ((np.uint8, 255), (np.int16, 32767), (np.uint16, 65535)):
        made = convert(picture_of(np.full((1, 1, 3), top, dtype), 2), ColorMode.MONO)
        assert made.data.tolist() == [[top]]


# value: red, green, blue, as listed in ADCore's colorMaps.h
LISTED = {
    FalseColor.RAINBOW: {
        0: "000000", 1: "000004", 11: "00002d", 32: "000082", 63: "0000ff", 64: "0004ff",
        95: "0080ff", 96: "0083ff", 127: "00ffff", 128: "04fffb", 159: "80ff80", 191: "ffff00",
        192: "fffb00", 223: "ff8000", 254: "ff0400", 255: "ffffff",
    },
    FalseColor.IRON: {
        0: "000000", 3: "040105", 10: "0f0511", 70: "692377", 71: "6a2378", 72: "6c2478",
        73: "6d2477", 100: "96325c", 127: "be3f41", 128: "c04040", 129: "c04140", 200: "c0ac40",
        254: "c0fd40", 255: "ffffff",
    },
}  # fmt: skip


@pytest.mark.parametrize("choice", LISTED)
def test_false_colours_are_the_listed_ones(choice):
    table = false_color_table(choice)
    assert {pixel: bytes(table[pixel]).hex() for pixel in LISTED[choice]} == LISTED[choice]
    # between them, colours change by small steps
    assert np.abs(np.diff(table[:255].astype(int), axis=0)).max() <= 5


@pytest.mark.parametrize("target", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_false_colours_of_gray_images_of_8_bits(convert, picture_of, target, dtype):
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    made = convert(picture_of(image.view(dtype)), target, false_color=2)
    assert made.data.dtype == dtype
    expected = laid_out(false_color_table(FalseColor.IRON)[image], target)
    assert np.array_equal(made.data.view(np.uint8), expected)


def test_wider_images_have_no_false_colours(convert, picture_of):
    image = np.arange(4, dtype=np.uint16).reshape(2, 2)
    made = convert(picture_of(image), ColorMode.RGB1, false_color=1)
    assert np.array_equal(made.data, np.stack([image] * 3, axis=-1))


@pytest.mark.parametrize("pattern", range(4))
@pytest.mark.parametrize("offset", [(0, 0), (0, 1), (1, 0), (3, 7)])
def test_bayer_images_of_even_colour(convert, picture_of, pattern, offset):
    letters = ["RGGB", "GBRG", "GRBG", "BGGR"][pattern]
    level = {"R": 10, "G": 100, "B": 200}
    image = np.array(
        [[level[letters[(y + offset[1]) % 2 * 2 + (x + offset[0]) % 2]] for x in range(8)]
         for y in range(6)], np.uint8,
    )  # fmt: skip
    array = picture_of(image, ColorMode.BAYER, (Dimension(8, offset[0]), Dimension(6, offset[1])))
    array.attributes += (NDAttribute("BayerPattern", pattern),)
    made = convert(array, ColorMode.RGB1)
    assert np.array_equal(made.data, np.broadcast_to(np.uint8([10, 100, 200]), (6, 8, 3)))


def test_a_bayer_pixel_keeps_what_it_saw(convert, picture_of):
    image = np.random.default_rng(3).integers(0, 60000, (9, 7), np.uint16)
    made = convert(picture_of(image, ColorMode.BAYER), ColorMode.RGB3)  # RGGB when not told
    red, green, blue = made.data
    assert np.array_equal(red[::2, ::2], image[::2, ::2])
    assert np.array_equal(green[::2, 1::2], image[::2, 1::2])
    assert np.array_equal(blue[1::2, 1::2], image[1::2, 1::2])
    assert red[0, 1] == (int(image[0, 0]) + int(image[0, 2])) // 2


@pytest.mark.parametrize(
    ("mode", "shape", "dtype", "target"),
    [
        (ColorMode.MONO, (4, 6), np.uint8, ColorMode.MONO),
        (ColorMode.MONO, (4, 6), np.uint8, ColorMode.BAYER),
        (ColorMode.MONO, (4, 6), np.uint8, ColorMode.YUV444),
        (ColorMode.MONO, (24,), np.uint8, ColorMode.RGB1),
        (ColorMode.MONO, (2, 3, 4), np.uint8, ColorMode.RGB1),
        (ColorMode.MONO, (2, 2, 2, 3), np.uint8, ColorMode.RGB1),
        (ColorMode.RGB1, (4, 6, 3), np.uint8, ColorMode.RGB1),
        (ColorMode.RGB1, (4, 6, 3), np.uint8, ColorMode.YUV422),
        (ColorMode.RGB1, (4, 6, 2), np.uint8, ColorMode.MONO),
        (ColorMode.RGB1, (4, 6), np.uint8, ColorMode.RGB3),
        (ColorMode.YUV444, (4, 6, 3), np.uint8, ColorMode.RGB1),
        (ColorMode.BAYER, (4, 6), np.float32, ColorMode.RGB1),
        (ColorMode.BAYER, (4, 6), np.int64, ColorMode.RGB1),
        (ColorMode.BAYER, (4, 6), np.uint8, ColorMode.MONO),
    ],
)
def test_all_else_passes_unchanged(convert, picture_of, mode, shape, dtype, target):
    array = picture_of(np.ones(shape, dtype), mode)
    assert convert(array, target, false_color=1) is array


def test_infinite_and_huge_floats_have_a_mean_without_a_warning(convert, picture_of):
    image = np.array([[[3e38, 3e38, 3e38], [np.inf, -np.inf, 0], [np.nan, 1, 2]]], np.float32)
    made = convert(picture_of(image, ColorMode.RGB1), ColorMode.MONO).data
    assert made[0, 0] == np.inf and np.isnan(made[0, 1:]).all()
