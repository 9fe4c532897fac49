"""The simulated camera over Channel Access, as recorded from a running ADSimDetector.

Times are compared with generous limits only: test machines are shared.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import epics
import numpy as np
import pytest
from caproto.threading.client import Context

TIMEOUT = 30.0
"""Seconds after which a test gives up; everything should take far less."""

SLOW = 3.0
"""Seconds that a busy machine may add to a recorded duration."""

DEFAULTS = {
    "cam1:ImageMode": "Multiple",
    "cam1:NumImages": 1,
    "cam1:AcquireTime": 0.001,
    "cam1:AcquirePeriod": 0.0,
    "cam1:ArrayCallbacks": "Enable",
    "cam1:WaitForPlugins": "No",
    "cam1:DataType": "UInt8",
    "cam1:ColorMode": "Mono",
    "cam1:SimMode": "LinearRamp",
    "cam1:MinX": 0,
    "cam1:MinY": 0,
    "cam1:SizeX": 1024,
    "cam1:SizeY": 1024,
    "cam1:BinX": 1,
    "cam1:BinY": 1,
    "cam1:ReverseX": "No",
    "cam1:ReverseY": "No",
    "cam1:Gain": 1.0,
    "cam1:GainX": 1.0,
    "cam1:GainY": 1.0,
    "cam1:Offset": 0.0,
    "cam1:Noise": 0.0,
    "cam1:XSine1Amplitude": 1.0,
    "cam1:YSine1Amplitude": 1.0,
    "cam1:NDAttributesFile": "",
    "cam1:Reset": 1,
    "image1:EnableCallbacks": "Enable",
    "image1:BlockingCallbacks": "No",
    "image1:MinCallbackTime": 0.0,
    "HDF1:EnableCallbacks": "Disable",
}


class Timeline:
    """What monitors reported, in the order in which it arrived: (record, text)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self._news = threading.Condition()

    def __call__(self, record: str, text: str) -> None:
        with self._news:
            self.events.append((record, text))
            self._news.notify_all()

    def wait_for(self, record: str, text: str, times: int = 1) -> None:
        with self._news:
            assert self._news.wait_for(
                lambda: self.events.count((record, text)) >= times, TIMEOUT
            ), f"{record} did not become {text!r} {times} times; seen: {self.events}"

    def of(self, *records: str) -> list[tuple[str, str]]:
        return [event for event in self.events if event[0] in records]

    def position(self, record: str, text: str) -> int:
        assert (record, text) in self.events, f"no {record}={text}; seen: {self.events}"
        return self.events.index((record, text))


class Detector:
    """A client of the IOC."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def pv(self, record: str) -> epics.PV:
        pv = epics.get_pv(self.prefix + record)
        assert pv.wait_for_connection(TIMEOUT), f"{self.prefix}{record} does not connect"
        return pv

    def put(self, record: str, value: object) -> None:
        assert self.pv(record).put(value, wait=True, timeout=TIMEOUT) == 1

    def start_put(self, record: str, value: object) -> Callable[[], bool]:
        """Put with callback; return a function that tells whether it has completed."""
        done = threading.Event()
        self.pv(record).put(value, callback=lambda **_: done.set())
        return done.is_set

    def get(self, record: str) -> object:
        value = self.pv(record).get(use_monitor=False, timeout=TIMEOUT)
        assert value is not None, f"{self.prefix}{record} cannot be read"
        return value

    def text(self, record: str) -> str:
        return self.pv(record).get(as_string=True, use_monitor=False, timeout=TIMEOUT)

    def severity(self, record: str) -> int:
        return self.pv(record).get_with_metadata(form="ctrl", use_monitor=False, timeout=TIMEOUT)[
            "severity"
        ]

    def wait_until(self, record: str, value: object) -> None:
        until = time.monotonic() + TIMEOUT
        while (now := self.get(record)) != value:
            assert time.monotonic() < until, f"{record} is {now!r}, not {value!r}"

    def acquire(self, **settings: object) -> float:
        """Put settings of the camera, acquire with put-callback, and return its duration."""
        for record, value in settings.items():
            self.put(f"cam1:{record}", value)
        began = time.monotonic()
        self.put("cam1:Acquire", 1)
        return time.monotonic() - began

    def image(self, **settings: object) -> np.ndarray:
        """Acquire and return what image1 then holds, flat."""
        before = int(self.get("image1:ArrayCounter_RBV"))
        self.acquire(**settings)
        self.wait_until("image1:ArrayCounter_RBV", before + int(self.get("cam1:NumImages")))
        unique = self.get("cam1:ArrayCounter_RBV")
        self.wait_until("image1:UniqueId_RBV", unique)
        self.wait_until("cam1:NumQueuedArrays", 0)
        return self.pv("image1:ArrayData").get(use_monitor=False, timeout=TIMEOUT)

    @contextmanager
    def watch(self, *records: str) -> Iterator[Timeline]:
        """Record monitors of records; what they hold at first is not recorded."""
        timeline = Timeline()
        watched = []
        for record in records:
            pv = epics.PV(self.prefix + record, auto_monitor=True)
            assert pv.wait_for_connection(TIMEOUT)
            pv.get(timeout=TIMEOUT)
            watched.append(pv)
        for record, pv in zip(records, watched, strict=True):

            def follow(char_value: str = "", record: str = record, **_: object) -> None:
                timeline(record, char_value)

            pv.add_callback(follow, run_now=False)
        try:
            yield timeline
        finally:
            for pv in watched:
                pv.disconnect()


@pytest.fixture
def det(adsim) -> Iterator[Detector]:
    """The shared detector, idle, with the settings that these tests start from."""
    detector = Detector(adsim.prefix)
    detector.pv("cam1:Acquire").put(0)
    for record, value in DEFAULTS.items():
        detector.put(record, value)
    detector.wait_until("cam1:AcquireBusy", 0)
    detector.wait_until("cam1:NumQueuedArrays", 0)
    yield detector
    detector.pv("cam1:Acquire").put(0)
    detector.wait_until("cam1:AcquireBusy", 0)


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


def check_end(timeline: Timeline) -> None:
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
    wait(done)


def wait(done: Callable[[], bool]) -> None:
    """Wait until a put-callback has completed."""
    until = time.monotonic() + TIMEOUT
    while not done():
        assert time.monotonic() < until, "the put-callback did not complete"
        epics.ca.poll(0.001)


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
    wait(done)
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
    wait(done)
    assert [text for _, text in timeline.of(FRAMES)][-5:] == ["1", "2", "3", "4", "5"]
    assert timeline.of(ACQUIRE) == [(ACQUIRE, "Acquire"), (ACQUIRE, "Done")]


def test_second_put_callback_of_a_client_is_a_second_acquisition(det):
    det.put("cam1:NumImages", 5)
    det.put("cam1:AcquireTime", 0.05)
    counter = int(det.get(COUNTER))
    first = det.start_put(ACQUIRE, 1)
    second = det.start_put(ACQUIRE, 1)
    wait(second)
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
    wait(done)
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
    wait(done)


# --- B0: plugins ------------------------------------------------------------------------------


def test_callbacks_off_counts_but_hands_out_nothing(det):
    det.image()
    before = det.get("image1:ArrayCounter_RBV")
    counter = int(det.get(COUNTER))
    assert det.severity("cam1:ArrayCallbacks") == 1
    det.acquire(ArrayCallbacks="Disable", NumImages=4)
    assert det.get(COUNTER) == counter + 4
    assert det.get("image1:ArrayCounter_RBV") == before


def test_plugin_that_is_off_counts_nothing(det):
    det.image()
    det.put("image1:EnableCallbacks", 0)
    before = det.get("image1:ArrayCounter_RBV")
    det.acquire(NumImages=4)
    assert det.get("image1:ArrayCounter_RBV") == before


def test_minimum_callback_time_skips_without_drops(det):
    det.put("image1:MinCallbackTime", 0.1)
    dropped = det.get("image1:DroppedArrays_RBV")
    before = int(det.get("image1:ArrayCounter_RBV"))
    elapsed = det.acquire(NumImages=20, AcquireTime=0.005, AcquirePeriod=0.01)
    det.wait_until("cam1:NumQueuedArrays", 0)
    # recorded: 2 in 0.2 s
    assert 1 <= int(det.get("image1:ArrayCounter_RBV")) - before <= elapsed / 0.1 + 1
    assert det.get("image1:DroppedArrays_RBV") == dropped


@pytest.mark.parametrize("wait_for_plugins", ["Yes", "No"])
def test_put_completion_waits_for_plugins_when_told_to(det, wait_for_plugins):
    number = 15
    queued = "cam1:NumQueuedArrays"
    det.put("cam1:WaitForPlugins", wait_for_plugins)
    # image1 takes longer to convert these than the camera to make them
    det.image(DataType="Float64", AcquireTime=0.0)
    before = int(det.get("image1:ArrayCounter_RBV"))
    with det.watch(queued, BUSY, ACQUIRE) as timeline:
        det.acquire(NumImages=number)
        at_return = int(det.get("image1:ArrayCounter_RBV"))
        det.wait_until("image1:ArrayCounter_RBV", before + number)
        det.wait_until(queued, 0)
        timeline.wait_for(BUSY, "Done")
        timeline.wait_for(queued, "0")
    last_done = len(timeline.events) - timeline.events[::-1].index((queued, "0")) - 1
    if wait_for_plugins == "Yes":
        assert at_return == before + number
        assert timeline.position(ACQUIRE, "Done") < last_done < timeline.position(BUSY, "Done")
    else:
        assert timeline.position(BUSY, "Done") < last_done


def test_blocking_plugin_processes_every_frame_before_the_put_returns(det):
    det.put("image1:BlockingCallbacks", "Yes")
    before = int(det.get("image1:ArrayCounter_RBV"))
    dropped = det.get("image1:DroppedArrays_RBV")
    det.acquire(NumImages=30, AcquireTime=0.0)
    assert int(det.get("image1:ArrayCounter_RBV")) == before + 30
    assert det.get("image1:DroppedArrays_RBV") == dropped


# --- B1: images -------------------------------------------------------------------------------


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


@pytest.mark.parametrize("port", ["cam1", "image1"])
def test_allocation_of_buffers_completes(det, port):
    det.put(f"{port}:PreAllocBuffers", 1)
    assert det.text(f"{port}:PreAllocBuffers") == "Done"


# --- attributes file --------------------------------------------------------------------------


def test_attributes_file(det, tmp_path):
    file = tmp_path / "attributes.xml"
    file.write_text(
        '<Attributes><Attribute name="Mode" type="EPICS_PV" source="$(P)cam1:ImageMode"'
        ' dbrtype="DBR_STRING"/></Attributes>'
    )
    for name, macros, status in [
        ("/no/such/file.xml", "", "File not found"),
        ("", "", "Attributes file OK"),
        (str(file), "", "Macro substitution error"),
        (str(file), f"P={det.prefix}", "Attributes file OK"),
    ]:
        det.put("cam1:NDAttributesMacros", macros)
        det.put("cam1:NDAttributesFile", name)
        assert det.text("cam1:NDAttributesStatus") == status
