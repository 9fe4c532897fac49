"""Monitors of images, and put-completions, to a pyepics client."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

_TIMEOUT = 30.0


@dataclass(frozen=True)
class Rates:
    """Events per second.

    Attributes
    ----------
    images
        Monitors of ``image1:ArrayData`` (1024 x 1024 bytes), from a camera without a pause.
    puts_meanwhile
        Put-completions on another channel while these images came.
    puts
        Put-completions on one channel of an idle IOC.
    """

    images: float
    puts_meanwhile: float
    puts: float


def measure(prefix: str, seconds: float = 5.0) -> Rates:
    """Count events for ``seconds`` each.

    Parameters
    ----------
    prefix
        Of the area detector IOC; its camera and ``image1`` are used.
    seconds
        How long each count takes.
    """
    import epics

    def put(name: str, value: object) -> None:
        if epics.caput(prefix + name, value, wait=True, timeout=_TIMEOUT) != 1:
            raise RuntimeError(f"the put of {value!r} to {prefix}{name} did not complete")

    channel = epics.PV(f"{prefix}cam2:NumImages", auto_monitor=False)
    if not channel.wait_for_connection(_TIMEOUT):
        raise RuntimeError(f"{channel.pvname} does not answer")
    idle = _puts_a_second(channel, seconds)
    put("image1:EnableCallbacks", "Enable")
    for name, value in (("AcquireTime", 0.0), ("AcquirePeriod", 0.0), ("ImageMode", "Continuous")):
        put(f"cam1:{name}", value)
    came: list[float] = []
    first = threading.Event()

    def note(**_: object) -> None:
        came.append(time.perf_counter())
        first.set()

    images = epics.PV(f"{prefix}image1:ArrayData", auto_monitor=True, callback=note)
    try:
        if not images.wait_for_connection(_TIMEOUT):
            raise RuntimeError(f"{images.pvname} does not answer")
        epics.caput(f"{prefix}cam1:Acquire", 1)
        if not first.wait(_TIMEOUT):
            raise RuntimeError("no image came")
        began = time.perf_counter()
        meanwhile = _puts_a_second(channel, seconds)
        ended = time.perf_counter()
        seen = sum(began <= moment <= ended for moment in came)
    finally:
        put("cam1:Acquire", 0)
        images.disconnect()
    return Rates(seen / (ended - began), meanwhile, idle)


def _puts_a_second(channel: object, seconds: float) -> float:
    """Put to a channel again and again, each time waiting for the completion."""
    began, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - began) < seconds:
        if channel.put(1 + count % 100, wait=True, timeout=_TIMEOUT) != 1:  # type: ignore[attr-defined]
            raise RuntimeError("a put did not complete")
        count += 1
    return count / elapsed
