"""Steps, numbers, speeds, blur: the reference's values, and what must hold for any."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.errors import ConfigurationError
from adsupport.imaging.motion.geometry import (
    fly_speed,
    frame_time,
    motion_blur,
    run_up_distance,
    tomo_angular_step,
    tomo_max_speed,
    tomo_projections_number,
)

widths = st.integers(1, 100_000)
speeds = st.floats(1e-3, 1e3)
times = st.floats(1e-4, 100)


def test_step_of_the_reference():
    assert tomo_angular_step(100) == pytest.approx(1.14576, abs=5e-6)


@pytest.mark.parametrize(("width", "number"), [(100, 158), (1024, 1609), (2048, 3217)])
def test_numbers_of_the_reference(width, number):
    assert tomo_projections_number(width) == number


def test_speed_of_the_reference():
    assert tomo_max_speed(2048, 100) == pytest.approx(5.5953, abs=5e-5)


@given(width=widths)
def test_step_and_number_belong_together(width):
    number, step = tomo_projections_number(width), tomo_angular_step(width)
    assert (number - 1) * step < 180 <= number * step * (1 + 1e-12)


@given(width=st.integers(2, 100_000), rate=st.floats(0.01, 1e5))
def test_largest_speed_blurs_by_a_pixel(width, rate):
    blur = motion_blur(tomo_max_speed(width, rate), 1 / rate, width)
    assert 0.75 < blur <= 1.0


def test_blur_is_never_wider_than_the_frame():
    assert motion_blur(1000, 10, 64) == 64
    assert motion_blur(-10, 0.1, 64) == motion_blur(10, 0.1, 64) > 0
    assert motion_blur(10, 0, 64) == 0


@given(speed=st.floats(0.01, 100), exposure=st.floats(0.001, 1), width=widths)
def test_blur_against_the_path_of_a_point(speed, exposure, width):
    half = math.radians(speed * exposure) / 2
    path = width / 2 * (math.sin(half) - math.sin(-half)) if half < math.pi / 2 else width
    assert motion_blur(speed, exposure, width) == pytest.approx(path, rel=1e-12)


def test_frame_time():
    assert frame_time(0.1) == 0.1
    assert frame_time(0.1, readout=0.02) == pytest.approx(0.12)
    assert frame_time(0.1, period=0.5) == 0.5
    assert frame_time(0.07, 0.03, 0.1) == 0.1


def test_exposure_longer_than_the_period():
    with pytest.raises(ConfigurationError, match=r"period: a frame every 0\.1 s") as caught:
        frame_time(0.09, readout=0.02, period=0.1)
    assert "0.08 s at most" in str(caught.value)
    assert "0.11 s or more" in str(caught.value)


def test_fly_speed_has_no_sign():
    assert fly_speed(-0.12, 0.02) == pytest.approx(6.0)


@given(speed=speeds, time=times, base=st.floats(0, 2e3))
def test_run_up_against_the_integral_of_the_speed(speed, time, base):
    first = min(base, speed)
    integral = first * time + (speed - first) / time * time**2 / 2
    assert run_up_distance(speed, time, base) == pytest.approx(integral, rel=1e-9)


def test_run_up_from_rest():
    assert run_up_distance(10, 0.5) == 2.5
    assert run_up_distance(0, 0.5) == 0


@pytest.mark.parametrize("width", [0, -1, 2.5, True, "100", None, math.nan])
def test_widths_that_cant_be(width):
    with pytest.raises(ConfigurationError, match="frame_width must be a whole number"):
        tomo_angular_step(width)


@pytest.mark.parametrize("wrong", [0, -1, math.nan, math.inf, "1", None, 10**400])
def test_times_that_cant_be(wrong):
    with pytest.raises(ConfigurationError, match="exposure must be"):
        frame_time(wrong)
    with pytest.raises(ConfigurationError, match="frame_rate must be"):
        tomo_max_speed(100, wrong)
