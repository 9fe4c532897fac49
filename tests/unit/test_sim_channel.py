"""The value that a channel holds, and who is told of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from caproto import ChannelType, SubscriptionType

from adsupport.sim.ca.channel import Channel


class Listener:
    """A subscriber that counts."""

    mask = SubscriptionType.DBE_VALUE | SubscriptionType.DBE_LOG

    def __init__(self) -> None:
        self.updates = 0

    def update(self, channel: Channel) -> None:
        self.updates += 1


@pytest.mark.parametrize(
    "held",
    [np.zeros(0, np.int8), np.zeros(3, np.int8), np.zeros(2000, np.int8)],
    ids=["empty", "short", "long"],
)
@pytest.mark.parametrize("value", [b"text", 0], ids=["text", "number"])
def test_text_may_take_the_place_of_an_array(held: Any, value: Any) -> None:
    channel = Channel(ChannelType.CHAR, held, count=2000)
    listener = Listener()
    channel.subscribers.append(listener)  # type: ignore[arg-type]
    channel.post(value)
    assert channel.value == value
    assert listener.updates == 1


def test_an_equal_number_is_no_news() -> None:
    channel = Channel(ChannelType.LONG, 5)
    listener = Listener()
    channel.subscribers.append(listener)  # type: ignore[arg-type]
    channel.post(5)
    assert listener.updates == 0
    channel.post(6)
    assert listener.updates == 1
