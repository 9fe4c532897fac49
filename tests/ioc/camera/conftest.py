"""A client of the simulated camera, for tests that compare it with a recorded ADSimDetector."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import epics
import numpy as np
import pytest

TIMEOUT = 30.0
"""Seconds after which a test gives up; everything should take far less."""

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
    "cam1:PeakStartX": 1,
    "cam1:PeakStartY": 1,
    "cam1:PeakWidthX": 10,
    "cam1:PeakWidthY": 20,
    "cam1:PeakNumX": 1,
    "cam1:PeakNumY": 1,
    "cam1:PeakStepX": 1,
    "cam1:PeakStepY": 1,
    "cam1:PeakVariation": 0.0,
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

    @staticmethod
    def wait(done: Callable[[], bool]) -> None:
        """Wait until a put-callback has completed."""
        until = time.monotonic() + TIMEOUT
        while not done():
            assert time.monotonic() < until, "the put-callback did not complete"
            epics.ca.poll(0.001)

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


@pytest.fixture(scope="module", autouse=True)
def _leave_the_camera_as_it_was(adsim) -> Iterator[None]:
    """Others share it, and know nothing of a binning or a region."""
    yield
    detector = Detector(adsim.prefix)
    for record, value in DEFAULTS.items():
        detector.put(record, value)


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
