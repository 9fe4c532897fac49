"""Time series of an image's statistics over Channel Access."""

from __future__ import annotations

import threading

import numpy as np
import pytest

SCAN = "TS:TSRead.SCAN"


def totals(ramp, number: int) -> list[float]:
    """The totals of the camera's first images after a reset."""
    return [float(ramp(number=index).sum(dtype=np.int64)) for index in range(number)]


def test_each_image_is_a_point_until_the_series_is_full(stats, ramp):
    stats.put(**{"TS:TSNumPoints": 4, "ComputeCentroid": "Yes"})
    # the first points of all would make the buffer anew, and its time start there
    stats.acquire()
    stats.camera(Reset=1)
    ended = stats.start_series()
    stats.acquire(3)
    assert not ended.is_set()
    assert stats.get("TS:TSCurrentPoint") == 3
    assert stats.get("TS:TSAcquire") == 1
    assert stats.severity("TS:TSAcquiring") == 1
    stats.acquire(3)
    assert ended.wait(10.0)
    assert stats.get("TS:TSAcquire") == stats.get("TS:TSAcquiring") == 0
    assert stats.get("TS:TSCurrentPoint") == 4
    np.testing.assert_allclose(stats.array("TSTotal"), totals(ramp, 4))
    images = [ramp(number=index) for index in range(4)]
    np.testing.assert_allclose(stats.array("TSSigma"), [image.std() for image in images])
    np.testing.assert_allclose(stats.array("TSMaxValue"), [image.max() for image in images])
    x = np.arange(images[0].shape[1])
    means = [(image.sum(axis=0) * x).sum() / image.sum() for image in images]
    np.testing.assert_allclose(stats.array("TSCentroidX"), means)
    stamps = stats.array("TSTimestamp")
    assert len(stamps) == 4
    assert (np.diff(stamps) > 0).all()
    assert stats.get("TS:TSElapsedTime") >= stamps[-1] - stamps[0]


def test_every_statistic_has_a_series(stats, adsim):
    stats.put(**{"ComputeCentroid": "Yes", "CentroidThreshold": 40.0, "TS:TSNumPoints": 1})
    stats.camera(GainX=2.0)
    stats.start_series()
    stats.acquire()
    shown = {
        "MinValue": "MinValue_RBV", "MinX": "MinX_RBV", "MinY": "MinY_RBV",
        "MaxValue": "MaxValue_RBV", "MaxX": "MaxX_RBV", "MaxY": "MaxY_RBV",
        "MeanValue": "MeanValue_RBV", "Sigma": "Sigma_RBV", "Total": "Total_RBV", "Net": "Net_RBV",
        "CentroidTotal": "CentroidTotal_RBV", "CentroidX": "CentroidX_RBV",
        "CentroidY": "CentroidY_RBV", "SigmaX": "SigmaX_RBV", "SigmaY": "SigmaY_RBV",
        "SigmaXY": "SigmaXY_RBV", "SkewX": "SkewX_RBV", "SkewY": "SkewY_RBV",
        "KurtosisX": "KurtosisX_RBV", "KurtosisY": "KurtosisY_RBV",
        "Eccentricity": "Eccentricity_RBV", "Orientation": "Orientation_RBV",
        "Timestamp": "TimeStamp_RBV",
    }  # fmt: skip
    found = {name: stats.array(f"TS{name}")[0] for name in shown}
    assert found == {name: stats.get(record) for name, record in shown.items()}
    assert len({value for value in found.values() if value}) > 15


def test_a_stopped_series_shows_what_it_has(stats, ramp):
    ended = stats.start_series()
    stats.acquire(3)
    stats.stop_series()
    assert ended.wait(10.0)
    np.testing.assert_allclose(stats.array("TSTotal"), totals(ramp, 3))
    stats.acquire(2)
    assert len(stats.array("TSTotal")) == 3
    # a new start forgets the points
    stats.put(**{"cam1:Reset": 1})
    stats.start_series()
    stats.acquire(2)
    stats.stop_series()
    np.testing.assert_allclose(stats.array("TSTotal"), totals(ramp, 2))


def test_a_running_series_is_read_at_the_scan_rate(stats, ramp):
    stats.put(**{SCAN: "Passive"})
    stats.start_series()
    stats.acquire(7)
    try:
        assert len(stats.array("TSTotal")) != 7
        stats.put(**{"TS:TSRead": 1})
        np.testing.assert_allclose(stats.array("TSTotal"), totals(ramp, 7))
        stats.acquire(1)
        stats.put(**{SCAN: ".1 second"})
        assert stats.pv(SCAN).get(as_string=True, use_monitor=False) == ".1 second"
        total = stats.pv("TSTotal")
        grown = threading.Event()
        index = total.add_callback(
            lambda value, **_: grown.set() if np.size(value) == 8 else None, run_now=True
        )
        assert grown.wait(10.0)
        total.remove_callback(index)
    finally:
        stats.put(**{SCAN: "1 second"})


def test_a_circular_buffer_keeps_the_newest_points(stats, ramp):
    stats.put(**{"TS:TSNumPoints": 4, "TS:TSAcquireMode": "Circ. buffer"})
    stats.start_series()
    stats.acquire(3)
    stats.put(**{"TS:TSRead": 1})
    np.testing.assert_allclose(stats.array("TSTotal"), [0.0, *totals(ramp, 3)])
    stats.acquire(3)
    assert stats.get("TS:TSAcquire") == 1
    assert stats.get("TS:TSCurrentPoint") == 2
    stats.stop_series()
    np.testing.assert_allclose(stats.array("TSTotal"), totals(ramp, 6)[2:])
    np.testing.assert_allclose(stats.array("TS:TSTimeAxis"), [-0.3, -0.2, -0.1, 0.0], atol=1e-12)


def test_points_are_averaged(stats, ramp):
    stats.put(**{"TS:TSNumPoints": 2, "TS:TSTimePerPoint": 0.01, "TS:TSAveragingTime": 0.032})
    assert stats.get("TS:TSNumAverage") == 3
    assert stats.get("TS:TSAveragingTime_RBV") == pytest.approx(0.03)
    np.testing.assert_allclose(stats.array("TS:TSTimeAxis"), [0.0, 0.03])
    stats.start_series()
    stats.acquire(7)
    np.testing.assert_allclose(
        stats.array("TSTotal"), np.reshape(totals(ramp, 6), (2, 3)).mean(axis=1)
    )


@pytest.mark.parametrize("step", [0.0, -1.0, 1e-300])
def test_odd_times_do_no_harm(stats, step):
    stats.put(**{"TS:TSTimePerPoint": step})
    assert stats.get("TS:TSNumAverage") >= 1
    stats.put(**{"TS:TSTimePerPoint": 0.1, "TS:TSAveragingTime": 0.1})
    assert stats.get("TS:TSNumAverage") == 1


def test_the_link_to_the_time_per_point(stats):
    stats.put(**{"TS:TSTimePerPointLink": 0.05})
    assert stats.get("TS:TSTimePerPoint_RBV") == 0.05
    assert stats.get("TS:TSNumAverage") == 2
    stats.put(**{"TS:TSTimePerPointLink": 0.1})


def test_a_number_of_points_is_kept_within_limits(stats):
    stats.put(**{"TS:TSNumPoints": 0})
    assert stats.get("TS:TSNumPoints") == 1
    stats.put(**{"TS:TSNumPoints": 100_000_000})
    # more than this computer should hold: INVALID, and the series goes on
    assert stats.severity("TS:TSNumPoints") == 3
    stats.start_series()
    stats.acquire(1)
    assert len(stats.array("TSTotal")) == 1
    stats.put(**{"TS:TSNumPoints": 3})
    assert stats.severity("TS:TSNumPoints") == 0


def test_points_come_although_arrays_are_not_passed_on(stats, ramp):
    stats.put(ArrayCallbacks="Disable", **{"TS:TSNumPoints": 2})
    stats.start_series()
    stats.acquire(2)
    stats.put(ArrayCallbacks="Enable")
    np.testing.assert_allclose(stats.array("TSTotal"), totals(ramp, 2))


def test_series_are_arrays_for_other_plugins(stats, ramp):
    stats.put(**{"TS:TSNumPoints": 5})
    with stats.beside("Stats2:", NDArrayPort="STATS1_TS", NDArrayAddress=8) as of_totals:
        with stats.beside("Stats3:", NDArrayPort="STATS1_TS", NDArrayAddress=23) as of_all:
            stats.start_series()
            stats.acquire(5)
            expected = totals(ramp, 5)
            of_totals.wait_until("ArraySize0_RBV", 5)
            of_totals.wait_until("Total_RBV", sum(expected))
            of_all.wait_until("ArraySize1_RBV", 23)
            assert (of_all.get("NDimensions_RBV"), of_all.get("ArraySize0_RBV")) == (2, 5)
            assert of_totals.get("DataType_RBV") == 9


def test_images_are_no_series(stats):
    # an image of columns x rows is rows points of columns signals; colour is too much
    with stats.beside("Stats1:TS:", NDArrayPort="SIM1") as series:
        try:
            series.put(TSNumPoints=100)
            stats.start_series()
            stats.acquire()
            assert series.get("TSCurrentPoint") == 40
            stats.camera(ColorMode="RGB1")
            stats.acquire()
            assert series.get("TSCurrentPoint") == 40
            stats.stop_series()
            np.testing.assert_array_equal(stats.array("TSMinX"), np.arange(40) + 1)
        finally:
            series.put(NDArrayPort="STATS1", NDArrayAddress=1)
    series.put(EnableCallbacks="Enable", NDArrayPort="STATS1", NDArrayAddress=1)
