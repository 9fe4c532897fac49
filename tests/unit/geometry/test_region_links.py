"""Overlays that follow regions of interest, record by record."""

import asyncio
import threading

from adsupport.sim.area_detector import AreaDetectorIOC
from adsupport.sim.plugins.overlay import Overlay
from adsupport.sim.plugins.roi import ROI
from adsupport.sim.source import ArraySource


def make() -> tuple[AreaDetectorIOC, Overlay]:
    ioc = AreaDetectorIOC("bench", "t:")
    source = ArraySource("SIM1")
    ioc.load(["NDArrayBase", "ADBase"], "cam1:", source)
    ioc.ports["SIM1"] = source
    overlay = ioc.add_plugin("Over1:", Overlay, "OVER1", source)
    ioc.add_plugin("ROI2:", ROI, "ROI2", source)
    return ioc, overlay


def test_a_region_never_waits_for_the_overlays_port():
    ioc, overlay = make()

    def shown() -> list[int]:
        names = ("PositionXLink", "PositionX", "PositionX_RBV")
        return [ioc.records[f"Over1:2:{name}"].channel.value for name in names]

    async def main() -> None:
        ioc.start(asyncio.get_running_loop())
        try:
            locked, done = threading.Event(), threading.Event()

            def keep_locked() -> None:
                with overlay.lock:
                    locked.set()
                    done.wait(20)

            keeper = threading.Thread(target=keep_locked)
            keeper.start()
            locked.wait(20)
            ioc.records["ROI2:MinX"].put(12)  # would never end if it waited for the overlay
            assert ioc.records["ROI2:MinX_RBV"].channel.value == 12
            assert shown() == [0, 0, 0]
            done.set()
            keeper.join()
            while shown() != [12, 12, 12]:
                await asyncio.sleep(0)
        finally:
            ioc.stop()

    asyncio.run(asyncio.wait_for(main(), 30))


def test_a_write_to_the_link_is_forgotten():
    ioc, _ = make()

    async def main() -> None:
        ioc.start(asyncio.get_running_loop())
        try:
            ioc.records["ROI2:SizeX"].put(50)
            ioc.records["Over1:2:SizeXLink"].put(7)
            assert ioc.records["Over1:2:SizeXLink"].channel.value == 50
            assert ioc.records["Over1:2:SizeX"].channel.value == 50
        finally:
            ioc.stop()

    asyncio.run(main())


def test_overlays_do_without_regions_to_follow():
    ioc = AreaDetectorIOC("bench", "t:")
    ioc.add_plugin("Over1:", Overlay, "OVER1", "NOWHERE")

    async def main() -> None:
        ioc.start(asyncio.get_running_loop())
        ioc.records["Over1:1:PositionX"].put(5)
        assert ioc.records["Over1:1:CenterX"].channel.value == 5 + 1000000 // 2
        ioc.stop()

    asyncio.run(main())
