"""Images of the simulated detector, against figures recorded from a real ADSimDetector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.camera.images import (
    ImageGenerator,
    ImageSettings,
    Peaks,
    SimMode,
    Wave,
    Waves,
    to_pixels,
)
from adsupport.sim.ndarray import ColorMode, DataType

SIZE = 1024
INTEGERS = [np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)]


def draw(count=1, size=SIZE, seed=1, **settings):
    """Return ``count`` frames after a reset."""
    if "dtype" in settings:
        settings["dtype"] = np.dtype(settings["dtype"])
    generator = ImageGenerator(size, size, seed=seed)
    chosen = ImageSettings(**settings)
    frames = [generator.next_frame(chosen, reset=number == 0) for number in range(count)]
    return frames[0] if count == 1 else frames


def facts(image):
    return int(image.min()), int(image.max()), round(float(image.mean()), 3)


# --- linear ramp -----------------------------------------------------------------------------


def test_ramp_starts_at_zero_and_goes_on():
    frames = draw(3)
    assert [frame[0, :4].tolist() for frame in frames] == [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5]]
    assert all(facts(frame) == (0, 255, 127.5) for frame in frames)
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    assert np.array_equal(frames[0], (x + y) % 256)


@pytest.mark.parametrize(
    ("gain", "rows", "expected"),
    [
        (2.5, [[0, 2, 4, 6, 8, 10, 12, 14], [2, 4, 6, 8, 10, 12, 14, 16]], (0, 254, 127.0)),
        (0.5, [[0] * 8, [0] * 8], (0, 0, 0.0)),
    ],
)
def test_ramp_gain_is_truncated_to_the_pixel_type(gain, rows, expected):
    frames = draw(2, gain=gain)
    assert [frame[0, :8].tolist() for frame in frames] == rows
    assert facts(frames[0]) == expected


def test_fractional_gain_counts_in_a_float_image():
    first, second = draw(2, gain=0.5, dtype="float64")
    assert first[0, :3].tolist() == [0.0, 0.5, 1.0]
    assert second[0, :3].tolist() == [0.5, 1.0, 1.5]


def test_ramp_slopes():
    image = draw(gain_x=2.0, gain_y=3.0)
    assert image[0, :4].tolist() == [0, 2, 4, 6]
    assert image[:4, 0].tolist() == [0, 3, 6, 9]


def test_ramp_on_offset_and_on_noise():
    first, second = draw(2, offset=10.0)
    assert facts(first) == (0, 255, 127.5)
    assert first[0, :4].tolist() == [10, 11, 12, 13]
    assert second[0, :4].tolist() == [11, 12, 13, 14]
    noisy = draw(noise=10.0)
    above = (noisy.astype(int) - np.add.outer(np.arange(SIZE), np.arange(SIZE))) % 256
    assert (above.min(), above.max()) == (0, 9)
    assert facts(noisy)[:2] == (0, 255)
    assert noisy.mean() == pytest.approx(127.486, abs=0.05)


def test_int8_wraps_to_negative():
    image = draw(dtype="int8")
    assert image[0, 126:130].tolist() == [126, 127, -128, -127]


def test_uint16_does_not_wrap_at_256():
    image = draw(dtype="uint16")
    assert image[-1, -1] == 2 * (SIZE - 1)


@pytest.mark.parametrize("data_type", list(DataType))
def test_every_type_starts_the_same(data_type):
    image = draw(size=16, dtype=data_type.dtype)
    assert image.dtype == data_type.dtype
    assert image[0, :8].tolist() == list(range(8))


@pytest.mark.parametrize("data_type", list(DataType))
@pytest.mark.parametrize("mode", list(SimMode))
def test_every_mode_in_every_type_and_colour(data_type, mode):
    for color_mode, shape in SHAPES.items():
        frames = draw(
            2,
            size=8,
            dtype=data_type.dtype,
            mode=mode,
            color_mode=color_mode,
            noise=3.0,
            peak_variation=10.0,
        )
        for frame in frames:
            assert frame.shape == shape
            assert frame.dtype == data_type.dtype


# --- colours ---------------------------------------------------------------------------------

SHAPES = {
    ColorMode.MONO: (8, 8),
    ColorMode.RGB1: (8, 8, 3),
    ColorMode.RGB2: (8, 3, 8),
    ColorMode.RGB3: (3, 8, 8),
}


def test_colours_in_memory_as_recorded():
    assert draw(color_mode=ColorMode.RGB1).ravel()[:9].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert draw(color_mode=ColorMode.RGB2).ravel()[:9].tolist() == list(range(9))
    assert draw(color_mode=ColorMode.RGB3).ravel()[:9].tolist() == list(range(9))
    assert draw(color_mode=ColorMode.RGB2)[0, 1, :4].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("mode", [SimMode.LINEAR_RAMP, SimMode.PEAKS, SimMode.SINE])
def test_three_layouts_hold_the_same_colours(mode):
    def frames(color_mode):
        return draw(
            2,
            size=64,
            mode=mode,
            color_mode=color_mode,
            gain=60.0,
            gain_colors=(1.0, 2.0, 3.0),
            dtype="int32",
        )

    for one, two, three in zip(
        frames(ColorMode.RGB1), frames(ColorMode.RGB2), frames(ColorMode.RGB3), strict=True
    ):
        assert np.array_equal(one, np.moveaxis(two, 1, 2))
        assert np.array_equal(one, np.moveaxis(three, 0, 2))
        assert not np.array_equal(one[..., 0], one[..., 1])


def test_colour_gains_scale_the_ramp_and_its_steps():
    first, second = draw(2, color_mode=ColorMode.RGB1, gain=2.0, gain_colors=(1.0, 2.9, 0.0))
    assert first[0, 3].tolist() == [6, 12, 0]
    assert second[0, 3].tolist() == [8, 16, 0]


# --- peaks -----------------------------------------------------------------------------------


def test_default_peak():
    image = draw(mode=SimMode.PEAKS, gain=100.0)
    assert image[0, :8].tolist() == [99, 99, 99, 97, 95, 92, 88, 83]
    assert facts(image) == (0, 100, 0.034)
    assert int(image.sum()) == 36164
    assert np.argwhere(image == 100).tolist() == [[1, 1]]


def test_peaks_stay_the_same_unless_heights_vary():
    first, second = draw(2, mode=SimMode.PEAKS, gain=100.0)
    assert np.array_equal(first, second)
    first, second = draw(2, mode=SimMode.PEAKS, gain=200.0, peak_variation=50.0)
    assert not np.array_equal(first, second)
    assert all(150 <= frame.max() <= 250 for frame in (first, second))


def one_by_one(peaks_x, peaks_y, size, gain):
    """Draw every peak, pixel for pixel, into 64 bits."""
    image = np.zeros((size, size), np.int64)
    full_x = min(8 * peaks_x.width + 1, size - 1)
    full_y = min(8 * peaks_y.width + 1, size - 1)
    for row in range(peaks_y.number):
        for column in range(peaks_x.number):
            centre_y = peaks_y.start + row * peaks_y.step
            centre_x = peaks_x.start + column * peaks_x.step
            for k in range(full_y):
                for m in range(full_x):
                    y, x = centre_y + k - full_y // 2, centre_x + m - full_x // 2
                    if 0 <= y < size and 0 <= x < size:
                        image[y, x] += int(
                            gain
                            * np.exp(-(((k - full_y // 2) / peaks_y.width) ** 2) / 2)
                            * np.exp(-(((m - full_x // 2) / peaks_x.width) ** 2) / 2)
                        )
    return image


axes = st.builds(
    Peaks,
    start=st.integers(-30, 50),
    step=st.integers(-9, 9),
    number=st.integers(0, 4),
    width=st.integers(1, 3),
)


@given(peaks_x=axes, peaks_y=axes, dtype=st.sampled_from(["uint8", "int16", "float64"]))
def test_grids_of_peaks_equal_the_sum_of_their_peaks(peaks_x, peaks_y, dtype):
    image = draw(
        size=20, mode=SimMode.PEAKS, gain=150.5, peaks_x=peaks_x, peaks_y=peaks_y, dtype=dtype
    )
    if dtype == "float64":
        image = np.floor(image)
        assert (image >= one_by_one(peaks_x, peaks_y, 20, 150.5)).all()
    else:
        expected = one_by_one(peaks_x, peaks_y, 20, 150.5).astype(dtype)
        # a last-bit difference of exp may cross an integer
        assert np.abs(image.astype(int) - expected.astype(int)).max(initial=0) in (0, 1, 255)


def test_peaks_outside_and_absurd_grids_cost_nothing():
    far = Peaks(start=10**9, number=10**9, step=7)
    assert not draw(mode=SimMode.PEAKS, peaks_x=far, gain=9.0).any()
    assert not draw(mode=SimMode.PEAKS, peaks_x=Peaks(width=0), gain=9.0).any()
    assert not draw(mode=SimMode.PEAKS, peaks_y=Peaks(number=0), gain=9.0).any()
    piled = draw(mode=SimMode.PEAKS, peaks_x=Peaks(step=0, number=1000), gain=1.0, dtype="int32")
    assert piled[1, 1] == 1000


# --- sine ------------------------------------------------------------------------------------


def test_default_sine():
    image = draw(mode=SimMode.SINE)
    assert image[0, :8].tolist() == [2] * 8
    assert facts(image) == (0, 255, 63.291)


def test_sine_of_fifty_on_an_offset_goes_on():
    fifty = Waves(first=Wave(amplitude=50.0))
    first, second = draw(2, mode=SimMode.SINE, offset=128.0, waves_x=fifty, waves_y=fifty)
    assert first[0, :8].tolist() == [130, 130, 130, 130, 131, 131, 131, 132]
    assert second[0, :8].tolist() == [129, 130, 130, 130, 131, 131, 131, 132]
    assert facts(first) == facts(second) == (26, 226, 128.009)


def test_sine_phase_runs_on_and_resets():
    quarter = ImageSettings(
        dtype=np.dtype("float64"), mode=SimMode.SINE, waves_x=Waves(first=Wave(frequency=0.25))
    )
    generator = ImageGenerator(16, 16)
    first = generator.next_frame(quarter, reset=True)
    second = generator.next_frame(quarter, reset=False)
    assert not np.allclose(first, second)
    assert np.array_equal(generator.next_frame(quarter, reset=True), first)


def test_multiplied_sines():
    both = Waves(first=Wave(3.0, 1.0, 90.0), second=Wave(5.0, 1.0, 90.0), multiply=True)
    none = Waves(first=Wave(0.0), second=Wave(0.0))
    image = draw(mode=SimMode.SINE, waves_x=both, waves_y=none, dtype="float64")
    assert image[0, 0] == pytest.approx(15.0)


# --- offset and noise ------------------------------------------------------------------------


def test_offset_and_noise():
    first, second = draw(2, mode=SimMode.OFFSET_NOISE, offset=5.0, noise=20.0)
    assert facts(first)[:2] == (5, 24)
    assert first.mean() == pytest.approx(14.5, abs=0.05)
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first, axis=None), np.sort(second, axis=None))


def test_gain_does_not_act_on_noise():
    one = draw(mode=SimMode.OFFSET_NOISE, offset=5.0, noise=20.0)
    three = draw(mode=SimMode.OFFSET_NOISE, offset=5.0, noise=20.0, gain=3.0)
    assert np.array_equal(one, three)


def test_no_offset_and_no_noise_is_black():
    assert not draw(mode=SimMode.OFFSET_NOISE).any()


def test_seed_repeats_the_noise():
    settings = {"mode": SimMode.OFFSET_NOISE, "noise": 100.0}
    assert np.array_equal(draw(seed=7, **settings), draw(seed=7, **settings))
    assert not np.array_equal(draw(seed=7, **settings), draw(seed=8, **settings))


# --- frames belong to their consumers ----------------------------------------------------------


@pytest.mark.parametrize("mode", list(SimMode))
def test_a_kept_frame_never_changes(mode):
    generator = ImageGenerator(32, 32, seed=3)
    settings = ImageSettings(mode=mode, gain=10.0, noise=2.0)
    frame = generator.next_frame(settings, reset=True)
    before = frame.copy()
    for number in range(4):
        generator.next_frame(settings, reset=number == 2)
    assert np.array_equal(frame, before)
    with pytest.raises(ValueError, match="read-only"):
        frame[0, 0] = 1


# --- pixel type ------------------------------------------------------------------------------


@given(value=st.integers(-(2**52), 2**52), dtype=st.sampled_from(INTEGERS))
def test_integers_wrap_around(value, dtype):
    bits = 8 * dtype.itemsize
    wrapped = value % 2**bits
    if dtype.kind == "i" and wrapped >= 2 ** (bits - 1):
        wrapped -= 2**bits
    assert int(to_pixels(float(value), dtype)) == wrapped


@given(value=st.floats(-1e6, 1e6))
def test_fractions_are_cut_towards_zero(value):
    assert int(to_pixels(value, np.dtype("int32"))) == int(value)


@given(
    dtype=st.sampled_from([d for d in INTEGERS if d.itemsize < 8]),
    count=st.integers(1, 6),
    gain=st.integers(0, 127),
)
def test_a_ramp_of_any_integer_type_is_its_formula_wrapped(dtype, count, gain):
    frames = draw(count + 1, size=24, dtype=dtype, gain=float(gain))
    position = np.add.outer(np.arange(24), np.arange(24)) + count
    assert np.array_equal(frames[-1], (gain * position).astype(dtype))
