"""Find what a fault is about in an IOC: a port by its name, channels by a pattern."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar

from adsupport.sim.ca.channel import Channel
from adsupport.sim.faults.fault import FaultError
from adsupport.sim.port import Port

if TYPE_CHECKING:
    from adsupport.sim.ioc import IOC

_Port = TypeVar("_Port", bound=Port)


def find_port(ioc: IOC, kind: type[_Port], what: str, name: str) -> _Port:
    """Return a port by the part of the record names that is its own, or by its asyn name.

    Parameters
    ----------
    ioc : IOC
        Has the port.
    kind : type
        What the port must be.
    what : str
        What to call that in a message, such as ``file plugin``.
    name : str
        ``HDF1``, ``HDF1:``, ``ad:HDF1:`` or ``FileHDF1``.

    Raises
    ------
    FaultError
        There is none; the message names those that there are.
    """
    rooms: dict[_Port, str] = {}
    for record_name, record in ioc.records.items():
        if isinstance(record.port, kind):
            room = record_name.rpartition(":")[0]
            # a port's records of other addresses have longer names, such as Over1:3:Use
            rooms[record.port] = min(room, rooms.get(record.port, room), key=len)
    wanted = name.removeprefix(ioc.prefix).rstrip(":")
    for port, room in rooms.items():
        if wanted in (room, port.name):
            return port
    known = ", ".join(rooms.values()) or f"no {what}"
    raise FaultError(f"There is no {what} {name!r}. This IOC has: {known}.")


def find_channels(ioc: IOC, pattern: str) -> list[Channel]:
    """Return the channels whose names match a pattern.

    Parameters
    ----------
    ioc : IOC
        Has the channels.
    pattern : str
        As in a shell, such as ``cam1:*_RBV`` or ``m1.RBV``; with the IOC's prefix or without.

    Raises
    ------
    FaultError
        There is none.
    """
    records, _, field = pattern.partition(".")
    patterns = (records, ioc.prefix + records)
    names = [name for name in ioc.database if any(fnmatchcase(name, p) for p in patterns)]
    channels = [_channel(ioc, f"{name}.{field}" if field else name) for name in names]
    found = [channel for channel in channels if channel is not None]
    if not found:
        near = difflib.get_close_matches(ioc.prefix + records, ioc.database, n=3, cutoff=0.5)
        hint = f" Near it: {', '.join(near)}." if near else ""
        raise FaultError(
            f"No PV of this IOC matches {pattern!r}, with the prefix {ioc.prefix!r} or without."
            + hint
        )
    return found


def _channel(ioc: IOC, name: str) -> Channel | None:
    try:
        return ioc.database[name]
    except KeyError:
        return None
