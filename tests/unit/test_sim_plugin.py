"""The base of all simulated plugins: its source, its queue, its thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from adsupport.sim.ioc import IOC
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins import base
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.hdf5 import HDF5Plugin
from adsupport.sim.plugins.std_arrays import StdArrays
from adsupport.sim.port import PortError
from adsupport.sim.source import ArraySource

LONG = 20.0
"""Seconds after which a test gives up; nothing should take nearly as long."""

MORE_TABLES = {StdArrays: ("NDStdArrays",), HDF5Plugin: ("NDFile", "NDFileHDF5")}
"""Tables of plugins beside those that all have."""


class Bench:
    """A source, and plugins that listen to it."""

    def __init__(self) -> None:
        self.ports: dict[str, ArraySource] = {}
        self.source = ArraySource("SIM1")
        self.ports["SIM1"] = self.source
        IOC("bench", "t:").load(["NDArrayBase", "ADBase"], "cam1:", self.source)
        self.taken: list[int] = []
        self.plugins: list[Plugin] = []

    def plugin(
        self,
        name: str = "P1",
        kind: type[Plugin] | None = None,
        process: Callable[[NDArray], None] | None = None,
    ) -> Plugin:
        """Make a plugin of a kind, or one that does as told: by default it notes what it takes."""
        plugin = (kind or Plugin)(name, self.ports)
        tables = ("NDArrayBase", "NDPluginBase", *MORE_TABLES.get(kind, ()))
        IOC("bench", "t:").load(tables, f"{name}:", plugin, {"NDARRAY_PORT": "SIM1"})
        if kind is None:
            plugin.process = process or (lambda array: self.taken.append(array.unique_id))
        plugin.start()
        plugin.write("ENABLE_CALLBACKS", 1)
        self.plugins.append(plugin)
        return plugin

    def emit(self, number: int) -> None:
        self.source.emit(NDArray(np.zeros((2, 3), np.uint8), unique_id=number))

    def settle(self) -> None:
        """Let every plugin finish what it has."""
        for plugin in self.plugins:
            plugin.stop()


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.settle()


def test_an_array_that_fails_does_not_end_the_plugin(bench, caplog):
    def process(array: NDArray) -> None:
        if array.unique_id == 1:
            raise RuntimeError("a bad array")
        bench.taken.append(array.unique_id)

    bench.plugin(process=process)
    for number in (1, 2, 3):
        bench.emit(number)
    bench.settle()
    assert bench.taken == [2, 3]
    assert bench.source.queued == 0
    assert "a bad array" in caplog.text


def test_processing_again_does_not_wait_for_the_array_in_process(bench):
    entered, leave = threading.Event(), threading.Event()

    def process(array: NDArray) -> None:
        entered.set()
        assert leave.wait(LONG)
        plugin.begin(array)  # needs the lock that a client's write holds

    plugin = bench.plugin(process=process)
    plugin.write("BLOCKING_CALLBACKS", 1)
    camera = threading.Thread(target=bench.emit, args=(1,), daemon=True)
    camera.start()
    assert entered.wait(LONG)
    client = threading.Thread(target=plugin.write, args=("PROCESS_PLUGIN", 1), daemon=True)
    client.start()
    client.join(LONG / 4)
    assert not client.is_alive()
    leave.set()
    camera.join(LONG)
    bench.settle()
    assert plugin.get("ARRAY_COUNTER") == 2


def test_processing_again_needs_an_array(bench):
    with pytest.raises(PortError, match="P1 has no array"):
        bench.plugin().write("PROCESS_PLUGIN", 1)


def test_a_port_that_does_not_exist_leaves_the_plugin_without_source(bench, caplog):
    plugin = bench.plugin()
    plugin.write("NDARRAY_PORT", "NOPE")
    assert "P1: cannot take arrays from port NOPE" in caplog.text
    assert plugin.get("NDARRAY_PORT") == "NOPE"
    bench.emit(1)
    plugin.write("NDARRAY_PORT", "SIM1")
    bench.emit(2)
    bench.settle()
    assert bench.taken == [2]


def test_arrays_are_given_back_to_the_driver_they_came_from(bench):
    leave = threading.Event()
    plugin = bench.plugin(process=lambda _: leave.wait(LONG))
    bench.emit(1)
    bench.emit(2)
    assert bench.source.queued == 2
    plugin.write("NDARRAY_PORT", "NOPE")
    leave.set()
    bench.settle()
    assert bench.source.queued == 0


def test_plugins_cannot_listen_to_each_other_in_a_circle(bench, caplog):
    first, second = bench.plugin("P1"), bench.plugin("P2")
    first.write("NDARRAY_PORT", "P1")
    assert "from port P1" in caplog.text
    second.write("NDARRAY_PORT", "P1")
    first.write("NDARRAY_PORT", "P2")
    assert "from port P2" in caplog.text
    assert second.driver is first
    first.write("NDARRAY_PORT", "SIM1")
    assert second.driver is bench.source


def test_a_queue_is_limited_in_bytes_too(bench, monkeypatch):
    monkeypatch.setattr(base, "MOST_QUEUED", 3 * 6)  # arrays of six bytes
    entered, leave = threading.Event(), threading.Event()

    def process(array: NDArray) -> None:
        entered.set()
        assert leave.wait(LONG)
        bench.taken.append(array.unique_id)

    plugin = bench.plugin(process=process)
    plugin.write("QUEUE_SIZE", 2**31 - 1)
    bench.emit(1)
    assert entered.wait(LONG)
    for number in range(2, 9):
        bench.emit(number)
    assert plugin.get("DROPPED_ARRAYS") == 3
    leave.set()
    bench.settle()
    assert bench.taken == [1, 2, 3, 4, 5]
    assert bench.source.queued == 0


def test_a_full_queue_drops(bench):
    entered, leave = threading.Event(), threading.Event()

    def process(array: NDArray) -> None:
        entered.set()
        assert leave.wait(LONG)
        bench.taken.append(array.unique_id)

    plugin = bench.plugin(process=process)
    plugin.write("QUEUE_SIZE", 2)
    bench.emit(1)
    assert entered.wait(LONG)
    for number in (2, 3, 4, 5):
        bench.emit(number)
    assert (plugin.get("DROPPED_ARRAYS"), plugin.get("QUEUE_FREE")) == (2, 0)
    plugin.write("QUEUE_SIZE", 5)  # what is queued stays
    assert plugin.get("QUEUE_FREE") == 3
    leave.set()
    bench.settle()
    assert bench.taken == [1, 2, 3]
    assert bench.source.queued == 0


@pytest.mark.parametrize("passes_on", [0, 1])
def test_a_plugin_passes_arrays_on_when_told_to(bench, passes_on):
    first, second = bench.plugin("P1", Plugin), bench.plugin("P2")
    second.write("NDARRAY_PORT", "P1")
    first.write("ARRAY_CALLBACKS", passes_on)
    bench.emit(1)
    bench.settle()
    assert bench.taken == [1] * passes_on
    assert bench.source.queued == 0


@pytest.mark.parametrize("kind", [StdArrays, HDF5Plugin])
def test_plugins_that_show_or_write_arrays_pass_none_on(bench, kind):
    first, second = bench.plugin("P1", kind), bench.plugin("P2")
    second.write("NDARRAY_PORT", "P1")
    first.write("ARRAY_CALLBACKS", 1)
    bench.emit(1)
    bench.settle()
    assert first.last_array.unique_id == 1
    assert bench.taken == []
