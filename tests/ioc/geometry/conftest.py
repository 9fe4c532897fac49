"""A camera, a chain of plugins behind it, and image1 at its end, over Channel Access."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from adsupport.launch import IOCProcess

from ..records import BorrowedRecords

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


class Rig(BorrowedRecords):
    """A camera and the plugins behind it."""

    def wire(self, *plugins: str) -> None:
        """Let the first plugin take arrays from the camera, and each other one from the last."""
        source = "SIM1"
        for plugin in plugins:
            self.write({f"{plugin}:NDArrayPort": source, f"{plugin}:EnableCallbacks": 1})
            source = self.get(f"{plugin}:PortName_RBV")

    def shoot(self, frames: int = 1) -> None:
        """Take frames that start the image anew; ends when all plugins are done."""
        self.write({"cam1:Reset": 1, "cam1:ImageMode": 0 if frames == 1 else 1})
        if frames != 1:
            self.write({"cam1:NumImages": frames})
        self.write({"cam1:Acquire": 1})

    def image(self, **settings: object) -> np.ndarray:
        """Take a frame with settings (``ROI1__BinX=2``); return what image1 shows of it.

        Its shape is that of the array in C order, its type that of image1's waveform.
        """
        self.write({name.replace("__", ":"): value for name, value in settings.items()})
        self.shoot()
        count = int(self.get("image1:NDimensions_RBV"))
        dims = [int(size) for size in np.atleast_1d(self.get("image1:Dimensions_RBV"))[:count]]
        pixels = np.asarray(self.get("image1:ArrayData")).view(np.uint8)
        return pixels.reshape(list(reversed(dims)))


@pytest.fixture(scope="session")
def rig(adsim: IOCProcess) -> Rig:
    """The session's IOC; use ``chain`` in tests."""
    return Rig(adsim.prefix)


@pytest.fixture
def chain(rig: Rig) -> Iterator[Callable[..., Rig]]:
    """Wire plugins behind a small camera, image1 last; all that was written is restored."""
    fresh = Rig(rig.prefix)

    def make(*plugins: str) -> Rig:
        fresh.write(CAMERA)
        fresh.wire(*plugins, "image1")
        return fresh

    yield make
    fresh.restore()


@pytest.fixture
def first_frame() -> Callable[..., np.ndarray]:
    """Return :func:`ramp`."""
    return ramp
