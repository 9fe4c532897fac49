"""The sequences recorded from a real IOC: settings, queue, lazy, SWMR.

Each record's events are compared in order; how events of different records mix is left open, as
it was on the real IOC. Numbers that count from the IOC's start are compared by their steps.
"""

from __future__ import annotations

from typing import Any

import epics
import h5py
import numpy as np
import pytest

from adsupport.launch import IOCProcess

pytestmark = pytest.mark.conformance

IMAGE = "/entry/data/data"
IDS = "/entry/instrument/NDAttributes/NDArrayUniqueId"
FRAME = (1024, 1024)


def steps(numbers: list[int]) -> list[int]:
    return np.diff(numbers).tolist()


# ---- D5, D6: while capturing


def test_settings_changed_while_capturing(bench: Any) -> None:
    bench.put(NumCapture=10)
    bench.capture()
    bench.acquire(2)
    bench.put(NumCapture=4, FileName="other", Compression=3)
    assert bench.get("Compression") == 3
    assert bench.alarm("Compression") == (3, 2)
    assert bench.get("Compression_RBV") == 0
    assert bench.alarm("Compression_RBV") == (0, 0)
    bench.acquire(2)
    assert bench.state() == [0, 0, 4, 0, ""]
    assert bench.get("FullFileName_RBV") == bench.full("f_0000.h5")
    assert bench.shape("f_0000.h5") == ((4, *FRAME), (10, *FRAME))
    bench.put(Compression=3)
    assert bench.alarm("Compression") == (0, 0)
    assert bench.get("Compression_RBV") == 3


def test_disabled_plugin_starves(bench: Any) -> None:
    bench.put(NumCapture=3)
    bench.capture()
    bench.put(EnableCallbacks=0)
    bench.acquire(3)
    assert bench.state() == [1, 1, 0, 0, ""]
    bench.put(EnableCallbacks=1)
    bench.acquire(3)
    assert bench.state() == [0, 0, 3, 0, ""]


def test_capture_twice(bench: Any) -> None:
    bench.put(NumCapture=3, FileNumber=8)
    with bench.watch() as seen:
        bench.put(Capture=1, wait=False)
        seen.wait_for("FileNumber", 9)
        bench.put(Capture=1, wait=False)
        seen.wait_for("FileNumber", 10)
        assert bench.state() == [1, 1, 0, 0, ""]
        assert bench.get("FullFileName_RBV") == bench.full("f_0009.h5")
        bench.acquire(3)
        seen.wait_for("Capture", 0)
    assert seen.values("Capture_RBV") == [1, 0]
    assert bench.state() == [0, 0, 3, 0, ""]
    assert bench.files == ["f_0008.h5", "f_0009.h5"]


def test_capture_toggled_faster_than_files_open(bench: Any) -> None:
    bench.cam(ImageMode=2, AcquirePeriod=0.002)
    bench.put(wait=False, NumCapture=0)
    epics.caput(f"{bench.prefix}cam1:Acquire", 1)
    for _ in range(50):
        bench.put(wait=False, Capture=1)
        bench.put(wait=False, Capture=0)
    bench.put(Capture=0)
    bench.cam(Acquire=0)
    assert bench.state()[:2] == [0, 0]
    assert bench.state()[3:] == [0, ""]
    assert bench.get("WriteFile_RBV") == 0
    assert bench.files == [f"f_{number:04d}.h5" for number in range(50)]
    for name in bench.files:
        assert bench.shape(name)[0][1:] == FRAME, "closed, and readable"


# ---- D7: the queue


def slow_frames(bench: Any) -> None:
    """Noise takes zlib some 30 ms a frame."""
    bench.cam(SimMode=3, Noise=255.0, AcquireTime=0.001, AcquirePeriod=0.001)
    bench.put(Compression=3)


def test_queue_overflows(bench: Any) -> None:
    slow_frames(bench)
    bench.put(NumCapture=60, DroppedArrays=0)
    bench.capture()
    bench.acquire(60)
    dropped = bench.get("DroppedArrays_RBV")
    assert dropped > 10
    assert bench.state() == [1, 1, 60 - dropped, 0, ""]
    assert bench.get("QueueFree") == 20
    bench.acquire(1)
    bench.put(Capture=0)
    written = 61 - dropped
    assert bench.shape("f_0000.h5") == ((written, *FRAME), (60, *FRAME))
    with h5py.File(bench.full("f_0000.h5")) as file:
        gaps = steps(file[IDS][:])
    assert max(gaps) > 1
    assert min(gaps) == 1


def test_blocking_callbacks_drop_nothing(bench: Any) -> None:
    slow_frames(bench)
    bench.put(NumCapture=20, BlockingCallbacks=1, QueueSize=1, DroppedArrays=0)
    bench.capture()
    bench.acquire(20)
    assert bench.get("DroppedArrays_RBV") == 0
    assert bench.state() == [0, 0, 20, 0, ""]


def test_camera_waits_for_the_file(bench: Any) -> None:
    slow_frames(bench)
    bench.put(NumCapture=15)
    with bench.watch() as seen:
        bench.capture()
        bench.acquire(15)
        assert bench.get("NumCaptured_RBV") == 15, "acquire returns after the last write"
        assert bench.get("Capture_RBV") == 0
    assert seen.values("Capture_RBV") == [1, 0]
    assert bench.shape("f_0000.h5") == ((15, *FRAME), (15, *FRAME))


# ---- D9 to D12


def test_lazy_when_primed(bench: Any) -> None:
    bench.put(NumCapture=2, LazyOpen=1, FileName="lazy")
    bench.capture()
    assert bench.state() == [1, 1, 0, 0, "Lazy Open..."]
    assert bench.get("FullFileName_RBV") == ""
    assert bench.get("FileNumber_RBV") == 0
    bench.acquire(2)
    assert bench.state() == [0, 0, 2, 0, ""]
    assert bench.get("FullFileName_RBV") == bench.full("lazy_0000.h5")


def test_swmr(bench: Any) -> None:
    bench.put(NumCapture=3, SWMRMode=1)
    bench.capture()
    assert bench.get("SWMRActive_RBV") == 1
    assert bench.get("SWMRCbCounter_RBV") == 0
    bench.acquire(2)
    with h5py.File(bench.full("f_0000.h5"), "r", swmr=True) as file:
        assert file[IMAGE].shape == (2, *FRAME), "a reader beside the IOC"
    bench.acquire(1)
    assert bench.state() == [0, 0, 3, 0, ""]
    assert bench.get("SWMRActive_RBV") == 0
    assert bench.get("SWMRCbCounter_RBV") == 8
    assert bench.shape("f_0000.h5") == ((3, *FRAME), (3, *FRAME))


def test_temporary_suffix(bench: Any) -> None:
    bench.put(NumCapture=2, TempSuffix=".part")
    bench.capture()
    assert bench.files == ["f_0000.h5.part"]
    assert bench.get("FullFileName_RBV") == bench.full("f_0000.h5")
    bench.acquire(2)
    assert bench.files == ["f_0000.h5"]


def test_ioc_that_ends_closes_its_file(unprimed: Any, fresh_adsim: IOCProcess) -> None:
    unprimed.setup()
    unprimed.prime()
    unprimed.put(Capture=1, wait=False)
    unprimed.acquire(2)
    fresh_adsim.stop()
    assert unprimed.shape("f_0000.h5") == ((2, *FRAME), (5, *FRAME))
