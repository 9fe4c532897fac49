"""Faults of disk, queue and image size: the plugin tells of them as the real one did.

What is expected was recorded on a real IOC (the sections D1 to D7 of its log).
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.launch import IOCProcess

IDS = "/entry/instrument/NDAttributes/NDArrayUniqueId"


def ids_of(file: Path) -> list[int]:
    with h5py.File(file) as h5:
        return h5[IDS][:].tolist()


def saved(seen: Any) -> list[int]:
    """Return how NumCaptured went, without its reset."""
    return [number for number in seen.values("NumCaptured_RBV") if number]


# ---- D3


@pytest.mark.parametrize("room", [{"after": 2}, {"bytes": 2_500_000}])
def test_full_disk_ends_the_capture_with_the_frames_before(
    bench: Any, adsim: IOCProcess, room: dict[str, int]
) -> None:
    with adsim.fault("disk-full", "HDF1", **room):
        with bench.watch() as seen:
            bench.put(Capture=1, wait=False)
            seen.wait_for("Capture", 1)
            bench.acquire(5)
            seen.wait_for("WriteStatus", 1)
        assert saved(seen) == [1, 2]
        assert seen.values("Capture") == seen.values("Capture_RBV") == [1, 0]
        assert seen.values("WriteFile_RBV") == [1, 0]
        assert seen.pairs("Capture", "WriteStatus")[-2:] == [("Capture", 0), ("WriteStatus", 1)]
        assert bench.state() == [0, 0, 2, 1, "Error writing file, status=3"]
        assert bench.alarm("WriteStatus") == (2, 7)
    bench.put(Capture=1, wait=False)
    bench.acquire(5)
    assert bench.state() == [0, 0, 5, 0, ""]


def test_an_ioc_that_crashes_after_a_full_disk_as_the_real_one_does(
    unprimed: Any, fresh_adsim: IOCProcess
) -> None:
    unprimed.setup()
    unprimed.prime()
    fresh_adsim.fault("disk-full", "HDF1", after=1, crash=True)
    with unprimed.watch() as seen:
        unprimed.capture()
        unprimed.acquire(3)
        seen.wait_for("WriteStatus", 1)  # else the next put comes before the end of the first
    assert fresh_adsim.running, "the error alone is survived"
    unprimed.put(Capture=1, wait=False)
    deadline = time.monotonic() + 20
    while fresh_adsim.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert fresh_adsim.exit_code == -signal.SIGSEGV


# ---- D1, D2


def test_a_directory_that_vanishes_is_missed_at_the_next_file(
    bench: Any, adsim: IOCProcess
) -> None:
    gone = bench.directory.with_name(f"{bench.directory.name}.vanished")
    with adsim.fault("directory-vanishes", "HDF1", after=2, how="rename"):
        bench.put(Capture=1, wait=False)
        bench.acquire(5)
        assert bench.state() == [0, 0, 5, 0, ""], "an open file is written on"
        assert not bench.directory.exists()
        assert bench.get("FilePathExists_RBV") == 1, "nobody has looked"
        bench.put(Capture=1)
        full = bench.full("f_0001.h5")
        assert bench.state() == [0, 0, 0, 1, f"Error opening file {full}, status=3"]
        assert bench.get("FilePathExists_RBV") == 0
        assert bench.alarm("FilePathExists_RBV") == (2, 7)
    assert not gone.exists()
    assert bench.shape("f_0000.h5")[0] == (5, 1024, 1024)


def test_a_directory_that_is_lost_while_a_lazy_file_waits(bench: Any, adsim: IOCProcess) -> None:
    bench.put(LazyOpen=1, FileNumber=18)
    bench.capture()
    with adsim.fault("directory-vanishes", "HDF1"), bench.watch() as seen:
        bench.acquire(3)
        seen.wait_for("FileNumber", 21)
        full = bench.full("f_0020.h5")
        assert bench.state() == [1, 1, 0, 1, f"Error opening file {full}, status=3"]
        assert bench.directory.exists(), "nothing was done to it"
    assert seen.values("FileNumber") == [19, 20, 21], "every frame tries again"


def test_a_path_that_is_no_directory_can_not_vanish(bench: Any, adsim: IOCProcess) -> None:
    bench.put(FilePath=bench.full("nope"))
    with pytest.raises(ValueError, match="HDF1: FilePath '.*nope' is no directory"):
        adsim.fault("directory-vanishes", "HDF1", how="rename")


def test_permission_lost_before_a_file_is_made(bench: Any, adsim: IOCProcess) -> None:
    with adsim.fault("permission-lost", "HDF1"), bench.watch() as seen:
        bench.put(Capture=1)
        seen.wait_for("WriteStatus", 1)
        full = bench.full("f_0000.h5")
        assert bench.state() == [0, 0, 0, 1, f"Error opening file {full}, status=3"]
        assert bench.get("FilePathExists_RBV") == 1
        assert bench.get("FileNumber") == 1
    assert seen.values("Capture") == [1, 0]


def test_permission_lost_within_a_file(bench: Any, adsim: IOCProcess) -> None:
    with adsim.fault("permission-lost", "HDF1", at="write", after=3):
        bench.put(Capture=1, wait=False)
        bench.acquire(5)
        assert bench.state() == [0, 0, 3, 1, "Error writing file, status=3"]


# ---- D7


def test_a_slow_disk_makes_waiting_for_plugins_long(bench: Any, adsim: IOCProcess) -> None:
    with adsim.fault("slow-disk", "HDF1", seconds=0.2):
        bench.put(Capture=1, wait=False)
        begun = time.monotonic()
        bench.acquire(5)
        assert 1.0 <= time.monotonic() - begun < 5
    assert bench.state() == [0, 0, 5, 0, ""]
    assert bench.get("ExecutionTime_RBV") >= 200


def test_a_slow_plugin_drops_what_does_not_fit_its_queue(bench: Any, adsim: IOCProcess) -> None:
    bench.cam(WaitForPlugins=0, AcquirePeriod=0.002)
    bench.put(NumCapture=60, DroppedArrays=0)
    bench.capture()
    with bench.watch() as seen:
        with adsim.fault("slow-plugin", "HDF1"):
            bench.acquire(1)
            deadline = time.monotonic() + 20
            while bench.get("QueueFree") != 20:  # until the first one is held
                assert time.monotonic() < deadline, "the first array isn't taken from the queue"
            bench.acquire(59)
            assert bench.get("DroppedArrays_RBV") == 60 - 1 - 20
            assert bench.get("QueueFree") == 0
            assert bench.state() == [1, 1, 0, 0, ""]
            assert bench.get("NumQueuedArrays", "cam1") == 21
        seen.wait_for("NumCaptured_RBV", 21)
    assert bench.state() == [1, 1, 21, 0, ""], "it waits for the lost ones for ever"
    bench.put(Capture=0)
    assert np.diff(ids_of(bench.directory / "f_0000.h5")).tolist() == [1] * 20


def test_an_overflow_loses_exactly_the_frames_of_the_recorded_one(
    bench: Any, adsim: IOCProcess
) -> None:
    bench.put(NumCapture=60, DroppedArrays=0)
    bench.capture()
    with (
        adsim.fault("queue-overflow", "HDF1", after=22, count=14),
        adsim.fault("queue-overflow", "HDF1", after=37, count=23),
    ):
        bench.acquire(60, AcquirePeriod=0.01)
    assert bench.get("DroppedArrays_RBV") == 37
    assert bench.state() == [1, 1, 23, 0, ""]
    bench.put(Capture=0)
    ids = np.array(ids_of(bench.directory / "f_0000.h5"))
    assert (ids - ids[0]).tolist() == [*range(22), 36], "as from 39 to 60, and 75"


# ---- D4


def test_a_size_that_changes_in_mid_stream(bench: Any, adsim: IOCProcess) -> None:
    bench.put(NumCapture=6)
    with adsim.fault("wrong-size", "cam1", after=3, frames=2, size_x=512), bench.watch() as seen:
        bench.put(Capture=1, wait=False)
        bench.acquire(5)
        assert bench.state() == [1, 1, 3, 1, "Invalid frame. Ignoring."]
        assert bench.alarm("WriteStatus") == (2, 7)
        assert bench.get("SizeX_RBV", "cam1") == 512
        bench.acquire(3)
        seen.wait_for("Capture", 0)
    assert saved(seen) == [1, 2, 3, 4, 5, 6]
    assert seen.values("WriteStatus") == [1, 0]
    assert np.diff(seen.values("ArrayCounter_RBV")).tolist() == [1] * 7
    assert bench.state() == [0, 0, 6, 0, ""]
    assert bench.shape("f_0000.h5")[0] == (6, 1024, 1024)
    assert bench.get("SizeX_RBV", "cam1") == 1024


def test_a_wrong_size_that_the_camera_corrects_ends_with_its_fault(
    bench: Any, adsim: IOCProcess, caput: Any
) -> None:
    size = f"{adsim.prefix}cam1:SizeX"
    caput(size, 512)
    try:
        with adsim.fault("wrong-size", "cam1", size_x=5000):
            bench.acquire(1)
            assert bench.get("ArraySizeX_RBV", "cam1") == 1024
        bench.acquire(1)
        assert bench.get("ArraySizeX_RBV", "cam1") == 512
    finally:
        caput(size, 1024)


def test_a_wrong_size_ends_with_its_fault(bench: Any, adsim: IOCProcess) -> None:
    with adsim.fault("wrong-size", "cam1", size_y=100):
        bench.acquire(1)
        assert bench.get("ArraySizeY_RBV", "cam1") == 100
        assert bench.get("ArraySizeX_RBV", "cam1") == 1024
    bench.acquire(1)
    assert bench.get("ArraySizeY_RBV", "cam1") == 1024
