"""Plugins in a chain behind the camera; HDF1 records what comes out at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pytest

from ..records import TIMEOUT, BorrowedRecords

SHAPE = (6, 8)
"""Rows and columns of the camera's frames."""

CAMERA = {
    "cam1:ImageMode": "Multiple",
    "cam1:NumImages": 1,
    "cam1:AcquireTime": 0.0,
    "cam1:AcquirePeriod": 0.0,
    "cam1:ArrayCallbacks": "Enable",
    "cam1:WaitForPlugins": "Yes",
    "cam1:DataType": "UInt8",
    "cam1:ColorMode": "Mono",
    "cam1:SimMode": "LinearRamp",
    "cam1:MinX": 0,
    "cam1:MinY": 0,
    "cam1:BinX": 1,
    "cam1:BinY": 1,
    "cam1:ReverseX": 0,
    "cam1:ReverseY": 0,
    "cam1:SizeX": SHAPE[1],
    "cam1:SizeY": SHAPE[0],
    "cam1:NDAttributesFile": "",
    "HDF1:EnableCallbacks": "Disable",
    "HDF1:Compression": "None",
}


def ramp(number: int, dtype: str = "uint8", shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Return the camera's image of a number after a reset, the first being 0."""
    y, x = np.indices(shape)
    return (x + y + number).astype(dtype)


@dataclass
class Recording:
    """What HDF1 has written: frames, their unique ids and offsets, in the order they came in."""

    frames: np.ndarray = field(default_factory=lambda: np.zeros((0, *SHAPE)))
    ids: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)


class Chain(BorrowedRecords):
    """A client of the IOC that puts back what it has changed."""

    def __init__(self, prefix: str, folder: Path, watch: type) -> None:
        super().__init__(prefix)
        self.folder = folder
        self.watch = watch

    def text(self, record: str) -> str:
        return self.get(record, as_string=True)

    def put(self, record: str, value: object) -> None:
        """Write, and remember what was there."""
        self.write({record: value})

    def command(self, record: str, value: object = 1) -> None:
        """Write what need not be put back."""
        assert self.pv(record).put(value, wait=True, timeout=TIMEOUT) == 1, (record, value)

    def set(self, plugin: str, **settings: object) -> None:
        self.write({f"{plugin}:{record}": value for record, value in settings.items()})

    def listen(self, plugin: str, port: str, **settings: object) -> None:
        """Rewire a plugin to a port, and switch it on."""
        self.set(plugin, NDArrayPort=port, EnableCallbacks="Enable", **settings)

    def acquire(self, number: int = 1, **settings: object) -> None:
        """Acquire images; what is behind the camera has processed them when this returns."""
        self.set("cam1", NumImages=number, **settings)
        self.command("cam1:Acquire")

    def reset_camera(self) -> None:
        """Let the next image be the ramp of number 0."""
        self.command("cam1:Reset")

    def counts(self, *records: str) -> list[int]:
        return [int(self.get(record)) for record in records]

    @contextmanager
    def recorded(self, port: str) -> Iterator[Recording]:
        """Record what a port emits."""
        recording = Recording()
        self.set(
            "HDF1",
            FilePath=str(self.folder),
            FileName="chain",
            FileTemplate="%s%s_%4.4d.h5",
            AutoIncrement="Yes",
            FileWriteMode="Stream",
            LazyOpen="Yes",
            NumCapture=0,
            QueueSize=500,
        )
        self.listen("HDF1", port)
        captured = self.pv("HDF1:Capture")
        captured.put(1)
        self.wait_until("HDF1:Capture_RBV", 1)
        yield recording
        self.wait_until("cam1:NumQueuedArrays", 0)
        self.command("HDF1:Capture", 0)
        file = self.text("HDF1:FullFileName_RBV")
        if file:
            with h5py.File(file) as h5:
                data = h5["entry/data/data"]
                recording.frames = data[()]
                recording.offsets = data.attrs["NDArrayDimOffset"].tolist()
                recording.ids = h5["entry/instrument/NDAttributes/NDArrayUniqueId"][()].tolist()

    def restore(self) -> None:
        self.pv("cam1:Acquire").put(0)
        self.wait_until("cam1:AcquireBusy", 0)
        super().restore()


@pytest.fixture
def chain(adsim, tmp_path: Path, watch: type) -> Iterator[Chain]:
    """The shared camera with small frames; what a test changes is put back after it."""
    chain = Chain(adsim.prefix, tmp_path, watch)
    chain.write(CAMERA)
    chain.reset_camera()
    chain.wait_until("cam1:NumQueuedArrays", 0)
    yield chain
    chain.restore()


@pytest.fixture(scope="session")
def camera_ramp() -> Callable[..., np.ndarray]:
    """Return the function that draws the camera's ramp."""
    return ramp
