"""Ports on loopback for simulated IOCs, and how clients are told of them."""

from __future__ import annotations

import atexit
import random
import socket
import sys
from collections.abc import Sequence

from adsupport.errors import IOCError

__all__ = ["client_environment", "free_port", "is_free", "server_environment", "share_ports"]

#: Largest array that a client asks for, bytes: a 2048 x 2048 float64 image and its header.
MAX_ARRAY_BYTES = 40_000_000

# Below the usual ephemeral ranges, so that no outgoing connection takes the port meanwhile.
_PORTS = range(12_000, 30_000)
_given_ports: set[int] = set()
_share = _PORTS


def share_ports(part: int, parts: int) -> None:
    """Let :func:`free_port` of this process keep to a part of the ports.

    Processes that run side by side choose their ports long before they use them: without parts
    of their own, two may choose the same.

    Parameters
    ----------
    part : int
        Number of this process, from 0.
    parts : int
        How many processes there are.
    """
    global _share
    _share = _PORTS[part::parts]


def free_port(*, hold: bool = False) -> int:
    """Return a port that is free on 127.0.0.1 for TCP and for UDP.

    The same port is never returned twice by one process.

    Parameters
    ----------
    hold : bool
        Whether other processes that call this are kept off the port until this one ends, for a
        port that will be used much later.  Only Linux has the means; elsewhere it's not done.

    Returns
    -------
    int
        The port.

    Raises
    ------
    IOCError
        No port could be had.
    """
    for port in random.SystemRandom().sample(_share, min(200, len(_share))):
        if port not in _given_ports and is_free(port) and _is_ours(port, hold):
            _given_ports.add(port)
            return port
    raise IOCError(
        f"No free port on 127.0.0.1 between {_share.start} and {_share.stop}, 200 tried."
        " Expected a port free for TCP and UDP. Stop other servers and try again."
    )


def is_free(port: int) -> bool:
    """Tell whether a port is free on 127.0.0.1 for TCP and for UDP.

    Parameters
    ----------
    port : int
        The port.

    Returns
    -------
    bool
        False when somebody has it.
    """
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def _is_ours(port: int, hold: bool) -> bool:
    """Tell whether no other process holds a port; a name of the kernel's stands for it."""
    if sys.platform != "linux":
        return True
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        sock.bind(f"\0adsupport-port-{port}")
    except OSError:
        sock.close()
        return False
    if hold:
        atexit.register(sock.close)
    else:
        sock.close()
    return True


def client_environment(*ports: int, pva_ports: Sequence[int] = ()) -> dict[str, str]:
    """Return the environment with which Channel Access clients find IOCs on loopback.

    Put it in ``os.environ`` before the first ``import epics`` (or ophyd): libca reads it once.

    Parameters
    ----------
    *ports : int
        The port of each IOC.  Two IOCs can't share one port on loopback.
    pva_ports : sequence of int
        The pvAccess port of each IOC, such as :attr:`IOCProcess.pva_port`, for clients such as
        p4p; without any, nothing is said about pvAccess.

    Returns
    -------
    dict of str to str
        Names and values of the variables.
    """
    environment = {
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_ADDR_LIST": " ".join(f"127.0.0.1:{port}" for port in ports),
        "EPICS_CA_MAX_ARRAY_BYTES": str(MAX_ARRAY_BYTES),
        # no repeater passes on the beacon of an IOC that is back: libca must look for it itself
        "EPICS_CA_MAX_SEARCH_PERIOD": "60",
    }
    if pva_ports:
        environment["EPICS_PVA_AUTO_ADDR_LIST"] = "NO"
        environment["EPICS_PVA_ADDR_LIST"] = " ".join(f"127.0.0.1:{port}" for port in pva_ports)
    return environment


def server_environment(port: int, pva_port: int) -> dict[str, str]:
    """Return the environment in which an IOC serves loopback, and nothing else.

    Parameters
    ----------
    port : int
        Its Channel Access port.
    pva_port : int
        Its pvAccess port, TCP and search alike.

    Returns
    -------
    dict of str to str
        Names and values of the variables.
    """
    return {
        "EPICS_CA_SERVER_PORT": str(port),
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        # a beacon to nobody but loopback, whatever the client side of this process talks to
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": "127.0.0.1",
        "EPICS_PVAS_SERVER_PORT": str(pva_port),
        "EPICS_PVAS_BROADCAST_PORT": str(pva_port),
        "EPICS_PVAS_INTF_ADDR_LIST": "127.0.0.1",
    }
