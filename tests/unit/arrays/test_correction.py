"""Background, flat field, scaling and clipping: against the rules, pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from adsupport.sim.arrays.correction import Correction, FlatField, correct, full_range

finite = st.floats(-1e6, 1e6)
pixels = hnp.arrays(np.float64, (3, 4), elements=st.floats(-1000, 1000))
pairs = st.none() | st.tuples(finite, finite)


def expected(value, background, flat, scale, offset_scale, high, low):
    if background is not None:
        value -= background
    if flat is not None:
        value = value * (scale / flat) if flat != 0 else scale
    if offset_scale is not None:
        value = (value + offset_scale[0]) * offset_scale[1]
    if high is not None and value > high[0]:
        value = high[1]
    if low is not None and value < low[0]:
        value = low[1]
    return value


@given(
    pixels,
    st.none() | pixels,
    st.none() | hnp.arrays(np.float64, (3, 4), elements=st.integers(-2, 250).map(float)),
    finite,
    pairs,
    pairs,
    pairs,
)
def test_each_pixel_goes_through_the_steps_in_order(
    image, background, flat, scale, offset_scale, high, low
):
    result = image.copy()
    flat_field = None if flat is None else FlatField(flat, scale)
    correct(result, Correction(background, flat_field, offset_scale, high, low))
    for where in np.ndindex(image.shape):
        wanted = expected(
            float(image[where]),
            None if background is None else float(background[where]),
            None if flat is None else float(flat[where]),
            scale,
            offset_scale,
            high,
            low,
        )
        assert result[where] == pytest.approx(wanted, rel=1e-12, abs=1e-9)


def test_what_is_above_both_thresholds_is_clipped_high_first():
    image = np.array([0.0, 5.0, 50.0])
    # the high value lies below the low threshold, so it is clipped again
    correct(image, Correction(high_clip=(10.0, 1.0), low_clip=(4.0, 7.0)))
    assert image.tolist() == [7.0, 5.0, 7.0]


def test_only_a_correction_without_steps_is_empty():
    assert Correction().is_empty
    assert not Correction(offset_scale=(0.0, 1.0)).is_empty


@given(finite, st.floats(1, 1e6), st.sampled_from([1, 2, 4, 8]))
def test_the_full_range_is_spread_over_the_output_type(lowest, width, item_size):
    offset, scale, maximum = full_range(lowest, lowest + width, item_size)
    assert maximum == float(2 ** (8 * item_size) - 1)
    assert (lowest + offset) * scale == 0
    assert (lowest + width + offset) * scale == pytest.approx(maximum)


def test_an_even_image_has_no_range():
    assert full_range(5.0, 5.0, 1) == (-5.0, math.inf, 255.0)
