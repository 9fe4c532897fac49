"""NDPluginBadPixel: replaced pixels against statistics.median, and its files."""

from __future__ import annotations

import json
import math
import os
import statistics
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adsupport.sim.ndarray import ColorMode, DataType, Dimension
from adsupport.sim.plugins.bad_pixel import BadPixel
from adsupport.sim.port import PortError

DTYPES = [member.dtype for member in DataType]
REUSE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def mend(bench, tmp_path, picture_of):
    """Let the plugin mend an image by a list of entries."""
    one = bench(BadPixel)

    def run(image, entries, **options):
        path = tmp_path / "bad.json"
        path.write_text(json.dumps({"Bad pixels": entries}))
        one.write(BAD_PIXEL_FILE_NAME=str(path))
        return one.send(picture_of(image, **options)).data

    return run


def image_of(rows: int, columns: int, dtype: np.dtype | type = np.int32) -> np.ndarray:
    random = np.random.default_rng(rows * 100 + columns)
    return random.integers(0, 100, (rows, columns)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_three_remedies(mend, dtype):
    image = image_of(5, 6, dtype)
    made = mend(
        image,
        [
            {"Pixel": [2, 1], "Set": 77.9},
            {"Pixel": [4, 3], "Replace": [-1, 1]},
            {"Pixel": [1, 3], "Median": [1, 1]},
        ],
    )
    around = [image[y, x] for y in (2, 3, 4) for x in (0, 1, 2) if (y, x) != (3, 1)]
    middle = statistics.median(float(value) for value in around)
    expected = image.copy()
    expected[1, 2] = 77.9 if dtype.kind == "f" else 77
    expected[3, 4] = image[4, 3]
    expected[3, 1] = middle if dtype.kind == "f" else math.trunc(middle)
    assert made.dtype == dtype
    assert np.array_equal(made, expected)


@REUSE
@given(data=st.data())
def test_any_list_on_any_region(mend, data):
    rows, columns = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 8))
    offset = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    image = image_of(rows, columns)
    places = st.tuples(st.integers(offset[0], 14), st.integers(offset[1], 14))
    bad = data.draw(st.lists(places, max_size=12, unique=True))
    entries, expected = [], image.copy()

    def pixel(x: int, y: int) -> int | None:
        """Return a good pixel of the detector, if the image shows it."""
        column, row = x - offset[0], y - offset[1]
        inside = 0 <= column < columns and 0 <= row < rows
        return int(image[row, column]) if inside and (x, y) not in bad else None

    for x, y in bad:
        kind = data.draw(st.sampled_from(["Set", "Replace", "Median"]))
        dx, dy = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
        if kind == "Set":
            values = [dx]
            entries.append({"Pixel": [x, y], "Set": dx})
        elif kind == "Replace":
            values = [pixel(x + dx - 1, y - dy)]
            entries.append({"Pixel": [x, y], "Replace": [dx - 1, -dy]})
        else:
            near = [(x + i, y + j) for j in range(-dy, dy + 1) for i in range(-dx, dx + 1)]
            values = [pixel(*place) for place in near]
            entries.append({"Pixel": [x, y], "Median": [dx, dy]})
        values = [value for value in values if value is not None]
        column, row = x - offset[0], y - offset[1]
        if values and column < columns and row < rows:
            expected[row, column] = math.trunc(statistics.median(values))
    dims = (Dimension(columns, offset[0]), Dimension(rows, offset[1]))
    assert np.array_equal(mend(image, entries, dims=dims), expected)


def test_binned_images(mend):
    image = image_of(6, 8)
    dims = (Dimension(8, 100, 2), Dimension(6, 50, 3))
    made = mend(
        image,
        [
            {"Pixel": [107, 55], "Replace": [2, -1]},
            {"Pixel": [100, 50], "Set": 5},
            {"Pixel": [115, 67], "Median": [1, 0]},
            {"Pixel": [116, 67], "Set": 9},
            {"Pixel": [20, 20], "Set": 9},
        ],
        dims=dims,
    )
    expected = image.copy()
    expected[1, 3] = image[0, 5]
    expected[0, 0] = 5
    expected[5, 7] = image[5, 6]
    assert np.array_equal(made, expected)


def test_an_array_of_one_dimension_has_one_row(mend):
    line = np.arange(9)
    made = mend(line, [{"Pixel": [4, 0], "Set": 0}, {"Pixel": [5, 1], "Set": 0}])
    assert made.tolist() == [0, 1, 2, 3, 0, 5, 6, 7, 8]


def test_colour_images_are_mended_where_they_begin(mend):
    image = np.zeros((3, 4, 5), np.uint8)
    made = mend(image, [{"Pixel": [4, 3], "Set": 1}], mode=ColorMode.RGB3)
    assert np.argwhere(made).tolist() == [[0, 3, 4]]


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (2, 3, 4, 5)])
def test_other_arrays_pass(mend, shape):
    image = np.zeros(shape, np.uint8)
    assert not mend(image, [{"Pixel": [9, 9], "Median": [3, 3]}]).any()


def test_one_place_is_bad_once(mend):
    assert mend(np.zeros((1, 2)), [{"Pixel": [0, 0], "Set": s} for s in (1, 2)]).tolist() == [
        [1, 0]
    ]


def test_distances_beyond_the_image_do_no_harm(mend):
    image = image_of(4, 4)
    far = 2**40
    entries = [
        {"Pixel": [1, 1], "Median": [far, far]},
        {"Pixel": [2, 1], "Replace": [far, 0]},
        {"Pixel": [-far, far], "Set": 1},
        {"Pixel": [3, 3], "Median": [-1, 2]},
    ]
    expected = image.copy()
    good = [int(v) for (y, x), v in np.ndenumerate(image) if (y, x) not in [(1, 1), (1, 2), (3, 3)]]
    expected[1, 1] = math.trunc(statistics.median(good))
    assert np.array_equal(mend(image, entries), expected)


def test_medians_that_would_need_too_much_memory_are_refused(bench, picture_of, tmp_path, caplog,
                                                              monkeypatch):  # fmt: skip
    monkeypatch.setattr("adsupport.sim.arrays.bad_pixels.MOST_SOURCES", 100)
    path = tmp_path / "bad.json"
    entries = [{"Pixel": [n, 0], "Median": [9, 9]} for n in range(4)]
    path.write_text(json.dumps({"Bad pixels": entries}))
    one = bench(BadPixel)
    one.write(BAD_PIXEL_FILE_NAME=str(path))
    image = image_of(10, 10)
    for _ in range(3):
        assert np.array_equal(one.send(picture_of(image)).data, image)
    assert caplog.text.count("P1: bad pixels are left as they are") == 1


# ---- files

GOOD = {"Pixel": [0, 0], "Set": 9}
BAD_CONTENTS = {
    "empty": b"",
    "no JSON": b"{'Bad pixels': []}",
    "no text": b"\xff\xfe\xfd",
    "not a number": b'{"Bad pixels": [{"Pixel": [0, 0], "Set": NaN}]}',
    "a list": b"[]",
    "deep": b"[" * 100_000,
}
MALFORMED = [
    {},
    {"Pixel": 3, "Set": 1},
    {"Pixel": [1], "Set": 1},
    {"Pixel": ["1", 2], "Set": 1},
    {"Pixel": [1, True], "Set": 1},
    {"Pixel": [1, 1], "Set": "high"},
    {"Pixel": [1, 1], "Set": 10**400},
    {"Pixel": [10**30, 1], "Set": 1},
    {"Pixel": [1, 1], "Median": 3},
    {"Pixel": [1, 1], "Replace": [1, None]},
    7,
    None,
]


@pytest.fixture
def loaded(bench, tmp_path, picture_of):
    """Return a plugin with one bad pixel, and what writes another file for it."""
    one = bench(BadPixel)
    path = tmp_path / "list.json"

    def write(content: bytes) -> str:
        path.write_bytes(content)
        return str(path)

    one.write(BAD_PIXEL_FILE_NAME=write(json.dumps({"Bad pixels": [GOOD]}).encode()))
    return one, write


@pytest.mark.parametrize("content", BAD_CONTENTS.values(), ids=BAD_CONTENTS)
def test_a_file_that_is_no_list_leaves_the_last_one(loaded, picture_of, caplog, content):
    one, write = loaded
    path = write(content)
    with pytest.raises(PortError):
        one.write(BAD_PIXEL_FILE_NAME=path)
    assert f"P1: bad pixels: {path}" in caplog.text
    assert one.send(picture_of(np.zeros((2, 2)))).data[0, 0] == 9


@pytest.mark.parametrize("entry", MALFORMED, ids=repr)
def test_entries_before_a_malformed_one_hold(loaded, picture_of, caplog, entry):
    one, write = loaded
    entries = [{"Pixel": [1, 0], "Set": 5}, entry, {"Pixel": [1, 1], "Set": 6}]
    path = write(json.dumps({"Bad pixels": entries}).encode())
    with pytest.raises(PortError):
        one.write(BAD_PIXEL_FILE_NAME=path)
    assert f"P1: bad pixels: {path}" in caplog.text
    assert one.send(picture_of(np.zeros((2, 2)))).data.tolist() == [[0, 5], [0, 0]]


@pytest.mark.parametrize("content", [{}, {"Bad pixels": []}, {"Bad pixels": None}])
def test_a_file_without_entries_clears_the_list(loaded, picture_of, content):
    one, write = loaded
    one.write(BAD_PIXEL_FILE_NAME=write(json.dumps(content).encode()))
    image = picture_of(np.zeros((2, 2)))
    assert one.send(image) is image


def test_an_empty_name_keeps_the_list(loaded, picture_of):
    one, _ = loaded
    one.write(BAD_PIXEL_FILE_NAME="")
    assert one.send(picture_of(np.zeros((2, 2)))).data[0, 0] == 9


def test_what_is_not_a_file_is_not_read(loaded, tmp_path):
    one, _ = loaded
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe", "/dev/zero", "x\0y"):
        began = time.monotonic()
        with pytest.raises(PortError):
            one.write(BAD_PIXEL_FILE_NAME=str(path))
        assert time.monotonic() - began < 5
