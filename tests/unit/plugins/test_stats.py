"""The statistics plugin without Channel Access: arrays that a camera does not make, and time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from adsupport.sim.area_detector import AreaDetectorIOC
from adsupport.sim.ndarray import Codec, DataType, Dimension, NDArray
from adsupport.sim.plugins.stats import CENTROID, STATISTICS, Stats
from adsupport.sim.source import ArraySource

SWITCHES = ("COMPUTE_STATISTICS", "COMPUTE_CENTROID", "COMPUTE_PROFILES", "COMPUTE_HISTOGRAM")


class Bench:
    """A source of arrays, and a plugin that takes them in the thread that emits them."""

    def __init__(self) -> None:
        self.ioc = AreaDetectorIOC("bench", "t:")
        self.source = ArraySource("SIM1")
        self.ioc.ports["SIM1"] = self.source
        self.ioc.load(["NDArrayBase", "ADBase"], "cam1:", self.source)
        self.stats = self.ioc.add_plugin("Stats1:", Stats, "STATS1", self.source)
        for port in self.ioc.ports.values():
            port.start()
        self.stats.write("BLOCKING_CALLBACKS", 1)
        self.stats.write("ENABLE_CALLBACKS", 1)
        for switch in SWITCHES:
            self.stats.write(switch, 1)

    def emit(self, array: NDArray) -> None:
        self.source.emit(array)

    def value(self, record: str) -> float:
        # the thread of the time series may be handing over what ports have posted
        while self.ioc._posts or self.ioc._delivering:
            self.ioc.deliver()
        return self.ioc.records[f"Stats1:{record}"].channel.value


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.ioc.stop()


@pytest.mark.parametrize("kind", list(DataType))
@pytest.mark.parametrize("shape", [(1,), (7,), (1, 1), (5, 7), (3, 5, 7), (2, 3, 5, 7)])
def test_arrays_of_any_type_and_shape(bench, kind, shape):
    data = np.arange(np.prod(shape)).reshape(shape).astype(kind.dtype)
    bench.emit(NDArray(data))
    assert bench.stats.get("ARRAY_COUNTER") == 1
    assert bench.value("Total_RBV") == data.sum(dtype=np.float64)
    assert bench.value("MaxX_RBV") == data.argmax() % shape[-1]
    assert bench.value("ProfileSizeX_RBV") == shape[-1]
    centroid_total = data.sum(dtype=np.float64) if len(shape) < 3 else 0.0
    assert bench.value("CentroidTotal_RBV") == centroid_total


@pytest.mark.parametrize("fill", [np.nan, np.inf, -np.inf, 1e308, 1e200])
def test_numbers_beyond_numbers_do_no_harm(bench, fill):
    image = np.ones((4, 6))
    image[1, 2] = fill
    bench.emit(NDArray(image, unique_id=1))
    bench.emit(NDArray(np.full((4, 6), fill), unique_id=2))
    bench.emit(NDArray(np.ones((4, 6)), unique_id=3))
    assert bench.stats.get("ARRAY_COUNTER") == 3
    assert bench.value("Total_RBV") == 24.0
    assert bench.value("CentroidX_RBV") == 2.5


def test_compressed_arrays_are_dropped(bench, caplog):
    compressed = NDArray(
        np.zeros(10, np.uint8),
        dims=(Dimension(6), Dimension(4)),
        codec=Codec("lz4"),
        element=DataType.UINT16,
        unique_id=5,
    )
    bench.emit(compressed)
    assert bench.stats.get("DROPPED_ARRAYS") == 1
    assert bench.stats.get("ARRAY_COUNTER") == 0
    assert "STATS1: array 5 is compressed" in caplog.text


def test_arrays_are_not_changed(bench):
    image = np.arange(24, dtype=np.float64).reshape(4, 6)
    image.flags.writeable = False
    bench.emit(NDArray(image))
    assert bench.value("ArrayCounter_RBV") == 1


def test_the_threshold_and_the_last_array_again(bench):
    image = np.zeros((4, 6), np.uint8)
    image[1, 2], image[3, 5] = 10, 100
    bench.emit(NDArray(image))
    bench.stats.write("CENTROID_THRESHOLD", 50.0)
    assert bench.value("CentroidTotal_RBV") == 110.0
    bench.emit(NDArray(image))
    assert bench.value("CentroidTotal_RBV") == 100.0
    assert (bench.value("CentroidX_RBV"), bench.value("CentroidY_RBV")) == (5.0, 3.0)
    assert {bench.value(f"Sigma{axis}_RBV") for axis in "XY"} == {0.0}


def test_parameters_have_records(bench):
    followed = {record.row.param for record in bench.ioc.records.values()}
    assert followed.issuperset((*STATISTICS, *CENTROID))


def test_what_everything_costs(bench):
    # in the time of the thread that computes, which other programs do not lengthen
    frame = NDArray(np.random.default_rng(5).integers(0, 256, (1024, 1024)).astype(np.uint8))

    def best(times: int = 10) -> float:
        taken = []
        for _ in range(times):
            began = time.thread_time()
            bench.emit(frame)
            taken.append(time.thread_time() - began)
        return min(taken)

    assert best() < 0.020
    for switch in SWITCHES[1:]:
        bench.stats.write(switch, 0)
    assert best() < 0.003
