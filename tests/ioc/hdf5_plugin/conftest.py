"""A camera and its HDF5 plugin, over Channel Access."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import epics
import h5py
import pytest

from adsupport.launch import IOCProcess

IMAGE = "/entry/data/data"
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
    "cam1:MinX": 0,
    "cam1:MinY": 0,
    "cam1:BinX": 1,
    "cam1:BinY": 1,
    "cam1:ReverseX": 0,
    "cam1:ReverseY": 0,
    "cam1:SizeX": 1024,
    "cam1:SizeY": 1024,
    "cam1:DataType": 1,
    "cam1:ColorMode": 0,
    "cam1:SimMode": 0,
    "cam1:Gain": 1.0,
    "cam1:Noise": 0.0,
    "cam1:NDAttributesFile": "",
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
        self.write("cam1", **values)

    def write(self, part: str, **values: object) -> None:
        """Write records of the camera or of any plugin, such as ``ROI1``."""
        for name, value in values.items():
            self._caput(f"{self.prefix}{part}:{name}", value)

    def text(self, name: str) -> str:
        """Read a long text of the plugin."""
        return bytes(self.get(name)).split(b"\0")[0].decode()  # type: ignore[arg-type]

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
