"""Answers to name searches, as a real IOC gives them."""

from __future__ import annotations

import logging
import socket
from typing import Any

from caproto import (
    DEFAULT_PROTOCOL_VERSION,
    SearchRequest,
    SearchResponse,
    VersionRequest,
    VersionResponse,
)
from caproto.asyncio.server import Context

_SEARCH_BUFFER = 4 * 2**20
"""Bytes of search datagrams that may wait: a client with thousands of channels sends hundreds at
once, and asks again only after seconds for the names that were lost."""

log = logging.getLogger(__name__)


class SearchContext(Context):
    """caproto's server, which tells libca's search datagrams apart.

    libca numbers its datagrams in the version message that begins them. An answer that repeats
    the number lets it ask for more names at once; without, it asks for some thirty names every
    30 ms, and thousands of channels take ten seconds to connect.
    """

    async def _create_broadcaster_transport(self, interface: str) -> None:
        await super()._create_broadcaster_transport(interface)
        sock = self.udp_socks[interface].transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SEARCH_BUFFER)

    async def _broadcaster_queue_iteration(
        self, addr: tuple[str, int], commands: list[Any]
    ) -> None:
        self.broadcaster.process_commands(commands)
        if addr in self.ignore_addresses:
            return
        answers: list[VersionResponse | SearchResponse] = []
        for command in commands:
            if isinstance(command, VersionRequest):
                version = VersionResponse(DEFAULT_PROTOCOL_VERSION)
                version.header.parameter1 = command.header.parameter1
                answers.insert(0, version)
            elif isinstance(command, SearchRequest) and self._has(command.name):
                # no address: the client takes the datagram's
                answers.append(
                    SearchResponse(self.port, None, command.cid, DEFAULT_PROTOCOL_VERSION)
                )
        if not any(isinstance(answer, SearchResponse) for answer in answers):
            return
        datagram = self.broadcaster.send(*answers)
        for server in self.udp_socks.values():
            try:
                await server.sendto(datagram, addr)
            except OSError as error:  # a client that has gone; it searches again if it lives
                log.debug("no answer to %s: %s", addr, error)

    def _has(self, name: str) -> bool:
        try:
            self[name]
        except KeyError:
            return False
        return True
