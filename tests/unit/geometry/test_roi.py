"""NDPluginROI: regions against sums computed pixel by pixel; its rules as in its source."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adsupport.sim.ndarray import ColorMode, DataType, Dimension
from adsupport.sim.plugins.roi import ROI

DTYPES = [member.dtype for member in DataType]
AUTOMATIC = 10
KEEP_BENCH = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def bench_roi(bench):
    return bench(ROI)


def ramp(shape: tuple[int, ...], dtype: np.dtype | type = np.uint8) -> np.ndarray:
    return (np.arange(int(np.prod(shape))) * 7 + 3).astype(dtype).reshape(shape)


def summed(image, x, y, bin_x=1, bin_y=1, reverse_x=False, reverse_y=False, dtype=None):
    """Sum the bins of a region, given by (start, size), of an image of shape (y, x)."""
    part = image[y[0] : y[0] + y[1] // bin_y * bin_y, x[0] : x[0] + x[1] // bin_x * bin_x]
    part = part[:: -1 if reverse_y else 1, :: -1 if reverse_x else 1]
    rows, columns = part.shape
    bins = part.reshape(rows // bin_y, bin_y, columns // bin_x, bin_x)
    return bins.astype(dtype or image.dtype).sum(axis=(1, 3), dtype=dtype or image.dtype)


@KEEP_BENCH
@given(data=st.data(), dtype=st.sampled_from(DTYPES))
def test_any_region_that_fits(bench_roi, picture_of, data, dtype):
    rows, columns = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12))
    image = ramp((rows, columns), dtype)
    x0, y0 = data.draw(st.integers(0, columns - 1)), data.draw(st.integers(0, rows - 1))
    nx, ny = data.draw(st.integers(1, columns - x0)), data.draw(st.integers(1, rows - y0))
    bx, by = data.draw(st.integers(1, nx)), data.draw(st.integers(1, ny))
    rx, ry = data.draw(st.booleans()), data.draw(st.booleans())
    out = data.draw(st.sampled_from([*range(len(DTYPES)), AUTOMATIC]))
    bench_roi.write(
        DIM0_MIN=x0, DIM0_SIZE=nx, DIM0_BIN=bx, DIM0_REVERSE=int(rx),
        DIM1_MIN=y0, DIM1_SIZE=ny, DIM1_BIN=by, DIM1_REVERSE=int(ry), ROI_DATA_TYPE=out,
    )  # fmt: skip
    made = bench_roi.send(picture_of(image))
    target = dtype if out == AUTOMATIC else DTYPES[out]
    expected = summed(image, (x0, nx), (y0, ny), bx, by, rx, ry, target)
    assert made.data.dtype == target
    assert np.array_equal(made.data, expected)
    assert made.dims == (Dimension(nx // bx, x0, bx, rx), Dimension(ny // by, y0, by, ry))
    get = bench_roi.plugin.get
    assert [get("ARRAY_SIZE_X"), get("ARRAY_SIZE_Y"), get("ARRAY_SIZE_Z")] == [
        nx // bx,
        ny // by,
        0,
    ]
    assert (made.unique_id, made.time_stamp, made.ts_sec, made.ts_nsec) == (7, 1.5, 2, 3)
    assert made.attribute("Sample").value == "gold"


@pytest.mark.parametrize(
    ("asked", "corrected"),
    [
        ((0, 1000000, 1), (0, 100, 1)),
        ((90, 50, 1), (90, 10, 1)),
        ((5000, 50, 1), (99, 1, 1)),
        ((0, 0, 1), (0, 1, 1)),
        # the plugin computes unsigned: what is negative is huge
        ((-5, 50, 1), (99, 1, 1)),
        ((0, -1, 1), (0, 100, 1)),
        ((0, 100, 0), (0, 100, 1)),
        ((0, 100, -7), (0, 100, 1)),
        # a camera rounds the size down to whole bins, the plugin does not
        ((0, 100, 3), (0, 100, 3)),
        ((95, 50, 2147483647), (95, 5, 5)),
        ((-2147483648, -2147483648, -2147483648), (99, 1, 1)),
        ((2147483647, 2147483647, 2147483647), (99, 1, 1)),
    ],
)
@pytest.mark.parametrize("axis", [0, 1])
def test_what_asks_for_too_much_is_corrected(bench_roi, picture_of, axis, asked, corrected):
    names = [f"DIM{axis}_{what}" for what in ("MIN", "SIZE", "BIN")]
    bench_roi.write(**dict(zip(names, asked, strict=True)))
    made = bench_roi.send(picture_of(ramp((100, 100))))
    assert tuple(bench_roi.plugin.get(name) for name in names) == corrected
    start, size, binning = corrected
    assert made.dims[axis] == Dimension(size // binning, start, binning)
    assert bench_roi.plugin.get(f"DIM{axis}_MAX_SIZE") == 100


def test_set_points_hold_for_the_next_array_but_a_corrected_binning_stays(bench_roi, picture_of):
    bench_roi.write(DIM0_MIN=20, DIM0_SIZE=60, DIM0_BIN=8)
    assert bench_roi.send(picture_of(ramp((4, 22)))).dims[0] == Dimension(1, 20, 2)
    assert bench_roi.send(picture_of(ramp((4, 100)))).dims[0] == Dimension(30, 20, 2)


def test_a_disabled_axis_is_whole_but_still_reversed(bench_roi, picture_of):
    bench_roi.write(DIM0_MIN=3, DIM0_SIZE=2, DIM0_BIN=2, DIM0_REVERSE=1, DIM0_ENABLE=0)
    image = ramp((3, 9))
    assert np.array_equal(bench_roi.send(picture_of(image)).data, image[:, ::-1])
    assert bench_roi.plugin.get("DIM0_SIZE") == 2


def test_auto_size_reads_to_the_end(bench_roi, picture_of):
    bench_roi.write(DIM1_MIN=2, DIM1_SIZE=3, DIM1_AUTO_SIZE=1)
    image = ramp((9, 4))
    assert np.array_equal(bench_roi.send(picture_of(image)).data, image[2:])
    assert bench_roi.plugin.get("DIM1_SIZE") == 7


@pytest.mark.parametrize(
    ("mode", "layout"), [(ColorMode.RGB1, "yxc"), (ColorMode.RGB2, "ycx"), (ColorMode.RGB3, "cyx")]
)
@pytest.mark.parametrize("colors", [(0, 3), (1, 2), (2, 1)])
def test_colours_are_z(bench_roi, picture_of, mode, layout, colors):
    image = ramp((6, 8, 3), np.uint16)
    bench_roi.write(DIM0_MIN=1, DIM0_SIZE=4, DIM0_BIN=2, DIM1_MIN=2, DIM1_SIZE=3, DIM1_REVERSE=1,
                    DIM2_MIN=colors[0], DIM2_SIZE=colors[1])  # fmt: skip
    sent = picture_of(np.transpose(image, ["yxc".index(axis) for axis in layout]), mode)
    made = bench_roi.send(sent)
    planes = [
        summed(image[:, :, c], (1, 4), (2, 3), 2, 1, False, True) for c in range(colors[0], 3)
    ]
    get = bench_roi.plugin.get
    if len(planes) == 1:  # a single colour is a gray image
        assert np.array_equal(made.data, planes[0])
        assert (made.color_mode, made.attribute("ColorMode").value) == (ColorMode.MONO, 0)
        assert made.dims == (Dimension(2, 1, 2), Dimension(3, 2, 1, True))
    else:
        expected = np.stack(planes, axis=-1)
        order = ["yxc".index(axis) for axis in layout]
        assert np.array_equal(made.data, np.transpose(expected, order))
        assert made.color_mode is (mode if len(planes) == 3 else ColorMode.MONO)
        assert made.attribute("ColorMode").value == int(made.color_mode)
    assert [get(f"DIM{axis}_MAX_SIZE") for axis in range(3)] == [8, 6, 3]


def test_regions_of_regions_add_up(bench_roi, picture_of):
    dims = (Dimension(20, 100, 2, True), Dimension(10, 7, 3, False))
    bench_roi.write(DIM0_MIN=4, DIM0_SIZE=8, DIM0_BIN=4, DIM0_REVERSE=1,
                    DIM1_MIN=1, DIM1_SIZE=6, DIM1_BIN=2, DIM1_REVERSE=1)  # fmt: skip
    made = bench_roi.send(picture_of(ramp((10, 20)), dims=dims))
    assert made.dims == (Dimension(2, 104, 8, False), Dimension(3, 8, 6, True))


def test_an_array_that_is_wanted_whole_is_not_copied_and_forgets_its_offset(bench_roi, picture_of):
    sent = picture_of(ramp((4, 5)), dims=(Dimension(5, 9, 2, True), Dimension(4, 1)))
    made = bench_roi.send(sent)
    assert made.data is sent.data
    assert made.dims == (Dimension(5), Dimension(4))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_scaling_avoids_overflow_in_the_sums(bench_roi, picture_of, dtype):
    image = np.full((6, 6), 100).astype(dtype)
    bench_roi.write(DIM0_BIN=3, DIM1_BIN=3, ENABLE_SCALE=1, SCALE_VALUE=9.0)
    made = bench_roi.send(picture_of(image))
    assert made.data.dtype == dtype
    assert made.data.tolist() == [[100, 100], [100, 100]]
    # scaling is done in float64; only the conversion from there remembers the binning
    assert made.dims == (Dimension(2, 0, 1 if dtype == np.float64 else 3),) * 2


@pytest.mark.parametrize(("scale", "expected"), [(0.0, 8), (1.0, 8), (2.0, 4), (-4.0, -2)])
def test_a_scale_of_0_or_1_is_none(bench_roi, picture_of, scale, expected):
    bench_roi.write(ENABLE_SCALE=1, SCALE_VALUE=scale)
    made = bench_roi.send(picture_of(np.full((2, 2), 8, np.int16)))
    assert made.data.tolist() == [[expected] * 2] * 2


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), 5e-324])
def test_a_strange_scale_does_no_harm(bench_roi, picture_of, scale):
    bench_roi.write(ENABLE_SCALE=1, SCALE_VALUE=scale)
    assert bench_roi.send(picture_of(ramp((2, 2)))).data.shape == (2, 2)


def test_collapse_leaves_out_axes_of_one_element(bench_roi, picture_of):
    bench_roi.write(DIM0_SIZE=1, DIM0_MIN=2, COLLAPSE_DIMS=1)
    image = ramp((5, 4))
    made = bench_roi.send(picture_of(image))
    assert made.dims == (Dimension(5),)
    assert np.array_equal(made.data, image[:, 2])
    bench_roi.write(DIM1_SIZE=1)
    assert bench_roi.send(picture_of(image)).dims == (Dimension(1),)
    bench_roi.write(COLLAPSE_DIMS=0)
    assert bench_roi.send(picture_of(image)).dims == (Dimension(1, 2), Dimension(1))


@pytest.mark.parametrize("shape", [(10,), (2, 3, 4, 5), (1, 1), (0, 4), (3, 0), (2, 3, 4)])
def test_arrays_of_any_dimensions_pass(bench_roi, picture_of, shape):
    bench_roi.write(DIM0_SIZE=2, DIM1_SIZE=2)
    image = ramp(shape)
    made = bench_roi.send(picture_of(image))
    if 0 in shape:
        assert made.data.shape == shape
        return
    index = (..., *(slice(2) for _ in shape[-2:]))
    assert np.array_equal(made.data, image[index])


def test_infinite_and_huge_floats_pass_without_a_warning(bench_roi, picture_of):
    image = np.array([[1e308, 1e308, np.inf, -np.inf, np.nan, 1.0]])
    bench_roi.write(DIM0_BIN=2)
    made = bench_roi.send(picture_of(image)).data
    assert made[0, 0] == np.inf and np.isnan(made[0, 1:]).all()
    bench_roi.write(ROI_DATA_TYPE=8, DIM0_BIN=1)
    assert bench_roi.send(picture_of(image)).data.dtype == np.float32
    bench_roi.write(ROI_DATA_TYPE=1, ENABLE_SCALE=1, SCALE_VALUE=-2.0)
    assert bench_roi.send(picture_of(image)).data.dtype == np.uint8
