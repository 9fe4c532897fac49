"""Region of interest, binning and reversal, against figures recorded from a real ADSimDetector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.camera.images import ImageGenerator, ImageSettings
from adsupport.sim.camera.region import COLOR_AXES, Window, read_out
from adsupport.sim.ndarray import ColorMode, Dimension

SIZE = 1024


def ramp(number=0):
    """Return frame ``number`` of a linear ramp."""
    y, x = np.ogrid[:SIZE, :SIZE]
    return (x + y + number).astype(np.uint8)


def facts(image):
    return int(image.min()), int(image.max()), round(float(image.mean()), 3)


windows = st.builds(
    Window,
    start=st.integers(-(10**6), 10**6),
    size=st.integers(-(10**6), 10**6),
    binning=st.integers(-50, 5000),
    reverse=st.booleans(),
)


@given(window=windows, limit=st.integers(1, 5000))
def test_a_fitted_window_lies_inside(window, limit):
    fitted = window.fit(limit)
    assert 0 <= fitted.start < limit
    assert fitted.binning >= 1
    assert fitted.size >= 1
    assert fitted.start + fitted.size <= limit
    assert fitted.size % fitted.binning == 0
    assert fitted.reverse == window.reverse
    assert fitted.fit(limit) == fitted


@given(start=st.integers(0, 99), size=st.integers(1, 100), limit=st.integers(100, 200))
def test_a_window_that_lies_inside_is_kept(start, size, limit):
    if start + size <= limit:
        assert Window(start, size).fit(limit) == Window(start, size)


@pytest.mark.parametrize(
    ("window", "fitted"),
    [
        (Window(1000, 500), Window(1000, 24)),
        (Window(-5, 1024), Window(0, 1024)),
        (Window(2000, 1024), Window(1023, 1)),
        (Window(0, 0), Window(0, 1)),
        (Window(0, 1024, 0), Window(0, 1024, 1)),
        (Window(0, 1024, 3), Window(0, 1023, 3)),
    ],
)
def test_windows_are_corrected_as_recorded(window, fitted):
    assert window.fit(SIZE) == fitted


def mono(frame, x=None, y=None):
    return read_out(
        frame, ColorMode.MONO, x or Window(0, frame.shape[1]), y or Window(0, frame.shape[0])
    )


def test_region_as_recorded():
    part, dims = mono(ramp(), Window(100, 200), Window(10, 50))
    assert part.shape == (50, 200)
    assert part[0, :4].tolist() == [110, 111, 112, 113]
    assert facts(part) == (0, 255, 133.52)
    assert dims == (Dimension(200, offset=100), Dimension(50, offset=10))


def test_binning_sums_as_recorded():
    part, dims = mono(ramp(), Window(0, 1023, 3), Window(0, 1024, 2))
    assert part.ravel()[:8].tolist() == [9, 27, 45, 63, 81, 99, 117, 135]
    assert facts(part) == (1, 255, 127.997)
    assert [dim.size for dim in dims] == [341, 512]
    assert [dim.binning for dim in dims] == [3, 2]
    part, _ = mono(ramp(), Window(0, 1024, 2), Window(0, 1024, 2))
    assert part.ravel()[:8].tolist() == [4, 12, 20, 28, 36, 44, 52, 60]
    assert facts(part) == (4, 252, 128.0)


def test_reverse_as_recorded():
    part, dims = mono(ramp(), x=Window(0, SIZE, reverse=True))
    assert part[0, :8].tolist() == list(range(255, 247, -1))
    assert dims[0].reverse
    part, _ = mono(ramp(), y=Window(0, SIZE, reverse=True))
    assert part[0, :8].tolist() == [255, 0, 1, 2, 3, 4, 5, 6]


def test_region_binning_and_reverse_as_in_the_recorded_file():
    second = ramp(number=1)
    part, dims = mono(second, Window(100, 200, reverse=True), Window(0, 1024, 2))
    assert part.shape == (512, 200)
    assert part[0, :8].tolist() == [89, 87, 85, 83, 81, 79, 77, 75]
    assert dims == (Dimension(200, 100, 1, True), Dimension(512, 0, 2, False))


def test_the_whole_image_is_not_copied():
    frame = ramp()
    part, dims = mono(frame)
    assert np.shares_memory(part, frame)
    assert dims == (Dimension(SIZE), Dimension(SIZE))


@given(x=windows, y=windows, color_mode=st.sampled_from(list(COLOR_AXES)))
def test_regions_in_every_colour_mode(x, y, color_mode):
    generator = ImageGenerator(30, 20)
    settings = ImageSettings(color_mode=color_mode, gain_colors=(1.0, 2.0, 3.0))
    frame = generator.next_frame(settings, reset=True)
    x, y = x.fit(30), y.fit(20)
    part, dims = read_out(frame, color_mode, x, y)
    assert part.shape == tuple(dim.size for dim in reversed(dims))
    assert part.flags.c_contiguous
    color = {ColorMode.RGB1: 2, ColorMode.RGB2: 1, ColorMode.RGB3: 0}.get(color_mode)
    whole = frame[np.newaxis] if color is None else np.moveaxis(frame, color, 0)
    planes = part[np.newaxis] if color is None else np.moveaxis(part, color, 0)
    for plane, source in zip(planes, whole, strict=True):
        window = source[y.start : y.start + y.size, x.start : x.start + x.size]
        window = window[:: -1 if y.reverse else 1, :: -1 if x.reverse else 1]
        rows, columns = y.size // y.binning, x.size // x.binning
        bins = window.reshape(rows, y.binning, columns, x.binning).sum((1, 3), dtype=np.int64)
        assert np.array_equal(plane, (bins % 256).astype(np.uint8))
