"""Filtered back-projection frame by frame: against scikit-image, and whatever the order."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from skimage.transform import iradon, radon

from adsupport.errors import ConfigurationError, FrameCountError
from adsupport.imaging.reconstruction import FILTERS, FilteredBackprojection, reconstruct, warm_up
from adsupport.imaging.reconstruction.array_sum import ArraySum
from adsupport.imaging.reconstruction.backprojection import make_sum
from adsupport.imaging.reconstruction.slice_grid import SliceGrid

from .discs import angles_of, made_discs, picture, rms, sinogram

W = 96
ANGLES = angles_of(150)
ROWS = sinogram(made_discs(W), ANGLES, W)
REGION = ((24, 72), (24, 72))


def added(reconstruction, rows=ROWS, angles=ANGLES, order=None):
    for number in range(len(angles)) if order is None else order:
        reconstruction.add(rows[number][None], angles[number], int(number))
    return reconstruction


def reference(rows=ROWS, angles=ANGLES, filter="ramp"):
    return iradon(rows.T.astype(float), angles, filter_name=filter, circle=True)


@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("filter", FILTERS)
def test_it_is_what_scikit_image_computes(filter, backend):
    found = added(FilteredBackprojection(W, input="absorption", filter=filter, backend=backend))
    assert found.picture().dtype == np.float32
    assert rms(found.picture()[0], reference(filter=filter)) < 1e-5


@pytest.mark.parametrize("width", [65, 90, 128])
def test_other_widths(width):
    rows = sinogram(made_discs(width, 3), ANGLES, width)
    found = added(FilteredBackprojection(width, input="absorption"), rows)
    assert rms(found.picture()[0], reference(rows)) < 1e-5


def test_the_sample_stands_as_in_its_picture():
    image = np.zeros((W, W))
    image[20:30, 40:60] = 1.0  # above the axis: a quarter turn or a mirror would be seen
    rows = radon(image, ANGLES, circle=True).T
    found = added(FilteredBackprojection(W, input="absorption"), rows).picture()[0]
    assert rms(found, image) < 0.3
    ours = added(FilteredBackprojection(W, input="absorption")).picture()[0]
    assert rms(ours, picture(made_discs(W), W)) < 0.35  # edges of discs are sharp


def test_any_order_gives_the_same():
    shuffled = np.random.default_rng(5).permutation(len(ANGLES))
    one, other = (
        added(FilteredBackprojection(W, input="absorption", angles=ANGLES), order=order).finish()
        for order in (None, shuffled)
    )
    assert rms(one, other) < 1e-5


def test_a_region_is_a_part_of_the_whole():
    whole = added(FilteredBackprojection(W, input="absorption", circle=False)).picture()
    some = FilteredBackprojection(W, input="absorption", circle=False, region=((10, 31), (50, 96)))
    np.testing.assert_allclose(added(some).picture(), whole[:, 10:31, 50:96], atol=1e-6)
    inside = whole[0, W // 4 : -W // 4, W // 4 : -W // 4]
    assert rms(inside, reference()[W // 4 : -W // 4, W // 4 : -W // 4]) < 1e-5


def test_beyond_the_circle_it_is_as_with_a_wider_detector():
    wide = np.pad(ROWS, ((0, 0), (40, 40)))
    whole = added(FilteredBackprojection(W + 80, input="absorption"), wide).picture()
    found = added(FilteredBackprojection(W, input="absorption", circle=False)).picture()
    assert rms(found, whole[:, 40:-40, 40:-40]) < 1e-5


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_each_slice_has_its_own_centre(backend):
    discs, centres = made_discs(W), [44.0, W // 2, 51.7]
    stack = np.stack([sinogram(discs, ANGLES, W, centre) for centre in centres], axis=1)
    found = FilteredBackprojection(W, 3, input="absorption", centre=centres, backend=backend)
    for rows, angle in zip(stack, ANGLES, strict=True):
        found.add(rows, angle)
    first, middle, last = found.picture()
    assert rms(middle, reference()) < 1e-5
    inside = picture([[0, 0, 0.4 * W, 1]], W) > 0
    assert rms(first[inside], middle[inside]) < 1e-4  # moved by whole pixels
    assert rms(last[inside], middle[inside]) < 0.2  # edges fall between pixels


def test_a_part_has_the_right_mean_at_any_time():
    found = FilteredBackprojection(W, input="absorption", angles=ANGLES)
    assert not found.picture().any()
    whole = reference().sum()
    for number, place in enumerate(np.random.default_rng(1).permutation(len(ANGLES))):
        found.add(ROWS[place][None], ANGLES[place], place=int(place))
        if number in (30, 75, 149):
            assert found.picture().sum() == pytest.approx(whole, rel=0.02)
            assert len(found.missing) == 149 - number
    assert rms(found.picture()[0], reference()) < 1e-5


def test_angles_count_as_much_as_they_fill():
    # twice as many in one quarter: without weights that quarter counts twice
    angles = np.concatenate([np.arange(0, 90, 0.6), np.arange(90, 180, 1.2)])
    rows = sinogram(made_discs(W), angles, W)
    weighted = added(FilteredBackprojection(W, input="absorption", angles=angles), rows, angles)
    plain = added(FilteredBackprojection(W, input="absorption"), rows, angles)
    good = reference()
    assert rms(weighted.finish()[0], good) < 0.05
    assert rms(plain.finish()[0], good) > 3 * rms(weighted.picture()[0], good)


def test_a_whole_turn_is_a_half_turn_twice():
    angles = angles_of(300, 360.0)
    rows = sinogram(made_discs(W), angles, W)
    found = added(FilteredBackprojection(W, input="absorption", angles=angles), rows, angles)
    assert rms(found.finish()[0], reference()) < 1e-4


def test_neighbours_stand_in_for_lost_projections():
    lost = {7, 40, 41, 110}
    came = [number for number in range(len(ANGLES)) if number not in lost]
    found = FilteredBackprojection(W, input="absorption", angles=ANGLES)
    for number in came:
        found.add(ROWS[number][None], ANGLES[number], number, number)
    before = rms(found.picture()[0], reference())
    assert found.missing == sorted(lost)
    after = rms(found.finish()[0], reference())
    assert after < 0.7 * before
    offline = reconstruct(ROWS[came], ANGLES[came], input="absorption")
    assert rms(found.picture(), offline) < 1e-5


@pytest.mark.parametrize("number", [400, 401])
def test_they_do_so_in_a_whole_turn_with_the_room_there_is(number):
    angles = angles_of(number, 360.0)
    rows = sinogram(made_discs(W), angles, W)
    came = [each for each in range(number) if each not in {250, 300, 301}]

    def made(planned, taken):
        found = FilteredBackprojection(W, input="absorption", angles=planned, region=REGION)
        for each in taken:
            found.add(rows[each][None], angles[each], each, None if planned is None else each)
        return found.finish()

    wanted = made(angles, range(number))
    assert rms(made(angles, came), wanted) < 0.5 * rms(made(None, came), wanted)


def test_a_scan_that_ended_early_is_not_stretched():
    found = FilteredBackprojection(W, input="absorption", angles=ANGLES)
    for number in range(50):
        found.add(ROWS[number][None], ANGLES[number], number, number)
    before = found.picture()
    assert rms(found.finish(), before) < 1e-5


@pytest.mark.parametrize("part", [0.3, 0.5])
def test_golden_angles_that_ended_early_all_count(part):
    # more lack neighbours than may be kept: the others mustn't count less than these
    angles = np.mod(np.arange(600) * 180 * (np.sqrt(5) - 1) / 2, 180.0)
    rows = sinogram(made_discs(W), angles, W)
    came = int(part * len(angles))
    found = FilteredBackprojection(W, input="absorption", angles=angles, filter="hann")
    for number in range(came):
        found.add(rows[number][None], angles[number], place=number)
    wanted = reconstruct(rows[:came], angles[:came], input="absorption", filter="hann")
    before = rms(found.picture(), wanted)
    assert rms(found.finish(), wanted) < before < 0.03


def test_slices_that_no_memory_holds_are_refused():
    with pytest.raises(ConfigurationError, match=r"\(100000, 4096, 4096\).* of memory"):
        FilteredBackprojection(4096, 100_000)


def test_duplicates_and_strays_are_refused_and_change_nothing():
    found = FilteredBackprojection(W, input="absorption", angles=ANGLES)
    found.add(ROWS[3][None], ANGLES[3], unique_id=103, place=3)
    before = found.picture()
    for again, words in (
        ({"unique_id": 103, "place": 4}, "Projection 103 came twice"),
        ({"unique_id": 104, "place": 3}, "Projection 3 of 150 came twice"),
        ({"unique_id": 105, "place": 150}, "is not in the plan"),
    ):
        with pytest.raises(FrameCountError, match=words):
            found.add(ROWS[4][None], ANGLES[4], **again)
    with pytest.raises(ConfigurationError, match=r"shape \(1, 95\)"):
        found.add(ROWS[4][None, 1:], ANGLES[4])
    with pytest.raises(ConfigurationError, match="isn't finite: nan"):
        found.add(ROWS[4][None], float("nan"))
    with pytest.raises(FrameCountError, match="given twice"):
        found.add_many(ROWS[4:6, None], ANGLES[4:6], [7, 7])
    np.testing.assert_array_equal(found.picture(), before)
    assert found.projections == 1
    found.finish()
    with pytest.raises(FrameCountError, match=r"after finish\(\), as number 2"):
        found.add(ROWS[4][None], ANGLES[4])


def test_more_than_planned_is_refused():
    found = added(FilteredBackprojection(W, input="absorption", angles=ANGLES))
    with pytest.raises(FrameCountError, match="151 projections; the plan has 150"):
        found.add(ROWS[0][None], 0.0)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"filter": "butter"}, "filter='butter'.*ramp, shepp-logan"),
        ({"backend": "cuda"}, "backend='cuda'.*numba, numpy, cupy"),
        pytest.param(
            {"backend": "cupy"},
            "cupy, which isn't installed",
            marks=pytest.mark.skipif(find_spec("cupy") is not None, reason="cupy is installed"),
        ),
        ({"input": "phase"}, "counts, absorption"),
        ({"window": 180, "angles": [0.0]}, "no window"),
        ({"window": 0}, "window=0"),
        ({"angles": [0.0, float("nan")]}, "list of finite numbers"),
        ({"centre": [1, 2]}, "2 centres for 1 slices"),
        ({"centre": 1e6}, "a column of the detector"),
        ({"centre": float("nan")}, "a column of the detector"),
        ({"region": ((5, 5), (0, 9))}, "region="),
        ({"threads": 0}, "threads=0"),
    ],
)
def test_wrong_arguments_are_named(wrong, words):
    with pytest.raises(ConfigurationError, match=words):
        FilteredBackprojection(W, **wrong)


def test_nothing_gives_an_empty_picture():
    found = FilteredBackprojection(W, 2, angles=ANGLES)
    found.add_flat(np.ones((2, W)))
    assert found.late_flats == 0
    assert found.finish().shape == (2, W, W)
    assert not found.picture().any()


def test_on_a_gpu_the_same_is_done_with_its_arrays():
    # of cupy these functions are used; they do what those of numpy do
    gpu = SimpleNamespace(asarray=np.array, zeros=np.zeros, asnumpy=np.array)
    grid = SliceGrid.of(W, 2, [47.0, 48.2], ((5, 60), (0, 96)))
    rows = np.random.default_rng(0).normal(size=(3, 2, W + sum(grid.margins)))
    sums = [ArraySum(grid, gpu), make_sum(grid, "numba", 1)]
    for each in sums:
        each.add(rows.astype(np.float32), np.array([0.0, 33.0, 180.0]))
    np.testing.assert_allclose(sums[0].slices(), sums[1].slices(), atol=1e-5)


def test_memory_does_not_grow_with_the_number_of_projections():
    import tracemalloc

    found = FilteredBackprojection(32, 2, input="absorption", region=((0, 8), (0, 8)))
    rows = np.ones((2, 32))
    found.add(rows, 0.0, -1)
    tracemalloc.start()
    try:
        for number in range(100):
            found.add(rows, number * 0.1, number)
        before = tracemalloc.get_traced_memory()[0]
        for number in range(100, 1600):
            found.add(rows, number * 0.1, number)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 1500 * 32  # of a filtered row there are 272 bytes; angle and weight have 16


def test_reconstructions_at_once_do_not_disturb_each_other():
    warm_up()
    wanted = added(FilteredBackprojection(W, input="absorption")).picture()
    found = [FilteredBackprojection(W, input="absorption", threads=2) for _ in range(4)]
    pictures = []
    threads = [threading.Thread(target=added, args=(each,)) for each in found]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        pictures.append(found[0].picture())
        threads[-1].join(0.01)
    for each in found:
        np.testing.assert_array_equal(each.picture(), wanted)
    assert all(np.isfinite(each).all() for each in pictures)
