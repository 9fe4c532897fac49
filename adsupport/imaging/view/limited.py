"""Connections to the page's server, no more than some: each takes a file handle of the process."""

from __future__ import annotations

from typing import Any

__all__ = ["limited_protocol"]


def limited_protocol(most: int) -> type[Any]:
    """Make uvicorn's protocol for HTTP with a limit.

    Parameters
    ----------
    most : int
        Connections, web sockets included; later ones are closed at once.  uvicorn's own limit
        answers them, and lets those go on that send no request.

    Returns
    -------
    type
        For ``uvicorn.Config(http=...)``.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Limited(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.abort()

    return Limited
