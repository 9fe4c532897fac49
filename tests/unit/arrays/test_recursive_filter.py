"""The recursive filter: against its documented equations, and what its presets are for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.arrays.recursive_filter import (
    COEFFICIENTS,
    FILTER_TYPES,
    FilterCoefficients,
    RecursiveFilter,
    preset,
)

few = st.integers(-3, 3).map(float)
fours = st.tuples(few, few, few, few)


def of_type(filter_type: str, number: int, **more: float) -> FilterCoefficients:
    values = preset(filter_type, 1 / number)
    return FilterCoefficients(
        oc=tuple(values[f"OC{i}"] for i in (1, 2, 3, 4)),
        fc=tuple(values[f"FC{i}"] for i in (1, 2, 3, 4)),
        rc=(values["RC1"], values["RC2"]),
        **more,
    )


@given(
    st.lists(few, min_size=1, max_size=6),
    st.tuples(few, few, few, few, few),
    fours,
    fours,
    st.tuples(few, few),
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 5),
)
def test_the_documented_equations(inputs, offsets, oc, fc, rc, number, auto_reset, reset_at):
    o_offset, o_scale, f_offset, f_scale, r_offset = offsets
    coefficients = FilterCoefficients(o_offset, o_scale, oc, f_offset, f_scale, fc, r_offset, rc)
    tested = RecursiveFilter()
    stored, n = None, 0
    for index, value in enumerate(inputs):
        output = tested(
            np.array([[value]]),
            coefficients,
            number,
            reset=index == reset_at,
            auto_reset=auto_reset,
        )
        if stored is None or index == reset_at or (auto_reset and n >= number):
            stored = r_offset + rc[0] * (value if stored is None else stored) + rc[1] * value
            n = 0
        n = min(n + 1, number)
        wanted = o_offset + o_scale * ((oc[0] + oc[1] / n) * stored + (oc[2] + oc[3] / n) * value)
        stored = f_offset + f_scale * ((fc[0] + fc[1] / n) * stored + (fc[2] + fc[3] / n) * value)
        assert output.item() == pytest.approx(wanted)
        assert tested.count == n


IMAGES = [np.array([[1.0, 10.0]]), np.array([[3.0, 20.0]]), np.array([[8.0, 60.0]])]


@pytest.mark.parametrize(
    ("filter_type", "outputs"),
    [
        # each array has a weight of 1/n, as in a mean, until n is NumFilter
        ("RecursiveAve", [[1, 10], [2, 15], [4, 30]]),
        ("Average", [[1 / 3, 10 / 3], [4 / 3, 10], [4, 30]]),
        ("Sum", [[1, 10], [4, 30], [12, 90]]),
        ("Difference", [[0, 0], [2, 10], [5, 40]]),
        # the array minus the average of those before it
        ("RecursiveAveDiff", [[0, 0], [2, 10], [6, 45]]),
        ("CopyToFilter", [[1, 10], [3, 20], [8, 60]]),
    ],
)
def test_filters_with_a_name(filter_type, outputs):
    tested = RecursiveFilter()
    coefficients = of_type(filter_type, 3)
    for image, output in zip(IMAGES, outputs, strict=True):
        np.testing.assert_allclose(tested(image, coefficients, 3), [output])


def test_every_choice_sets_the_same_coefficients():
    assert FILTER_TYPES[0] == "RecursiveAve"
    for filter_type in FILTER_TYPES:
        assert tuple(preset(filter_type, 0.5)) == COEFFICIENTS
    assert preset("Average", 0.25)["OC3"] == 0.25


def test_a_recursive_average_forgets():
    tested = RecursiveFilter()
    coefficients = of_type("RecursiveAve", 2)
    outputs = [tested(np.array([value]), coefficients, 2).item() for value in (0.0, 0.0, 8.0, 8.0)]
    assert outputs == [0, 0, 4, 6]
    assert tested.count == 2


def test_an_average_restarts_by_itself():
    tested = RecursiveFilter()
    coefficients = of_type("Average", 2)
    outputs = [
        tested(np.array([value]), coefficients, 2, auto_reset=True).item()
        for value in (2.0, 4.0, 10.0, 20.0)
    ]
    assert outputs == [1, 3, 5, 15]


def test_another_size_restarts():
    tested = RecursiveFilter()
    coefficients = of_type("Sum", 5)
    tested(np.ones((2, 2)), coefficients, 5)
    assert tested(np.ones((2, 3)), coefficients, 5).tolist() == [[1, 1, 1], [1, 1, 1]]
    assert tested.count == 1


def test_the_same_number_of_pixels_in_another_shape_goes_on():
    tested = RecursiveFilter()
    coefficients = of_type("Sum", 5)
    tested(np.ones((2, 3)), coefficients, 5)
    assert tested(np.ones((3, 2)), coefficients, 5).tolist() == [[2, 2], [2, 2], [2, 2]]


def test_inputs_stay_as_they_are_and_outputs_too():
    tested = RecursiveFilter()
    coefficients = of_type("Sum", 5)
    image = np.ones(3)
    first = tested(image, coefficients, 5)
    tested(image, coefficients, 5)
    assert image.tolist() == [1, 1, 1]
    assert first.tolist() == [1, 1, 1]


def test_a_filter_over_no_arrays_gives_no_numbers():
    tested = RecursiveFilter()
    output = tested(np.array([3.0]), FilterCoefficients(), 0)
    assert tested.count == 0
    assert math.isnan(output.item())
