"""The message that tells a client of a monitor's new value.

An IOC with frames to show sends thousands of these a second.  caproto's own way makes an object
of each, checks it against the state of the circuit and writes it to the log; that took most of
the simulator's time.  The layout is that of the Channel Access protocol specification,
``CA_PROTO_EVENT_ADD`` as a response.
"""

from __future__ import annotations

import struct
from typing import Any

from caproto import ChannelType

_COMMAND = 1
_HEADER = struct.Struct(">HHHHII")
_EXTENDED = struct.Struct(">HHHHIIII")
_MOST = 0xFFFF
"""Largest size and element count that the short header can tell."""


def event_message(
    metadata: Any, data: Any, data_type: ChannelType, status: int, subscription: int
) -> bytes:
    """Build the message of one event.

    Parameters
    ----------
    metadata : ctypes.BigEndianStructure or bytes
        What stands before the data: alarm, time stamp and so on.
    data : bytes, numpy.ndarray or DbrStringArray
        Elements in network byte order; ``len()`` is the element count.
    data_type : ChannelType
        Type of both together.
    status : int
        Status number; 1 is success.
    subscription : int
        The client's number of its monitor.
    """
    before = bytes(metadata)
    elements = data if isinstance(data, bytes) else data.tobytes()
    size = len(before) + len(elements)
    padding = -size % 8
    size += padding
    count = len(data)
    if size > _MOST or count > _MOST:
        header = _EXTENDED.pack(_COMMAND, _MOST, data_type, 0, status, subscription, size, count)
    else:
        header = _HEADER.pack(_COMMAND, size, data_type, count, status, subscription)
    return b"".join((header, before, elements, bytes(padding)))
