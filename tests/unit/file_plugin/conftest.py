"""The HDF5 plugin on a bench: no Channel Access, arrays by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from adsupport.sim.ioc import IOC
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.hdf5 import HDF5Plugin

STREAM = 2
IMAGE = "/entry/data/data"
SIZE = (20, 30)


class Bench:
    """A plugin on the table: writes as from clients, arrays as from a camera, posted changes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.plugin = HDF5Plugin("FileHDF1", {})
        tables = ("NDArrayBase", "NDPluginBase", "NDFile", "NDFileHDF5")
        IOC("bench", "t:").load(tables, "HDF1:", self.plugin, {"NDARRAY_PORT": "SIM1"})
        self.events: list[tuple[str, object]] = []
        self.plugin.sink = lambda _, changes: self.events.extend(
            (change.param, change.value) for change in changes
        )
        self.put(BLOCKING_CALLBACKS=1)
        self._numbers = itertools.count(1)

    def put(self, **values: object) -> None:
        for param, value in values.items():
            self.plugin.write(param, value)

    def get(self, param: str):
        return self.plugin.get(param)

    def settings(self, name: str = "f", **values: object) -> None:
        self.put(FILE_PATH=str(self.directory), FILE_NAME=name, FILE_TEMPLATE="%s%s_%4.4d.h5",
                 AUTO_INCREMENT=1, **values)  # fmt: skip

    def feed(self, count: int = 1, shape=SIZE, dtype="uint8", **more: object) -> None:
        for _ in range(count):
            number = next(self._numbers)
            data = np.full(shape, number, dtype)
            self.plugin._take(self.plugin, NDArray(data, unique_id=number, **more))

    def state(self, *params: str) -> list:
        names = params or (
            "CAPTURE",
            "NUM_CAPTURED",
            "WRITE_STATUS",
            "WRITE_MESSAGE",
            "FILE_NUMBER",
        )
        return [self.get(name) for name in names]

    def posted(self, param: str) -> list:
        return [value for name, value in self.events if name == param]

    def order(self, *params: str) -> list[tuple[str, object]]:
        return [event for event in self.events if event[0] in params]

    def full(self, name: str) -> str:
        return f"{self.directory}/{name}"

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    def shape(self, name: str) -> tuple:
        with h5py.File(self.directory / name) as file:
            return file[IMAGE].shape, file[IMAGE].maxshape

    def ids(self, name: str) -> list[int]:
        with h5py.File(self.directory / name) as file:
            return file["/entry/instrument/NDAttributes/NDArrayUniqueId"][:].tolist()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.plugin.stop()


@pytest.fixture
def stream(bench: Bench) -> Bench:
    """Primed, and set up to stream five frames."""
    bench.feed()
    bench.settings(WRITE_MODE=STREAM, NUM_CAPTURE=5)
    bench.events.clear()
    return bench
