"""Weights of angles, gaps, and ids that came: what holds for any."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.imaging.reconstruction.filters import FILTERS, RowFilter, frequency_response
from adsupport.imaging.reconstruction.planned_angles import PlannedAngles
from adsupport.imaging.reconstruction.seen_ids import SeenIds
from adsupport.imaging.reconstruction.weights import angle_weights

ANGLES = st.lists(st.floats(-720, 720), min_size=1, max_size=40)


@given(st.integers(1, 200), st.floats(-400, 400))
def test_equal_steps_count_the_same(number, start):
    weights = angle_weights(start + np.arange(number) * 180 / number)
    np.testing.assert_allclose(weights, math.pi / number, rtol=1e-6)


@given(ANGLES)
def test_weights_are_never_negative_and_fill_at_most_a_half_circle(angles):
    weights = angle_weights(np.array(angles))
    assert (weights >= 0).all()
    assert weights.sum() <= math.pi * (1 + 1e-9)


@given(ANGLES, st.randoms(use_true_random=False))
def test_order_says_nothing(angles, random):
    order = list(range(len(angles)))
    random.shuffle(order)
    given_angles = np.array(angles)
    total = np.zeros(len(angles))
    total[order] = angle_weights(given_angles[order])
    # which of two equal angles has which half of their gaps is open
    folded = np.mod(given_angles, 180.0)
    for angle in np.unique(folded):
        same = folded == angle
        assert total[same].sum() == pytest.approx(angle_weights(given_angles)[same].sum())


def test_both_ends_of_a_half_turn_share_one_step():
    weights = angle_weights(np.linspace(0, 180, 19))
    np.testing.assert_allclose(weights, np.deg2rad([5, *[10] * 17, 5]))


def test_a_wedge_is_not_filled():
    np.testing.assert_allclose(angle_weights(np.arange(60.0)), np.deg2rad(1.0))


@given(st.integers(5, 60), st.data())
def test_what_is_left_gets_what_is_lost(number, data):
    angles = np.arange(number) * 180 / number
    came = data.draw(st.permutations(range(number)))[: data.draw(st.integers(1, number))]
    plan = PlannedAngles(angles, number)
    weights = {place: plan.take(place, np.full((1, 2), float(place))) for place in came}
    for place, lacking, rows in plan.fill():
        assert rows[0, 0] == place
        weights[place] += lacking
    widest = 5 * 180 / number
    wanted = angle_weights(angles[came], widest)
    np.testing.assert_allclose([weights[place] for place in came], wanted, rtol=1e-9)


def test_few_rows_are_kept_in_a_scan_that_goes_round():
    plan = PlannedAngles(np.arange(1000) * 0.18, 1000)
    for place in range(1000):
        if place % 100 != 50:
            plan.take(place, np.zeros((1, 4)))
        assert len(plan._held) <= 2 + 2 * 10


def test_no_more_rows_are_kept_than_allowed():
    plan = PlannedAngles(np.arange(1000) * 0.18, 7)
    for place in range(0, 1000, 2):
        plan.take(place, np.zeros((1, 4)))
        assert len(plan._held) <= 7
    # all that came lack the same: the few that could get more would only count too much
    assert plan.fill() == []


def weights_with(angles, lost, most_held):
    plan = PlannedAngles(angles, most_held)
    weights = np.zeros(len(angles))
    for place in range(len(angles)):
        if place not in lost:
            weights[place] = plan.take(place, np.zeros((1, 4)))
    for place, lacking, _ in plan.fill():
        weights[place] += lacking
    return weights * len(angles) / math.pi


def test_in_a_whole_turn_those_beside_a_gap_stand_in():
    angles = np.arange(400) * 0.9
    # there's no room for the first half turn until the second one comes
    weights = weights_with(angles, {250, 251, 300}, 40)
    np.testing.assert_allclose(weights[[249, 252, 299, 301]], [2, 2, 1.5, 1.5])
    assert weights.sum() == pytest.approx(400)
    # with room, or when the others come later, those at the same angle do
    assert weights_with(angles, {300}, 400)[100] == pytest.approx(2)
    assert weights_with(angles, {100}, 40)[300] == pytest.approx(2)


@pytest.mark.parametrize("lost", [range(1, 400, 2), range(200, 400, 2), range(0, 400, 3)])
@pytest.mark.parametrize("most_held", [4, 60, 400])
def test_no_side_counts_more_when_many_are_lost(lost, most_held):
    weights = weights_with(np.arange(400) * 0.9, set(lost), most_held)
    sides = weights.reshape(2, 10, 20).sum(axis=(0, 2))
    np.testing.assert_allclose(sides / sides.mean(), 1, atol=0.06)


@pytest.mark.parametrize("turns", [1, 3, 4, 20])
def test_all_turns_count_the_same(turns):
    steps = np.arange(180 * turns)
    exact = angle_weights(steps.astype(float))
    np.testing.assert_allclose(exact, math.pi / len(steps))
    measured = angle_weights(steps + np.random.default_rng(0).normal(0, 0.01, len(steps)))
    assert measured.sum() == pytest.approx(math.pi)
    np.testing.assert_allclose(measured, math.pi / len(steps), rtol=0.1)


@given(st.lists(st.integers(-20, 20)))
def test_ids_are_a_set(numbers):
    seen = SeenIds()
    for place, number in enumerate(numbers):
        assert (number in seen) == (number in numbers[:place])
        seen.add(number)
    assert {number for number in range(-25, 25) if number in seen} == set(numbers)
    ranges = seen.ranges
    assert all(
        later[0] > earlier[1] + 1 for earlier, later in zip(ranges, ranges[1:], strict=False)
    )
    assert sum(last - first + 1 for first, last in ranges) == len(set(numbers))


def test_ids_in_order_are_one_range():
    seen = SeenIds()
    for number in [*range(0, 1000, 2), *range(1, 1000, 2)]:
        seen.add(number)
    assert seen.ranges == [(0, 999)]


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_takes_the_mean_away_and_keeps_symmetry(name):
    response = frequency_response(name, 256)
    assert response[0] == pytest.approx(0, abs=1e-3)
    assert (response > -1e-9).all()
    assert response[5] == pytest.approx(5 / 256, rel=0.02)
    row = np.zeros(31)
    row[15] = 1.0
    filtered = RowFilter(name, 31, 4, 4)(row)
    assert filtered.dtype == np.float32
    np.testing.assert_allclose(filtered, filtered[::-1], atol=1e-7)


def test_the_ramp_is_the_kernel_of_kak_and_slaney():
    row = np.zeros(20)
    row[0] = 1.0
    n = np.arange(-3, 25)
    odd = n % 2 == 1
    wanted = np.where(n == 0, 0.25, np.where(odd, -1 / (np.pi * np.where(odd, n, 1)) ** 2, 0.0))
    np.testing.assert_allclose(RowFilter("ramp", 20, 3, 5)(row), wanted, atol=1e-7)
