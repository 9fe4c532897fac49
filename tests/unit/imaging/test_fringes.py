"""Fringes of grating stepping: what was put into synthetic ones comes out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.errors import ConfigurationError, FrameCountError
from adsupport.imaging.fringes import FringeMaps, FringeSum, contrasts_of, fringe_maps, wrapped

PERIODS = st.integers(1, 4)
STEPS = st.integers(3, 16)


def made_fringes(periods, steps, intensity, visibility, phase, dark=0.0):
    """Return the images of a stepping: a(1 + v cos(2 pi k / S + phase)) + dark."""
    angles = 2 * np.pi * np.arange(periods * steps) / steps
    return dark + intensity * (1 + visibility * np.cos(angles[:, None, None] + phase))


def maps(seed, shape=(4, 5)):
    rng = np.random.default_rng(seed)
    return (
        rng.uniform(10, 60000, shape),
        rng.uniform(0.01, 1.0, shape),
        rng.uniform(-math.pi + 1e-3, math.pi, shape),
    )


@given(PERIODS, STEPS, st.integers(0, 2**32 - 1), st.floats(0, 1000))
def test_synthetic_fringes_are_recovered(periods, steps, seed, dark):
    intensity, visibility, phase = maps(seed)
    images = made_fringes(periods, steps, intensity, visibility, phase, dark)
    found = fringe_maps(images, periods, np.full(intensity.shape, dark))
    np.testing.assert_allclose(found.intensity, intensity, rtol=1e-6, atol=0)
    np.testing.assert_allclose(found.visibility, visibility, rtol=1e-6, atol=0)
    np.testing.assert_allclose(found.phase, phase, rtol=0, atol=1e-6)


@pytest.mark.parametrize("periods", range(1, 5))
@pytest.mark.parametrize("steps", range(3, 17))
def test_every_number_of_periods_and_steps(periods, steps):
    intensity, visibility, phase = maps(periods * 100 + steps)
    found = fringe_maps(made_fringes(periods, steps, intensity, visibility, phase), periods)
    np.testing.assert_allclose(found.intensity, intensity, rtol=1e-6)
    np.testing.assert_allclose(found.visibility, visibility, rtol=1e-6)
    np.testing.assert_allclose(found.phase, phase, atol=1e-6)


@given(PERIODS, STEPS, st.integers(0, 2**32 - 1))
def test_it_is_the_fourier_transform_of_the_steps(periods, steps, seed):
    images = np.random.default_rng(seed).uniform(1, 1000, (periods * steps, 3, 2))
    found = fringe_maps(images, periods)
    wave = np.fft.fft(images, axis=0) / (periods * steps)
    np.testing.assert_allclose(found.intensity, np.abs(wave[0].real), rtol=1e-9)
    np.testing.assert_allclose(
        found.visibility, 2 * np.abs(wave[periods]) / wave[0].real, rtol=1e-6, atol=1e-12
    )
    np.testing.assert_allclose(
        np.exp(1j * found.phase) * np.abs(wave[periods]), wave[periods], atol=1e-9
    )


@given(PERIODS, STEPS, st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_the_order_of_the_steps_says_nothing(periods, steps, seed, random):
    images = np.random.default_rng(seed).integers(0, 65535, (periods * steps, 2, 3), np.uint16)
    order = list(range(len(images)))
    random.shuffle(order)
    total = FringeSum(periods, steps)
    for step in order:
        total.add(step, images[step])
    one, other = total.maps(), fringe_maps(images, periods)
    np.testing.assert_allclose(one.intensity, other.intensity, rtol=1e-12)
    np.testing.assert_allclose(one.visibility, other.visibility, rtol=1e-6, atol=1e-9)


@given(st.floats(-1e3, 1e3))
def test_angles_lie_above_minus_pi_up_to_pi(angle):
    found = float(wrapped(np.array(angle)))
    assert -math.pi < found <= math.pi
    assert math.isclose(math.cos(found), math.cos(angle), abs_tol=1e-9)
    assert math.isclose(math.sin(found), math.sin(angle), abs_tol=1e-9)


@pytest.mark.parametrize(
    ("angle", "expected"),
    [
        (math.pi, math.pi),
        (-math.pi, math.pi),
        (3 * math.pi, math.pi),
        (0.0, 0.0),
        (-1e-20, 0.0),
        (math.pi + 1e-9, -math.pi + 1e-9),
    ],
)
def test_the_edges_of_a_turn(angle, expected):
    assert float(wrapped(np.array(angle))) == pytest.approx(expected, abs=1e-12)
    assert float(wrapped(np.array(angle))) > -math.pi


@settings(max_examples=50)
@given(PERIODS, STEPS, st.integers(0, 2**32 - 2))
def test_contrasts_are_what_the_sample_does(periods, steps, seed):
    reference, sample = maps(seed), maps(seed + 1)
    found = contrasts_of(
        fringe_maps(made_fringes(periods, steps, *reference), periods),
        fringe_maps(made_fringes(periods, steps, *sample), periods),
        grating_period=2.4,
        propagation_distance=300.0,
    )
    np.testing.assert_allclose(found.intensity_contrast, sample[0] / reference[0], rtol=1e-6)
    np.testing.assert_allclose(found.visibility_contrast, sample[1] / reference[1], rtol=1e-6)
    turn = np.exp(1j * (sample[2] - reference[2]))
    np.testing.assert_allclose(np.exp(1j * found.differential_phase), turn, atol=1e-6)
    assert found.differential_phase.max() <= math.pi
    assert found.differential_phase.min() > -math.pi
    assert found.differential_phase_in_rad is not None
    np.testing.assert_allclose(
        found.differential_phase_in_rad, found.differential_phase * 2.4e-6 / 0.3, rtol=1e-12
    )


def test_without_a_distance_there_is_the_phase_alone():
    flat = FringeMaps(np.ones((1, 1)), np.ones((1, 1)), np.zeros((1, 1)))
    assert contrasts_of(flat, flat, grating_period=2.4).differential_phase_in_rad is None
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(ConfigurationError, match="propagation_distance="):
            contrasts_of(flat, flat, grating_period=2.4, propagation_distance=wrong)
    with pytest.raises(ConfigurationError, match="grating_period=None"):
        contrasts_of(flat, flat, propagation_distance=1.0)


def test_a_dead_pixel_has_no_visibility_and_no_warning():
    found = fringe_maps(np.zeros((4, 1, 2)))
    assert np.isnan(found.visibility).all()
    assert np.isnan(contrasts_of(found, found).intensity_contrast).all()


def test_missing_and_repeated_steps_are_named():
    total = FringeSum(1, 4)
    for step in (0, 2):
        total.add(step, np.ones((2, 2)))
    with pytest.raises(FrameCountError, match=r"2 of 4 steps are missing: 1, 3") as told:
        total.maps()
    assert told.value.missing == (1, 3)
    with pytest.raises(FrameCountError, match="Step 2 of 4 came twice"):
        total.add(2, np.ones((2, 2)))
    with pytest.raises(FrameCountError, match="Step 4 of 4 doesn't exist"):
        total.add(4, np.ones((2, 2)))
    with pytest.raises(ConfigurationError, match=r"image of \(2, 3\)"):
        total.add(1, np.ones((2, 3)))


@pytest.mark.parametrize(("periods", "steps"), [(0, 4), (1, 2), (1.5, 4), (1, 4.5)])
def test_numbers_without_a_phase_are_refused(periods, steps):
    with pytest.raises(ConfigurationError, match="periods=|steps_per_period="):
        FringeSum(periods, steps)


def test_steps_that_do_not_make_whole_periods_are_refused():
    with pytest.raises(ConfigurationError, match="16 steps don't make 3 whole periods"):
        fringe_maps(np.ones((16, 2, 2)), 3)
