"""Fourier transforms: against the sum that defines them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from adsupport.sim.arrays.spectrum import (
    RunningAverage,
    axes,
    next_power_of_two,
    transform,
)


@given(st.integers(1, 5000))
def test_next_power_of_two(number):
    power = next_power_of_two(number)
    assert bin(power).count("1") == 1
    assert power >= number > power // 2


def by_definition(data: np.ndarray) -> np.ndarray:
    rows, columns = data.shape
    y = np.exp(2j * np.pi * np.outer(np.arange(rows), np.arange(rows)) / rows)
    x = np.exp(2j * np.pi * np.outer(np.arange(columns), np.arange(columns)) / columns)
    return y @ data @ x


@given(
    hnp.arrays(
        st.sampled_from([np.int8, np.uint8, np.int16, np.uint32, np.int64, np.float32]),
        st.tuples(st.integers(2, 9), st.integers(2, 9)),
        elements=st.integers(0, 100),
    )
)
def test_an_image(data):
    rows, columns = (next_power_of_two(size) for size in data.shape)
    padded = np.zeros((rows, columns))
    padded[: data.shape[0], : data.shape[1]] = data
    wanted = by_definition(padded)[: rows // 2, : columns // 2]
    found = transform(data)
    np.testing.assert_allclose(found.absolute, np.abs(wanted) / (rows * columns), atol=1e-9)
    np.testing.assert_allclose(found.real, wanted[0].real, atol=1e-9)
    np.testing.assert_allclose(found.imaginary, wanted[0].imag, atol=1e-9)
    assert found.time_series.tolist() == padded[0].tolist()


@pytest.mark.parametrize("points", [8, 5, 16])
def test_points(points):
    data = np.arange(points, dtype=np.uint16)
    padded = np.zeros((1, next_power_of_two(points)))
    padded[0, :points] = data
    wanted = by_definition(padded)[0, : padded.size // 2]
    found = transform(data)
    np.testing.assert_allclose(found.real + 1j * found.imaginary, wanted, atol=1e-9)
    np.testing.assert_allclose(found.absolute, np.abs(wanted) / padded.size, atol=1e-9)


def test_a_wave_shows_at_its_frequency():
    times, frequencies = axes(64, 0.01)
    wave = 10 * np.cos(2 * np.pi * 5 * np.arange(64) / 64)
    assert np.argmax(transform(wave).absolute) == 5
    assert transform(wave).absolute[5] == pytest.approx(5)
    assert times[-1] == pytest.approx(0.63)
    assert (frequencies[0], frequencies[-1], len(frequencies)) == (0, pytest.approx(50), 32)


def test_the_mean_can_be_left_out():
    data = np.full((4, 4), 7.0)
    assert transform(data).absolute[0, 0] == pytest.approx(7)
    found = transform(data, suppress_dc=True)
    assert (found.absolute[0, 0], found.real[0], found.imaginary[0]) == (0, 0, 0)


@pytest.mark.parametrize("useless", [0.0, float("inf"), float("nan")])
def test_a_useless_time_per_point_gives_useless_axes(useless):
    times, frequencies = axes(8, useless)
    assert (times.size, frequencies.size) == (8, 4)


@pytest.mark.parametrize("shape", [(2, 2, 2), (0,), (3, 0)])
def test_what_cannot_be_transformed_is_refused(shape):
    with pytest.raises(ValueError, match="1 or 2 dimensions"):
        transform(np.zeros(shape))


def test_an_average_counts_up_and_then_forgets():
    average = RunningAverage()
    values = [6.0, 2.0, 10.0, 2.0]
    outputs = [average.add(np.array([value]), 2).item() for value in values]
    assert outputs == [6, 4, 7, 4.5]
    assert average.weight == 2


@pytest.mark.parametrize("number", [0, 1])
def test_an_average_over_one_is_the_newest(number):
    average = RunningAverage()
    assert [average.add(np.array([v]), number).item() for v in (1.0, 5.0)] == [1, 5]


def test_an_average_starts_anew():
    average = RunningAverage()
    average.add(np.array([100.0]), 5)
    average.add(np.array([100.0]), 5)
    assert average.add(np.array([4.0]), 5, reset=True).item() == 4
    average.add(np.array([4.0]), 5)
    assert average.add(np.array([1.0]), 3).item() == 1
