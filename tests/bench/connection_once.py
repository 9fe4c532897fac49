"""Connect camera, HDF5 writer and image with one of the contestants; a program of its own.

Prints one JSON object: the seconds from nothing made to everything connected, and the names of
the channels as far as the contestant tells them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

TIMEOUT = 120.0


def adsupport(prefix: str) -> tuple[float, set[str]]:
    """All signals of adsupport's detector."""
    from adsupport.devices import AD_EpicsFileNameHDF5Plugin, ad_creator

    writer = {"class": AD_EpicsFileNameHDF5Plugin, "write_path_template": "/tmp/"}
    began = time.perf_counter()
    detector = ad_creator(
        prefix, name="detector", plugins=["cam", "image", {"hdf1": writer}], validate_ports=False
    )
    detector.wait_for_connection(all_signals=True, timeout=TIMEOUT)
    return time.perf_counter() - began, _channels(detector)


def ophyd(prefix: str) -> tuple[float, set[str]]:
    """All signals of ophyd's own classes, as a beamline's module has them."""
    from ophyd import Component, Device
    from ophyd.areadetector.cam import SimDetectorCam
    from ophyd.areadetector.plugins import HDF5Plugin_V34, ImagePlugin_V34

    class Camera(SimDetectorCam):
        pool_max_buffers = None  # ADCore has none since R3-3

    class Detector(Device):
        cam = Component(Camera, "cam1:")
        image = Component(ImagePlugin_V34, "image1:")
        hdf1 = Component(HDF5Plugin_V34, "HDF1:")

    began = time.perf_counter()
    detector = Detector(prefix, name="detector")
    detector.wait_for_connection(all_signals=True, timeout=TIMEOUT)
    return time.perf_counter() - began, _channels(detector)


def _channels(detector: Any) -> set[str]:
    names = set()
    for each in detector.walk_signals(include_lazy=True):
        if not each.item.connected:
            raise RuntimeError(f"{each.dotted_name} isn't connected")
        for attribute in ("pvname", "setpoint_pvname"):
            names.add(getattr(each.item, attribute, None))
    return names - {None}


def pyepics(_: str) -> tuple[float, set[str]]:
    """The channels named on standard input, with nothing around them."""
    names = json.load(sys.stdin)
    import epics

    epics.ca.initialize_libca()
    began = time.perf_counter()
    channels = [epics.PV(name) for name in names]
    for channel in channels:
        if not channel.wait_for_connection(TIMEOUT):
            raise RuntimeError(f"{channel.pvname} doesn't answer")
    return time.perf_counter() - began, set(names)


def ophyd_async(prefix: str) -> tuple[float, set[str]]:
    """The signals of ophyd-async's detector: it has fewer, and no image."""
    import asyncio

    from ophyd_async.core import StaticPathProvider, UUIDFilenameProvider  # type: ignore[import-not-found]
    from ophyd_async.epics.adcore import ADWriterFactory  # type: ignore[import-not-found]
    from ophyd_async.epics.adsimdetector import SimDetector  # type: ignore[import-not-found]

    async def connect() -> float:
        began = time.perf_counter()
        paths = StaticPathProvider(UUIDFilenameProvider(), "/tmp")
        detector = SimDetector(prefix, ADWriterFactory.hdf(paths), name="detector")
        await detector.connect(timeout=TIMEOUT)
        return time.perf_counter() - began

    return asyncio.run(connect()), set()


CONTESTANTS: dict[str, Callable[[str], tuple[float, set[str]]]] = {
    "adsupport": adsupport,
    "ophyd": ophyd,
    "pyepics": pyepics,
    "ophyd-async": ophyd_async,
}


def main() -> None:
    """Connect, and print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contestant", choices=CONTESTANTS)
    parser.add_argument("prefix")
    options = parser.parse_args()
    seconds, names = CONTESTANTS[options.contestant](options.prefix)
    print(json.dumps({"seconds": seconds, "names": sorted(names)}))


if __name__ == "__main__":
    main()
