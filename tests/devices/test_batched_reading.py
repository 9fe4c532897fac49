"""Readings, configuration and ports that are read together are those that ophyd reads singly."""

from __future__ import annotations

from typing import Any

import bluesky.plan_stubs as bps
import pytest
from ophyd import Device
from ophyd.areadetector.base import ADBase

from adsupport.devices import ad_creator
from adsupport.devices.signals import reading as signal_io
from adsupport.devices.signals.putting import look_at, put_in_order
from adsupport.errors import UnknownPortError


@pytest.fixture
def chain(adsim: Any) -> Any:
    """A camera, a region, its statistics, and a reading of two of them."""
    detector = ad_creator(adsim.prefix, name="chain", plugins=["cam", "roi1", "stats1"])
    detector.wait_for_connection(timeout=15)
    detector.stats1.nd_array_port.set("ROI1", timeout=5).wait()
    detector.read_attrs = ["cam", "stats1"]
    detector.stats1.read_attrs = ["total", "centroid", "centroid.x", "array_counter"]
    detector.configuration_attrs = ["cam", "cam.gain", "cam.acquire_time", "stats1"]
    yield detector
    detector.stats1.nd_array_port.set("SIM1", timeout=5).wait()


def requests_of(function: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[int]]:
    """Call a function; return what it returns, and how many signals each batch had."""
    batches = []
    true_read = signal_io.read_with_times

    def read(signals: Any, *args: Any, **kwargs: Any) -> Any:
        batches.append(len(signals))
        return true_read(signals, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr("adsupport.devices.signals.batched_reading.read_with_times", read)
        return function(), batches


def test_the_configuration_is_ophyds(chain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    singly = Device.read_configuration(chain)
    together, batches = requests_of(chain.read_configuration, monkeypatch)
    assert list(together) == list(singly)
    assert {name: each["value"] for name, each in together.items()} == {
        name: each["value"] for name, each in singly.items()
    }
    assert {name: each["timestamp"] for name, each in together.items()} == {
        name: each["timestamp"] for name, each in singly.items()
    }
    assert len(batches) <= 2  # the detector, and the plugin that feeds the statistics
    assert set(chain.describe_configuration()) == set(together)


def test_the_readings_are_ophyds(chain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    singly = Device.read(chain)
    together, batches = requests_of(chain.read, monkeypatch)
    assert "chain_stats1_total" in together
    assert together == singly
    assert len(batches) == 1


def test_the_ports_are_ophyds(chain: Any) -> None:
    assert chain.get_asyn_port_dictionary() == ADBase.get_asyn_port_dictionary(chain)
    assert chain.get_plugin_by_asyn_port("ROI1") is chain.roi1
    assert chain.get_plugin_by_asyn_port("NONE") is None
    chain.validate_asyn_ports()


def test_a_port_of_nobody_is_named(chain: Any) -> None:
    chain.stats1.nd_array_port.set("FFT1", timeout=5).wait()
    with pytest.raises(UnknownPortError, match=r"ad:Stats1:NDArrayPort_RBV .*'FFT1'"):
        chain.validate_asyn_ports()


def test_plugins_that_feed_each_other_are_told(chain: Any) -> None:
    before = chain.roi1.nd_array_port.get()
    chain.roi1.nd_array_port.set("STATS1", timeout=5).wait()
    try:
        with pytest.raises(UnknownPortError, match="ROI1, STATS1"):
            chain.validate_asyn_ports()
    finally:
        chain.roi1.nd_array_port.set(before, timeout=5).wait()


def test_many_are_put_and_those_that_refuse_are_told(chain: Any) -> None:
    cam = chain.cam
    before = cam.bin_x.get(), cam.num_images.get()
    wanted = [(cam.bin_x, 3), (cam.num_images, 7)]
    try:
        assert [stands for stands, _ in look_at(wanted)] == [False, False]
        assert put_in_order(wanted) == []
        assert look_at(wanted) == [(True, 3), (True, 7)]
        (problem,) = put_in_order([(cam.num_images, 8), (cam.max_size.max_size_x, 5)], 0.5)
        assert "MaxSizeX_RBV" in problem
        assert cam.num_images.get() == 8
    finally:
        assert put_in_order([(cam.bin_x, before[0]), (cam.num_images, before[1])]) == []


def test_what_is_read_is_looked_up_anew_when_staged(chain: Any) -> None:
    before = set(chain.read())
    chain.stage()
    try:
        assert before <= set(chain.read())
        chain.unstage()
        chain.stats1.read_attrs = ["net"]
        chain.stage()
        assert chain.stats1.net.name in chain.read()
        assert chain.stats1.total.name not in chain.read()
    finally:
        chain.unstage()


def test_a_run_describes_and_reads_the_same_when_kinds_change_in_between(
    chain: Any, engine: Any, documents: Any
) -> None:
    def plan() -> Any:
        yield from bps.stage(chain)
        for kind in ("normal", "omitted"):
            chain.stats1.net.kind = kind
            yield from bps.open_run()
            yield from bps.trigger_and_read([chain])
            yield from bps.close_run()
        yield from bps.unstage(chain)

    chain.cam.num_images.set(1, timeout=5).wait()
    chain.stats1.read_attrs = ["total"]
    engine(plan())
    described = [set(d["data_keys"]) for d in documents.of("descriptor")]
    assert [set(e["data"]) for e in documents.of("event")] == described
    assert described[0] - described[1] == {chain.stats1.net.name}
