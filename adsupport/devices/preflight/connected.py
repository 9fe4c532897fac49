"""Which process variables answer, and why the others may not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ...errors import ConnectionTimeoutError
from ..connection import DeviceSignal, connect, epics_signals
from .report import Finding

__all__ = ["check_connected"]

_TOPIC = "connection"
_SHOWN = 5


def check_connected(detector: Any, timeout: float | None) -> list[Finding]:
    """Connect all process variables, and say of each that is missing what that may come from.

    Parameters
    ----------
    detector : ophyd.Device
        The detector.
    timeout : float or None
        Longest wait for all together, in seconds; None waits for ever.

    Returns
    -------
    list of Finding
        One ``ok`` when nothing is missing; else one for each component that lacks something.
    """
    remark = ""
    try:
        connect(detector, timeout=timeout)
    except ConnectionTimeoutError as error:
        remark = str(error)
    signals = epics_signals(detector)
    missing = [each for each in signals if not each.signal.connected]
    if len(missing) == len(signals):
        return [_nothing(detector, timeout)]
    if not missing:
        parts = len({_part_of(each) for each in signals} - {""})
        what = f"all {len(signals)} signals of {parts} parts are connected"
        return [Finding("ok", detector.prefix, what, topic=_TOPIC)]
    return list(_by_part(detector, signals, missing, remark))


def _nothing(detector: Any, timeout: float | None) -> Finding:
    addresses = os.environ.get("EPICS_CA_ADDR_LIST") or "not set"
    automatic = os.environ.get("EPICS_CA_AUTO_ADDR_LIST") or "not set"
    return Finding(
        "error",
        detector.prefix,
        f"no process variable under {detector.prefix!r} answers"
        + ("" if timeout is None else f" within {timeout:g} s"),
        "Start the IOC, or correct the prefix. If both are right, Channel Access doesn't reach it: "
        f"EPICS_CA_ADDR_LIST is {addresses}, EPICS_CA_AUTO_ADDR_LIST is {automatic}.",
        _TOPIC,
    )


def _part_of(signal: DeviceSignal) -> str:
    return signal.name.partition(".")[0] if "." in signal.name else ""


def _by_part(
    detector: Any, signals: list[DeviceSignal], missing: list[DeviceSignal], remark: str
) -> Iterator[Finding]:
    for part in dict.fromkeys(map(_part_of, missing)):
        lost = [each for each in missing if _part_of(each) == part]
        whole = sum(_part_of(each) == part for each in signals)
        owner = getattr(detector, part) if part else detector
        if part and len(lost) == whole:
            yield Finding(
                "error",
                owner.prefix,
                f"{part} is missing: none of its {whole} signals answers",
                f"Is the plugin loaded in the IOC (commonPlugins.cmd), and is {owner.prefix!r} its "
                f"prefix? Correct the suffix of {part!r}, or leave it out of the detector.",
                _TOPIC,
            )
        else:
            yield _some(part, owner, lost, whole)


def _some(part: str, owner: Any, lost: list[DeviceSignal], whole: int) -> Finding:
    required = [each for each in lost if each.required]
    pvs = [pv for each in required or lost for pv in each.missing_pvs()]
    rest = f" and {len(pvs) - _SHOWN} more" if len(pvs) > _SHOWN else ""
    where = part or "the detector"
    needed = "needed" if required else "not needed for a run"
    return Finding(
        "error" if required else "info",
        owner.prefix,
        f"{len(lost)} of the {whole} signals of {where} are missing, {needed}: "
        f"{', '.join(pvs[:_SHOWN])}{rest}",
        f"{type(owner).__name__} is for another release of ADCore, or another kind of plugin: "
        "ad_creator(..., adcore='auto') takes the classes of the IOC's release.",
        _TOPIC,
    )
