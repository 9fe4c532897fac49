"""What both sides of a connection ask of ZeroMQ."""

from __future__ import annotations

from typing import Any

__all__ = ["HEARTBEAT", "beat", "zeromq"]

#: Seconds between heartbeats; a peer that misses three is gone.
HEARTBEAT = 0.4


def zeromq() -> Any:
    """Import pyzmq.

    Returns
    -------
    module
        ``zmq``.

    Raises
    ------
    ImportError
        It isn't installed.
    """
    try:
        import zmq
    except ImportError:
        raise ImportError(
            "pyzmq is needed for frames over ZeroMQ: pip install 'adsupport[remote]'."
        ) from None
    return zmq


def beat(socket: Any) -> None:
    """Let the threads of ZeroMQ send heartbeats, and end a connection that doesn't answer.

    Parameters
    ----------
    socket : zmq.Socket
        Before it is bound or connected.
    """
    zmq = zeromq()
    socket.setsockopt(zmq.HEARTBEAT_IVL, int(1000 * HEARTBEAT))
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, int(3000 * HEARTBEAT))
