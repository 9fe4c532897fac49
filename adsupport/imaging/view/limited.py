"""Connections to the page's server: no more than some, and not for those who misuse them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

__all__ = ["limited_protocols"]

#: Bytes a second, and bytes at once, of commands: the page sends 50 a second of 200 bytes.
_RATE = 32_768
_AT_ONCE = 65_536
#: Parts of a command: a browser sends it in one.
_MOST_PARTS = 64

_log = logging.getLogger(__name__)
#: What strangers send that is no request is theirs to mend: it doesn't belong on the terminal.
_log.addFilter(
    lambda record: record.levelno >= logging.ERROR and not record.msg.startswith("Invalid UTF-8")
)


def limited_protocols(most: int, patience: float) -> tuple[type[Any], type[Any]]:
    """Make uvicorn's protocols with limits: each connection takes a file handle of the process.

    Parameters
    ----------
    most : int
        Connections, web sockets included; later ones are closed at once.  uvicorn's own limit
        answers them, and lets those go on that send no request.
    patience : float
        Seconds to send a whole request and to take the answer, counted from the connection or the
        answer before; and to take what is left when a web socket ends.  Then it's cut, as it is
        when it sends more commands than a page can.

    Returns
    -------
    http : type
        For ``uvicorn.Config(http=...)``.
    ws : type
        For ``uvicorn.Config(ws=...)``.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    class LimitedHTTP(H11Protocol):
        _cut: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.logger = _log
            if len(self.connections) > most:
                transport.abort()
            else:
                self._wait()

        def on_response_complete(self) -> None:
            self._wait()  # first: the next request may be here already, and be a web socket's
            super().on_response_complete()

        def handle_websocket_upgrade(self, event: Any) -> None:
            self._wait_no_more()
            super().handle_websocket_upgrade(event)

        def connection_lost(self, exc: Exception | None) -> None:
            self._wait_no_more()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._wait_no_more()
            self._cut = self.loop.call_later(patience, self.transport.abort)

        def _wait_no_more(self) -> None:
            if self._cut is not None:
                self._cut.cancel()
                self._cut = None

    class LimitedWebSocket(WebSocketsSansIOProtocol):
        _resting = False

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.logger = _log

        def data_received(self, data: bytes) -> None:
            if len(data) > _AT_ONCE:
                self.transport.abort()
                return
            super().data_received(data)
            # whoever sends without end would take the processor from the acquisition
            self._resting = True
            self.transport.pause_reading()
            self.loop.call_later(len(data) / _RATE, self._go_on)

        async def receive(self) -> Any:
            message = await super().receive()
            if self._resting:
                self.transport.pause_reading()
            return message

        def _go_on(self) -> None:
            self._resting = False
            if not self.read_paused:
                self.transport.resume_reading()

        def handle_cont(self, event: Any) -> None:
            if len(self.frames) < _MOST_PARTS:
                super().handle_cont(event)
            else:
                self.transport.abort()

        def on_task_complete(self, task: asyncio.Task[None]) -> None:
            super().on_task_complete(task)
            # a transport that is closed waits for a reader as long as one reads a byte a minute
            self.loop.call_later(patience, self.transport.abort)

    return LimitedHTTP, LimitedWebSocket
