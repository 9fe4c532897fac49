"""A client of the simulated imaging beamline that reads frames from HDF5 files."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import epics
import h5py
import numpy as np
import pytest

from adsupport.launch import IOCProcess

TIMEOUT = 30.0
"""Seconds after which a test gives up; everything should take far less."""

DEFAULTS = {
    "cam1:ImageMode": "Multiple",
    "cam1:WaitForPlugins": "Yes",
    "cam1:AcquireTime": 0.05,
    "cam1:AcquirePeriod": 0.0,
    "cam1:DataType": "UInt16",
    "cam1:ColorMode": "Mono",
    "cam1:Gain": 1.0,
    "cam1:Offset": 100.0,
    "cam1:Noise": 2.0,
    "cam1:BinX": 1,
    "cam1:BinY": 1,
    "shutter:TransitTime": 0.02,
    "tube:RampTime": 0.05,
    "tube:Voltage": 100.0,
    "tube:Current": 1.0,
    "tube:On": "On",
    "shutter:Control": "Open",
    "scene:Flux": 400000.0,
    "scene:FlatField": "Structured",
    "scene:Absorption": 1.0,
    "scene:PixelSize": 10.0,
    "scene:DarkCurrent": 20.0,
    "scene:PhotonNoise": "On",
    "scene:Seed": 1,
    "m1.VELO": 360.0,
    "m5.VELO": 40.0,
    "HDF1:EnableCallbacks": 1,
    "HDF1:FileWriteMode": "Stream",
    "HDF1:AutoIncrement": "No",
    "HDF1:FileTemplate": "%s%s_%d.h5",
    "HDF1:Compression": "None",
    "HDF1:LazyOpen": "Yes",  # so that a file takes whatever comes, without priming
}
POSE = {"m1": 0.0, "m2": 0.0, "m3": 0.0, "m4": 0.0, "m5": 0.0}


class Beamline:
    """A client of one IOC."""

    def __init__(self, prefix: str, caput, caget, folder: Path) -> None:
        self.prefix = prefix
        self._caput, self._caget = caput, caget
        self._folder = folder
        self._numbers = itertools.count(1)
        # all searched for at once: one after the other takes seconds
        self._searched = [epics.get_pv(prefix + name) for name in (*DEFAULTS, *POSE)]

    def put(self, record: str, value: object, wait: bool = True) -> float:
        """Write; return the seconds until the put-callback came."""
        return self._caput(self.prefix + record, value, wait)

    def get(self, record: str, **options):
        return self._caget(self.prefix + record, **options)

    def move(self, **positions: float) -> None:
        """Move motors, all at the same time, and wait for all."""
        motors = [epics.PV(self.prefix + name) for name in positions]
        assert all(motor.wait_for_connection(TIMEOUT) for motor in motors)
        for motor, position in zip(motors, positions.values(), strict=True):
            motor.put(position, use_complete=True)
        until = time.monotonic() + TIMEOUT
        while not all(motor.put_complete for motor in motors):
            assert time.monotonic() < until, f"the motors have not arrived at {positions}"
            epics.ca.poll(0.002)

    def prepare(self) -> None:
        """Have settings as a test starts from."""
        for record, value in DEFAULTS.items():
            self.put(record, value)
        self.move(**POSE)
        self.put("HDF1:FilePath", str(self._folder))

    def expose(self, number: int = 1, **settings: object) -> np.ndarray:
        """Take frames; return them from the HDF5 file, shape (number, rows, columns)."""
        for record, value in settings.items():
            self.put(f"cam1:{record}", value)
        name = f"frames{next(self._numbers)}"
        self.put("HDF1:FileName", name)
        self.put("HDF1:NumCapture", number)
        self.put("HDF1:Capture", 1, wait=False)
        self.put("cam1:NumImages", number)
        self.put("cam1:Acquire", 1)
        until = time.monotonic() + TIMEOUT
        while self.get("HDF1:Capture_RBV"):
            assert time.monotonic() < until, "the file was not closed"
        (file,) = self._folder.glob(f"{name}_*.h5")
        with h5py.File(file) as h5:
            return h5["entry/data/data"][()]

    def frame(self, **settings: object) -> np.ndarray:
        """Take one frame."""
        return self.expose(1, **settings)[0]


@pytest.fixture(scope="session")
def imaging(adsupport_ioc_factory) -> Iterator[IOCProcess]:
    """The beamline, shared by the tests."""
    with adsupport_ioc_factory("imaging_beamline", "im:") as ioc:
        yield ioc


@pytest.fixture
def make_beamline(caput, caget, tmp_path) -> Callable[[IOCProcess], Beamline]:
    """Return a client of an IOC, ready to take frames."""

    def make(ioc: IOCProcess) -> Beamline:
        made = Beamline(ioc.prefix, caput, caget, tmp_path)
        made.prepare()
        return made

    return make


@pytest.fixture
def beamline(imaging, make_beamline) -> Beamline:
    """The shared beamline: beam on, shutter open, every motor at 0."""
    return make_beamline(imaging)
