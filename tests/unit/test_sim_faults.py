"""Faults apart from any IOC: how they are written, their parameters, their hooks."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from pathlib import Path

import pytest

from adsupport.sim.ca.network import Network, Wire
from adsupport.sim.faults.disk import DiskFull
from adsupport.sim.faults.fault import FaultError
from adsupport.sim.faults.plugins import SlowPlugin
from adsupport.sim.faults.registry import FAULTS, listing, parse
from adsupport.sim.hook import Hook

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "faults.md"


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_every_fault_says_what_it_is_and_what_its_parameters_mean(fault) -> None:
    assert re.fullmatch("[a-z]+(-[a-z]+)*", fault.name)
    assert fault.summary().endswith(".")
    assert len(fault.summary()) < 100
    for each in fault.parameters().values():
        assert each.metadata["text"], each.name
        assert each.default is not dataclasses.MISSING


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_its_usage_says_can_be_typed(fault) -> None:
    made = parse(fault.usage())
    assert type(made) is fault
    assert all(getattr(made, name) == each.default for name, each in fault.parameters().items())


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_every_fault_and_parameter_is_in_the_guide(fault) -> None:
    section = re.search(rf"^## {fault.name}\n(.*?)(?=^## |\Z)", GUIDE.read_text(), re.M | re.S)
    assert section is not None, f"{GUIDE} has no section on {fault.name}"
    for name in fault.parameters():
        assert f"`{name}`" in section[1], f"{fault.name}: {name}"


def test_the_guide_tells_of_no_other_fault() -> None:
    named = set(re.findall(r"^## ([a-z-]+)$", GUIDE.read_text(), re.M))
    assert named == set(FAULTS)


def test_the_listing_has_them_all() -> None:
    lines = listing()
    for name in FAULTS:
        assert any(line.startswith(name) for line in lines)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("disk-full HDF1", {"target": "HDF1", "after": 0, "bytes": 0, "crash": False}),
        ("disk-full HDF1 after=3 crash=yes", {"after": 3, "crash": True}),
        ("disk-full after=3 HDF1 crash=False", {"target": "HDF1", "crash": False}),
        ("slow-plugin image1 seconds=0.5", {"seconds": 0.5}),
        ("slow-plugin 'image1'", {"seconds": float("inf")}),
        ("latency", {"target": "", "seconds": 0.05}),
    ],
)
def test_a_line_and_what_it_means(text: str, values: dict) -> None:
    fault = parse(text)
    assert {name: getattr(fault, name) for name in values} == values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expected: NAME TARGET key=value"),
        ("disk-full 'HDF1", "Expected: NAME TARGET key=value"),
        ("disk-full HDF1 TIFF1", "2 targets: HDF1, TIFF1"),
        ("disk-full HDF1 after=three", "after must be int of at least 0, not 'three'"),
        ("disk-full HDF1 crash=maybe", "crash must be bool, not 'maybe'"),
        ("disk-fill HDF1", "Did you mean 'disk-full'"),
        ("queue-overflow HDF1 count=0", "count must be int of at least 1"),
        ("latency seconds=inf", "seconds must be float of at least 0 and at most 60, not 'inf'"),
        ("latency jitter=nan", "jitter must be float of at least 0 and at most 60, not 'nan'"),
    ],
)
def test_a_line_that_can_not_be_is_explained(text: str, message: str) -> None:
    with pytest.raises(FaultError, match=message):
        parse(text)


@pytest.mark.parametrize("value", [True, None, [1], "1e3", 2.0])
def test_a_number_of_frames_is_an_integer(value: object) -> None:
    with pytest.raises(FaultError, match="after must be int"):
        DiskFull.make("HDF1", {"after": value})


def test_seconds_beyond_all_numbers_are_none() -> None:
    with pytest.raises(FaultError, match="seconds must be float"):
        SlowPlugin.make("HDF1", {"seconds": 10**400})


def test_seconds_may_be_an_integer() -> None:
    assert SlowPlugin.make("HDF1", {"seconds": 2}).seconds == 2.0  # type: ignore[attr-defined]


def test_a_fault_that_can_not_begin_leaves_nothing_attached() -> None:
    hook = Hook()

    class Half(DiskFull):
        def attach(self, ioc, stack):
            stack.enter_context(hook.attached(lambda: True))
            raise FaultError("not after all")

    with pytest.raises(FaultError, match="not after all"):
        Half(target="HDF1").begin(None)  # type: ignore[arg-type]
    assert not hook()


def test_a_hook_calls_all_and_says_whether_any_agreed() -> None:
    hook, called = Hook(), []
    assert hook(1) is False
    with hook.attached(called.append), hook.attached(lambda number: number > 1):
        assert hook(1) is False
        assert hook(2) is True
    assert called == [1, 2]
    assert hook(3) is False


def test_a_fast_message_does_not_overtake_a_slow_one() -> None:
    arrived: list[bytes] = []
    delays = iter([0.05, 0.0, 0.02])

    async def send() -> None:
        network = Network()
        wire = Wire(network, arrived.append)
        wire.send(b"at once")
        network.delays.append(lambda: next(delays))
        for message in (b"slow", b"fast", b"medium"):
            wire.send(message)
        network.delays.clear()
        wire.send(b"after the fault")
        assert arrived == [b"at once"]
        await asyncio.sleep(0.2)

    asyncio.run(send())
    assert arrived == [b"at once", b"slow", b"fast", b"medium", b"after the fault"]


def test_a_client_that_has_gone_gets_nothing_more() -> None:
    arrived: list[bytes] = []

    async def send() -> None:
        network = Network()
        network.delays.append(lambda: 0.01)
        wire = Wire(network, arrived.append)
        wire.send(b"too late")
        wire.cut()
        await asyncio.sleep(0.05)

    asyncio.run(send())
    assert arrived == []
