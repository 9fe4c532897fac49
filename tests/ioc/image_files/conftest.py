"""A camera and a file plugin of any format, over Channel Access."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adsupport.launch import IOCProcess

from ..records import Records

TEXTS = {"FilePath", "FullFileName_RBV", "WriteMessage"}
SUFFIXES = {"TIFF1": "tif", "JPEG1": "jpg", "netCDF1": "nc", "Nexus1": "nxs", "Proc1:TIFF": "tif"}
SIZE = (48, 64)

CAMERA = {
    "Acquire": 0,
    "ImageMode": 1,
    "NumImages": 1,
    "AcquireTime": 0.001,
    "AcquirePeriod": 0.002,
    "ArrayCallbacks": 1,
    "WaitForPlugins": 1,
    "MinX": 0,
    "MinY": 0,
    "BinX": 1,
    "BinY": 1,
    "ReverseX": 0,
    "ReverseY": 0,
    "SizeX": SIZE[1],
    "SizeY": SIZE[0],
    "DataType": 1,
    "ColorMode": 0,
    "SimMode": 0,
    "Gain": 1.0,
    "NDAttributesFile": "",
}
PLUGIN = {
    "Capture": 0,
    "EnableCallbacks": 1,
    "BlockingCallbacks": 0,
    "ArrayCallbacks": 0,
    "NDArrayPort": "SIM1",
    "NDAttributesFile": "",
    "FileWriteMode": 2,
    "NumCapture": 2,
    "AutoSave": 0,
    "AutoIncrement": 1,
    "LazyOpen": 0,
    "CreateDirectory": 0,
    "TempSuffix": "",
    "FileName": "f",
    "FileNumber": 0,
    "DroppedArrays": 0,
}


class Bench(Records):
    """Short names for what the tests do with camera and plugin."""

    def __init__(self, prefix: str, part: str, directory: Path, watch: type) -> None:
        super().__init__(prefix)
        self.part, self.directory, self._watch = part, directory, watch

    def put(self, part: str = "", **values: object) -> None:
        """Write records of the plugin, or of another."""
        self.write({f"{part or self.part}:{name}": value for name, value in values.items()})

    def get(self, name: str, part: str = "") -> Any:
        return super().get(f"{part or self.part}:{name}", as_string=name in TEXTS)

    def alarm(self, name: str) -> tuple[int, int]:
        return super().alarm(f"{self.part}:{name}")

    def setup(self) -> None:
        self.put(part="cam1", **CAMERA)
        template = f"%s%s_%4.4d.{SUFFIXES[self.part]}"
        self.put(**PLUGIN, FileTemplate=template, FilePath=str(self.directory))

    def leave(self) -> None:
        """Put back what others may not expect."""
        self.put(Capture=0, NDAttributesFile="", TempSuffix="", EnableCallbacks=0)
        camera = {name: CAMERA[name] for name in ("DataType", "ColorMode", "NDAttributesFile")}
        self.put(part="cam1", **camera, SizeX=1024, SizeY=1024)

    def acquire(self, count: int = 1, **values: object) -> None:
        """Acquire, and wait until the plugins have done their work."""
        self.put(part="cam1", **values, NumImages=count, Acquire=1)

    def capture(self) -> None:
        """Start capturing; return when it has begun."""
        with self._watch(f"{self.prefix}{self.part}:", "Capture") as seen:
            # its put-callback comes when all is captured
            self.pv(f"{self.part}:Capture").put(1)
            seen.wait_for("Capture", 1)

    def state(self) -> list:
        """Return what tells how the writing went."""
        names = ("Capture_RBV", "NumCaptured_RBV", "FileNumber", "WriteStatus", "WriteMessage")
        return [self.get(name) for name in names]

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    def path(self, name: str) -> Path:
        return self.directory / name


@pytest.fixture
def make_bench(adsim: IOCProcess, tmp_path: Path, watch: type) -> Iterator[Callable[[str], Bench]]:
    """Set up a plugin to stream two frames of a small camera, primed."""
    made: list[Bench] = []

    def make(part: str) -> Bench:
        bench = Bench(adsim.prefix, part, tmp_path, watch)
        made.append(bench)
        bench.setup()
        bench.acquire()
        return bench

    yield make
    for bench in made:
        bench.leave()
