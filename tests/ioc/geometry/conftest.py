"""A camera, a chain of plugins behind it, and image1 at its end, over Channel Access."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import epics
import numpy as np
import pytest

from adsupport.launch import IOCProcess

TIMEOUT = 30.0
"""Seconds after which a test gives up; everything should take far less."""

ROWS, COLUMNS = 24, 40

CAMERA = {
    "cam1:Acquire": 0,
    "cam1:ImageMode": 0,
    "cam1:AcquireTime": 0.0,
    "cam1:AcquirePeriod": 0.0,
    "cam1:ArrayCallbacks": 1,
    "cam1:WaitForPlugins": 1,
    "cam1:DataType": 1,
    "cam1:ColorMode": 0,
    "cam1:SimMode": 0,
    "cam1:Gain": 1.0,
    "cam1:Noise": 0.0,
    "cam1:Offset": 0.0,
    "cam1:MinX": 0,
    "cam1:MinY": 0,
    "cam1:SizeX": COLUMNS,
    "cam1:SizeY": ROWS,
    "cam1:BinX": 1,
    "cam1:BinY": 1,
    "cam1:ReverseX": 0,
    "cam1:ReverseY": 0,
}


def ramp(rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """Return the first frame of a linear ramp: the sum of column and row."""
    y, x = np.ogrid[:rows, :columns]
    return (x + y).astype(np.uint8)


class Rig:
    """Writes records and remembers what they held, to restore it."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._before: dict[str, object] = {}

    def pv(self, record: str) -> epics.PV:
        pv = epics.get_pv(self.prefix + record)
        assert pv.wait_for_connection(TIMEOUT), f"{pv.pvname} does not answer"
        return pv

    def get(self, record: str, **options: object) -> object:
        value = self.pv(record).get(use_monitor=False, timeout=TIMEOUT, **options)
        assert value is not None, f"{record} was not read"
        return value

    def alarm(self, record: str) -> tuple[int, int]:
        """Return severity and status."""
        facts = self.pv(record).get_with_metadata(form="time", use_monitor=False, timeout=TIMEOUT)
        return facts["severity"], facts["status"]

    def put(self, values: dict[str, object]) -> None:
        """Write records, and note what they held before."""
        for record, value in values.items():
            text = isinstance(value, str) and self.pv(record).type.endswith("char")
            self._before.setdefault(record, self.get(record, as_string=text))
            assert self.pv(record).put(value, wait=True, timeout=TIMEOUT) == 1, record

    def wire(self, *plugins: str) -> None:
        """Let the first plugin take arrays from the camera, and each other one from the last."""
        source = "SIM1"
        for plugin in plugins:
            self.put({f"{plugin}:NDArrayPort": source, f"{plugin}:EnableCallbacks": 1})
            source = self.get(f"{plugin}:PortName_RBV")

    def shoot(self, frames: int = 1) -> None:
        """Take frames that start the image anew; ends when all plugins are done."""
        self.put({"cam1:Reset": 1, "cam1:ImageMode": 0 if frames == 1 else 1})
        if frames != 1:
            self.put({"cam1:NumImages": frames})
        self.put({"cam1:Acquire": 1})

    def image(self, **settings: object) -> np.ndarray:
        """Take a frame with settings (``ROI1__BinX=2``); return what image1 shows of it.

        Its shape is that of the array in C order, its type that of image1's waveform.
        """
        self.put({name.replace("__", ":"): value for name, value in settings.items()})
        self.shoot()
        count = int(self.get("image1:NDimensions_RBV"))
        dims = [int(size) for size in np.atleast_1d(self.get("image1:Dimensions_RBV"))[:count]]
        pixels = np.asarray(self.get("image1:ArrayData")).view(np.uint8)
        return pixels.reshape(list(reversed(dims)))

    def restore(self) -> None:
        for record, value in self._before.items():
            self.pv(record).put(value, wait=True, timeout=TIMEOUT)


@pytest.fixture(scope="session")
def rig(adsim: IOCProcess) -> Rig:
    """The session's IOC; use ``chain`` in tests."""
    return Rig(adsim.prefix)


@pytest.fixture
def chain(rig: Rig) -> Iterator[Callable[..., Rig]]:
    """Wire plugins behind a small camera, image1 last; all that was written is restored."""
    fresh = Rig(rig.prefix)

    def make(*plugins: str) -> Rig:
        fresh.put(CAMERA)
        fresh.wire(*plugins, "image1")
        return fresh

    yield make
    fresh.restore()


@pytest.fixture
def first_frame() -> Callable[..., np.ndarray]:
    """Return :func:`ramp`."""
    return ramp
