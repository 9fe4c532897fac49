"""The simulated imaging beamline, one a session, and a client that takes frames."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import epics
import pytest

from adsupport.launch import IOCProcess

from ..unit.imaging.made_frames import Collector
from .remote_consumers import publisher, start  # noqa: F401 - fixtures
from .station import Station

TIMEOUT = 30.0

CAMERA = {
    "ImageMode": "Multiple",
    "WaitForPlugins": "No",
    "AcquireTime": 0.005,
    "AcquirePeriod": 0.0,
    "DataType": "UInt16",
    "SizeX": 64,
    "SizeY": 48,
    "Noise": 2.0,
}
WRITER = {
    "EnableCallbacks": 1,
    "FileWriteMode": "Stream",
    "AutoIncrement": "No",
    "FileTemplate": "%s%s_%d.h5",
    "Compression": "None",
    "LazyOpen": "Yes",
    "QueueSize": 20,
}


class Camera:
    """The beamline's camera and its file plugin, driven by Channel Access alone."""

    def __init__(self, prefix: str, folder: Path) -> None:
        self.prefix = prefix
        self.folder = folder
        self._names = itertools.count(1)
        self._pvs: dict[str, epics.PV] = {}
        names = [f"cam1:{name}" for name in CAMERA] + [f"HDF1:{name}" for name in WRITER]
        for name in names:
            self._pv(name)

    def _pv(self, name: str) -> epics.PV:
        if name not in self._pvs:
            self._pvs[name] = epics.PV(self.prefix + name)
        return self._pvs[name]

    def put(self, name: str, value: Any, wait: bool = True) -> None:
        """Write a record, such as ``cam1:NumImages``."""
        pv = self._pv(name)
        assert pv.wait_for_connection(TIMEOUT), name
        pv.put(value, wait=wait, timeout=TIMEOUT)

    def get(self, name: str, **options: Any) -> Any:
        """Read a record."""
        pv = self._pv(name)
        assert pv.wait_for_connection(TIMEOUT), name
        return pv.get(use_monitor=False, **options)

    def prepare(self) -> dict[str, Any]:
        """Have settings as a test starts from; return those before."""
        wanted = {f"cam1:{name}": value for name, value in CAMERA.items()}
        wanted |= {f"HDF1:{name}": value for name, value in WRITER.items()}
        wanted |= {"HDF1:SWMRMode": 0}
        before = {name: self.get(name) for name in wanted if name != "HDF1:FileTemplate"}
        for name, value in wanted.items():
            self.put(name, value)
        self.put("HDF1:FilePath", str(self.folder))
        return before

    def arm(self, frames: int, swmr: bool = False) -> None:
        """Let the file plugin wait for frames."""
        self.put("HDF1:SWMRMode", int(swmr))
        self.put("HDF1:FileName", f"frames{next(self._names)}")
        self.put("HDF1:NumCapture", frames)
        self.put("HDF1:Capture", 1, wait=False)
        self.wait_for("HDF1:Capture_RBV", lambda value: value == 1)

    def acquire(self, frames: int, wait: bool = True) -> None:
        """Take frames."""
        self.put("cam1:NumImages", frames)
        self.put("cam1:Acquire", 1, wait=wait)

    def wait_for(self, name: str, condition: Any) -> None:
        """Wait until a record fulfils a condition."""
        there = threading.Event()

        def look(value: Any = None, **_: Any) -> None:
            if condition(value):
                there.set()

        pv = epics.PV(self.prefix + name, callback=look, auto_monitor=True)
        assert there.wait(TIMEOUT), f"{name} is {pv.get()}"
        pv.clear_callbacks()


@pytest.fixture(scope="session")
def beamline_ioc(adsupport_ioc_factory) -> Iterator[IOCProcess]:
    """A beamline, shared by the session: starting and connecting it takes seconds."""
    with adsupport_ioc_factory("imaging_beamline") as ioc:
        yield ioc


@pytest.fixture
def camera(beamline_ioc, tmp_path) -> Iterator[Camera]:
    """The camera, ready to take small frames into files."""
    made = Camera(beamline_ioc.prefix, tmp_path)
    before = made.prepare()
    yield made
    made.put("cam1:Acquire", 0)
    made.put("HDF1:Capture", 0)
    for name, value in before.items():
        made.put(name, value)


@pytest.fixture
def collector() -> Collector:
    """An addon that keeps what it is told."""
    return Collector()


@pytest.fixture(scope="session")
def session_station(beamline_ioc, tmp_path_factory) -> Station:
    """The beamline's devices, shared, too: connecting takes longer than an experiment."""
    return Station(beamline_ioc, tmp_path_factory.mktemp("frames"))


@pytest.fixture
def station(session_station) -> Iterator[Station]:
    """The devices, with all as an experiment finds it; afterwards all has to be so, too."""
    session_station.begin()
    yield session_station
    assert session_station.unsafe() == {}
