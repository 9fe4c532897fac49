"""Database links about regions: their limits, and overlays that follow them."""

from __future__ import annotations

import asyncio
from typing import Any

from adsupport.sim.record import Record


def link_display_limits(
    maximum: Record, followers: tuple[Record, ...], limited: tuple[Record, ...]
) -> None:
    """Make a read-back the upper display limit (HOPR) of set-points.

    Parameters
    ----------
    maximum : Record
        The read-back.
    followers : tuple of Record
        Records between it and the set-points, which take its value.
    limited : tuple of Record
        The set-points.
    """

    def show(value: Any) -> None:
        for record in followers:
            record.post(type(record.channel.value)(value))
        for record in limited:
            record.channel.meta.limits["upper_disp_limit"] = value
            record.channel.post_properties()

    maximum.on_update.append(show)


def follow_link(source: Record, link: Record, target: Record) -> None:
    """Make a record copy another's value into a third (a closed loop's DOL and OUT).

    Parameters
    ----------
    source : Record
        Is copied whenever it is posted.
    link : Record
        Shows the value. A client's write makes it copy again, and is forgotten by that.
    target : Record
        Takes the value as from a client.
    """

    def copy(value: Any) -> None:
        link.post(value)
        target.put(value)

    def updated(value: Any) -> None:
        # not at once: the source's port may be locked here, and the target's is another one
        asyncio.get_running_loop().call_soon(copy, value)

    def processed(_: Any) -> None:
        copy(source.channel.value)

    source.on_update.append(updated)
    link.on_process.append(processed)
