"""From ports to records: what a client reads when its put has ended."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from adsupport.sim.ioc import DELIVERY_BATCH, IOC
from adsupport.sim.port import Port, on_write

MANY = 20 * DELIVERY_BATCH


class Chatty(Port):
    """A driver that posts a lot during one write."""

    def __init__(self, name: str, *, can_block: bool) -> None:
        super().__init__(name, can_block=can_block)
        self.posted = threading.Event()

    @on_write("NIMAGES")
    def _count(self, _: int) -> None:
        for number in range(1, MANY + 1):
            self.set("ARRAY_COUNTER", number)
            self.call_callbacks()
        self.posted.set()


@pytest.fixture(autouse=True)
def switch_interval():
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("can_block", [False, True])
def test_all_that_a_put_changed_is_seen_when_it_has_ended(can_block):
    ioc, port = IOC("test", "t:"), Chatty("SIM1", can_block=can_block)
    ioc.load(("NDArrayBase", "ADBase"), "cam1:", port)
    shown = []
    ioc.records["cam1:ArrayCounter_RBV"].on_update.append(shown.append)

    async def put() -> list[int]:
        ioc.start(asyncio.get_running_loop())
        done = ioc.records["cam1:NumImages"].put(7)
        if done is not None:
            await asyncio.sleep(0)
            assert port.posted.wait(20)  # the loop stands still: nothing is delivered meanwhile
            await done
        names = ("NumImages", "NumImages_RBV", "ArrayCounter_RBV")
        return [ioc.records[f"cam1:{name}"].channel.value for name in names]

    try:
        assert asyncio.run(put()) == [7, 7, MANY]
    finally:
        ioc.stop()
    assert shown == list(range(1, MANY + 1)), "each once, in order"
