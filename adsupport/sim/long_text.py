"""Strings as character arrays: what the name of a string field with a ``$`` behind it means."""

from __future__ import annotations

import asyncio
from typing import Any

from caproto import ChannelType, SubscriptionType

from adsupport.sim.ca.channel import Channel

SIZES = {"NAME": 61, "DESC": 41, "EGU": 16, "ASG": 29}
"""Bytes of the string fields whose size differs from that of a string record's value."""

VALUE_SIZE = 40
"""Bytes of a string record's value."""


class LongText(Channel):
    """A string channel, served as a CHAR array that ends with NUL.

    Parameters
    ----------
    text : Channel
        The string channel.
    field : str
        Name of its field.

    Raises
    ------
    KeyError
        When the channel is no string: such a name does not exist.
    """

    mask = int(SubscriptionType.DBE_VALUE | SubscriptionType.DBE_ALARM)
    """What it wants to be told of as a subscriber of the string."""

    def __init__(self, text: Channel, field: str) -> None:
        if text.data_type is not ChannelType.STRING:
            raise KeyError(field)
        super().__init__(
            ChannelType.CHAR,
            b"\0",
            count=SIZES.get(field, VALUE_SIZE),
            writable=text.writable,
            record_type=text.record_type,
        )
        self._text = text
        text.subscribers.append(self)

    def update(self, channel: Channel) -> None:
        """Tell subscribers that the string changed."""
        self.post(self._encoded(), severity=channel.severity, status=channel.status)

    def read(self, wanted: ChannelType) -> tuple[Any, Any]:
        """Return ``(metadata, data)`` of the present value as a DBR type."""
        text = self._text
        text.read(ChannelType.TIME_STRING)  # a field takes its value and alarm as it is read
        self.value = self._encoded()
        self.severity, self.status = text.severity, text.status
        self.timestamp = text.timestamp
        self._payloads.clear()
        return super().read(wanted)

    def take(self, value: Any, notify: bool) -> asyncio.Future[Any] | None:
        """Write the string."""
        return self._text.take(value.split(b"\0", 1)[0].decode("latin-1"), notify)

    def _encoded(self) -> bytes:
        return str(self._text.value).encode("latin-1", "replace")[: self.max_length - 1] + b"\0"
