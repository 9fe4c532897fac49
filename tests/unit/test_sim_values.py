"""Messages with values of the simulated IOC, compared with those that caproto builds."""

from __future__ import annotations

import caproto
import numpy as np
import pytest
from caproto import ChannelType
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.ca.channel import Channel, Metadata
from adsupport.sim.ca.values import EVENT_ADD, READ_NOTIFY, value_message

PLAIN = ("STRING", "INT", "FLOAT", "ENUM", "CHAR", "LONG", "DOUBLE")
KINDS = ("", "STS_", "TIME_", "GR_", "CTRL_")
TYPES = [
    kind
    for kind in (ChannelType[a + b] for a in KINDS for b in PLAIN if a + b != "GR_STRING")
    if kind is not ChannelType["CTRL_STRING"]
]


MESSAGES = {EVENT_ADD: caproto.EventAddResponse, READ_NOTIFY: caproto.ReadNotifyResponse}


def check(channel, data_type, number=5):
    """Compare both messages with what caproto sends."""
    metadata, data = channel.read(data_type)
    for command, cls in MESSAGES.items():
        built = value_message(command, metadata, data, data_type, 1, number)
        assert built == bytes(cls(data, data_type, len(data), 1, number, metadata=metadata))


@given(st.sampled_from(TYPES), st.integers(-(2**15), 2**15 - 1), st.integers(0, 2**32 - 1))
def test_a_number_as_every_type(data_type, value, subscription):
    channel = Channel(
        ChannelType.LONG, value, meta=Metadata("counts", 2, limits={"upper_disp_limit": 7})
    )
    check(channel, data_type, subscription)


@given(st.floats(allow_nan=False), st.sampled_from(["DOUBLE", "TIME_DOUBLE", "CTRL_DOUBLE"]))
def test_real_numbers(value, name):
    channel = Channel(ChannelType.DOUBLE, value)
    check(channel, ChannelType[name])


@given(st.text(st.characters(codec="latin-1"), max_size=60))
def test_texts(text):
    channel = Channel(ChannelType.STRING, text)
    check(channel, ChannelType.TIME_STRING)


@pytest.mark.parametrize("length", [0, 1, 3, 65_519, 65_520, 65_535, 65_536, 200_001])
@pytest.mark.parametrize("dtype", ["CHAR", "INT", "DOUBLE"])
def test_arrays_of_any_length(length, dtype):
    kind = ChannelType[f"TIME_{dtype}"]
    pixels = (np.arange(length) % 100).astype(np.uint8)
    value = pixels.tobytes() if dtype == "CHAR" else pixels.astype("i2" if dtype == "INT" else "f8")
    channel = Channel(ChannelType[dtype], value, count=300_000)
    check(channel, kind)
