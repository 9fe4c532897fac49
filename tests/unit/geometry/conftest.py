"""A plugin as its IOC loads it, processing arrays one by one in the test's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from adsupport.sim.area_detector import AreaDetectorIOC
from adsupport.sim.ndarray import ColorMode, Dimension, NDArray, NDAttribute
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.source import ArraySource


class Bench:
    """A plugin and what it passed on."""

    def __init__(self, kind: type[Plugin], r: str = "P1:") -> None:
        ioc = AreaDetectorIOC("bench", "t:")
        source = ArraySource("SIM1")
        ioc.load(["NDArrayBase", "ADBase"], "cam1:", source)
        ioc.ports["SIM1"] = source
        self.plugin = ioc.add_plugin(r, kind, "P1", source)
        self.passed: list[NDArray] = []
        self.plugin.start()
        self.plugin.connect(self.passed.append)

    def write(self, **values: object) -> None:
        """Write parameters as clients do."""
        for param, value in values.items():
            self.plugin.write(param, value)

    def send(self, array: NDArray) -> NDArray:
        """Let the plugin process an array; return what it passed on."""
        before = array.data.copy()
        self.plugin.process(array)
        assert np.array_equal(array.data, before, equal_nan=array.data.dtype.kind == "f")
        return self.passed.pop()


@pytest.fixture
def bench() -> Iterator[Callable[[type[Plugin]], Bench]]:
    """Make a bench of a plugin class."""
    made: list[Bench] = []

    def make(kind: type[Plugin]) -> Bench:
        made.append(Bench(kind))
        return made[-1]

    yield make
    for one in made:
        one.plugin.stop()


def picture(data: np.ndarray, mode: int = 0, dims: tuple[Dimension, ...] = ()) -> NDArray:
    """Return an array as the camera makes it: read-only, with its colour mode as attribute."""
    data = np.ascontiguousarray(data)
    data.flags.writeable = False
    attributes = (NDAttribute("ColorMode", mode), NDAttribute("Sample", "gold"))
    return NDArray(data, dims, ColorMode(mode), 7, 1.5, 2, 3, attributes)


@pytest.fixture
def picture_of() -> Callable[..., NDArray]:
    """Return :func:`picture`."""
    return picture
