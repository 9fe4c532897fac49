"""The simulated camera at its port; sequences are those recorded from an ADSimDetector."""

import time

import numpy as np
import pytest

from adsupport.sim.camera.detector import State

IDLE, ACQUIRE, READOUT, WAITING, ABORTED = (
    State.IDLE,
    State.ACQUIRE,
    State.READOUT,
    State.WAITING,
    State.ABORTED,
)
LONG = 20.0
"""Seconds that no test takes."""

START = [
    ("STATUS_MESSAGE", "Acquiring data"),
    ("ACQUIRE", 1),
    ("ACQUIRE_BUSY", 1),
]
END = [
    ("STATUS_MESSAGE", "Waiting for acquisition"),
    ("STATUS", IDLE),
    ("ACQUIRE", 0),
    ("ACQUIRE_BUSY", 0),
]


def of(posted, *params):
    return [(name, value) for name, value in posted if name in params]


SEEN = ("STATUS_MESSAGE", "ACQUIRE", "ACQUIRE_BUSY", "STATUS", "ARRAY_COUNTER", "NIMAGES_COUNTER")

# --- one acquisition --------------------------------------------------------------------------


def test_single_posts_what_was_recorded_in_that_order(bench):
    posted = of(bench.acquire(IMAGE_MODE=0, ACQ_TIME=0.02, ACQ_PERIOD=1.0), *SEEN)
    assert posted == [
        *START,
        ("STATUS", ACQUIRE),
        ("STATUS", READOUT),
        ("ARRAY_COUNTER", 1),
        ("NIMAGES_COUNTER", 1),
        *END,
    ]


def test_multiple_waits_between_frames_but_not_after_the_last(bench):
    bench.acquire(IMAGE_MODE=0)
    posted = bench.acquire(IMAGE_MODE=1, NIMAGES=3, ACQ_TIME=0.01, ACQ_PERIOD=0.05)
    frames = [
        step
        for number in (1, 2, 3)
        for step in (
            ("STATUS", ACQUIRE),
            ("STATUS", READOUT),
            ("ARRAY_COUNTER", number + 1),
            ("NIMAGES_COUNTER", number),
            ("STATUS", WAITING),
        )
    ]
    assert of(posted, *SEEN) == [*START, ("NIMAGES_COUNTER", 0), *frames[:-1], *END]


def test_no_waiting_state_when_the_period_is_shorter_than_the_exposure(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=3, ACQ_TIME=0.01, ACQ_PERIOD=0.005)
    assert bench.values("STATUS") == [ACQUIRE, READOUT, ACQUIRE, READOUT, ACQUIRE, READOUT, IDLE]
    assert bench.get("ACQ_PERIOD") == 0.005


@pytest.mark.parametrize(
    ("number", "exposure", "period", "expected"),
    [(3, 0.03, 0.1, 0.23), (3, 0.06, 0.02, 0.18), (1, 0.05, 5.0, 0.05), (2, -1.0, 0.1, 0.1)],
)
def test_durations(bench, number, exposure, period, expected):
    bench.put(IMAGE_MODE=1, NIMAGES=number, ACQ_TIME=exposure, ACQ_PERIOD=period)
    began = time.monotonic()
    bench.acquire()
    elapsed = time.monotonic() - began
    assert elapsed >= expected
    assert elapsed < expected + 2.0
    assert bench.get("ACQ_TIME") == exposure


def test_periods_do_not_drift(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=11, ACQ_TIME=0.0, ACQ_PERIOD=0.02)
    stamps = np.array([array.time_stamp for array in bench.arrays])
    # a late frame is made up for by the next one, so that the mean keeps to the period
    assert stamps[-1] - stamps[0] == pytest.approx(0.2, abs=0.1)
    assert (np.diff(stamps) > 0).all()


def test_zero_images_is_one_image_and_single_ignores_the_number(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=0)
    assert bench.get("NIMAGES_COUNTER") == 1
    bench.acquire(IMAGE_MODE=0, NIMAGES=7)
    assert bench.get("NIMAGES_COUNTER") == 1


def test_counters(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=2)
    bench.acquire()
    assert bench.get("ARRAY_COUNTER") == 4
    assert bench.get("NIMAGES_COUNTER") == 2
    assert [array.unique_id for array in bench.arrays] == [1, 2, 3, 4]
    bench.acquire(ARRAY_COUNTER=100)
    assert [array.unique_id for array in bench.arrays][4:] == [101, 102]


# --- stop -------------------------------------------------------------------------------------

STOP = ("STATUS_MESSAGE", "Acquisition stopped")


def test_stop_during_exposure(bench):
    bench.put(IMAGE_MODE=1, NIMAGES=50, ACQ_TIME=LONG)
    bench.posted.clear()
    bench.put(ACQUIRE=1)
    bench.wait_for("STATUS", ACQUIRE)
    bench.posted.clear()
    bench.put(ACQUIRE=0)
    assert of(bench.posted, *SEEN) == [
        STOP,
        ("ACQUIRE", 0),
        ("STATUS", ABORTED),
        ("ACQUIRE_BUSY", 0),
    ]
    assert not bench.arrays
    assert bench.get("NIMAGES_COUNTER") == 0
    bench.acquire(ACQ_TIME=0.0, NIMAGES=1)
    assert bench.get("STATUS") == IDLE


def test_stop_during_the_wait_keeps_the_count(bench):
    bench.put(IMAGE_MODE=1, NIMAGES=50, ACQ_TIME=0.0, ACQ_PERIOD=LONG)
    bench.put(ACQUIRE=1)
    bench.wait_for("STATUS", WAITING)
    bench.posted.clear()
    bench.put(ACQUIRE=0)
    assert of(bench.posted, *SEEN) == [
        STOP,
        ("STATUS", ACQUIRE),
        ("ACQUIRE", 0),
        ("STATUS", ABORTED),
        ("ACQUIRE_BUSY", 0),
    ]
    assert bench.get("NIMAGES_COUNTER") == 1
    assert bench.get("STATUS_MESSAGE") == "Acquisition stopped"


@pytest.mark.parametrize(("mode", "state"), [(0, ABORTED), (1, ABORTED), (2, IDLE)])
def test_state_after_a_stop(bench, mode, state):
    bench.put(IMAGE_MODE=mode, ACQ_TIME=LONG)
    bench.put(ACQUIRE=1)
    bench.put(ACQUIRE=0)
    assert bench.get("STATUS") == state
    assert bench.get("ACQUIRE_BUSY") == 0


def test_continuous_runs_until_stopped(bench):
    bench.put(IMAGE_MODE=2, NIMAGES=1, ACQ_TIME=0.0, ACQ_PERIOD=0.001)
    bench.put(ACQUIRE=1)
    bench.wait_for("NIMAGES_COUNTER", 5)
    bench.put(ACQUIRE=0)
    assert bench.get("STATUS") == IDLE


def test_stop_when_idle_changes_nothing(bench):
    bench.acquire(IMAGE_MODE=0)
    bench.posted.clear()
    bench.put(ACQUIRE=0)
    assert bench.posted == []


def test_start_while_acquiring_is_ignored(bench):
    bench.put(IMAGE_MODE=1, NIMAGES=5, ACQ_TIME=0.01)
    bench.posted.clear()
    bench.put(ACQUIRE=1)
    bench.wait_for("NIMAGES_COUNTER", 2)
    bench.put(ACQUIRE=1)
    bench.wait_for("ACQUIRE_BUSY", 0)
    assert bench.values("NIMAGES_COUNTER") == [0, 1, 2, 3, 4, 5] or bench.values(
        "NIMAGES_COUNTER"
    ) == [1, 2, 3, 4, 5]
    assert bench.values("ACQUIRE") == [1, 0]


def test_restart_right_after_a_stop_is_a_whole_acquisition(bench):
    for _ in range(20):
        bench.put(IMAGE_MODE=1, NIMAGES=3, ACQ_TIME=LONG)
        bench.put(ACQUIRE=1)
        bench.put(ACQUIRE=0)
        bench.arrays.clear()
        bench.acquire(ACQ_TIME=0.0)
        assert len(bench.arrays) == 3
        assert bench.get("STATUS") == IDLE


def test_stop_at_the_very_end_leaves_the_next_acquisition_alone(bench):
    bench.put(IMAGE_MODE=0, ACQ_TIME=0.0)
    for _ in range(50):
        bench.put(ACQUIRE=1)
        bench.put(ACQUIRE=0)
    bench.arrays.clear()
    bench.acquire()
    assert len(bench.arrays) == 1
    assert bench.get("STATUS_MESSAGE") == "Waiting for acquisition"


def test_stop_ends_the_port_during_an_exposure(bench):
    bench.put(IMAGE_MODE=2, ACQ_TIME=LONG)
    bench.put(ACQUIRE=1)
    began = time.monotonic()
    bench.camera.stop()
    assert time.monotonic() - began < LONG / 2
    assert bench.get("ACQUIRE_BUSY") == 0
