"""What is measured of an image, and how it's brought to 8 bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from adsupport.errors import ConfigurationError
from adsupport.imaging.view.contrast import Limits
from adsupport.imaging.view.palettes import palettes
from adsupport.imaging.view.picture import Picture, brightness
from adsupport.imaging.view.rendering import Region, rendered

ANY = st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]).flatmap(
    lambda kind: npst.arrays(kind, npst.array_shapes(min_dims=2, max_dims=2, max_side=20))
)
NUMBERS = st.floats(-1e30, 1e30)


@settings(max_examples=60)
@given(pixels=ANY, low=NUMBERS, high=NUMBERS, corner=st.tuples(*4 * [st.integers(-50, 90)]))
def test_any_image_any_limits_and_any_region_give_a_picture(pixels, low, high, corner):
    drawn = rendered(pixels, (low, high), Region(*corner), (7, 9))
    part = drawn.region
    assert drawn.levels.dtype == np.uint8 and drawn.levels.size
    assert 0 <= part.left < part.right <= pixels.shape[1]
    assert 0 <= part.top < part.bottom <= pixels.shape[0]
    assert max(drawn.levels.shape) <= 20


@settings(max_examples=60)
@given(pixels=ANY)
def test_any_image_has_a_histogram_and_limits(pixels):
    picture = Picture(pixels, 1, {})
    low, high = picture.percentiles(1, 99)
    assert low <= high or not np.isfinite(pixels).any()
    found = picture.histogram()
    assert found.counts.sum() == np.isfinite(pixels).sum()


@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("side", [20, 300])
def test_levels_are_those_of_a_straight_line(kind, side):
    pixels = np.arange(side * side).reshape(side, side).astype(kind)
    low, high = 10.0, 113.7
    expected = np.rint(np.clip((pixels.astype(float) - low) / (high - low), 0, 1) * 255)
    levels = rendered(pixels, (low, high), None, (side, side)).levels
    np.testing.assert_array_equal(levels, expected)


def test_a_large_image_is_made_smaller_by_means():
    pixels = np.zeros((64, 96), np.uint16)
    pixels[::2, ::2] = 400
    drawn = rendered(pixels, (0, 255), None, (48, 32))
    assert drawn.levels.shape == (32, 48)
    assert (drawn.levels == 100).all()
    assert drawn.region == Region(0, 0, 96, 64)
    # what is shown in about its own size isn't touched
    assert rendered(pixels, (0, 255), None, (90, 60)).levels.shape == (64, 96)


def test_not_a_number_is_black_and_infinity_white():
    pixels = np.array([[np.nan, np.inf], [-np.inf, 1.0]])
    assert rendered(pixels, (0, 2)).levels.tolist() == [[0, 255], [0, 128]]


def test_equal_limits_part_what_is_above_them():
    pixels = np.array([[1, 2, 3]])
    assert rendered(pixels, (2, 2)).levels.tolist() == [[0, 0, 255]]


def test_a_profile_is_that_of_the_nearest_pixels():
    pixels = np.arange(12.0).reshape(3, 4)
    picture = Picture(pixels, 1, {})
    np.testing.assert_array_equal(picture.profile((0, 1), (3, 1)), pixels[1])
    np.testing.assert_array_equal(picture.profile((2, 2), (2, 0)), pixels[::-1, 2])
    np.testing.assert_array_equal(picture.profile((0, 0), (2, 2)), [0, 5, 10])
    beyond = picture.profile((-1, 0), (4, 0))
    assert np.isnan(beyond[[0, -1]]).all() and beyond[1:-1].tolist() == [0, 1, 2, 3]
    assert len(picture.profile((0, 0), (1e6, 0))) == 2048


def test_the_value_of_a_pixel():
    picture = Picture(np.array([[1, 2], [3, 4]], np.uint8), 1, {})
    assert picture.value_at(1, 0) == 2
    assert picture.value_at(0, 1) == 3
    assert picture.value_at(2, 0) is None and picture.value_at(0, -1) is None
    assert Picture(np.array([[np.nan]]), 1, {}).value_at(0, 0) is None


def test_bins_of_integers_hold_as_many_whole_numbers_each():
    values = np.arange(1000, dtype=np.int16).reshape(25, 40)
    found = Picture(values, 1, {}).histogram()
    assert (found.low, found.high) == (0, 1000)
    assert (found.last, set(found.counts)) == (999, {8})


def test_the_ends_of_a_histogram_of_8_bits_do_not_move_with_the_noise():
    for lowest, highest in ((0, 254), (1, 255), (3, 200)):
        values = np.array([[lowest, highest]], np.uint8)
        found = Picture(values, 1, {}).histogram()
        assert (found.low, found.high, found.last, found.counts.size) == (0, 256, 255, 256)
        assert np.flatnonzero(found.counts).tolist() == [lowest, highest]
    found = Picture(np.array([[7, 9]], np.uint8), 1, {}).histogram()
    assert (found.low, found.last) == (7, 9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_colour_image_is_shown_by_its_brightness(axis):
    colours = np.stack([np.full((4, 5), each, np.uint8) for each in (30, 60, 90)], axis=axis)
    found = brightness(colours)
    assert found.shape == (4, 5) and (found == 60).all()


@pytest.mark.parametrize(
    "image",
    [np.zeros(3), np.zeros((0, 4)), np.zeros((2, 4, 5)), np.zeros((2, 2), "c8"), "text", [[1], 2]],
)
def test_what_is_no_image(image):
    with pytest.raises(ConfigurationError, match="can't be shown"):
        brightness(image)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("auto", Limits("auto", 0.1, 99.9)),
        ("percentile", Limits("percentile", 1, 99)),
        ((0, 4095), Limits("fixed", 0, 4095)),
        ([-1.5, 1], Limits("fixed", -1.5, 1)),
        (np.array([0, 10]), Limits("fixed", 0, 10)),
        (Limits("percentile", 5, 95), Limits("percentile", 5, 95)),
    ],
)
def test_limits_as_users_write_them(given, expected):
    assert Limits.of(given) == expected


@pytest.mark.parametrize(
    "given", ["now", "fixed", (5, 5), (3, 1), (0, float("nan")), 7, (1, 2, 3), "ab"]
)
def test_limits_that_cannot_be(given):
    with pytest.raises(ConfigurationError, match="limits"):
        Limits.of(given)


def test_palettes_have_256_colours_each_and_grow_lighter():
    found = palettes()
    assert next(iter(found)) == "gray" and "viridis" in found
    for name in ("gray", "sea", "viridis"):
        assert found[name].shape == (256, 3)
        light = found[name] @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(light) > -0.5).all() and light[-1] - light[0] > 100
