"""The sequences recorded from a real IOC: files that fail, frames that do not fit.

Each record's events are compared in order; how events of different records mix is left open, as
it was on the real IOC. Numbers that count from the IOC's start are compared by their steps.
"""

from __future__ import annotations

import resource
from typing import Any

import numpy as np
import pytest

from adsupport.launch import IOCProcess

pytestmark = pytest.mark.conformance

FRAME = (1024, 1024)


def steps(numbers: list[int]) -> list[int]:
    return np.diff(numbers).tolist()


# ---- D1, D2: files that cannot be made


@pytest.mark.parametrize("path", ["{}/does/not/exist", "/proc"])
def test_file_that_cannot_be_made(path: str, bench: Any) -> None:
    path = path.format(bench.directory)
    bench.put(FilePath=path, FileNumber=16)
    with bench.watch() as seen:
        bench.put(Capture=1)
        seen.wait_for("Capture", 0)
        seen.wait_for("WriteStatus", 1)
        seen.wait_for("WriteFile_RBV", 1)
    assert seen.values("Capture") == [1, 0]
    assert seen.values("Capture_RBV") == []
    assert seen.values("FileNumber") == seen.values("FileNumber_RBV") == [17]
    assert seen.values("WriteFile_RBV") == [1], "it stays, as recorded"
    full = f"{path}/f_0016.h5"
    assert bench.state() == [0, 0, 0, 1, f"Error opening file {full}, status=3"]
    assert bench.get("FullFileName_RBV") == full
    assert bench.alarm("WriteStatus") == (2, 7)
    assert bench.alarm("Capture") == bench.alarm("WriteMessage") == (0, 0)
    bench.acquire(5)
    assert bench.state()[:4] == [0, 0, 0, 1]
    bench.put(FilePath=str(bench.directory))
    bench.capture()
    assert bench.state() == [1, 1, 0, 0, ""]
    assert bench.alarm("WriteStatus") == (0, 0)
    bench.acquire(5)
    assert bench.state() == [0, 0, 5, 0, ""]


def test_lazy_file_that_cannot_be_made(bench: Any) -> None:
    bench.put(FilePath=bench.full("nope"), FileNumber=18, LazyOpen=1)
    with bench.watch() as seen:
        bench.put(Capture=1, wait=False)
        seen.wait_for("Capture", 1)
        bench.acquire(3)
        seen.wait_for("FileNumber", 21)
    assert seen.values("FileNumber") == [19, 20, 21]
    assert seen.values("Capture") == seen.values("Capture_RBV") == [1]
    full = bench.full("nope/f_0020.h5")
    assert bench.state() == [1, 1, 0, 1, f"Error opening file {full}, status=3"]
    bench.put(Capture=0)
    assert bench.state() == [0, 0, 0, 0, "Lazy Open..."]


# ---- D3: disk full


def test_full_disk(unprimed: Any, fresh_adsim: IOCProcess) -> None:
    """The real IOC ended at the next Capture=1; ours goes on."""
    unprimed.setup()
    unprimed.prime()
    counter = unprimed.get("ArrayCounter_RBV")
    _, hard = resource.prlimit(fresh_adsim.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(fresh_adsim.pid, resource.RLIMIT_FSIZE, (3_000_000, hard))
    with unprimed.watch() as seen:
        unprimed.put(Capture=1, wait=False)
        seen.wait_for("Capture", 1)
        unprimed.acquire(5)
        seen.wait_for("Capture", 0)
        seen.wait_for("WriteStatus", 1)
    assert seen.values("Capture_RBV") == [1, 0]
    assert seen.values("WriteFile_RBV") == [1, 0]
    assert seen.values("NumCaptured_RBV") == [1, 2]
    assert seen.values("ArrayCounter_RBV") == [counter + n for n in (1, 2, 3)]
    assert unprimed.state() == [0, 0, 2, 1, "Error writing file, status=3"]
    assert unprimed.alarm("WriteStatus") == (2, 7)
    unprimed.put(Capture=0)
    assert unprimed.state() == [0, 0, 2, 0, ""]
    resource.prlimit(fresh_adsim.pid, resource.RLIMIT_FSIZE, (hard, hard))
    unprimed.capture()
    unprimed.acquire(5)
    assert unprimed.state() == [0, 0, 5, 0, ""]
    assert unprimed.shape("f_0001.h5") == ((5, *FRAME), (5, *FRAME))


# ---- D4: frames that do not fit


def test_frames_of_another_size(bench: Any) -> None:
    bench.put(NumCapture=6)
    with bench.watch() as seen:
        bench.put(Capture=1, wait=False)
        bench.acquire(3)
        bench.acquire(2, SizeX=512)
        assert bench.state() == [1, 1, 3, 1, "Invalid frame. Ignoring."]
        assert bench.alarm("WriteStatus") == (2, 7)
        bench.acquire(3, SizeX=1024)
        seen.wait_for("Capture", 0)
    values = seen.values("NumCaptured_RBV")
    assert values[values.index(1) :] == [1, 2, 3, 4, 5, 6]
    assert seen.values("WriteStatus") == [1, 0]
    assert steps(seen.values("ArrayCounter_RBV")) == [1] * 7
    assert bench.state() == [0, 0, 6, 0, ""]
    assert bench.shape("f_0000.h5") == ((6, *FRAME), (6, *FRAME))


def test_frames_of_another_type(bench: Any) -> None:
    bench.put(NumCapture=4)
    bench.capture()
    bench.acquire(2)
    bench.acquire(2, DataType="UInt16")
    assert bench.state() == [1, 1, 2, 1, "Invalid frame. Ignoring."]
    bench.acquire(1, DataType="Int8")
    assert bench.state() == [1, 1, 3, 0, ""]
    bench.acquire(1, DataType="UInt8", ColorMode="RGB1")
    assert bench.state() == [0, 0, 4, 0, ""]
    assert bench.shape("f_0000.h5") == ((4, *FRAME), (4, *FRAME))


def test_primed_with_another_size(bench: Any) -> None:
    bench.cam(SizeX=512)
    bench.put(NumCapture=3)
    bench.capture()
    bench.acquire(3)
    assert bench.state() == [1, 1, 0, 1, "Invalid frame. Ignoring."]
    bench.put(Capture=0)
    assert bench.shape("f_0000.h5") == ((1, *FRAME), (3, *FRAME))
    bench.put(LazyOpen=1)
    bench.capture()
    bench.acquire(3)
    assert bench.state() == [0, 0, 3, 0, ""]
    assert bench.shape("f_0001.h5") == ((3, 1024, 512), (3, 1024, 512))
