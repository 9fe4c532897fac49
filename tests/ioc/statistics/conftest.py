"""A camera with small images, and the plugins that compute numbers from them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import pytest

from ..records import Records

WIDTH, HEIGHT = 60, 40
"""Size of the images that tests begin with."""

CAMERA = {
    "ImageMode": "Multiple",
    "NumImages": 1,
    "AcquireTime": 0.0,
    "AcquirePeriod": 0.0,
    "ArrayCallbacks": "Enable",
    "WaitForPlugins": "Yes",
    "ColorMode": "Mono",
    "MinX": 0,
    "MinY": 0,
    "SizeX": WIDTH,
    "SizeY": HEIGHT,
    "BinX": 1,
    "BinY": 1,
    "ReverseX": "No",
    "ReverseY": "No",
    "Gain": 1.0,
    "GainX": 1.0,
    "GainY": 1.0,
    "Offset": 0.0,
    "Noise": 0.0,
    "NDAttributesFile": "",
    "SimMode": "LinearRamp",
    "DataType": "UInt8",
    "Reset": 1,
}

PLUGIN = {
    "NDArrayPort": "SIM1",
    "NDArrayAddress": 0,
    "BlockingCallbacks": "No",
    "MinCallbackTime": 0.0,
    "EnableCallbacks": "Enable",
    "DroppedArrays": 0,
}

STATS = {
    "ComputeStatistics": "Yes",
    "ComputeCentroid": "No",
    "ComputeProfiles": "No",
    "ComputeHistogram": "No",
    "BgdWidth": 1,
    "CentroidThreshold": 1.0,
    "HistSize": 256,
    "HistMin": 0.0,
    "HistMax": 255.0,
}

SERIES = {
    "TSAcquireMode": "Fixed length",
    "TSNumPoints": 2048,
    "TSTimePerPoint": 0.1,
    "TSAveragingTime": 0.1,
}


class Bench(Records):
    """A client of the camera and of a plugin."""

    def __init__(self, prefix: str, plugin: str) -> None:
        super().__init__(prefix)
        self.plugin = plugin

    def name(self, record: str) -> str:
        """Return the full name of a record of the plugin, or of one of the camera's."""
        return super().name(record if record.startswith("cam1:") else self.plugin + record)

    def put(self, **settings: object) -> None:
        self.write(settings)

    def set(self, record: str, value: object) -> None:
        self.write({record: value})

    def array(self, record: str) -> np.ndarray:
        return np.atleast_1d(self.get(record))

    def severity(self, record: str) -> int:
        return self.alarm(record)[0]

    def numbers(self, *records: str) -> dict[str, float]:
        return {record: self.get(f"{record}_RBV") for record in records}

    def camera(self, **settings: object) -> None:
        self.write({f"cam1:{record}": value for record, value in settings.items()})

    def acquire(self, number: int = 1) -> float:
        """Acquire with put-callback, which waits for the plugins; return its duration."""
        self.camera(NumImages=number)
        began = time.monotonic()
        self.camera(Acquire=1)
        return time.monotonic() - began

    def start_series(self) -> threading.Event:
        """Start the time series with put-callback; return what tells that it has ended."""
        ended = threading.Event()
        self.pv("TS:TSAcquire").put(1, callback=lambda **_: ended.set())
        self.wait_until("TS:TSAcquiring", 1)
        return ended

    def stop_series(self) -> None:
        """Stop it without put-callback, which would wait for that of the start."""
        self.pv("TS:TSAcquire").put(0)
        self.wait_until("TS:TSAcquiring", 0)

    @contextmanager
    def beside(self, plugin: str, **settings: object) -> Iterator[Bench]:
        """Switch on another plugin for a while."""
        other = Bench(self.prefix, plugin)
        other.put(**(PLUGIN | settings))
        try:
            yield other
        finally:
            other.put(EnableCallbacks="Disable", NDArrayPort="SIM1", NDArrayAddress=0)


def _bench(prefix: str, plugin: str, settings: Mapping[str, object]) -> Bench:
    bench = Bench(prefix, plugin)
    bench.set("cam1:Acquire", 0)
    bench.wait_until("cam1:AcquireBusy", 0)
    bench.camera(**CAMERA)
    bench.put(**(PLUGIN | dict(settings)))
    return bench


def _end(bench: Bench) -> None:
    bench.set("cam1:Acquire", 0)
    bench.wait_until("cam1:AcquireBusy", 0)
    bench.put(EnableCallbacks="Disable", NDArrayPort="SIM1")
    bench.camera(WaitForPlugins="No", SizeX=1024, SizeY=1024, ColorMode="Mono", DataType="UInt8")


@pytest.fixture(scope="session")
def ramp() -> Callable[..., np.ndarray]:
    """Return what draws the camera's ramp: the image of a number after a reset."""

    def draw(
        dtype: np.dtype | type = np.uint8, gain_x: int = 1, gain_y: int = 1, number: int = 0
    ) -> np.ndarray:
        y, x = np.indices((HEIGHT, WIDTH))
        return (gain_x * x + gain_y * y + number).astype(dtype)

    return draw


@pytest.fixture
def stats(adsim) -> Iterator[Bench]:
    """The first statistics plugin, with statistics alone switched on."""
    bench = _bench(adsim.prefix, "Stats1:", STATS)
    bench.stop_series()
    bench.put(**{f"TS:{record}": value for record, value in SERIES.items()})
    yield bench
    bench.stop_series()
    bench.put(**STATS)
    _end(bench)


@pytest.fixture
def regions(adsim) -> Iterator[Bench]:
    """The plugin of eight regions, none of them in use."""
    unused = {f"{number}:Use": "No" for number in range(1, 9)}
    bench = _bench(adsim.prefix, "ROIStat1:", unused | {"TSNumPoints": 2048, "TSControl": "Stop"})
    yield bench
    bench.put(**unused)
    _end(bench)


@pytest.fixture
def attributes(adsim) -> Iterator[Bench]:
    """The plugin of eight attributes, none of them named."""
    unnamed = {f"{number}:AttrName": "" for number in range(1, 9)}
    bench = _bench(adsim.prefix, "Attr1:", unnamed | {"Reset": 1})
    bench.stop_series()
    bench.put(**{f"TS:{record}": value for record, value in SERIES.items()})
    yield bench
    bench.stop_series()
    bench.put(**unnamed)
    _end(bench)
