"""All faults by name."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from adsupport.sim.faults.camera import CameraStalls, CameraStopsEarly, Kill, WrongSize
from adsupport.sim.faults.channel import DelayCompletion, DropMonitors, Latency
from adsupport.sim.faults.disk import DirectoryVanishes, DiskFull, PermissionLost, SlowDisk
from adsupport.sim.faults.fault import Fault, FaultError
from adsupport.sim.faults.plugins import QueueOverflow, SlowPlugin

FAULTS: Mapping[str, type[Fault]] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            DiskFull,
            DirectoryVanishes,
            PermissionLost,
            SlowDisk,
            SlowPlugin,
            QueueOverflow,
            DropMonitors,
            DelayCompletion,
            Latency,
            CameraStalls,
            CameraStopsEarly,
            WrongSize,
            Kill,
        )
    }
)
"""What can go wrong."""


def make(name: str, target: str | None, parameters: dict[str, Any]) -> Fault:
    """Make a fault.

    Parameters
    ----------
    name : str
        One of :data:`FAULTS`.
    target : str or None
        What it is about, such as ``HDF1``.
    parameters : dict
        Its parameters by name.

    Raises
    ------
    FaultError
        Naming what was expected.
    """
    try:
        fault = FAULTS[name]
    except KeyError:
        near = difflib.get_close_matches(str(name), FAULTS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise FaultError(
            f"There is no fault {name!r}.{hint} There are: {', '.join(FAULTS)}."
        ) from None
    return fault.make(target, parameters)


def parse(text: str) -> Fault:
    """Make a fault from a line such as ``disk-full HDF1 after=3``.

    Raises
    ------
    FaultError
        Naming what was expected.
    """
    try:
        name, *words = shlex.split(text)
    except ValueError as error:
        raise FaultError(f"No fault in {text!r}. Expected: NAME TARGET key=value ...") from error
    targets = [word for word in words if "=" not in word]
    if len(targets) > 1:
        raise FaultError(f"{text!r} has {len(targets)} targets: {', '.join(targets)}. Expected one")
    parameters = dict(word.split("=", 1) for word in words if "=" in word)
    return make(name, targets[0] if targets else None, parameters)


def listing() -> list[str]:
    """Return lines that tell of every fault: how to write it, what it does, its parameters."""
    lines = []
    for fault in FAULTS.values():
        lines += [fault.usage(), f"    {fault.summary()}"]
        lines += [f"    {n}: {each.metadata['text']}" for n, each in fault.parameters().items()]
    return lines
