"""Serves the page of a live view, in a thread of its own."""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from types import TracebackType
from typing import Any

from ...errors import ConfigurationError
from .drawings import Drawings
from .guard import OriginGuard
from .limited import limited_protocols
from .messages import LONGEST_COMMAND
from .model import ViewModel
from .palettes import palettes
from .viewer import Viewer

__all__ = ["ViewServer"]

_log = logging.getLogger(__name__)

_KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


#: Besides those of viewers: for the page's files.
_MOST_CONNECTIONS = 48
#: Seconds for a request: whoever opens connections and says nothing would keep all others out.
_REQUEST = 8.0
_LONGEST = 2**31 - 1  # ms that a socket can be told to wait


class ViewServer:
    """The page of a live view; it runs until it's stopped, or the process ends.

    It serves this computer alone unless told otherwise: then everybody who can reach the address
    sees the images.  Nobody can change anything but what he sees himself.

    Parameters
    ----------
    model : ViewModel
        What is shown.
    port : int
        0: any free one.
    host : str
        Address or name of this computer to serve at; ``"0.0.0.0"``: at all.
    most : float
        Pictures a second for each viewer.
    viewers : int
        How many there may be at the same time.
    patience : float
        Seconds that a viewer has to draw a picture, until it's sent away.

    Attributes
    ----------
    address : str
        Of the page, such as ``http://127.0.0.1:8765/``.

    Raises
    ------
    ImportError
        A package is missing: ``pip install "adsupport[view]"``.
    ConfigurationError
        The address or the port can't be had.
    """

    def __init__(
        self,
        model: ViewModel,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        most: float = 15.0,
        viewers: int = 16,
        patience: float = 10.0,
    ) -> None:
        try:
            import uvicorn
            import websockets  # noqa: F401 - uvicorn takes it
            from starlette.applications import Starlette
        except ImportError as error:
            raise ImportError(
                f"{error.name} is needed for a live view's page: pip install 'adsupport[view]'."
            ) from None
        for argument, value in {"most": most, "viewers": viewers, "patience": patience}.items():
            if not value > 0:
                raise ConfigurationError(f"{argument}={value!r}: expected more than 0.")
        self._model, self._most = model, most
        self._viewers, self._patience = viewers, patience
        self._drawings = Drawings(model)
        self._looking: set[Viewer] = set()
        self._drawn = 0  # by those who are gone
        # one thread: pictures take no more than one processor from the acquisition
        self._executor = ThreadPoolExecutor(1, "live view pictures")
        self._socket = _bound(host, port, patience)
        self.port: int = self._socket.getsockname()[1]
        everywhere = _is_everywhere(host)
        named = socket.gethostname() if everywhere else host
        self.address = f"http://{f'[{named}]' if ':' in named else named}:{self.port}/"
        names = {host, named, socket.getfqdn()} if everywhere else {host}
        http, websocket = limited_protocols(_MOST_CONNECTIONS + viewers, _REQUEST)
        config = uvicorn.Config(
            OriginGuard(Starlette(routes=self._routes()), names),  # type: ignore[arg-type]
            http=http,
            ws=websocket,
            ws_max_size=LONGEST_COMMAND,
            ws_per_message_deflate=False,
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="live view page", daemon=True)
        self._thread.start()

    @property
    def looking(self) -> int:
        """How many viewers there are."""
        return len(self._looking)

    @property
    def drawn(self) -> int:
        """How many pictures viewers have drawn, all together."""
        return self._drawn + sum(viewer.drawn for viewer in tuple(self._looking))

    def stop(self) -> None:
        """Send all viewers away, and let go of the port."""
        self._server.should_exit = True
        self._thread.join(1.0)
        self._server.force_exit = True  # of those who don't take their leave
        self._thread.join(10)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> ViewServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __str__(self) -> str:
        return self.address

    # inside

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except Exception:
            _log.exception("The page of the live view failed.")
        finally:
            self._socket.close()

    def _routes(self) -> list[Any]:
        from starlette.responses import JSONResponse, Response
        from starlette.routing import Route, WebSocketRoute

        found: list[Any] = [WebSocketRoute("/pictures", self._look)]
        for file in resources.files(__name__.rpartition(".")[0]).joinpath("page").iterdir():
            kind = _KINDS.get("." + file.name.rpartition(".")[2])
            if kind is None:
                continue
            content = file.read_bytes()
            path = "/" if file.name == "index.html" else f"/{file.name}"
            found.append(Route(path, _giving(Response, content, media_type=kind)))
        colours = {name: each.ravel().tolist() for name, each in palettes().items()}
        found.append(Route("/palettes.json", _giving(JSONResponse, colours)))
        return found

    async def _look(self, websocket: Any) -> None:
        if len(self._looking) >= self._viewers:
            await websocket.accept()
            await websocket.close(1013, f"{self._viewers} others look already")
            return
        viewer = Viewer(
            websocket, self._model, self._drawings, self._executor, self._most, self._patience
        )
        self._looking.add(viewer)
        try:
            await viewer.run()
        finally:
            self._looking.discard(viewer)
            self._drawn += viewer.drawn


def _giving(kind: Any, content: Any, **options: Any) -> Any:
    async def give(request: Any) -> Any:  # noqa: ARG001
        return kind(content, **options)

    return give


def _bound(host: str, port: int, patience: float) -> socket.socket:
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ConfigurationError(f"port={port!r}: expected 0 to 65535.")
    try:
        where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(where[0], where[1])
    except (OSError, UnicodeError) as error:  # some texts can be no name
        text = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"host={host!r}: {text}.") from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # ms; ends connections of those who don't read
            limit = int(min(2000 * patience, _LONGEST))
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit)
        made.bind(where[4])
        made.listen(64)
    except OSError as error:
        made.close()
        raise ConfigurationError(
            f"port={port} of {host} can't be had: {error.strerror or error}.",
            remedy="With port=0 any free one is taken.",
        ) from error
    return made


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
