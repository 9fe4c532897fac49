"""The pvAccess server of an IOC; it needs p4p, and says so when that is not installed."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from adsupport.sim.ioc import IOC

if TYPE_CHECKING:
    from adsupport.sim.ndarray import NDArray

LOOPBACK = "127.0.0.1"

_log = logging.getLogger(__name__)


class ImageChannel:
    """A PV that holds the newest array.

    Parameters
    ----------
    name : str
        PV name, such as ``ad:Pva1:Image``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._pv: Any = None

    def open(self) -> Any:
        """Return what p4p serves: an NTNDArray without pixels, until the first post."""
        from p4p.server.raw import SharedPV

        from adsupport.sim.pva.structure import empty

        self._pv = SharedPV(initial=empty())
        return self._pv

    def post(self, array: NDArray) -> None:
        """Serve an array, from any thread; nothing happens without a server.

        Parameters
        ----------
        array : NDArray
            Must not be changed any more.
        """
        if self._pv is not None:
            from adsupport.sim.pva.structure import ntndarray

            self._pv.post(ntndarray(array))


class PvaServer:
    """Serves the images of an IOC from its start to its stop, on loopback unless told otherwise.

    The variables ``EPICS_PVAS_...`` of the environment decide on ports and interfaces. When the
    port is taken, another one is: clients find it by search.

    Parameters
    ----------
    ioc : IOC
        Starts and stops the server.

    Attributes
    ----------
    channels : list of ImageChannel
        What is served; complete before the IOC starts.
    port : int or None
        TCP port, while serving.
    """

    def __init__(self, ioc: IOC) -> None:
        self.channels: list[ImageChannel] = []
        self.port: int | None = None
        self._server: Any = None
        ioc.starters.append(self._start)
        ioc.stoppers.append(self.stop)

    def _start(self, _: asyncio.AbstractEventLoop) -> None:
        names = ", ".join(channel.name for channel in self.channels)
        try:
            from p4p.server import Server
        except ImportError as error:
            _log.warning(
                'no pvAccess for %s: p4p cannot be imported (%s); pip install "adsupport[pva]"',
                names,
                error,
            )
            return
        served = {channel.name: channel.open() for channel in self.channels}
        try:
            self._server = Server(providers=[served], conf=settings(os.environ))
        except (RuntimeError, ValueError) as error:  # an interface or port that can't be
            _log.error(
                "no pvAccess for %s: %s; see EPICS_PVAS_INTF_ADDR_LIST and EPICS_PVAS_SERVER_PORT",
                names,
                error,
            )
            return
        self.port = int(self._server.conf()["EPICS_PVAS_SERVER_PORT"])
        _log.info("pvAccess serves %s on port %d", names, self.port)

    def stop(self) -> None:
        """Close every connection; safe to call twice."""
        server, self._server, self.port = self._server, None, None
        if server is not None:
            server.stop()


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the configuration of a server that keeps to loopback.

    Parameters
    ----------
    environment : mapping of str to str
        What it sets is left to p4p, which reads it itself.
    """
    defaults = {
        "EPICS_PVAS_INTF_ADDR_LIST": LOOPBACK,
        "EPICS_PVAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_PVAS_BEACON_ADDR_LIST": LOOPBACK,
    }
    return {name: value for name, value in defaults.items() if not environment.get(name)}


_servers: WeakKeyDictionary[IOC, PvaServer] = WeakKeyDictionary()


def pva_server(ioc: IOC) -> PvaServer:
    """Return the pvAccess server of an IOC, the same for all its plugins.

    Parameters
    ----------
    ioc : IOC
        Not started yet.
    """
    if ioc not in _servers:
        _servers[ioc] = PvaServer(ioc)
    return _servers[ioc]
