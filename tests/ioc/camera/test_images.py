"""The camera's images in image1:ArrayData, against figures recorded from an ADSimDetector."""

import numpy as np
import pytest


def facts(image: np.ndarray) -> tuple[int, int, float]:
    return int(image.min()), int(image.max()), round(float(image.mean()), 3)


def test_ramp(det):
    x, y = np.meshgrid(np.arange(1024), np.arange(1024))
    for number in range(3):
        image = det.image()
        assert image.size == 1024 * 1024
        assert np.array_equal(image.astype(np.uint8).reshape(1024, 1024), (x + y + number) % 256)
    image = det.image(Gain=2.5)
    assert image[:8].tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert facts(image) == (0, 254, 127.0)
    assert not det.image(Gain=0.5).any()
    assert det.image(Gain=1.0, GainX=2.0, GainY=3.0)[:8].tolist() == list(range(0, 16, 2))


def test_ramp_on_offset_and_noise(det):
    assert det.image(Offset=10.0)[:8].tolist() == list(range(10, 18))
    image = det.image(Offset=0.0, Noise=10.0)
    above = (image[:100].astype(int) - np.arange(100)) % 256
    assert 0 <= above.min() <= above.max() <= 9


def test_peaks(det):
    image = det.image(SimMode="Peaks", Gain=100.0)
    assert image[:8].tolist() == [99, 99, 99, 97, 95, 92, 88, 83]
    assert facts(image) == (0, 100, 0.034)
    assert np.array_equal(det.image(), image)


def test_sine(det):
    image = det.image(SimMode="Sine")
    assert image[:8].tolist() == [2] * 8
    assert facts(image) == (0, 255, 63.291)
    image = det.image(XSine1Amplitude=50.0, YSine1Amplitude=50.0, Offset=128.0)
    assert image[:8].tolist() == [130, 130, 130, 130, 131, 131, 131, 132]
    assert facts(image) == (26, 226, 128.009)
    assert det.image()[:8].tolist() == [129, 130, 130, 130, 131, 131, 131, 132]


def test_offset_and_noise(det):
    first = det.image(SimMode="Offset&Noise", Offset=5.0, Noise=20.0)
    assert facts(first)[:2] == (5, 24)
    assert first.mean() == pytest.approx(14.5, abs=0.05)
    second = det.image()
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first), np.sort(second))


@pytest.mark.parametrize(
    ("data_type", "size"),
    [
        ("Int8", 1),
        ("UInt8", 1),
        ("Int16", 2),
        ("UInt16", 2),
        ("Int32", 4),
        ("UInt32", 4),
        ("Int64", 8),
        ("UInt64", 8),
        ("Float32", 4),
        ("Float64", 8),
    ],
)
def test_data_types(det, data_type, size):
    image = det.image(DataType=data_type).astype(np.uint8)
    assert det.text("cam1:DataType_RBV") == data_type
    assert det.get("cam1:ArraySize_RBV") == 1024 * 1024 * size
    assert image.size == 1024 * 1024
    assert image[:8].tolist() == list(range(8))
    assert facts(image) == (0, 255, 127.5)


@pytest.mark.parametrize(
    ("color", "sizes", "first"),
    [
        ("RGB1", (3, 1024, 1024), [0, 0, 0, 1, 1, 1, 2, 2, 2]),
        ("RGB2", (1024, 3, 1024), list(range(9))),
        ("RGB3", (1024, 1024, 3), list(range(9))),
        ("Mono", (1024, 1024, 0), list(range(9))),
    ],
)
def test_colour_modes(det, color, sizes, first):
    image = det.image(ColorMode=color)
    assert image[:9].tolist() == first
    assert image.size == 1024 * 1024 * (1 if color == "Mono" else 3)
    assert det.get("cam1:ArraySize_RBV") == image.size
    assert det.text("cam1:ColorMode_RBV") == det.text("image1:ColorMode_RBV") == color
    assert tuple(int(det.get(f"image1:ArraySize{axis}_RBV")) for axis in range(3)) == sizes
    assert det.get("image1:NDimensions_RBV") == (2 if color == "Mono" else 3)
    # the camera's own sizes stay those of the plane
    assert (det.get("cam1:ArraySizeX_RBV"), det.get("cam1:ArraySizeY_RBV")) == (1024, 1024)
    assert (det.get("cam1:ArraySizeZ_RBV"), det.get("cam1:NDimensions_RBV")) == (0, 0)


@pytest.mark.parametrize(
    ("settings", "before", "after", "sizes", "first"),
    [
        (
            {"MinX": 100, "SizeX": 200, "MinY": 10, "SizeY": 50},
            {"MinX": 100, "SizeX": 200},
            {"MinX": 100, "SizeX": 200, "MinY": 10, "SizeY": 50},
            (200, 50),
            [110, 111, 112],
        ),
        (
            {"BinX": 3, "BinY": 2},
            {"SizeX": 1024, "BinX": 3},
            {"SizeX": 1023, "BinX": 3, "SizeY": 1024, "BinY": 2},
            (341, 512),
            [9, 27, 45, 63, 81, 99, 117, 135],
        ),
        (
            {"MinX": 1000, "SizeX": 500},
            {"SizeX": 500},
            {"MinX": 1000, "SizeX": 24},
            (24, 1024),
            [232, 233, 234],
        ),
        ({"MinX": -5}, {"MinX": -5}, {"MinX": 0, "SizeX": 1024}, (1024, 1024), [0, 1, 2]),
        ({"SizeX": 0}, {"SizeX": 0}, {"MinX": 0, "SizeX": 1}, (1, 1024), [0, 1, 2]),
        ({"BinX": 0}, {"BinX": 0}, {"BinX": 1}, (1024, 1024), [0, 1, 2]),
        ({"MinX": 2000}, {"MinX": 2000}, {"MinX": 1023, "SizeX": 1}, (1, 1024), [255, 0, 1]),
        ({"ReverseX": "Yes"}, {}, {}, (1024, 1024), [255, 254, 253]),
        ({"ReverseY": "Yes"}, {}, {}, (1024, 1024), [255, 0, 1]),
        ({"BinX": 2, "BinY": 2}, {}, {}, (512, 512), [4, 12, 20, 28]),
    ],
)
def test_region(det, settings, before, after, sizes, first):
    for record, value in settings.items():
        det.put(f"cam1:{record}", value)
    for record, value in before.items():
        assert det.get(f"cam1:{record}_RBV") == value
    image = det.image()
    for record, value in after.items():
        assert det.get(f"cam1:{record}_RBV") == value, record
    for record, value in settings.items():
        # the set-point keeps what was asked for
        assert value in (det.get(f"cam1:{record}"), det.text(f"cam1:{record}"))
    assert (det.get("cam1:ArraySizeX_RBV"), det.get("cam1:ArraySizeY_RBV")) == sizes
    assert image.size == sizes[0] * sizes[1]
    assert image[: len(first)].tolist() == first
