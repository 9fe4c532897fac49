"""Say which process variables are missing, grouped by what that probably comes from."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ophyd.device import Device

from ...adcore import Release, history
from ...errors import ConfigurationError
from ..releases.installed import installed_releases
from ..releases.templates import template_of
from .device_signals import DeviceSignal

__all__ = ["MissingGroup", "brief", "group_missing", "may_come_back", "missing_pvs"]

#: Signals of a component that may be missing before its class is in doubt: these, and this part.
DOUBTFUL = 4
DOUBTFUL_PART = 0.1

#: How many process variables of a group a message shows.
SHOWN = 8

#: How many lines of groups a message has before they are only counted, and how many causes then.
_MOST_LINES = 5
_MOST_CAUSES = 3


class _Cause(NamedTuple):
    """Why something is missing, and what to do."""

    cause: str
    detail: str = ""
    remedy: str = ""


_SINGLE = _Cause(
    "does not answer, others of this IOC do",
    remedy="check suffix and class, or leave it out by setting its component to None in a subclass",
)
_ARRIVING = _Cause(
    "not yet: signals were still connecting when the time was over.",
    remedy="Give a longer timeout; is the network slow, or this computer busy?",
)
_AGAIN = _Cause(
    "was connected before, and isn't found again yet: what is lost is looked for at ever longer "
    "intervals, up to 5 min, unless a CA repeater passes on that its IOC is back.",
    remedy="Call wait_for_connection() again, with a longer timeout; or was the IOC started "
    "again without it?",
)
_FITTING = "ad_creator(..., adcore='auto') takes classes that fit"
_RELEASE_TIMEOUT = 1.0
_WIDTH = 100


@dataclass
class MissingGroup:
    """Process variables that are missing for the same reason.

    Attributes
    ----------
    where : str
        The device, or its component.
    cause : str
        What is probably wrong.
    pvs : dict of str to str
        The process variables, with the dotted name of the component that each belongs to.
    required : bool
        Whether one of them is required.
    detail : str
        What sets this group apart from others with the same cause; mostly empty.
    remedy : str
        What to do; empty when the cause says it.
    """

    where: str
    cause: str
    pvs: dict[str, str] = field(default_factory=dict)
    required: bool = False
    detail: str = ""
    remedy: str = ""

    @property
    def text(self) -> str:
        """Cause, detail and remedy in one line."""
        text = f"{self.cause}: {self.detail}" if self.detail else self.cause
        if not self.remedy:
            return text
        joint = ";" if self.detail else "" if text.endswith(".") else ":"
        return f"{text}{joint} {self.remedy}"

    def lines(self) -> Iterator[str]:
        """Write the group for a message.

        Yields
        ------
        str
            One line for where and why, then the process variables, the first few by name.
        """
        yield f"{self.where}: {self.text}"
        names = [
            f"{pv} ({name})" if name and name != self.where else pv
            for pv, name in list(self.pvs.items())[:SHOWN]
        ]
        more = len(self.pvs) - len(names)
        text = ", ".join(names) + (f" and {more} more" if more else "")
        yield from textwrap.wrap(
            text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )


def brief(groups: Iterable[MissingGroup]) -> list[str]:
    """Write groups for a message that must not be long.

    Parameters
    ----------
    groups : iterable of MissingGroup
        The groups.

    Returns
    -------
    list of str
        All lines of the groups when these are few; else one line for each cause, with the number
        of process variables of each component.
    """
    groups = list(groups)
    lines = [line for group in groups for line in group.lines()]
    if len(lines) <= _MOST_LINES:
        return lines
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for group in groups:
        places = counts.setdefault((group.cause, group.remedy), {})
        places[group.where] = places.get(group.where, 0) + len(group.pvs)
    ordered = sorted(counts.items(), key=lambda item: -sum(item[1].values()))
    lines = []
    for (cause, remedy), places in ordered[:_MOST_CAUSES]:
        shown = ", ".join(f"{where} {number}" for where, number in list(places.items())[:SHOWN])
        rest = sum(list(places.values())[SHOWN:])
        more = f" and others {rest}" if rest else ""
        lines.append(f"{shown}{more}: {MissingGroup('', cause, remedy=remedy).text}")
    rest = sum(sum(places.values()) for _, places in ordered[_MOST_CAUSES:])
    return [*lines, f"for other reasons {rest}"] if rest else lines


def missing_pvs(missing: Iterable[DeviceSignal]) -> dict[str, str]:
    """List the process variables that are missing, those that are required first.

    Parameters
    ----------
    missing : iterable of DeviceSignal
        The signals.

    Returns
    -------
    dict of str to str
        Dotted name of the component by name of the process variable.
    """
    ordered = sorted(missing, key=lambda each: not each.required)
    return {pv: each.full_name for each in ordered for pv in each.missing_pvs()}


def group_missing(
    signals: list[DeviceSignal],
    missing: list[DeviceSignal],
    failures: dict[str, str] | None = None,
    *,
    arriving: bool = False,
) -> list[MissingGroup]:
    """Group the process variables that are missing by the likely cause.

    Parameters
    ----------
    signals : list of DeviceSignal
        All signals that were to be connected.
    missing : list of DeviceSignal
        Those which aren't.
    failures : dict of str to str, optional
        Why a process variable that answers could not be read.
    arriving : bool
        Whether others were still connecting when the wait ended, so that nothing follows from
        their number.

    Returns
    -------
    list of MissingGroup
        Nothing answers; a whole plugin is absent; records that the installed ADCore doesn't have;
        a class that doesn't fit; single ones.  The IOC is asked for its release when that can
        explain something.
    """
    unread = {
        pv: failures[pv]
        for each in missing
        for pv in each.missing_pvs()
        if failures and pv in failures and each.answers(pv)
    }
    groups: list[MissingGroup] = []
    owners = {id(each.owner): each.owner for each in missing}
    for owner in owners.values():
        of_owner = [each for each in signals if each.owner is owner]
        lost = [each for each in missing if each.owner is owner]
        groups += _of_device(owner, of_owner, lost, unread, arriving)
    return groups


def _of_device(
    owner: Device | None,
    signals: list[DeviceSignal],
    missing: list[DeviceSignal],
    failures: dict[str, str],
    arriving: bool,
) -> Iterator[MissingGroup]:
    unreadable = [each for each in missing if any(pv in failures for pv in each.missing_pvs())]
    if not unreadable and len(missing) == len(signals) and not _partly(missing):
        yield _nothing(owner, missing)
        return
    release = _InstalledRelease(signals)
    for part in dict.fromkeys(each.component for each in missing):
        lost = [each for each in missing if each.component == part]
        whole = sum(each.component == part for each in signals)
        yield from _of_part(owner, part, lost, whole, release, failures, arriving)


def _partly(missing: list[DeviceSignal]) -> bool:
    """Tell whether one of two process variables of a signal answers."""
    return any(len(each.missing_pvs()) < len(each.pvs) for each in missing)


def _nothing(owner: Device | None, missing: list[DeviceSignal]) -> MissingGroup:
    where = missing[0].name if owner is None else owner.name
    prefix = "" if owner is None else f" under {owner.prefix!r}"
    pvs = missing_pvs(missing)
    required = any(each.required for each in missing)
    none = f"No process variable{prefix} answered (such as {next(iter(pvs))})"
    if any(each.was_there for each in missing):  # the others may be of another release
        again = f"{none}. Is the IOC running? It {_AGAIN.cause}"
        return MissingGroup(where, again, pvs, required, remedy=_AGAIN.remedy)
    return MissingGroup(
        where,
        f"{none}. Is the IOC running, and the prefix right{_colon(owner, pvs)}? Does "
        f"EPICS_CA_ADDR_LIST ({os.environ.get('EPICS_CA_ADDR_LIST') or 'not set'}) reach it?",
        pvs,
        required,
    )


def _colon(owner: Device | None, pvs: Iterable[str]) -> str:
    """Ask for the colon when the names begin with two words in one: ``adcam1:...``."""
    if owner is None or not owner.prefix[-1:].isalnum():
        return ""
    joint = len(owner.prefix)
    whole = all(pv[joint : joint + 1].isalnum() for pv in pvs)
    return f" (with its colon, {owner.prefix + ':'!r})" if whole else ""


def _of_part(
    owner: Device | None,
    part: str,
    lost: list[DeviceSignal],
    whole: int,
    release: _InstalledRelease,
    failures: dict[str, str],
    arriving: bool,
) -> Iterator[MissingGroup]:
    device: Any = owner
    where = lost[0].name if owner is None else owner.name
    if owner is not None and part:
        device, where = getattr(owner, part), f"{owner.name}.{part}"
        suffix = device.prefix.removeprefix(owner.prefix)
        known = any(each.was_there for each in lost)
        if suffix and len(lost) == whole and not (known or arriving or _partly(lost)):
            yield MissingGroup(
                where,
                f"nothing under {device.prefix!r} answers ({whole} signals)",
                missing_pvs(lost),
                any(each.required for each in lost),
                remedy=f"is `{suffix}` loaded in this IOC, and is it the right suffix?",
            )
            return
    lost = sorted(lost, key=lambda each: not each.required)
    causes = {
        id(each): [
            (pv, _cause_of_one(each, pv, release, failures, arriving)) for pv in each.missing_pvs()
        ]
        for each in lost
    }
    unexplained = sum(not all(cause for _, cause in found) for found in causes.values())
    otherwise = _ARRIVING if arriving else _SINGLE
    if device is not None and not arriving and unexplained > max(DOUBTFUL, DOUBTFUL_PART * whole):
        otherwise = _Cause(
            f"That is {unexplained} of the {whole} signals of {device.name}",
            remedy=f"{type(device).__name__} may be the wrong class for it",
        )
    groups: dict[_Cause, MissingGroup] = {}
    for each in lost:
        for pv, known in causes[id(each)]:
            cause = known or otherwise
            group = groups.setdefault(
                cause, MissingGroup(where, cause.cause, detail=cause.detail, remedy=cause.remedy)
            )
            group.pvs[pv] = each.full_name
            group.required = group.required or each.required
    yield from groups.values()


def _cause_of_one(
    signal: DeviceSignal,
    pv: str,
    release: _InstalledRelease,
    failures: dict[str, str],
    arriving: bool,
) -> _Cause | None:
    if pv in failures:
        return _Cause("answers, but can't be read", failures[pv])
    otherwise = _AGAIN if signal.was_there else None
    found = _history(signal, pv)
    if found is None:
        return otherwise
    added, removed = found
    installed = release.find()
    if installed is None and (arriving or signal.was_there):
        return otherwise
    if removed is not None and (installed is None or installed >= removed):
        change = f"removed in {removed}"
    elif added is not None and (installed is None or installed < added):
        change = f"added in {added}"
    else:
        return otherwise
    where = "every ADCore" if installed is None else f"ADCore {installed}"
    return _Cause(f"not in {where}", change, _FITTING)


def may_come_back(signals: list[DeviceSignal], lost: list[DeviceSignal]) -> bool:
    """Tell whether signals that were connected before are worth waiting for.

    Parameters
    ----------
    signals : list of DeviceSignal
        All signals.
    lost : list of DeviceSignal
        Those that were connected before and aren't any more.

    Returns
    -------
    bool
        False when the IOC has another release of ADCore now, which has none of them.
    """
    release = _InstalledRelease(signals)
    return any(
        _cause_of_one(each, pv, release, {}, arriving=False) is _AGAIN
        for each in lost
        for pv in each.missing_pvs()
    )


def _history(signal: DeviceSignal, pv: str) -> tuple[Release | None, Release | None] | None:
    """Find out when ADCore brought a record and when it took it away; None when it never has it."""
    device: Any = signal.signal.parent
    while device is not None and template_of(type(device)) is None:
        device = device.parent
    if device is None:
        return None
    record = pv.removeprefix(device.prefix).partition(".")[0]
    try:
        return history(template_of(type(device)) or "", record)
    except ValueError:
        return None


class _InstalledRelease:
    """The release of ADCore in the IOC, asked for when it is wanted, once."""

    def __init__(self, signals: list[DeviceSignal]) -> None:
        parents: list[Any] = [each.signal.parent for each in signals if each.signal.connected]
        answering = {each.prefix: template_of(type(each)) for each in parents if each is not None}
        cameras = [prefix for prefix, template in answering.items() if template == "ADBase"]
        others = list(answering)
        self._prefixes = (cameras + others)[:1]
        self._found: Release | None = None

    def find(self) -> Release | None:
        while self._prefixes:
            try:
                self._found = installed_releases(self._prefixes.pop(), _RELEASE_TIMEOUT).adcore
            except (TimeoutError, ConfigurationError):
                continue  # the history of the record is told without it
        return self._found
