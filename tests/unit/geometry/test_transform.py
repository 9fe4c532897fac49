"""NDPluginTransform: its eight types against where single pixels must go."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.arrays.orientation import Orientation, orient
from adsupport.sim.ndarray import ColorMode, DataType, Dimension
from adsupport.sim.plugins.transform import Transform

DTYPES = [member.dtype for member in DataType]

# new row and column of the pixel of row y and column x in an image of h rows and w columns
GOES_TO = [
    lambda y, x, h, w: (y, x),
    lambda y, x, h, w: (x, h - 1 - y),
    lambda y, x, h, w: (h - 1 - y, w - 1 - x),
    lambda y, x, h, w: (w - 1 - x, y),
    lambda y, x, h, w: (y, w - 1 - x),
    lambda y, x, h, w: (x, y),
    lambda y, x, h, w: (h - 1 - y, x),
    lambda y, x, h, w: (w - 1 - x, h - 1 - y),
]
SWAPS = (1, 3, 5, 7)


def moved(image: np.ndarray, kind: int) -> np.ndarray:
    """Move each pixel of an image of shape (y, x, ...) to its place."""
    rows, columns = image.shape[:2]
    shape = (columns, rows) if kind in SWAPS else (rows, columns)
    result = np.zeros(shape + image.shape[2:], image.dtype)
    for y in range(rows):
        for x in range(columns):
            result[GOES_TO[kind](y, x, rows, columns)] = image[y, x]
    return result


@pytest.mark.parametrize("kind", range(8))
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_gray_images(bench, picture_of, kind, dtype):
    image = (np.arange(15) * 17).astype(dtype).reshape(3, 5)
    one = bench(Transform)
    one.write(TRANSFORM_TYPE=kind)
    made = one.send(picture_of(image))
    assert made.data.dtype == dtype
    assert made.data.flags.c_contiguous
    assert np.array_equal(made.data, moved(image, kind))


@pytest.mark.parametrize("kind", range(8))
@pytest.mark.parametrize(
    ("mode", "layout"), [(ColorMode.RGB1, "yxc"), (ColorMode.RGB2, "ycx"), (ColorMode.RGB3, "cyx")]
)
def test_colour_images(bench, picture_of, kind, mode, layout):
    image = np.arange(3 * 5 * 3, dtype=np.uint16).reshape(3, 5, 3)
    order = ["yxc".index(axis) for axis in layout]
    one = bench(Transform)
    one.write(TRANSFORM_TYPE=kind)
    made = one.send(picture_of(np.transpose(image, order), mode))
    assert np.array_equal(made.data, np.transpose(moved(image, kind), order))
    assert made.color_mode is mode
    assert (made.info.x_size, made.info.y_size) == ((3, 5) if kind in SWAPS else (5, 3))


def test_offsets_stay_with_their_dimension(bench, picture_of):
    one = bench(Transform)
    one.write(TRANSFORM_TYPE=1)
    dims = (Dimension(5, 10, 2), Dimension(3, 20, 4, True))
    made = one.send(picture_of(np.zeros((3, 5)), dims=dims))
    assert made.dims == (Dimension(3, 10, 2), Dimension(5, 20, 4, True))


@pytest.mark.parametrize("shape", [(7,), (2, 2, 2, 2), (1, 1), (0, 3), (2, 0)])
def test_other_arrays_pass(bench, picture_of, shape, caplog):
    one = bench(Transform)
    one.write(TRANSFORM_TYPE=3)
    image = np.arange(int(np.prod(shape)), dtype=np.uint8).reshape(shape)
    made = one.send(picture_of(image))
    assert sorted(made.data.ravel()) == sorted(image.ravel())
    if len(shape) not in (2, 3):
        assert made.data.shape == shape
        assert "P1: only images of two or three dimensions can be turned" in caplog.text


def test_planes_of_an_array_without_colours_all_turn(bench, picture_of):
    one = bench(Transform)
    one.write(TRANSFORM_TYPE=2)
    image = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    assert np.array_equal(one.send(picture_of(image)).data, image[:, ::-1, ::-1])


@given(kind=st.sampled_from(Orientation), rows=st.integers(1, 9), columns=st.integers(1, 9))
def test_turning_on_comes_back(kind, rows, columns):
    image = np.arange(rows * columns).reshape(rows, columns)
    turned = image
    for _ in range(2 if kind.mirrors else 4):
        turned = orient(turned, kind, 0, 1)
    assert np.array_equal(turned, image)


@pytest.mark.parametrize("kind", Orientation)
def test_a_megapixel_takes_little_time(kind):
    image = np.random.default_rng(1).integers(0, 256, (1024, 1024), np.uint8)

    def measure() -> float:
        began = time.thread_time()
        orient(image, kind, 0, 1)
        return time.thread_time() - began

    # the best of some, by the time of this thread alone: others use the processor, too
    assert min(measure() for _ in range(30)) < 3e-3
