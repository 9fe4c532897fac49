"""The sequences recorded from a real IOC: not primed, paths and file names.

Each record's events are compared in order; how events of different records mix is left open, as
it was on the real IOC. Numbers that count from the IOC's start are compared by their steps.
"""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.conformance

FRAME = (1024, 1024)


# ---- C0: not primed


def test_unprimed_capture_falls_back_silently(unprimed: Any) -> None:
    with unprimed.watch() as seen:
        unprimed.put(Capture=1)
        seen.wait_for("Capture", 0)
    assert seen.pairs() == [("Capture", 1), ("Capture", 0)]
    assert unprimed.state() == [0, 0, 0, 0, ""]
    assert unprimed.get("FullFileName_RBV") == ""
    for name in ("Capture", "Capture_RBV", "WriteStatus", "WriteMessage"):
        assert unprimed.alarm(name) == (0, 0)


def test_unprimed_capture_works_when_lazy(unprimed: Any) -> None:
    unprimed.put(FilePath=str(unprimed.directory), FileName="test", AutoIncrement=1,
                 FileTemplate="%s%s_%4.4d.h5", LazyOpen=1)  # fmt: skip
    unprimed.cam(ImageMode=1, AcquirePeriod=0.01, ArrayCallbacks=1)
    with unprimed.watch() as seen:
        unprimed.put(Capture=1, wait=False)
        seen.wait_for("WriteFile_RBV", 1)
        seen.wait_for("Capture", 1)
        assert unprimed.get("WriteMessage") == "Lazy Open..."
        assert unprimed.files == []
        unprimed.acquire(5)
        seen.wait_for("Capture", 0)
        seen.wait_for("WriteFile_RBV", 0)
    assert seen.values("Capture") == seen.values("Capture_RBV") == [1, 0]
    assert seen.values("WriteFile_RBV") == [1, 0]
    assert seen.values("ArrayCounter_RBV") == seen.values("NumCaptured_RBV") == [1, 2, 3, 4, 5]
    assert seen.values("FileNumber") == seen.values("FileNumber_RBV") == [1]
    assert seen.values("WriteStatus") == []
    assert unprimed.state() == [0, 0, 5, 0, ""]
    assert unprimed.get("FullFileName_RBV") == unprimed.full("test_0000.h5")
    assert [unprimed.get(f"ArraySize{i}_RBV") for i in (0, 1)] == [1024, 1024]
    assert unprimed.shape("test_0000.h5") == ((5, *FRAME), (5, *FRAME))


# ---- C1, C2: paths and names


@pytest.mark.parametrize(
    ("below", "readback", "exists", "alarm"),
    [
        ("", "/", 1, (0, 0)),
        ("/", "/", 1, (0, 0)),
        ("//", "//", 1, (0, 0)),
        ("/nope", "/nope/", 0, (2, 7)),
        ("/a b", "/a b/", 0, (2, 7)),
    ],
)
def test_path(below: str, readback: str, exists: int, alarm: tuple, bench: Any) -> None:
    root = str(bench.directory)
    bench.put(FilePath=root + below)
    assert bench.get("FilePath") == root + below
    assert bench.get("FilePath_RBV") == root + readback
    assert bench.get("FilePathExists_RBV") == exists
    assert bench.alarm("FilePathExists_RBV") == alarm


@pytest.mark.parametrize(
    ("depth", "below", "exists"),
    [(0, "a/b", 0), (-1, "a", 1), (-1, "a/b", 0), (-2, "a/b", 1), (-5, "%Y/%m/%d", 1)],
)
def test_create_directory(depth: int, below: str, exists: int, bench: Any) -> None:
    bench.put(CreateDirectory=depth, FilePath=bench.full(below))
    assert bench.get("FilePathExists_RBV") == exists
    assert (bench.directory / below).is_dir() == bool(exists)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("%s%s_%4.4d.h5", "f_0002.h5"),
        ("%s%s.h5", "f.h5"),
        ("%s%s_%6.6d.hdf", "f_000002.hdf"),
        ("%s%s_%d", "f_2"),
        ("%s/%s%03d.h5", "/f002.h5"),
    ],
)
def test_template(template: str, name: str, bench: Any) -> None:
    bench.put(FileTemplate=template, FileNumber=2, NumCapture=1)
    bench.capture()
    bench.acquire(1)
    assert bench.get("FullFileName_RBV") == bench.full(name)
    assert bench.get("FileNumber") == bench.get("FileNumber_RBV") == 3
    assert bench.state() == [0, 0, 1, 0, ""]
    assert (bench.directory / name.strip("/")).exists()


def test_empty_template(bench: Any) -> None:
    bench.put(FileTemplate="", FileNumber=8)
    bench.put(Capture=1)
    assert bench.state() == [0, 0, 0, 1, "Error opening file , status=3"]
    assert bench.get("FileNumber_RBV") == 9
