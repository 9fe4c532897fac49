"""Statistics, centroid, profiles and histogram of camera images over Channel Access."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
from scipy import ndimage, special
from scipy import stats as samples

WIDTH, HEIGHT = 60, 40
BASIC = ("MinValue", "MaxValue", "MeanValue", "Sigma", "Total", "Net", "MinX", "MinY", "MaxX",
         "MaxY")  # fmt: skip
SHAPE = ("CentroidTotal", "CentroidX", "CentroidY", "SigmaX", "SigmaY", "SigmaXY", "SkewX",
         "SkewY", "KurtosisX", "KurtosisY", "Eccentricity", "Orientation")  # fmt: skip
EVERYTHING = dict.fromkeys(
    ("ComputeStatistics", "ComputeCentroid", "ComputeProfiles", "ComputeHistogram"), "Yes"
)
PEAK = {
    "SimMode": "Peaks", "Gain": 200.0, "PeakStartX": 25, "PeakStartY": 18, "PeakNumX": 1,
    "PeakNumY": 1, "PeakWidthX": 6, "PeakWidthY": 4, "PeakVariation": 0.0,
}  # fmt: skip


def peak(dtype: np.dtype | type = np.uint8) -> np.ndarray:
    """The image of ``PEAK``: a Gaussian, cut to whole numbers and drawn to four sigma."""
    y, x = np.indices((HEIGHT, WIDTH))
    image = 200.0 * np.exp(-(((x - 25) / 6) ** 2) / 2) * np.exp(-(((y - 18) / 4) ** 2) / 2)
    image[(abs(x - 25) > 24) | (abs(y - 18) > 16)] = 0.0
    return image.astype(dtype)


def border(image: np.ndarray, width: int) -> np.ndarray:
    """The pixels of the border, those in the corners twice."""
    parts = image[:width], image[-width:], image[:, :width], image[:, -width:]
    return np.concatenate([part.ravel() for part in parts]).astype(np.float64)


@pytest.mark.parametrize(
    ("kind", "width"),
    [
        ("Int8", 1), ("UInt8", 0), ("UInt8", 3), ("Int16", 2), ("UInt32", 1), ("Int64", 1),
        ("UInt64", 2), ("Float32", 1), ("Float64", 3),
    ],
)  # fmt: skip
def test_statistics_of_a_ramp(stats, kind, width, ramp):
    stats.put(BgdWidth=width)
    stats.camera(GainX=3.0, GainY=2.0, DataType=kind)
    stats.acquire()
    image = ramp(np.dtype(kind.lower()), gain_x=3, gain_y=2)
    doubles = image.astype(np.float64)
    min_y, min_x = ndimage.minimum_position(image)
    max_y, max_x = ndimage.maximum_position(image)
    background = border(image, width).mean() if width else 0.0
    assert stats.numbers(*BASIC) == pytest.approx(
        {
            "MinValue": doubles.min(),
            "MaxValue": doubles.max(),
            "MeanValue": doubles.mean(),
            "Sigma": doubles.std(),
            "Total": doubles.sum(),
            "Net": doubles.sum() - background * doubles.size,
            "MinX": min_x,
            "MinY": min_y,
            "MaxX": max_x,
            "MaxY": max_y,
        },
        rel=1e-9,
        abs=1e-6,
    )
    assert {stats.severity(f"{record}_RBV") for record in BASIC} == {0}


def test_the_recorded_peak(stats):
    # as recorded from an ADSimDetector: Peaks with gain 100, everything else at its default
    stats.put(ComputeCentroid="Yes")
    stats.camera(SizeX=1024, SizeY=1024, PeakStartX=1, PeakStartY=1, PeakWidthX=10, PeakWidthY=20)
    stats.camera(SimMode="Peaks", Gain=100.0)
    stats.acquire()
    records = (*BASIC[:3], "Total", "Net", "CentroidX", "CentroidY", "MinX", "MaxX")
    assert stats.numbers(*records) == {
        "MinValue": 0.0,
        "MaxValue": 100.0,
        "MeanValue": 0.034488677978515625,
        "Total": 36164.0,
        "Net": -984508.0,
        "CentroidX": 7.825848910518748,
        "CentroidY": 15.55358920473399,
        "MinX": 32.0,
        "MaxX": 1.0,
    }


# ---- centroid


@pytest.mark.parametrize("threshold", [1.0, 20.0, 120.5])
@pytest.mark.parametrize("kind", ["UInt8", "Int32", "Float64"])
def test_the_centroid_of_a_peak(stats, kind, threshold):
    stats.put(ComputeCentroid="Yes", CentroidThreshold=threshold)
    stats.camera(DataType=kind, **PEAK)
    stats.acquire()
    image = peak(np.dtype(kind.lower()))
    weights = np.where(image >= threshold, image, 0).astype(np.float64)
    y, x = np.indices(image.shape)
    center_y, center_x = np.ravel(ndimage.center_of_mass(weights))
    moments = {
        (p, q): (weights * (x - center_x) ** p * (y - center_y) ** q).sum() / weights.sum()
        for p, q in [(2, 0), (0, 2), (1, 1), (3, 0), (0, 3), (4, 0), (0, 4)]
    }
    sigma_x, sigma_y = math.sqrt(moments[2, 0]), math.sqrt(moments[0, 2])
    sum_of_both = moments[2, 0] + moments[0, 2]
    found = stats.numbers(*SHAPE)
    assert found == pytest.approx(
        {
            "CentroidTotal": weights.sum(),
            "CentroidX": center_x,
            "CentroidY": center_y,
            "SigmaX": sigma_x,
            "SigmaY": sigma_y,
            "SigmaXY": moments[1, 1] / (sigma_x * sigma_y),
            "SkewX": moments[3, 0] / sigma_x**3,
            "SkewY": moments[0, 3] / sigma_y**3,
            "KurtosisX": moments[4, 0] / sigma_x**4 - 3.0,
            "KurtosisY": moments[0, 4] / sigma_y**4 - 3.0,
            "Eccentricity": ((moments[2, 0] - moments[0, 2]) ** 2 - 4 * moments[1, 1] ** 2)
            / sum_of_both**2,
            "Orientation": math.degrees(
                math.atan2(2 * moments[1, 1], moments[2, 0] - moments[0, 2]) / 2
            ),
        },
        rel=1e-8,
        abs=1e-8,
    )
    assert (found["CentroidX"], found["CentroidY"]) == pytest.approx((25.0, 18.0), abs=0.01)
    if threshold == 1.0:
        assert (found["SigmaX"], found["SigmaY"]) == pytest.approx((6.0, 4.0), rel=0.05)


def test_moments_of_bytes_are_those_of_a_sample(stats):
    stats.put(ComputeCentroid="Yes")
    stats.camera(**(PEAK | {"PeakStartX": 3, "PeakStartY": 5}))
    stats.acquire()
    stats.camera(WaitForPlugins="No")
    image = ndimage.shift(peak(), (5 - 18, 3 - 25), order=0)
    y, x = (np.repeat(axis.ravel(), image.ravel()) for axis in np.indices(image.shape))
    found = stats.numbers(*SHAPE)
    assert (found["SkewX"], found["SkewY"]) == pytest.approx((samples.skew(x), samples.skew(y)))
    expected = samples.kurtosis(x), samples.kurtosis(y)
    assert (found["KurtosisX"], found["KurtosisY"]) == pytest.approx(expected)
    assert found["SigmaXY"] == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_a_threshold_that_no_pixel_reaches_gives_zeros(stats):
    stats.put(ComputeCentroid="Yes", ComputeProfiles="Yes", CentroidThreshold=1.0)
    stats.acquire()
    assert stats.get("CentroidTotal_RBV") > 0
    stats.put(CentroidThreshold=1e9)
    stats.acquire()
    assert set(stats.numbers(*SHAPE).values()) == {0.0}
    assert not stats.array("ProfileThresholdX_RBV").any()
    stats.put(CentroidThreshold=1.0)
    stats.acquire()
    assert stats.get("CentroidTotal_RBV") > 0


# ---- profiles


def test_profiles_of_a_peak(stats):
    stats.put(ComputeCentroid="Yes", ComputeProfiles="Yes", CentroidThreshold=30.0)
    stats.camera(**PEAK)
    stats.acquire()
    stats.put(CursorX=20, CursorY=15)
    stats.wait_until("cam1:NumQueuedArrays", 0)
    image = peak()
    above = np.where(image >= 30, image, 0)
    expected = {
        "Average": (image.mean(axis=0), image.mean(axis=1)),
        "Threshold": (above.mean(axis=0), above.mean(axis=1)),
        "Centroid": (image[18], image[:, 25]),
        "Cursor": (image[15], image[:, 20]),
    }
    assert (stats.get("ProfileSizeX_RBV"), stats.get("ProfileSizeY_RBV")) == (WIDTH, HEIGHT)
    for kind, (along_x, along_y) in expected.items():
        np.testing.assert_allclose(stats.array(f"Profile{kind}X_RBV"), along_x, err_msg=kind)
        np.testing.assert_allclose(stats.array(f"Profile{kind}Y_RBV"), along_y, err_msg=kind)
    assert stats.get("CursorVal") == image[15, 20]


def test_without_centroid_the_averages_are_zero(stats, ramp):
    stats.put(ComputeProfiles="Yes")
    stats.acquire()
    assert not stats.array("ProfileAverageX_RBV").any()
    np.testing.assert_array_equal(stats.array("ProfileCentroidX_RBV"), ramp()[0])


@pytest.mark.parametrize(
    ("cursor", "pixel"),
    [((5, 7), (5, 7)), ((10_000, 7), (WIDTH - 1, 7)), ((5, -1), (5, HEIGHT - 1))],
)
def test_moving_the_cursor_processes_the_last_image_again(stats, cursor, pixel, ramp):
    stats.put(ComputeProfiles="Yes")
    stats.acquire()
    counter = stats.get("ArrayCounter_RBV")
    stats.put(CursorX=cursor[0], CursorY=cursor[1])
    stats.wait_until("ArrayCounter_RBV", counter + 2)
    stats.wait_until("CursorVal", float(pixel[0] + pixel[1]))
    assert (stats.get("CursorX_RBV"), stats.get("CursorY_RBV")) == cursor
    np.testing.assert_array_equal(stats.array("ProfileCursorX_RBV"), ramp()[pixel[1]])


def test_one_dimensional_arrays_longer_than_the_records_are_cut_there(stats):
    # a time series of 3000 points is the array: its first 1024 fit the profile's record
    stats.set("TS:TSNumPoints", 3000)
    with stats.beside("Stats2:", NDArrayPort="STATS1_TS", NDArrayAddress=0) as second:
        second.put(ComputeCentroid="Yes", ComputeProfiles="Yes")
        stats.start_series()
        stats.acquire(5)
        stats.stop_series()
        second.wait_until("ArraySize0_RBV", 3000)
        second.wait_until("ProfileSizeX_RBV", 3000)
        assert (second.get("NDimensions_RBV"), second.get("ProfileSizeY_RBV")) == (1, 1)
        assert len(second.array("ProfileCursorX_RBV")) == 1024
        assert len(second.array("ProfileAverageY_RBV")) == 1
        second.put(ComputeCentroid="No", ComputeProfiles="No")


# ---- histogram


def test_the_histogram_counts_values(stats, ramp):
    stats.put(ComputeHistogram="Yes")
    stats.acquire()
    counts, _ = np.histogram(ramp(), np.arange(257) - 0.5)
    np.testing.assert_array_equal(stats.array("Histogram_RBV"), counts)
    assert (stats.get("HistBelow_RBV"), stats.get("HistAbove_RBV")) == (0, 0)
    entropy = -special.xlogy(counts, counts).sum() / ramp().size
    assert stats.get("HistEntropy_RBV") == pytest.approx(entropy)


@pytest.mark.parametrize("kind", ["Int16", "Float32"])
def test_the_histogram_of_some_values(stats, kind, ramp):
    stats.put(ComputeHistogram="Yes", HistSize=11, HistMin=20.0, HistMax=50.0)
    stats.camera(DataType=kind)
    stats.acquire()
    image = ramp(np.int64)
    inside = image[(image >= 20) & (image <= 50)]
    # the bins' centres are 3 apart, so no whole number is on an edge
    counts, _ = np.histogram(inside, np.arange(20 - 1.5, 50 + 2, 3))
    np.testing.assert_array_equal(stats.array("Histogram_RBV"), counts)
    assert stats.get("HistBelow_RBV") == (image < 20).sum()
    assert stats.get("HistAbove_RBV") == (image > 50).sum()
    np.testing.assert_allclose(stats.array("HistogramX_RBV"), 20 + np.arange(11) * 30 / 11)


@pytest.mark.parametrize(
    ("size", "limits"),
    [
        (0, (0.0, 255.0)), (-3, (0.0, 255.0)), (1, (7.0, 7.0)), (256, (7.0, 7.0)),
        (256, (255.0, 0.0)), (2_000_000_000, (0.0, 255.0)),
    ],
)  # fmt: skip
def test_odd_histograms_do_no_harm(stats, size, limits, ramp):
    stats.put(ComputeHistogram="Yes", HistSize=size, HistMin=limits[0], HistMax=limits[1])
    stats.acquire()
    # reading 256 of 2,000,000,000 bins shows the lowest ones alone
    counted = stats.array("Histogram_RBV").sum() if 0 < size <= 256 else 0
    outside = stats.get("HistBelow_RBV") + stats.get("HistAbove_RBV")
    if size <= 256:
        assert counted + outside == ramp().size
    stats.put(HistSize=256, HistMin=0.0, HistMax=255.0)
    stats.acquire()
    assert stats.array("Histogram_RBV").sum() == ramp().size


# ---- switches


def test_what_is_switched_off_keeps_its_values(stats):
    stats.put(**EVERYTHING)
    stats.acquire()
    before = stats.numbers(*BASIC, *SHAPE, "HistEntropy")
    histogram = stats.array("Histogram_RBV")
    stats.put(**dict.fromkeys(EVERYTHING, "No"))
    counter = stats.get("ArrayCounter_RBV")
    stats.camera(**PEAK)
    stats.acquire(3)
    assert stats.get("ArrayCounter_RBV") == counter + 3
    assert stats.numbers(*BASIC, *SHAPE, "HistEntropy") == before
    np.testing.assert_array_equal(stats.array("Histogram_RBV"), histogram)


def test_reset_zeroes_every_number(stats, ramp):
    stats.put(**EVERYTHING, HistMin=10.0, HistMax=20.0)
    stats.acquire()
    names = (*BASIC, *SHAPE, "HistEntropy", "HistBelow", "HistAbove")
    before = stats.numbers(*names)
    assert before["HistBelow"]
    assert before["HistAbove"]
    stats.set("Reset.PROC", 1)
    assert set(stats.numbers(*names).values()) == {0}
    assert stats.get("SigmaValue") == 0.0
    # settings and arrays stay
    assert stats.get("HistMax_RBV") == 20.0
    assert stats.array("Histogram_RBV").any()
    stats.acquire()
    assert stats.get("MaxValue_RBV") == ramp(number=1).max()


def test_the_size_of_the_input_is_shown(stats):
    stats.acquire()
    assert (stats.get("MaxSizeX"), stats.get("MaxSizeY")) == (WIDTH, HEIGHT)
    for axis, size in (("X", WIDTH), ("Y", HEIGHT)):
        limits = stats.pv(f"Cursor{axis}").get_ctrlvars(timeout=15.0)
        assert limits["upper_disp_limit"] == size


# ---- other arrays


@pytest.mark.parametrize(("mode", "columns"), [("RGB1", WIDTH), ("RGB2", WIDTH), ("RGB3", WIDTH)])
def test_colour_images_have_statistics_but_no_shape(stats, mode, columns, ramp):
    stats.put(**EVERYTHING)
    stats.camera(ColorMode=mode)
    stats.acquire()
    image = ramp().astype(np.float64)
    found = stats.numbers(*BASIC)
    assert found["Total"] == 3 * image.sum()
    assert (found["MeanValue"], found["Sigma"]) == pytest.approx((image.mean(), image.std()))
    axis = {"RGB1": 2, "RGB2": 1, "RGB3": 0}[mode]
    last = int(np.argmax(np.stack([ramp()] * 3, axis=axis)))
    assert (found["MaxX"], found["MaxY"]) == (last % columns, last // columns)
    assert set(stats.numbers(*SHAPE).values()) == {0.0}
    assert not stats.array("ProfileCursorX_RBV").any()
    assert stats.array("Histogram_RBV").sum() == 3 * image.size


def test_images_change_their_size_under_way(stats):
    stats.put(**EVERYTHING)
    stats.camera(WaitForPlugins="No", ImageMode="Continuous", AcquirePeriod=0.05)
    stats.pv("cam1:Acquire").put(1)
    for width, height in [(33, 21), (128, 3), (1, 50), (WIDTH, HEIGHT)]:
        stats.camera(SizeX=width, SizeY=height)
        stats.wait_until("ProfileSizeX_RBV", width)
        stats.wait_until("ProfileSizeY_RBV", height)
    stats.camera(Acquire=0)
    stats.wait_until("cam1:NumQueuedArrays", 0)
    assert len(stats.array("ProfileAverageX_RBV")) == WIDTH
    assert stats.get("DroppedArrays_RBV") == 0


def test_arrays_are_passed_on(stats, ramp):
    with stats.beside("Stats2:", NDArrayPort="STATS1") as behind:
        stats.acquire()
        assert behind.get("Total_RBV") == ramp().sum(dtype=np.float64)


def test_with_blocking_callbacks_the_numbers_are_those_of_the_image_just_taken(stats, ramp):
    # how ophyd stages the plugin: the put-callback of Acquire comes after the numbers
    stats.put(BlockingCallbacks="Yes")
    stats.camera(WaitForPlugins="No")
    for number in range(5):
        stats.acquire()
        assert stats.get("Total_RBV") == ramp(number=number).sum(dtype=np.int64)


def test_the_camera_keeps_its_pace_with_five_plugins(stats):
    stats.put(**EVERYTHING)
    with contextlib.ExitStack() as stack:
        others = [
            stack.enter_context(stats.beside(f"Stats{number}:", **EVERYTHING))
            for number in range(2, 6)
        ]
        counters = [bench.get("ArrayCounter_RBV") for bench in (stats, *others)]
        stats.camera(SizeX=1024, SizeY=1024, AcquirePeriod=0.1, WaitForPlugins="No")
        elapsed = stats.acquire(10)
        stats.wait_until("cam1:NumQueuedArrays", 0)
        after = [bench.get("ArrayCounter_RBV") for bench in (stats, *others)]
        for bench in others:
            bench.put(**dict.fromkeys(EVERYTHING, "No") | {"ComputeStatistics": "Yes"})
    assert [end - start for start, end in zip(counters, after, strict=True)] == [10] * 5
    # ten frames take 0.9 s at the camera's own pace; a machine may have more to do than this
    assert elapsed < 3.0
