"""Ramps, the light of the tube, and the way from photons to numbers."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.beamline.exposure import Sensor, digitise, fluctuate
from adsupport.sim.beamline.flat_field import flat_field
from adsupport.sim.beamline.phantom import head_with_beads
from adsupport.sim.beamline.projection import Pose, Screen, path_lengths
from adsupport.sim.beamline.ramp import Ramp, mean_of
from adsupport.sim.beamline.tube import relative_flux


def test_a_ramp_goes_there_and_turns_back():
    ramp = Ramp(0.0)
    ramp.go(1.0, now=10.0, seconds=4.0)
    assert [ramp.at(t) for t in (0, 10, 11, 14, 99)] == [0, 0, 0.25, 1, 1]
    ramp.go(0.0, now=12.0, seconds=1.0)
    assert [ramp.at(t) for t in (11, 12, 12.5, 13, 99)] == [0.25, 0.5, 0.25, 0, 0]
    assert ramp.bends(10.5, 99) == [12, 13]
    ramp.go(3.0, now=20.0, seconds=0.0)
    assert (ramp.at(19.999), ramp.at(20.001)) == (0, 3)


moves = st.lists(
    st.tuples(st.floats(0, 5), st.floats(0.01, 3), st.floats(0.01, 3)), min_size=1, max_size=5
)


@given(moves=moves, others=moves, start=st.floats(-1, 10), span=st.floats(0.01, 10))
def test_mean_over_time(moves, others, start, span):
    ramps = []
    for steps in (moves, others):
        ramp, now = Ramp(1.0), 0.0
        for target, wait, seconds in steps:
            now += wait
            ramp.go(target, now, seconds)
        ramps.append(ramp)
    grid = np.linspace(start, start + span, 4001)
    sampled = np.array([ramps[0].at(t) ** 2 * ramps[1].at(t) for t in grid])
    expected = np.trapezoid(sampled, grid) / span
    found = mean_of(lambda a, b: a * a * b, ramps, start, start + span)
    assert found == pytest.approx(expected, abs=2e-3 * (1 + sampled.max()))


@given(start=st.floats(0, 1e6), span=st.floats(0, 1e3), value=st.floats(0, 1e6))
def test_mean_of_what_stays_does_not_depend_on_the_clock(start, span, value):
    ramp = Ramp(value)
    assert mean_of(lambda a: a, [ramp], start, start + span) == pytest.approx(value)
    first = mean_of(lambda a: a, [ramp], 0.0, 1.0)
    assert mean_of(lambda a: a, [ramp], start, start + 0.5 + span) == first


def test_light_of_the_tube():
    assert relative_flux(100, 1) == 1
    assert relative_flux(100, 0.5) == 0.5
    assert relative_flux(50, 1) == 0.25
    assert relative_flux(0, 1) == relative_flux(100, 0) == 0


@pytest.mark.parametrize("mean", [0.0, 0.5, 10.0, 24.9, 25.0, 1000.0])
def test_photons_fluctuate_as_poisson_says(mean):
    number = 200_000
    events = fluctuate(np.full(number, mean, np.float32), np.random.default_rng(3))
    assert events.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / number) + 1e-9)
    assert events.var() == pytest.approx(mean, rel=0.03, abs=1e-9)
    assert events.min() >= 0


def test_faint_and_bright_pixels_side_by_side():
    means = np.array([[0.0, 3.0], [400.0, 30.0]], np.float32).repeat(5000, 0)
    events = fluctuate(means, np.random.default_rng(1))
    assert np.allclose(
        events.reshape(2, 5000, 2).mean(1), [[0, 3], [400, 30]], rtol=0.03, atol=1e-9
    )
    faint = events[:5000, 1]
    assert np.array_equal(faint, np.rint(faint))  # Poisson's are whole numbers


def test_counts_without_noise_are_the_mean():
    sensor = Sensor(gain=2.0, offset=50.0, dark_rate=10.0, read_noise=3.0, noisy=False)
    photons = np.array([0.0, 100.0], np.float32)
    counts = sensor.expose(photons, 0.5, np.random.default_rng(0))
    assert counts.tolist() == [60.0, 260.0]
    assert sensor.mean(photons, 0.5).tolist() == [60.0, 260.0]


def test_noise_of_gain_dark_current_and_read_out():
    sensor = Sensor(gain=2.0, offset=50.0, dark_rate=100.0, read_noise=30.0)
    counts = sensor.expose(np.full(200_000, 400, np.float32), 1.0, np.random.default_rng(5))
    assert counts.mean() == pytest.approx(50 + 2 * 500, rel=1e-3)
    assert counts.var() == pytest.approx(4 * 500 + 30**2, rel=0.02)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("uint16", [0, 0, 2, 65535, 65535]),
        ("uint8", [0, 0, 2, 255, 255]),
        ("int16", [0, 0, 2, 32767, 32767]),
        ("uint32", [0, 0, 2, 65535, 65535]),
        ("float32", [0, 0, 2, 65535, 65535]),
    ],
)
def test_numbers_saturate(dtype, expected):
    pixels = digitise(np.array([-7.0, 0.4, 1.6, 65535.4, 1e9], np.float32), np.dtype(dtype))
    assert pixels.dtype == dtype
    assert pixels.tolist() == expected


def test_flat_field_is_repeatable_and_structured():
    flat = flat_field(128, 160, 3)
    assert np.array_equal(flat, flat_field(128, 160, 3))
    assert not np.array_equal(flat, flat_field(128, 160, 4))
    middle = flat[54:74, 60:100]
    assert middle.mean() == pytest.approx(1.0, abs=0.05)
    corners = [flat[:20, :20], flat[:20, -20:], flat[-20:, :20], flat[-20:, -20:]]
    assert max(np.median(corner) for corner in corners) < 0.9 * np.median(middle)
    # neighbours differ by their pixels' gains
    assert np.std(np.diff(middle, axis=1)) == pytest.approx(0.01 * np.sqrt(2), rel=0.3)


def test_a_frame_of_512_pixels_squared_leaves_time_for_30_per_second():
    phantom, screen, flat = head_with_beads(), Screen(512, 512, 0.01), flat_field(512, 512, 1)
    taken = []
    for angle in range(5):
        began = time.thread_time()
        passed = np.exp(-path_lengths(phantom, Pose(angle), screen)) * flat * np.float32(20_000)
        digitise(Sensor().expose(passed, 0.05, np.random.default_rng(angle)), np.dtype("uint16"))
        taken.append(time.thread_time() - began)
    assert min(taken) < 1 / 30
