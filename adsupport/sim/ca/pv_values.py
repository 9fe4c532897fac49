"""Values of PVs as the EPICS_PV attributes of a C IOC have them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from caproto import ChannelType

from adsupport.sim.attributes import PVReader
from adsupport.sim.ca.channel import Channel
from adsupport.sim.ca.wire import ConversionError, to_wire

_ATTRIBUTE_TYPES = {
    ChannelType.CHAR: np.int8,
    ChannelType.INT: np.int16,
    ChannelType.ENUM: np.int16,
    ChannelType.LONG: np.int32,
    ChannelType.FLOAT: np.float32,
    ChannelType.DOUBLE: np.float64,
}
"""Type of an attribute, by the DBR type in which its PV is read (ADCore's PVAttribute)."""


def channel_reader(channels: Mapping[str, Channel]) -> PVReader:
    """Return a reader of the PVs that an IOC serves itself.

    Parameters
    ----------
    channels : mapping of str to Channel
        The IOC's database.

    Returns
    -------
    callable
        See :data:`adsupport.sim.attributes.PVReader`.
    """

    def read(name: str, wanted: str) -> float | str | np.generic | None:
        try:
            channel = channels[name]
        except KeyError:
            return None
        return pv_value(channel, wanted)

    return read


def pv_value(channel: Channel, wanted: str) -> float | str | np.generic | None:
    """Return a channel's present value.

    Parameters
    ----------
    channel : Channel
        The channel.
    wanted : str
        DBR type without its ``DBR_``, such as ``STRING``; ``NATIVE`` is the channel's own.

    Returns
    -------
    str, numpy scalar or None
        Of an array its first element, and of a long text as a string all of it. None for what
        can't be had in that type.
    """
    native, value = channel.data_type, channel.value
    kind = native if wanted == "NATIVE" else ChannelType["INT" if wanted == "SHORT" else wanted]
    if kind is ChannelType.STRING and isinstance(value, bytes):
        return value.split(b"\0", 1)[0].decode("latin-1")
    try:
        found = to_wire(value, native, kind, channel.meta.enums, channel.meta.precision)
    except ConversionError:
        return None
    if not len(found):
        return None
    if kind is ChannelType.STRING:
        return bytes(found[0]).decode("latin-1")
    return _ATTRIBUTE_TYPES[kind](np.asarray(found[0]).astype(_ATTRIBUTE_TYPES[kind]))
