"""The messages that carry a value to a client: of a monitor, and in answer to a read.

An IOC with frames to show sends thousands of these a second.  caproto's own way makes an object
of each, checks it against the state of the circuit and writes it to the log; that took most of
the simulator's time.  The layout is that of the Channel Access protocol specification,
``CA_PROTO_EVENT_ADD`` and ``CA_PROTO_READ_NOTIFY`` as responses.
"""

from __future__ import annotations

import struct
from typing import Any

from caproto import ChannelType

EVENT_ADD, READ_NOTIFY = 1, 15
"""Numbers of the commands that a value answers."""

_HEADER = struct.Struct(">HHHHII")
_EXTENDED = struct.Struct(">HHHHIIII")
_MOST = 0xFFFF
"""Largest size and element count that the short header can tell."""


def value_message(
    command: int, metadata: Any, data: Any, data_type: ChannelType, status: int, number: int
) -> bytes:
    """Build the message that carries a value.

    Parameters
    ----------
    command : int
        :data:`EVENT_ADD` or :data:`READ_NOTIFY`.
    metadata : ctypes.BigEndianStructure or bytes
        What stands before the data: alarm, time stamp and so on.
    data : bytes, numpy.ndarray or DbrStringArray
        Elements in network byte order; ``len()`` is the element count.
    data_type : ChannelType
        Type of both together.
    status : int
        Status number; 1 is success.
    number : int
        The client's number of its monitor, or of its request.
    """
    before = bytes(metadata)
    elements = data if isinstance(data, bytes) else data.tobytes()
    size = len(before) + len(elements)
    padding = -size % 8
    size += padding
    count = len(data)
    if size > _MOST or count > _MOST:
        header = _EXTENDED.pack(command, _MOST, data_type, 0, status, number, size, count)
    else:
        header = _HEADER.pack(command, size, data_type, count, status, number)
    return b"".join((header, before, elements, bytes(padding)))
