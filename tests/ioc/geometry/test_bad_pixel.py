"""NDPluginBadPixel over Channel Access."""

import json

import numpy as np
import pytest


@pytest.fixture
def list_file(tmp_path):
    def write(*entries: object) -> str:
        path = tmp_path / "bad_pixels.json"
        path.write_text(json.dumps({"Bad pixels": entries}))
        return str(path)

    yield write


@pytest.fixture
def bad(chain, list_file):
    rig = chain("BadPix1")
    yield rig
    rig.write({"BadPix1:FileName": list_file()})


def test_pixels_are_replaced(bad, first_frame, list_file):
    path = list_file(
        {"Pixel": [5, 6], "Set": 99},
        {"Pixel": [10, 2], "Replace": [3, 1]},
        {"Pixel": [20, 10], "Median": [1, 1]},
        {"Pixel": [21, 10], "Median": [1, 0]},
    )
    image = bad.image(BadPix1__FileName=path)
    expected = first_frame()
    expected[6, 5] = 99
    expected[2, 10] = 13 + 3
    bad_ones = ((20, 10), (21, 10))
    around = [x + y for y in (9, 10, 11) for x in (19, 20, 21) if (x, y) not in bad_ones]
    expected[10, 20] = np.median(around)
    expected[10, 21] = 22 + 10  # the pixel to the left is bad, too
    assert np.array_equal(image, expected)
    assert bad.alarm("BadPix1:FileName") == (0, 0)


def test_a_region_of_the_detector(bad, first_frame, list_file):
    path = list_file({"Pixel": [12, 7], "Set": 200}, {"Pixel": [3, 3], "Set": 200})
    bad.write({"cam1:MinX": 10, "cam1:MinY": 5, "cam1:SizeX": 20, "cam1:SizeY": 10})
    image = bad.image(BadPix1__FileName=path)
    expected = first_frame()[5:15, 10:30].copy()
    expected[2, 2] = 200
    assert np.array_equal(image, expected)


def test_a_roi_plugin_before_it(chain, first_frame, list_file):
    rig = chain("ROI2", "BadPix1")
    path = list_file({"Pixel": [13, 9], "Set": 200})
    image = rig.image(BadPix1__FileName=path, ROI2__MinX=4, ROI2__BinX=2, ROI2__MinY=5)
    expected = first_frame()[5:, 4:].reshape(19, 18, 2).sum(axis=2, dtype=np.uint8)
    expected[4, 4] = 200
    assert np.array_equal(image, expected)
    rig.write({"BadPix1:FileName": list_file()})


@pytest.mark.parametrize("content", [None, "", "{", '{"Bad pixels": [{"Pixel": 1}]}'])
def test_a_bad_file_is_an_alarm_and_no_more(bad, first_frame, tmp_path, list_file, content):
    path = tmp_path / "broken.json"
    if content is not None:
        path.write_text(content)
    bad.write({"BadPix1:FileName": str(path)})
    assert bad.alarm("BadPix1:FileName") == (3, 2)
    assert np.array_equal(bad.image(), first_frame())
    expected = first_frame()
    expected[0, 0] = 7
    assert np.array_equal(
        bad.image(BadPix1__FileName=list_file({"Pixel": [0, 0], "Set": 7})), expected
    )
    assert bad.alarm("BadPix1:FileName") == (0, 0)
