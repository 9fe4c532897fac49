"""Which process variables answer, and why the others may not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ...errors import ConnectionTimeoutError
from ..connection.connect import DeviceSignal, connect, epics_signals
from ..connection.report import MissingGroup, group_missing
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
    arriving = False
    try:
        connect(detector, timeout=timeout)
    except ConnectionTimeoutError as error:  # what is missing is told below
        arriving = error.arriving
    signals = epics_signals(detector)
    missing = [each for each in signals if not each.signal.connected]
    if len(missing) == len(signals):
        return [_nothing(detector, timeout)]
    if not missing:
        parts = len({each.component for each in signals} - {""})
        what = f"all {len(signals)} signals of {parts} parts are connected"
        return [Finding("ok", detector.prefix, what, topic=_TOPIC)]
    if arriving:
        return [_too_soon(detector, timeout, len(missing), len(signals))]
    return list(_by_part(detector, signals, missing))


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


def _too_soon(detector: Any, timeout: float | None, missing: int, signals: int) -> Finding:
    limit = "" if timeout is None else f" after {timeout:g} s"
    return Finding(
        "error",
        detector.prefix,
        f"{missing} of {signals} signals didn't answer yet{limit}, and more were coming",
        "Give a longer timeout. Is the network slow, or this computer busy?",
        _TOPIC,
    )


def _by_part(
    detector: Any, signals: list[DeviceSignal], missing: list[DeviceSignal]
) -> Iterator[Finding]:
    # together: the IOC is asked for its release once
    groups = group_missing(signals, missing)
    for part in dict.fromkeys(each.component for each in missing):
        lost = [each for each in missing if each.component == part]
        whole = sum(each.component == part for each in signals)
        owner = getattr(detector, part) if part else detector
        if part and len(lost) == whole and not all(each.is_lost for each in lost):
            yield Finding(
                "error",
                owner.prefix,
                f"{part} is missing: none of its {whole} signals answers",
                f"Is the plugin loaded in the IOC (commonPlugins.cmd), and is {owner.prefix!r} its "
                f"prefix? Correct the suffix of {part!r}, or leave it out of the detector.",
                _TOPIC,
            )
        else:
            where = f"{detector.name}.{part}" if part else detector.name
            for needed in (True, False):
                some = [g for g in groups if g.where == where and g.required == needed]
                if some:
                    yield _some(part or detector.name, owner.prefix, some, needed)


def _some(part: str, prefix: str, groups: list[MissingGroup], needed: bool) -> Finding:
    """Put all that a part lacks into one finding: its causes, with how many each explains."""
    pvs = [pv for group in groups for pv in group.pvs]
    rest = f" and {len(pvs) - _SHOWN} more" if len(pvs) > _SHOWN else ""
    causes: dict[str, list[str]] = {}
    remedies: dict[str, None] = {}
    for group in groups:
        details = causes.setdefault(group.cause.rstrip("."), [])
        if group.detail:
            details.append(f"{group.detail} ({len(group.pvs)})")
        remedies[group.remedy or "Look at the IOC's console"] = None
    why = "; ".join(
        cause + (f": {', '.join(details)}" if details else "") for cause, details in causes.items()
    )
    count = "1 process variable" if len(pvs) == 1 else f"{len(pvs)} process variables"
    return Finding(
        "error" if needed else "info",
        prefix,
        f"{count} of {part} missing, {'needed' if needed else 'not needed for a run'} ("
        f"{', '.join(pvs[:_SHOWN])}{rest}): {why}",
        "Or: ".join(f"{remedy}. " for remedy in remedies).strip(),
        _TOPIC,
    )
