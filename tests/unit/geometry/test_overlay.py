"""NDPluginOverlay: shapes against pixel-by-pixel rules, text by where it may be."""

from __future__ import annotations

import calendar
import math
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adsupport.sim.arrays.drawing import MASKS, Frame, Shape
from adsupport.sim.arrays.lettering import FONTS, format_stamp, text_mask
from adsupport.sim.ndarray import ColorMode, DataType
from adsupport.sim.plugins.overlay import Overlay
from adsupport.sim.port import at_address

DTYPES = [member.dtype for member in DataType]
EPICS_EPOCH = calendar.timegm((1990, 1, 1, 0, 0, 0))
NO_ROOM = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def put(one, number: int, **values: object) -> None:
    """Write parameters of an overlay, counted from 1, as a client does."""
    for param, value in values.items():
        name = param if param == "USE" else f"OVERLAY_{param}"
        one.plugin.write(at_address(name, number - 1), value)


def get(one, number: int, param: str) -> object:
    return one.plugin.get(at_address(f"OVERLAY_{param}", number - 1))


def use(one, number: int = 1, **values: object) -> None:
    """Draw an overlay with some settings, a rectangle unless told otherwise."""
    base = {"POSITION_X": 0, "POSITION_Y": 0, "SIZE_X": 4, "SIZE_Y": 4, "WIDTH_X": 1, "WIDTH_Y": 1,
            "RED": 10, "GREEN": 20, "BLUE": 30, "SHAPE": 1, "DRAW_MODE": 0}  # fmt: skip
    put(one, number, **(base | values), USE=1)


def cross(shape, f):
    """Tell pixel by pixel what a cross covers."""
    covered = np.zeros(shape, bool)
    cx, cy = f.x + math.trunc(f.size_x / 2), f.y + math.trunc(f.size_y / 2)
    ax, ay = math.trunc(f.size_x / 2), math.trunc(f.size_y / 2)
    for y in range(shape[0]):
        for x in range(shape[1]):
            if not cy - ay <= y <= cy + ay:
                continue
            if abs(y - cy) <= f.width_y // 2:
                covered[y, x] = cx - ax <= x <= cx + ax
            else:
                covered[y, x] = abs(x - cx) <= f.width_x // 2
    return covered


def rectangle(shape, f):
    """Tell pixel by pixel what a rectangle covers."""
    covered = np.zeros(shape, bool)
    wide_x, wide_y = min(f.width_x, f.size_x - 1), min(f.width_y, f.size_y - 1)
    for y in range(shape[0]):
        for x in range(shape[1]):
            if not (f.x <= x <= f.x + f.size_x and f.y <= y <= f.y + f.size_y):
                continue
            covered[y, x] = (
                y < f.y + wide_y or y > f.y + f.size_y - wide_y
                or x < f.x + wide_x or x > f.x + f.size_x - wide_x
            )  # fmt: skip
    return covered


frames = st.builds(
    Frame,
    *(st.integers(-15, 25) for _ in range(2)),
    *(st.integers(0, 30) for _ in range(2)),
    *(st.integers(0, 8) for _ in range(2)),
)


@given(frame=frames, rows=st.integers(1, 12), columns=st.integers(1, 12))
def test_crosses_and_rectangles(frame, rows, columns):
    shape = rows, columns
    assert np.array_equal(MASKS[Shape.CROSS](shape, frame), cross(shape, frame))
    if frame.size_x > 0 and frame.size_y > 0:
        assert np.array_equal(MASKS[Shape.RECTANGLE](shape, frame), rectangle(shape, frame))


def test_an_ellipse_is_a_closed_line_of_the_right_size():
    mask = MASKS[Shape.ELLIPSE]((60, 80), Frame(10, 5, 40, 30, 1, 1))
    rows, columns = mask.nonzero()
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (10, 50, 5, 35)
    distance = np.hypot((columns - 30) / 20, (rows - 20) / 15)
    assert np.abs(distance - 1).max() < 0.05
    assert np.array_equal(mask[:, 10:51], mask[:, 10:51][:, ::-1])
    assert np.array_equal(mask[5:36], mask[5:36][::-1])
    # no gap: every row and column that it spans is touched twice
    assert (np.bincount(columns, minlength=51)[11:50] >= 2).all()
    assert (np.bincount(rows, minlength=36)[6:35] >= 2).all()


def test_an_ellipse_grows_inwards():
    thin, wide = (MASKS[Shape.ELLIPSE]((50, 50), Frame(5, 5, 40, 40, w, w)) for w in (1, 4))
    assert (wide | thin == wide).all()
    rows, columns = wide.nonzero()
    distance = np.hypot(columns - 25, rows - 25)
    assert (distance.min() > 15.5, distance.max() < 21) == (True, True)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("mode", [0, 1])
def test_gray_images_are_drawn_into_with_green(bench, picture_of, dtype, mode):
    image = np.arange(64).astype(dtype).reshape(8, 8)
    one = bench(Overlay)
    use(one, POSITION_X=2, POSITION_Y=1, SIZE_X=3, SIZE_Y=5, GREEN=300, DRAW_MODE=mode)
    made = one.send(picture_of(image))
    covered = rectangle((8, 8), Frame(2, 1, 3, 5, 1, 1))
    value = (image.astype(np.int64) ^ 300) if mode else np.full((8, 8), 300)
    assert made.data.dtype == dtype
    assert np.array_equal(made.data, np.where(covered, value.astype(dtype), image))
    assert (one.plugin.get("MAX_SIZE_X"), one.plugin.get("MAX_SIZE_Y")) == (8, 8)


@pytest.mark.parametrize(
    ("mode", "layout"), [(ColorMode.RGB1, "yxc"), (ColorMode.RGB2, "ycx"), (ColorMode.RGB3, "cyx")]
)
@pytest.mark.parametrize("xor", [0, 1])
def test_colour_images(bench, picture_of, mode, layout, xor):
    image = np.arange(6 * 9 * 3, dtype=np.uint8).reshape(6, 9, 3)
    order = ["yxc".index(axis) for axis in layout]
    one = bench(Overlay)
    use(one, SHAPE=0, SIZE_X=8, SIZE_Y=4, DRAW_MODE=xor)
    made = one.send(picture_of(np.transpose(image, order), mode))
    covered = cross((6, 9), Frame(0, 0, 8, 4, 1, 1))[..., np.newaxis]
    color = np.uint8([10, 20, 30])
    expected = np.where(covered, image ^ color if xor else color, image)
    assert np.array_equal(made.data, np.transpose(expected, order))
    assert (one.plugin.get("MAX_SIZE_X"), one.plugin.get("MAX_SIZE_Y")) == (9, 6)


def test_overlays_lie_on_top_of_each_other_and_each_can_be_switched_off(bench, picture_of):
    one = bench(Overlay)
    image = picture_of(np.zeros((20, 20), np.uint8))
    assert one.send(image) is image
    for number in range(1, 9):
        use(one, number, POSITION_X=number, SIZE_X=5, SIZE_Y=5, GREEN=number)
    made = one.send(image)
    assert made.data[0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7] + [8] * 6 + [0] * 6
    put(one, 8, USE=0)
    assert one.send(image).data[0, 8] == 7


def test_xor_twice_restores_the_image(bench, picture_of):
    image = picture_of(np.arange(400).astype(np.uint8).reshape(20, 20))
    one = bench(Overlay)
    for number in (1, 2):
        use(one, number, SHAPE=2, SIZE_X=15, SIZE_Y=12, WIDTH_X=3, GREEN=77, DRAW_MODE=1)
    assert np.array_equal(one.send(image).data, image.data)


# ---- position, centre and size


@pytest.mark.parametrize("axis", "XY")
def test_centre_follows_position_and_back(bench, axis):
    one = bench(Overlay)
    for size in (10, 11):
        put(one, 3, **{f"SIZE_{axis}": size, f"POSITION_{axis}": 100})
        assert get(one, 3, f"CENTER_{axis}") == 105
        put(one, 3, **{f"CENTER_{axis}": 50})
        assert get(one, 3, f"POSITION_{axis}") == 45


@pytest.mark.parametrize("axis", "XY")
def test_a_new_size_moves_what_was_not_written_last(bench, axis):
    one = bench(Overlay)
    put(one, 2, **{f"POSITION_{axis}": 100, f"SIZE_{axis}": 40})
    assert (get(one, 2, f"POSITION_{axis}"), get(one, 2, f"CENTER_{axis}")) == (100, 120)
    put(one, 2, **{f"CENTER_{axis}": 120, f"SIZE_{axis}": 100})
    assert (get(one, 2, f"POSITION_{axis}"), get(one, 2, f"CENTER_{axis}")) == (70, 120)
    other = "Y" if axis == "X" else "X"
    assert get(one, 2, f"POSITION_{other}") == 0


def test_sums_beyond_32_bits_wrap(bench):
    one = bench(Overlay)
    put(one, 1, SIZE_X=2**31 - 1, POSITION_X=2**31 - 1)
    assert get(one, 1, "CENTER_X") == 2**31 - 1 + 2**30 - 1 - 2**32


# ---- text


def test_text_is_drawn_in_cells_within_its_frame():
    shape = (40, 200)
    for font in FONTS:
        mask = text_mask(shape, Frame(20, 10, 100, 30), "Hgj 8", font)
        rows, columns = mask.nonzero()
        assert 10 <= rows.min() and rows.max() < 10 + font.height
        assert 20 <= columns.min() and columns.max() < 20 + 5 * font.width
        assert not mask[:, 20 + 3 * font.width : 20 + 4 * font.width].any()  # the blank
        cut = text_mask(shape, Frame(20, 10, font.width + 2, 6), "Hgj 8", font)
        assert np.array_equal(cut[:16, : 22 + font.width], mask[:16, : 22 + font.width])
        assert cut.sum() == cut[:16, : 22 + font.width].sum()
    plain, bold = (text_mask(shape, Frame(0, 0, 99, 99), "A", FONTS[n]).sum() for n in (2, 3))
    assert bold > plain > 0


@pytest.mark.parametrize(("x", "y"), [(-7, -4), (195, 35), (500, 0), (0, 500), (-500, -500)])
def test_text_may_lie_outside(x, y):
    whole = text_mask((2000, 2000), Frame(x + 700, y + 700, 1000, 1000), "Some text", FONTS[0])
    mask = text_mask((40, 200), Frame(x, y, 1000, 1000), "Some text", FONTS[0])
    assert np.array_equal(mask, whole[700:740, 700:900])


def test_characters_that_cannot_be_drawn_take_room():
    shape = (20, 100)
    frame = Frame(0, 0, 99, 99)
    with_tab = text_mask(shape, frame, "\tA\xe9", FONTS[0])
    assert np.array_equal(with_tab, text_mask(shape, frame, " A", FONTS[0]))


def test_a_text_overlay_shows_text_and_time(bench, picture_of):
    one = bench(Overlay)
    image = picture_of(np.zeros((20, 200), np.uint8))
    frame = Frame(3, 2, 190, 17, 1, 1)
    use(one, SHAPE=3, POSITION_X=3, POSITION_Y=2, SIZE_X=190, SIZE_Y=17, FONT=2, GREEN=255,
        DISPLAY_TEXT="t=", TIMESTAMP_FORMAT="%S.%03f")  # fmt: skip
    made = one.send(image)
    assert np.array_equal(made.data == 255, text_mask((20, 200), frame, "t=02.000", FONTS[2]))
    put(one, 1, TIMESTAMP_FORMAT="")
    made = one.send(image)
    assert np.array_equal(made.data == 255, text_mask((20, 200), frame, "t=", FONTS[2]))


@given(
    seconds=st.integers(1, 2**31 - 1), nanoseconds=st.integers(0, 999_999_999),
    digits=st.integers(1, 9),
)  # fmt: skip
def test_time_stamps(seconds, nanoseconds, digits):
    stamp = format_stamp(f"%Y-%m-%d %H:%M:%S.%0{digits}f", seconds, nanoseconds)
    whole, fraction = stamp.split(".")
    assert time.mktime(time.strptime(whole, "%Y-%m-%d %H:%M:%S")) in (
        seconds + EPICS_EPOCH, seconds + EPICS_EPOCH - 3600, seconds + EPICS_EPOCH + 3600,
    )  # fmt: skip
    assert len(fraction) == digits
    assert abs(int(fraction) * 10 ** (9 - digits) - nanoseconds) <= 10 ** (9 - digits)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%f", "123456789"),
        ("%03f", "123"),
        ("%06f", "123457"),
        ("%%03f", "%03f"),
        ("plain", "plain"),
        ("x" * 100, "x" * 62),
    ],
)
def test_fractions_of_seconds(pattern, text):
    assert format_stamp(pattern, 1, 123_456_789) == text


def test_a_fraction_does_not_reach_the_next_second():
    assert format_stamp("%03f", 1, 999_999_999) == "999"


def test_an_array_without_time_stamp():
    assert format_stamp("%Y", 0, 0) == "<undefined>"


# ---- wrong input

numbers = st.sampled_from([-(2**31), -1000, -1, 0, 1, 2, 7, 50, 10**6, 2**31 - 1])


@NO_ROOM
@given(
    values=st.fixed_dictionaries(
        {
            **{
                f"{what}_{axis}": numbers for what in ("POSITION", "SIZE", "WIDTH") for axis in "XY"
            },
            **dict.fromkeys(("RED", "GREEN", "BLUE"), numbers),
            "SHAPE": st.integers(0, 3),
            "DRAW_MODE": st.integers(0, 1),
            "DISPLAY_TEXT": st.text(st.characters(max_codepoint=255), max_size=40),
        }
    ),
    dtype=st.sampled_from(DTYPES),
)
def test_no_number_stops_the_plugin(bench_overlay, picture_of, values, dtype):
    use(bench_overlay, **values)
    made = bench_overlay.send(picture_of(np.ones((9, 7), dtype)))
    assert made.data.shape == (9, 7)


@pytest.fixture
def bench_overlay(bench):
    return bench(Overlay)


def test_an_ellipse_larger_than_any_image_is_not_drawn(bench_overlay, picture_of, caplog):
    use(bench_overlay, SHAPE=2, SIZE_X=2**31 - 1, SIZE_Y=2**31 - 1)
    image = np.ones((9, 7), np.uint8)
    for _ in range(3):
        assert np.array_equal(bench_overlay.send(picture_of(image)).data, image)
    assert caplog.text.count("P1: overlay 1 is not drawn: an ellipse of") == 1


@pytest.mark.parametrize("shape", [(9,), (2, 9, 7), (2, 2, 9, 7), (0, 5), (4, 0)])
def test_arrays_of_any_dimensions_pass(bench_overlay, picture_of, shape):
    use(bench_overlay, SIZE_X=2, SIZE_Y=2)
    image = np.ones(shape, np.uint8)
    made = bench_overlay.send(picture_of(image)).data
    expected = image.copy()
    if len(shape) > 1 and 0 not in shape:
        first = expected.reshape(-1, *shape[-2:])[:1]
        covered = rectangle(shape[-2:], Frame(0, 0, 2, 2, 1, 1))
        first[..., covered] = 20
    assert np.array_equal(made, expected)
