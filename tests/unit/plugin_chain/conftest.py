"""Plugins behind a source, in this process, without Channel Access."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from adsupport.sim.area_detector import AreaDetectorIOC
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.source import ArraySource

LONG = 20.0
"""Seconds after which a test gives up; nothing should take nearly as long."""


class Held:
    """A plugin that works on its first array until it is released."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self.taken: list[int] = []
        self._entered, self._leave = threading.Event(), threading.Event()
        plugin.process = self._process

    def _process(self, array: NDArray) -> None:
        self.taken.append(array.unique_id)
        self._entered.set()
        assert self._leave.wait(LONG)

    def has_begun(self) -> bool:
        return self._entered.wait(LONG)

    def release(self) -> None:
        self._leave.set()


class Chain:
    """A source ``SIM1`` and the plugins behind it."""

    def __init__(self) -> None:
        self.ioc = AreaDetectorIOC("chain", "t:")
        self.source = ArraySource("SIM1")
        self.ioc.ports["SIM1"] = self.source
        self.ioc.load(["NDArrayBase", "ADBase"], "cam1:", self.source)
        self._plugins: list[Plugin] = []
        self._held: list[Held] = []

    def add(self, kind: type[Plugin], name: str, source: str = "SIM1", **params: object) -> Plugin:
        plugin = self.ioc.add_plugin(f"{name}:", kind, name, source)
        for param, value in params.items():
            plugin.write(param, value)
        plugin.start()
        plugin.write("ENABLE_CALLBACKS", 1)
        self._plugins.append(plugin)
        return plugin

    def sink(self, name: str, source: str, **params: object) -> list[int]:
        """Add a plugin that notes the numbers of the arrays it gets."""
        taken: list[int] = []
        plugin = self.add(Plugin, name, source, **params)
        plugin.process = lambda array: taken.append(array.unique_id)
        return taken

    def held(self, name: str, source: str, **params: object) -> Held:
        held = Held(self.add(Plugin, name, source, **params))
        self._held.append(held)
        return held

    def emit(self, *numbers: int, data: np.ndarray | None = None) -> None:
        for number in numbers:
            pixels = np.full((2, 3), number, np.uint8) if data is None else data
            self.source.emit(NDArray(pixels, unique_id=number))

    def settle(self) -> None:
        """Let every plugin finish what it has, the first ones first, and end."""
        for held in self._held:
            held.release()
        for plugin in sorted(self._plugins, key=lambda plugin: plugin.depth):
            plugin.stop()


@pytest.fixture
def chain() -> Iterator[Chain]:
    made = Chain()
    yield made
    made.settle()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Wait for a condition that another thread brings about."""

    def wait(condition: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(int(LONG / 0.002)):
            if condition():
                return
            pause.wait(0.002)
        raise AssertionError("the condition did not come true")

    return wait
