"""Statistics of regions, and their time series, over Channel Access."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy import ndimage

NAMES = ("MinValue", "MaxValue", "MeanValue", "Total", "Net")
ERASE_START, START, STOP, READ, ERASE = range(5)


def use(regions, number: int, x: int, y: int, width: int, height: int, border: int = 0) -> None:
    """Use a region from now on."""
    settings = {"MinX": x, "MinY": y, "SizeX": width, "SizeY": height, "BgdWidth": border,
                "Use": "Yes"}  # fmt: skip
    regions.put(**{f"{number}:{name}": value for name, value in settings.items()})


def numbers(regions, number: int) -> list[float]:
    return [regions.get(f"{number}:{name}_RBV") for name in NAMES]


def expected(image: np.ndarray, border: int = 0) -> list[float]:
    """Statistics of a region; the border's corners count once."""
    doubles = image.astype(np.float64)
    background = 0.0
    if border:
        inner = ndimage.binary_erosion(np.ones(image.shape), np.ones((3, 3)), border)
        background = doubles[np.logical_not(inner)].mean()
    total = doubles.sum()
    return [doubles.min(), doubles.max(), doubles.mean(), total, total - background * doubles.size]


@pytest.mark.parametrize("kind", ["UInt8", "Int16", "UInt64", "Float64"])
def test_each_region_has_its_statistics(regions, ramp, kind):
    regions.camera(DataType=kind, GainX=2.0)
    boxes = [(0, 0, 60, 40, 0), (10, 5, 20, 15, 0), (10, 5, 20, 15, 2), (59, 39, 1, 1, 0)]
    for number, box in enumerate(boxes, start=1):
        use(regions, number, *box)
    regions.acquire()
    image = ramp(np.dtype(kind.lower()), gain_x=2)
    for number, (x, y, width, height, border) in enumerate(boxes, start=1):
        found = numbers(regions, number)
        region = image[y : y + height, x : x + width]
        assert found == pytest.approx(expected(region, border)), number
        assert regions.get(f"{number}:MaxSizeX_RBV") == 60
        assert regions.get(f"{number}:MaxSizeY_RBV") == 40


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ((50, 30, 100, 100), (50, 30, 10, 10)),
        ((500, 300, 5, 5), (59, 39, 1, 1)),
        ((0, 0, 0, 0), (0, 0, 1, 1)),
        ((-3, 0, 10, 10), (59, 0, 1, 10)),
        ((5, 5, -1, 2), (5, 5, 55, 2)),
    ],
)
def test_a_region_is_cut_to_the_image(regions, ramp, asked, taken):
    use(regions, 2, *asked)
    regions.acquire()
    x, y, width, height = taken
    shown = [regions.get(f"2:{name}_RBV") for name in ("MinX", "MinY", "SizeX", "SizeY")]
    assert shown == list(taken)
    assert regions.get("2:SizeX") == asked[2]
    region = ramp()[y : y + height, x : x + width]
    assert numbers(regions, 2) == pytest.approx(expected(region))


@pytest.mark.parametrize("border", [-1, 7, 1000])
def test_a_border_as_wide_as_the_region_is_all_of_it(regions, ramp, border):
    # of a symmetric image, however often a layer counts
    use(regions, 1, 10, 10, 7, 7, border)
    regions.acquire()
    assert regions.get("1:Net_RBV") == pytest.approx(0.0, abs=1e-9)


def test_a_region_out_of_use_keeps_its_numbers(regions):
    use(regions, 3, 0, 0, 5, 5)
    use(regions, 4, 0, 0, 5, 5)
    regions.acquire()
    before = numbers(regions, 3)
    regions.put(**{"3:Use": "No"})
    regions.acquire()
    assert numbers(regions, 3) == before
    assert numbers(regions, 4) != before


def test_resets(regions):
    for number in (1, 5):
        use(regions, number, 3, 3, 5, 5)
    regions.acquire()
    regions.put(**{"5:Reset": 1})
    assert numbers(regions, 5) == [0.0] * 5
    assert numbers(regions, 1)[0] == 6.0
    regions.put(ResetAll=1)
    assert numbers(regions, 1) == [0.0] * 5


def test_names_are_kept(regions):
    regions.put(**{"1:Name": "the peak"})
    assert regions.get("1:Name") == "the peak"


def test_the_time_series_of_regions(regions, ramp):
    use(regions, 1, 0, 0, 10, 10)
    use(regions, 2, 20, 20, 8, 8, 1)
    regions.put(TSNumPoints=4, TSControl=ERASE_START)
    assert regions.get("TSAcquiring") == 1
    regions.acquire(3)
    assert regions.get("TSCurrentPoint") == 3
    regions.put(TSControl=READ)
    assert len(regions.array("1:TSTotal")) == 3
    regions.acquire(3)
    assert (regions.get("TSAcquiring"), regions.get("TSCurrentPoint")) == (0, 4)
    images = [ramp(number=number) for number in range(4)]
    for number, cut, border in ((1, np.s_[:10, :10], 0), (2, np.s_[20:28, 20:28], 1)):
        points = np.array([expected(image[cut], border) for image in images])
        for name, values in zip(NAMES, points.T, strict=True):
            np.testing.assert_allclose(regions.array(f"{number}:TS{name}"), values, atol=1e-9)
        assert (np.diff(regions.array(f"{number}:TSTimestamp")) > 0).all()
    assert not regions.array("8:TSTotal").any()


def test_a_series_stops_goes_on_and_is_erased(regions, ramp):
    use(regions, 1, 0, 0, 60, 40)
    regions.put(TSNumPoints=3, TSControl=ERASE_START)
    regions.acquire(1)
    regions.put(TSControl=STOP)
    assert len(regions.array("1:TSMaxValue")) == 1
    regions.acquire(1)
    regions.put(TSControl=START)
    regions.acquire(1)
    regions.put(TSControl=STOP)
    maxima = [float(ramp(number=number).max()) for number in (0, 2)]
    np.testing.assert_array_equal(regions.array("1:TSMaxValue"), maxima)
    regions.put(TSControl=ERASE)
    assert regions.get("TSCurrentPoint") == 0
    assert len(regions.array("1:TSMaxValue")) == 0
    # a full series does not start without being erased
    regions.put(TSControl=START)
    regions.acquire(3)
    regions.put(TSControl=START)
    assert regions.get("TSAcquiring") == 0


def test_a_running_series_is_read_once_a_second(regions):
    use(regions, 1, 0, 0, 10, 10)
    regions.put(TSControl=ERASE_START)
    regions.acquire(2)
    total = regions.pv("1:TSTotal")
    grown = threading.Event()
    index = total.add_callback(
        lambda value, **_: grown.set() if np.size(value) == 2 else None, run_now=True
    )
    assert grown.wait(10.0)
    total.remove_callback(index)
    regions.put(TSControl=STOP)


@pytest.mark.parametrize("points", [0, -4])
def test_a_series_without_points_ends_at_once(regions, points):
    use(regions, 1, 0, 0, 10, 10)
    regions.put(TSNumPoints=points, TSControl=ERASE_START)
    regions.acquire(2)
    assert (regions.get("TSAcquiring"), regions.get("TSCurrentPoint")) == (0, 0)
    regions.put(TSNumPoints=5000)
    assert regions.get("TSNumPoints") == 2048


def test_a_shorter_series_ends_where_it_is(regions):
    use(regions, 1, 0, 0, 10, 10)
    regions.put(TSNumPoints=10, TSControl=ERASE_START)
    regions.acquire(5)
    regions.put(TSNumPoints=3)
    regions.acquire(1)
    assert regions.get("TSAcquiring") == 0
    assert len(regions.array("1:TSTotal")) == 3


def test_arrays_with_other_dimensions_change_nothing(regions, ramp):
    use(regions, 1, 0, 0, 60, 40)
    regions.acquire()
    before = numbers(regions, 1)
    regions.camera(ColorMode="RGB1")
    counter = regions.get("ArrayCounter_RBV")
    regions.acquire()
    assert regions.get("ArrayCounter_RBV") == counter + 1
    assert numbers(regions, 1) == before
    regions.camera(ColorMode="Mono", SizeX=30)
    regions.acquire()
    assert regions.get("1:SizeX_RBV") == 30
    assert numbers(regions, 1) == pytest.approx(expected(ramp()[:, :30]))


def test_one_dimensional_arrays(regions):
    # the signals of the statistics plugin, of which the sixth region's first is the maximum
    use(regions, 6, 3, 77, 1, 5)
    regions.put(NDArrayPort="STATS1", NDArrayAddress=1)
    with regions.beside("Stats1:", ComputeCentroid="No") as stats:
        regions.acquire()
        assert numbers(regions, 6) == [stats.get("MaxValue_RBV")] * 5
    assert regions.get("6:MaxSizeX_RBV") == 23
    assert regions.get("6:MaxSizeY_RBV") == 0
