"""Acquisition over Channel Access, as recorded from a running ADSimDetector.

Times are compared with generous limits only: test machines are shared.
"""

import time

import pytest
from caproto.threading.client import Context

TIMEOUT = 30.0
"""Seconds after which a test gives up; everything should take far less."""

SLOW = 3.0
"""Seconds that a busy machine may add to a recorded duration."""

STATUS, STATE = "cam1:StatusMessage_RBV", "cam1:DetectorState_RBV"
ACQUIRE, ACQUIRING, BUSY = "cam1:Acquire", "cam1:Acquire_RBV", "cam1:AcquireBusy"
FRAMES, COUNTER = "cam1:NumImagesCounter_RBV", "cam1:ArrayCounter_RBV"
SEEN = (STATUS, STATE, ACQUIRE, ACQUIRING, BUSY, FRAMES, COUNTER)
BEGIN = {
    (STATUS, "Acquiring data"),
    (ACQUIRE, "Acquire"),
    (BUSY, "Acquiring"),
    (ACQUIRING, "Acquiring"),
}

# --- A: acquisition ---------------------------------------------------------------------------


def check_end(timeline) -> None:
    """Check the order in which an acquisition ended."""
    steps = [
        (STATUS, "Waiting for acquisition"),
        (STATE, "Idle"),
        (ACQUIRE, "Done"),
        (BUSY, "Done"),
    ]
    positions = [timeline.position(*step) for step in steps]
    assert positions == sorted(positions)
    assert timeline.position(ACQUIRING, "Done") > timeline.position(STATE, "Idle")


def test_single(det):
    with det.watch(*SEEN) as timeline:
        counter = int(det.get(COUNTER))
        elapsed = det.acquire(ImageMode="Single", AcquireTime=0.2, AcquirePeriod=1.0)
        timeline.wait_for(BUSY, "Done")
    # recorded: 0.2014 s; in particular no wait for the rest of the period
    assert 0.2 <= elapsed < 0.2 + SLOW
    assert timeline.of(STATE) == [(STATE, "Acquire"), (STATE, "Readout"), (STATE, "Idle")]
    assert set(timeline.events[: timeline.position(STATE, "Readout")]) >= BEGIN
    assert timeline.of(COUNTER) == [(COUNTER, str(counter + 1))]
    assert timeline.position(COUNTER, str(counter + 1)) > timeline.position(STATE, "Readout")
    check_end(timeline)


def test_multiple(det):
    det.acquire()  # so that the counter of images is not 0 already
    with det.watch(*SEEN) as timeline:
        elapsed = det.acquire(NumImages=3, AcquireTime=0.05, AcquirePeriod=0.15)
        timeline.wait_for(BUSY, "Done")
    assert 0.35 <= elapsed < 0.35 + SLOW
    assert [text for _, text in timeline.of(STATE)] == [
        *("Acquire", "Readout", "Waiting"),
        *("Acquire", "Readout", "Waiting"),
        *("Acquire", "Readout", "Idle"),
    ]
    assert [text for _, text in timeline.of(FRAMES)] == ["0", "1", "2", "3"]
    assert set(timeline.events[: timeline.position(STATE, "Readout")]) == BEGIN | {
        (FRAMES, "0"),
        (STATE, "Acquire"),
    }
    frame = [text for record, text in timeline.of(STATE, FRAMES) if (record, text) != (FRAMES, "0")]
    assert frame[:4] == ["Acquire", "Readout", "1", "Waiting"]
    check_end(timeline)


def test_minor_alarm_while_acquiring(det):
    det.put("cam1:AcquireTime", TIMEOUT)
    done = det.start_put(ACQUIRE, 1)
    det.wait_until(STATE, 1)
    assert (det.severity(BUSY), det.severity(ACQUIRING), det.severity(ACQUIRE)) == (1, 1, 0)
    assert (det.text(ACQUIRE), det.text(ACQUIRING), det.text(BUSY)) == (
        "Acquire",
        "Acquiring",
        "Acquiring",
    )
    assert not done()
    det.pv(ACQUIRE).put(0)
    det.wait_until(BUSY, 0)
    assert (det.severity(BUSY), det.severity(ACQUIRING)) == (0, 0)


@pytest.mark.parametrize(
    ("number", "exposure", "period", "recorded"),
    [
        (3, 0.1, 0.3, 0.7016),
        (3, 0.3, 0.1, 0.9017),
        (20, 0.001, 0.005, 0.0976),
        (20, 0.01, 0.02, 0.392),
        (10, 0.05, 0.05, 0.503),
        (20, 0.0, 0.0, 0.0046),
    ],
)
def test_durations(det, number, exposure, period, recorded):
    elapsed = det.acquire(NumImages=number, AcquireTime=exposure, AcquirePeriod=period)
    least = (number - 1) * max(exposure, period) + exposure
    assert least - 0.002 <= elapsed < recorded + SLOW
    assert det.get(FRAMES) == number
    assert det.get("cam1:AcquirePeriod_RBV") == period


def test_single_ignores_the_number_and_counts_one(det):
    det.acquire(ImageMode="Single", NumImages=7)
    assert det.get(FRAMES) == 1


def test_zero_images_is_one(det):
    det.acquire(NumImages=0)
    assert det.get(FRAMES) == 1


def test_negative_exposure_is_accepted(det):
    det.acquire(AcquireTime=-1.0)
    assert det.get("cam1:AcquireTime_RBV") == -1.0
    assert det.get(FRAMES) == 1


def test_array_counter(det):
    det.put("cam1:ArrayCounter", 0)
    for expected in (2, 4):
        det.acquire(NumImages=2)
        assert det.get(COUNTER) == expected
        # the set-point is not the counter
        assert det.get("cam1:ArrayCounter") == 0
        assert det.get(FRAMES) == 2


def test_continuous_until_stopped(det):
    with det.watch(*SEEN) as timeline:
        for record, value in {
            "ImageMode": "Continuous",
            "AcquireTime": 0.02,
            "AcquirePeriod": 0.05,
        }.items():
            det.put(f"cam1:{record}", value)
        done = det.start_put(ACQUIRE, 1)
        timeline.wait_for(STATE, "Waiting", 3)
        assert not done()
        det.pv(ACQUIRE).put(0)
        timeline.wait_for(BUSY, "Done")
    assert timeline.position(STATUS, "Acquisition stopped") < timeline.position(ACQUIRE, "Done")
    assert timeline.of(STATE)[-1] == (STATE, "Idle")
    assert timeline.position(STATE, "Idle") < timeline.position(BUSY, "Done")
    assert det.text(STATUS) == "Acquisition stopped"
    assert det.get(FRAMES) >= 3
    det.wait(done)


@pytest.mark.parametrize("where", ["exposure", "wait"])
def test_stop_of_multiple_is_an_abort(det, where):
    exposure, period = {"exposure": (0.3, 0.0), "wait": (0.001, TIMEOUT)}[where]
    det.put("cam1:NumImages", 50)
    det.put("cam1:AcquireTime", exposure)
    det.put("cam1:AcquirePeriod", period)
    with det.watch(*SEEN) as timeline:
        done = det.start_put(ACQUIRE, 1)
        timeline.wait_for(FRAMES, "1")
        timeline.wait_for(*((STATE, "Acquire", 2) if where == "exposure" else (STATE, "Waiting")))
        assert not done()
        began = time.monotonic()
        det.pv(ACQUIRE).put(0)
        timeline.wait_for(BUSY, "Done")
        assert time.monotonic() - began < SLOW
    det.wait(done)
    states = [text for _, text in timeline.of(STATE)]
    if where == "exposure":
        assert states == ["Acquire", "Readout", "Acquire", "Aborted"]
    else:
        assert states == ["Acquire", "Readout", "Waiting", "Acquire", "Aborted"]
    assert timeline.events[timeline.position(STATUS, "Acquisition stopped") :][-1] == (BUSY, "Done")
    assert det.severity(STATE) == 1
    assert det.get(FRAMES) == 1
    det.acquire(NumImages=1, AcquireTime=0.001)
    assert det.text(STATE) == "Idle"
    assert det.severity(STATE) == 0


def test_stop_when_idle_changes_nothing(det):
    det.acquire()
    with det.watch(*SEEN) as timeline:
        det.put(ACQUIRE, 0)
    assert timeline.events == []
    assert det.text(STATUS) == "Waiting for acquisition"


def test_plain_start_while_acquiring_is_ignored(det):
    det.put("cam1:NumImages", 5)
    det.put("cam1:AcquireTime", 0.05)
    with det.watch(FRAMES, BUSY, ACQUIRE) as timeline:
        done = det.start_put(ACQUIRE, 1)
        timeline.wait_for(FRAMES, "2")
        det.pv(ACQUIRE).put(1)
        timeline.wait_for(BUSY, "Done")
    det.wait(done)
    assert [text for _, text in timeline.of(FRAMES)][-5:] == ["1", "2", "3", "4", "5"]
    assert timeline.of(ACQUIRE) == [(ACQUIRE, "Acquire"), (ACQUIRE, "Done")]


def test_second_put_callback_of_a_client_is_a_second_acquisition(det):
    det.put("cam1:NumImages", 5)
    det.put("cam1:AcquireTime", 0.05)
    counter = int(det.get(COUNTER))
    first = det.start_put(ACQUIRE, 1)
    second = det.start_put(ACQUIRE, 1)
    det.wait(second)
    assert first()
    assert det.get(COUNTER) == counter + 10


def test_another_client_stops_with_put_callback_at_once(det):
    det.put("cam1:ImageMode", "Continuous")
    done = det.start_put(ACQUIRE, 1)
    det.wait_until(BUSY, 1)
    context = Context()
    try:
        (other,) = context.get_pvs(det.prefix + ACQUIRE)
        other.wait_for_connection(timeout=TIMEOUT)
        began = time.monotonic()
        other.write([0], wait=True, timeout=TIMEOUT)
        assert time.monotonic() - began < SLOW
    finally:
        context.disconnect()
    det.wait(done)
    assert det.get(BUSY) == 0


def test_stop_and_start_in_one_go_complete_with_the_new_acquisition(det):
    det.put("cam1:ImageMode", "Multiple")
    det.put("cam1:NumImages", 3)
    for _ in range(10):
        det.put("cam1:AcquireTime", TIMEOUT)
        stopped = det.start_put(ACQUIRE, 1)
        det.wait_until(BUSY, 1)
        # an exposure that is under way keeps its length
        det.put("cam1:AcquireTime", 0.01)
        counter = int(det.get(COUNTER))
        det.pv(ACQUIRE).put(0)
        det.put(ACQUIRE, 1)
        assert stopped()
        assert det.get(COUNTER) == counter + 3
        assert det.get(FRAMES) == 3


def test_rate_is_updated_each_second(det):
    det.put("cam1:ImageMode", "Continuous")
    det.put("cam1:AcquirePeriod", 0.05)
    done = det.start_put(ACQUIRE, 1)
    until = time.monotonic() + TIMEOUT
    # the first second may also count frames of earlier acquisitions
    while not 0 < float(det.get("cam1:ArrayRate_RBV")) <= 21:
        assert time.monotonic() < until, "ArrayRate_RBV is not the rate"
    det.pv(ACQUIRE).put(0)
    det.wait(done)
