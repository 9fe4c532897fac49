"""The simulated HDF5 plugin over Channel Access: the sequences recorded from a real IOC.

Each record's events are compared in order; how events of different records mix is left open, as
it was on the real IOC. Numbers that count from the IOC's start are compared by their steps.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import epics
import h5py
import numpy as np
import pytest

from adsupport.launch import IOCProcess

pytestmark = pytest.mark.conformance

IMAGE = "/entry/data/data"
IDS = "/entry/instrument/NDAttributes/NDArrayUniqueId"
FRAME = (1024, 1024)
TEXTS = {"FilePath", "FilePath_RBV", "FileName", "FileTemplate", "FullFileName_RBV", "WriteMessage"}
WATCHED = ("Capture", "Capture_RBV", "WriteFile_RBV", "WriteStatus", "NumCaptured_RBV",
           "ArrayCounter_RBV", "FileNumber", "FileNumber_RBV")  # fmt: skip

BASE = {
    "cam1:Acquire": 0,
    "cam1:ImageMode": 1,
    "cam1:NumImages": 5,
    "cam1:AcquireTime": 0.001,
    "cam1:AcquirePeriod": 0.01,
    "cam1:ArrayCallbacks": 1,
    "cam1:WaitForPlugins": 1,
    "cam1:SizeX": 1024,
    "cam1:SizeY": 1024,
    "cam1:DataType": 1,
    "cam1:ColorMode": 0,
    "cam1:SimMode": 0,
    "cam1:Gain": 1.0,
    "cam1:Noise": 0.0,
    "HDF1:Capture": 0,
    "HDF1:EnableCallbacks": 1,
    "HDF1:BlockingCallbacks": 0,
    "HDF1:QueueSize": 20,
    "HDF1:FileWriteMode": 2,
    "HDF1:NumExtraDims": 0,
    "HDF1:NumCapture": 5,
    "HDF1:AutoSave": 0,
    "HDF1:AutoIncrement": 1,
    "HDF1:LazyOpen": 0,
    "HDF1:CreateDirectory": 0,
    "HDF1:Compression": 0,
    "HDF1:SWMRMode": 0,
    "HDF1:TempSuffix": "",
    "HDF1:FileName": "f",
    "HDF1:FileTemplate": "%s%s_%4.4d.h5",
    "HDF1:FileNumber": 0,
}


class Bench:
    """Short names for what the tests do with camera and plugin."""

    def __init__(self, ioc: IOCProcess, directory: Path, caput: Callable, watch: type) -> None:
        self.prefix = ioc.prefix
        self.directory = directory
        self._caput, self._watch = caput, watch

    def put(self, wait: bool = True, **values: object) -> None:
        """Write records of the plugin."""
        for name, value in values.items():
            self._caput(f"{self.prefix}HDF1:{name}", value, wait)

    def cam(self, **values: object) -> None:
        for name, value in values.items():
            self._caput(f"{self.prefix}cam1:{name}", value)

    def get(self, name: str, part: str = "HDF1") -> object:
        pv = epics.get_pv(f"{self.prefix}{part}:{name}", connect=True, timeout=30)
        value = pv.get(as_string=name in TEXTS, use_monitor=False, timeout=30)
        assert value is not None, f"{pv.pvname} was not read"
        return value

    def alarm(self, name: str) -> tuple[int, int]:
        pv = epics.get_pv(f"{self.prefix}HDF1:{name}", form="time", connect=True, timeout=30)
        pv.get(use_monitor=False, timeout=30)
        return pv.severity, pv.status

    def setup(self, **values: object) -> None:
        for name, value in BASE.items():
            self._caput(self.prefix + name, value)
        self.put(FilePath=str(self.directory), **values)

    def acquire(self, count: int, **values: object) -> None:
        """Acquire, and wait until the plugins have done their work."""
        self.cam(NumImages=count, **values)
        self.cam(Acquire=1)

    def prime(self) -> None:
        self.acquire(1)

    def watch(self):
        return self._watch(f"{self.prefix}HDF1:", *WATCHED)

    def state(self) -> list:
        names = ("Capture", "Capture_RBV", "NumCaptured_RBV", "WriteStatus", "WriteMessage")
        return [self.get(name) for name in names]

    def full(self, name: str) -> str:
        return f"{self.directory}/{name}"

    def capture(self) -> None:
        """Start capturing; return when it has begun."""
        with self._watch(f"{self.prefix}HDF1:", "Capture") as seen:
            self.put(Capture=1, wait=False)
            seen.wait_for("Capture", 1)

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    def shape(self, name: str) -> tuple:
        with h5py.File(self.directory / name) as file:
            return file[IMAGE].shape, file[IMAGE].maxshape


def steps(numbers: list[int]) -> list[int]:
    return np.diff(numbers).tolist()


@pytest.fixture
def bench(adsim: IOCProcess, tmp_path: Path, caput: Callable, watch: type) -> Iterator[Bench]:
    """A plugin set up to stream five frames, primed."""
    bench = Bench(adsim, tmp_path, caput, watch)
    bench.setup()
    bench.prime()
    yield bench
    bench.put(Capture=0)
    bench.setup()


@pytest.fixture
def unprimed(fresh_adsim: IOCProcess, tmp_path: Path, caput: Callable, watch: type) -> Bench:
    """A plugin that has had no array, with nothing set but enabled callbacks."""
    bench = Bench(fresh_adsim, tmp_path, caput, watch)
    bench.put(EnableCallbacks=1, FileWriteMode=2, NumCapture=5)
    return bench


# ---- C0: not primed


def test_unprimed_capture_falls_back_silently(unprimed: Bench) -> None:
    with unprimed.watch() as seen:
        unprimed.put(Capture=1)
        seen.wait_for("Capture", 0)
    assert seen.pairs() == [("Capture", 1), ("Capture", 0)]
    assert unprimed.state() == [0, 0, 0, 0, ""]
    assert unprimed.get("FullFileName_RBV") == ""
    for name in ("Capture", "Capture_RBV", "WriteStatus", "WriteMessage"):
        assert unprimed.alarm(name) == (0, 0)


def test_unprimed_capture_works_when_lazy(unprimed: Bench) -> None:
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
def test_path(below: str, readback: str, exists: int, alarm: tuple, bench: Bench) -> None:
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
def test_create_directory(depth: int, below: str, exists: int, bench: Bench) -> None:
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
def test_template(template: str, name: str, bench: Bench) -> None:
    bench.put(FileTemplate=template, FileNumber=2, NumCapture=1)
    bench.capture()
    bench.acquire(1)
    assert bench.get("FullFileName_RBV") == bench.full(name)
    assert bench.get("FileNumber") == bench.get("FileNumber_RBV") == 3
    assert bench.state() == [0, 0, 1, 0, ""]
    assert (bench.directory / name.strip("/")).exists()


def test_empty_template(bench: Bench) -> None:
    bench.put(FileTemplate="", FileNumber=8)
    bench.put(Capture=1)
    assert bench.state() == [0, 0, 0, 1, "Error opening file , status=3"]
    assert bench.get("FileNumber_RBV") == 9


# ---- C3: stream


def test_stream_of_five(bench: Bench) -> None:
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


def test_stream_content(bench: Bench) -> None:
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


def test_stream_stopped_early(bench: Bench) -> None:
    with bench.watch() as seen:
        bench.put(Capture=1, wait=False)
        seen.wait_for("Capture", 1)
        bench.acquire(2)
        bench.put(Capture=0)
        seen.wait_for("WriteFile_RBV", 0)
    assert seen.values("Capture_RBV") == [1, 0]
    assert bench.state() == [0, 0, 2, 0, ""]
    assert bench.shape("f_0000.h5") == ((2, *FRAME), (5, *FRAME))


def test_stream_of_more_frames_than_wanted(bench: Bench) -> None:
    bench.capture()
    bench.acquire(8)
    assert bench.state() == [0, 0, 5, 0, ""]
    assert bench.shape("f_0000.h5") == ((5, *FRAME), (5, *FRAME))


def test_stream_without_end(bench: Bench) -> None:
    bench.put(NumCapture=0)
    bench.capture()
    bench.acquire(3)
    assert bench.state() == [1, 1, 3, 0, ""]
    assert bench.alarm("Capture_RBV") == bench.alarm("WriteFile_RBV") == (1, 7)
    bench.put(Capture=0)
    assert bench.state() == [0, 0, 3, 0, ""]
    assert bench.shape("f_0000.h5") == ((3, *FRAME), (None, *FRAME))


def test_stream_without_a_frame(bench: Bench) -> None:
    bench.capture()
    bench.put(Capture=0)
    assert bench.state() == [0, 0, 0, 0, ""]
    assert bench.shape("f_0000.h5") == ((1, *FRAME), (5, *FRAME))


def test_same_name_overwrites(bench: Bench) -> None:
    bench.put(AutoIncrement=0, FileNumber=12)
    for count in (5, 2):
        bench.put(NumCapture=count)
        bench.capture()
        bench.acquire(count)
        assert bench.get("FullFileName_RBV") == bench.full("f_0012.h5")
        assert bench.shape("f_0012.h5") == ((count, *FRAME), (count, *FRAME))
    assert bench.get("FileNumber_RBV") == 12


# ---- C4, C5: capture and single mode


def test_capture_then_write(bench: Bench) -> None:
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


def test_capture_with_autosave(bench: Bench) -> None:
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


def test_single_with_autosave(bench: Bench) -> None:
    bench.put(FileWriteMode=0, AutoSave=1, FileNumber=14)
    with bench.watch() as seen:
        bench.acquire(1)
        seen.wait_for("WriteFile_RBV", 0)
    assert seen.values("WriteFile_RBV") == [1, 0]
    assert seen.values("FileNumber") == seen.values("FileNumber_RBV") == [15]
    assert bench.state() == [0, 0, 1, 0, ""]
    assert bench.shape("f_0014.h5") == (FRAME, FRAME)


def test_single_on_command(bench: Bench) -> None:
    bench.put(FileWriteMode=0)
    bench.acquire(1)
    assert bench.files == []
    bench.put(WriteFile=1)
    assert bench.files == ["f_0000.h5"], "the put-callback comes after the writing"
    assert bench.get("WriteFile") == bench.get("WriteFile_RBV") == 0
    bench.put(Capture=1)
    assert bench.state() == [0, 0, 1, 0, "ERROR: capture not supported in Single mode"]


# ---- D1, D2: files that cannot be made


@pytest.mark.parametrize("path", ["{}/does/not/exist", "/proc"])
def test_file_that_cannot_be_made(path: str, bench: Bench) -> None:
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


def test_lazy_file_that_cannot_be_made(bench: Bench) -> None:
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


def test_full_disk(unprimed: Bench, fresh_adsim: IOCProcess) -> None:
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


def test_frames_of_another_size(bench: Bench) -> None:
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


def test_frames_of_another_type(bench: Bench) -> None:
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


def test_primed_with_another_size(bench: Bench) -> None:
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


# ---- D5, D6: while capturing


def test_settings_changed_while_capturing(bench: Bench) -> None:
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


def test_disabled_plugin_starves(bench: Bench) -> None:
    bench.put(NumCapture=3)
    bench.capture()
    bench.put(EnableCallbacks=0)
    bench.acquire(3)
    assert bench.state() == [1, 1, 0, 0, ""]
    bench.put(EnableCallbacks=1)
    bench.acquire(3)
    assert bench.state() == [0, 0, 3, 0, ""]


def test_capture_twice(bench: Bench) -> None:
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


# ---- D7: the queue


def slow_frames(bench: Bench) -> None:
    """Noise takes zlib some 30 ms a frame."""
    bench.cam(SimMode=3, Noise=255.0, AcquireTime=0.001, AcquirePeriod=0.001)
    bench.put(Compression=3)


def test_queue_overflows(bench: Bench) -> None:
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


def test_blocking_callbacks_drop_nothing(bench: Bench) -> None:
    slow_frames(bench)
    bench.put(NumCapture=20, BlockingCallbacks=1, QueueSize=1, DroppedArrays=0)
    bench.capture()
    bench.acquire(20)
    assert bench.get("DroppedArrays_RBV") == 0
    assert bench.state() == [0, 0, 20, 0, ""]


def test_camera_waits_for_the_file(bench: Bench) -> None:
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


def test_lazy_when_primed(bench: Bench) -> None:
    bench.put(NumCapture=2, LazyOpen=1, FileName="lazy")
    bench.capture()
    assert bench.state() == [1, 1, 0, 0, "Lazy Open..."]
    assert bench.get("FullFileName_RBV") == ""
    assert bench.get("FileNumber_RBV") == 0
    bench.acquire(2)
    assert bench.state() == [0, 0, 2, 0, ""]
    assert bench.get("FullFileName_RBV") == bench.full("lazy_0000.h5")


def test_swmr(bench: Bench) -> None:
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


def test_temporary_suffix(bench: Bench) -> None:
    bench.put(NumCapture=2, TempSuffix=".part")
    bench.capture()
    assert bench.files == ["f_0000.h5.part"]
    assert bench.get("FullFileName_RBV") == bench.full("f_0000.h5")
    bench.acquire(2)
    assert bench.files == ["f_0000.h5"]


def test_ioc_that_ends_closes_its_file(unprimed: Bench, fresh_adsim: IOCProcess) -> None:
    unprimed.setup()
    unprimed.prime()
    unprimed.put(Capture=1, wait=False)
    unprimed.acquire(2)
    fresh_adsim.stop()
    assert unprimed.shape("f_0000.h5") == ((2, *FRAME), (5, *FRAME))
