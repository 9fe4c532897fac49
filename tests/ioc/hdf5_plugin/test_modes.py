"""The sequences recorded from a real IOC: stream, capture and single mode.

Each record's events are compared in order; how events of different records mix is left open, as
it was on the real IOC. Numbers that count from the IOC's start are compared by their steps.
"""

from __future__ import annotations

from typing import Any

import epics
import h5py
import numpy as np
import pytest

pytestmark = pytest.mark.conformance

IMAGE = "/entry/data/data"
IDS = "/entry/instrument/NDAttributes/NDArrayUniqueId"
FRAME = (1024, 1024)


def steps(numbers: list[int]) -> list[int]:
    return np.diff(numbers).tolist()


# ---- C3: stream


def test_stream_of_five(bench: Any) -> None:
    bench.put(FileName="stream", FileNumber=7)
    captured = bench.get("NumCaptured_RBV")
    counter = bench.get("ArrayCounter_RBV")
    pv = epics.get_pv(f"{bench.prefix}HDF1:Capture", connect=True, timeout=30)
    with bench.watch() as seen:
        pv.put(1, use_complete=True)
        seen.wait_for("Capture", 1)
        seen.wait_for("WriteFile_RBV", 1)
        assert bench.files == ["stream_0007.h5"], "it exists before the first frame"
        assert not pv.put_complete
        bench.acquire(5)
        seen.wait_for("Capture", 0)
        seen.wait_for("WriteFile_RBV", 0)
        seen.wait(lambda _: pv.put_complete, "the put-callback of Capture")
    assert seen.values("Capture") == seen.values("Capture_RBV") == [1, 0]
    assert seen.values("WriteFile_RBV") == [1, 0]
    assert seen.values("FileNumber") == seen.values("FileNumber_RBV") == [8]
    assert seen.values("NumCaptured_RBV") == [0, 1, 2, 3, 4, 5][captured == 0 :]
    assert seen.values("ArrayCounter_RBV") == [counter + n for n in range(1, 6)]
    frames = [event for event in seen.pairs("ArrayCounter_RBV", "NumCaptured_RBV") if event[1]]
    assert [name for name, _ in frames] == ["ArrayCounter_RBV", "NumCaptured_RBV"] * 5
    assert seen.values("WriteStatus") == []
    assert bench.get("FullFileName_RBV") == bench.full("stream_0007.h5")
    assert bench.state() == [0, 0, 5, 0, ""]


def test_stream_content(bench: Any) -> None:
    """What is read back is what the camera says that it makes: a ramp that goes on by one."""
    bench.cam(Reset=1)
    bench.capture()
    bench.acquire(5)
    first = np.add.outer(np.arange(1024), np.arange(1024))
    with h5py.File(bench.full("f_0000.h5")) as file:
        for number, image in enumerate(file[IMAGE]):
            np.testing.assert_array_equal(image, (first + number).astype(np.uint8))
        assert steps(file[IDS][:]) == [1, 1, 1, 1]
        seconds = file["/entry/instrument/NDAttributes/NDArrayTimeStamp"][:]
        assert (np.diff(seconds) > 0).all()
        assert file["/entry/instrument/detector/NDAttributes/ColorMode"][:].tolist() == [0] * 5


def test_stream_stopped_early(bench: Any) -> None:
    with bench.watch() as seen:
        bench.put(Capture=1, wait=False)
        seen.wait_for("Capture", 1)
        bench.acquire(2)
        bench.put(Capture=0)
        seen.wait_for("WriteFile_RBV", 0)
    assert seen.values("Capture_RBV") == [1, 0]
    assert bench.state() == [0, 0, 2, 0, ""]
    assert bench.shape("f_0000.h5") == ((2, *FRAME), (5, *FRAME))


def test_stream_of_more_frames_than_wanted(bench: Any) -> None:
    bench.capture()
    bench.acquire(8)
    assert bench.state() == [0, 0, 5, 0, ""]
    assert bench.shape("f_0000.h5") == ((5, *FRAME), (5, *FRAME))


def test_stream_without_end(bench: Any) -> None:
    bench.put(NumCapture=0)
    bench.capture()
    bench.acquire(3)
    assert bench.state() == [1, 1, 3, 0, ""]
    assert bench.alarm("Capture_RBV") == bench.alarm("WriteFile_RBV") == (1, 7)
    bench.put(Capture=0)
    assert bench.state() == [0, 0, 3, 0, ""]
    assert bench.shape("f_0000.h5") == ((3, *FRAME), (None, *FRAME))


def test_stream_without_a_frame(bench: Any) -> None:
    bench.capture()
    bench.put(Capture=0)
    assert bench.state() == [0, 0, 0, 0, ""]
    assert bench.shape("f_0000.h5") == ((1, *FRAME), (5, *FRAME))


def test_same_name_overwrites(bench: Any) -> None:
    bench.put(AutoIncrement=0, FileNumber=12)
    for count in (5, 2):
        bench.put(NumCapture=count)
        bench.capture()
        bench.acquire(count)
        assert bench.get("FullFileName_RBV") == bench.full("f_0012.h5")
        assert bench.shape("f_0012.h5") == ((count, *FRAME), (count, *FRAME))
    assert bench.get("FileNumber_RBV") == 12


# ---- C4, C5: capture and single mode


def test_capture_then_write(bench: Any) -> None:
    bench.put(FileWriteMode=1, NumCapture=4, FileName="cap", FileNumber=12)
    bench.capture()
    assert bench.get("FullFileName_RBV") == ""
    counter = bench.get("ArrayCounter_RBV")
    bench.acquire(4)
    assert bench.state() == [0, 0, 4, 0, ""]
    assert bench.get("ArrayCounter_RBV") == counter + 4
    with bench.watch() as seen:
        bench.put(WriteFile=1)
        seen.wait_for("WriteFile_RBV", 0)
    assert seen.values("WriteFile_RBV") == [1, 0]
    assert seen.values("NumCaptured_RBV") == [3, 2, 1, 0]
    counts = [counter + n for n in (5, 6, 7, 8, 4)]
    assert seen.values("ArrayCounter_RBV") == counts
    assert seen.values("FileNumber") == [13]
    assert bench.get("FullFileName_RBV") == bench.full("cap_0012.h5")
    bench.put(WriteFile=1)
    assert bench.state() == [0, 0, 0, 1, "ERROR, no capture buffer present"]
    assert bench.shape("cap_0012.h5") == ((4, *FRAME), (4, *FRAME))


def test_capture_with_autosave(bench: Any) -> None:
    bench.put(FileWriteMode=1, NumCapture=4, AutoSave=1)
    with bench.watch() as seen:
        bench.put(Capture=1, wait=False)
        seen.wait_for("Capture", 1)
        bench.acquire(4)
        seen.wait_for("Capture", 0)
    values = seen.values("NumCaptured_RBV")
    assert values[values.index(1) :] == [1, 2, 3, 4, 3, 2, 1, 0]
    assert seen.pairs("WriteFile_RBV", "Capture") == [
        ("Capture", 1), ("WriteFile_RBV", 1), ("WriteFile_RBV", 0), ("Capture", 0),
    ]  # fmt: skip
    assert bench.shape("f_0000.h5") == ((4, *FRAME), (4, *FRAME))


def test_single_with_autosave(bench: Any) -> None:
    bench.put(FileWriteMode=0, AutoSave=1, FileNumber=14)
    with bench.watch() as seen:
        bench.acquire(1)
        seen.wait_for("WriteFile_RBV", 0)
    assert seen.values("WriteFile_RBV") == [1, 0]
    assert seen.values("FileNumber") == seen.values("FileNumber_RBV") == [15]
    assert bench.state() == [0, 0, 1, 0, ""]
    assert bench.shape("f_0014.h5") == (FRAME, FRAME)


def test_single_on_command(bench: Any) -> None:
    bench.put(FileWriteMode=0)
    bench.acquire(1)
    assert bench.files == []
    bench.put(WriteFile=1)
    assert bench.files == ["f_0000.h5"], "the put-callback comes after the writing"
    assert bench.get("WriteFile") == bench.get("WriteFile_RBV") == 0
    bench.put(Capture=1)
    assert bench.state() == [0, 0, 1, 0, "ERROR: capture not supported in Single mode"]
