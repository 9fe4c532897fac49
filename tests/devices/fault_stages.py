"""Every fault of the simulated IOC, and the stages of a run at which it can begin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from adsupport.launch import IOCProcess

#: Fault, target and parameters, by a name for the test.
FAULTS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "disk full": ("disk-full", "HDF1", {"after": 1}),
    "directory lost": ("directory-vanishes", "HDF1", {}),
    "directory renamed": ("directory-vanishes", "HDF1", {"how": "rename"}),
    "permission lost": ("permission-lost", "HDF1", {"after": 1}),
    "slow disk": ("slow-disk", "HDF1", {"seconds": 0.05}),
    "plugin stuck": ("slow-plugin", "HDF1", {}),
    "slow viewer": ("slow-plugin", "image1", {"seconds": 0.05}),
    "frames dropped": ("queue-overflow", "HDF1", {"after": 1, "count": 1}),
    "monitors lost": ("drop-monitors", "*", {}),
    "late completion": ("delay-completion", "cam1:Acquire", {"seconds": 0.3}),
    "slow network": ("latency", None, {"seconds": 0.01, "jitter": 0.01}),
    "camera stalled": ("camera-stalls", "cam1", {"after": 1}),
    "camera stopped": ("camera-stops-early", "cam1", {"frames": 1}),
    "other size": ("wrong-size", "cam1", {"after": 1}),
}

#: The document after which a fault begins; by a name for the test.  A run is staged before its
#: start document and unstaged after its stop document.
STAGES: dict[str, str] = {
    "before staging": "",
    "staged": "start",
    "described": "descriptor",
    "between points": "event",
    "before unstaging": "stop",
    "exposing": "Acquire",
}


@contextmanager
def striking(
    ioc: IOCProcess, det: Any, fault: str, stage: str
) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """Let a fault begin once at a stage; gives the callback for the RunEngine."""
    name, target, parameters = FAULTS[fault]
    begun: list[Any] = []
    once = threading.Lock()

    def begin() -> None:
        with once:
            if not begun:
                begun.append(ioc.fault(name, target, **parameters))

    def on_document(kind: str, _: dict[str, Any]) -> None:
        if kind == STAGES[stage]:
            begin()

    def on_acquire(value: Any, **_: Any) -> None:
        if value:  # on a thread of ophyd's, which must not wait for the IOC
            threading.Thread(target=begin).start()

    if not STAGES[stage]:
        begin()
    if STAGES[stage] == "Acquire":
        det.cam.acquire.subscribe(on_acquire, run=False)
    try:
        yield on_document
    finally:
        det.cam.acquire.clear_sub(on_acquire)
        with once:
            for each in begun:
                each.end()
