"""Links between records of one IOC, as database links make them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from caproto import ChannelType, SubscriptionType

from adsupport.sim.ca.channel import Channel


class Follow:
    """A subscription from inside the IOC.

    Parameters
    ----------
    channel : Channel
        What to follow.
    call : callable
        Called with the channel at each of its value events.
    """

    mask = int(SubscriptionType.DBE_VALUE | SubscriptionType.DBE_LOG)

    def __init__(self, channel: Channel, call: Callable[[Channel], None]) -> None:
        self._channel = channel
        self._call = call
        channel.subscribers.append(self)

    def update(self, channel: Channel) -> None:
        """Pass an event on."""
        self._call(channel)

    def end(self) -> None:
        """Stop following."""
        self._channel.subscribers.remove(self)


def find(database: Mapping[str, Channel], name: str) -> Channel | None:
    """Return the channel that a link's text names, or None when the IOC has none.

    Parameters
    ----------
    database : mapping
        The IOC's channels.
    name : str
        ``record`` or ``record.FIELD``, and link options behind it, such as ``NPP NMS``.
    """
    words = name.split()
    if not words:
        return None
    try:
        return database[words[0]]
    except KeyError:
        return None


def read_number(channel: Channel) -> float:
    """Return a channel's value as a number, as a link of type DOUBLE reads it.

    Raises
    ------
    ValueError
        When it is text that is no number, or has no element.
    """
    _, data = channel.read(ChannelType.DOUBLE)
    if not len(data):
        raise ValueError("the linked channel has no element")
    return float(data[0])


def write_number(channel: Channel, value: float, *, notify: bool) -> asyncio.Future[Any] | None:
    """Write a number through a link; see :meth:`adsupport.sim.ca.channel.Channel.write`."""
    return channel.write(np.array([value], ">f8"), ChannelType.DOUBLE, notify=notify)
