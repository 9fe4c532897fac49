"""Lets pages of this server alone have anything of it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

__all__ = ["OriginGuard", "problem_with"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
#: A name or an address, and perhaps a port: that of a tunnel is another one than here.
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class OriginGuard:
    """Refuses requests of other pages than its own, before the application sees them.

    A browser sends the name that it reached the server by (``Host``) and the page that asks
    (``Origin``, ``Sec-Fetch-Site``); none of these can be set by a page.  The name has to be one of
    this server's, so that no foreign name leads here (DNS rebinding), and the page has to come from
    the same name and port.

    Parameters
    ----------
    app : callable
        The ASGI application.
    names : iterable of str
        Under which it may be reached besides those of loopback, and the address that a connection
        came to.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], names: Iterable[str] = ()) -> None:
        self._app = app
        self._names = _LOOPBACK | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] not in ("http", "websocket"):
            return
        reached = (scope.get("server") or ("",))[0]
        wrong = problem_with(scope, self._names | {str(reached)})
        if not wrong:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": wrong})
        else:
            answer = _with_headers(send)
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await answer({"type": "http.response.start", "status": 403, "headers": headers})
            await answer({"type": "http.response.body", "body": f"Refused: {wrong}.\n".encode()})


def problem_with(scope: Scope, names: Iterable[str]) -> str:
    """Tell why a request isn't obeyed.

    Parameters
    ----------
    scope : mapping
        Of ASGI.
    names : iterable of str
        Names of this server, without a port.

    Returns
    -------
    str
        Empty when it's all right.
    """
    given: dict[str, list[str]] = {}
    for key, value in scope["headers"]:
        given.setdefault(key.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    if any(len(given.get(name, ())) > 1 for name in ("host", "origin", "sec-fetch-site")):
        return "a header came twice"
    host = given.get("host", [""])[0].lower()
    if _name_of(host) not in {_plain(name) for name in names}:
        return f"this server isn't {host[:100]!r}"
    origin = given.get("origin", [None])[0]
    if origin is not None and origin.lower() != f"http://{host}":
        return f"{origin[:100]} is another origin"
    if scope["type"] == "websocket":
        return "no origin" if origin is None else ""
    if scope["method"] not in ("GET", "HEAD"):
        return f"{scope['method'][:20]} does nothing here"
    site = given.get("sec-fetch-site", ["none"])[0]
    if site not in ("same-origin", "none") and not _is_visit(scope, given):
        return "another page asks"
    return ""


def _is_visit(scope: Scope, given: dict[str, list[str]]) -> bool:
    """Tell whether somebody follows a link to the page, say from a notebook."""
    return (
        scope["path"] == "/"
        and given.get("sec-fetch-mode") == ["navigate"]
        and given.get("sec-fetch-dest") == ["document"]
    )


def _name_of(host: str) -> str:
    found = _HOST.fullmatch(host)
    return _plain(found[1] or found[2]) if found else ""


def _plain(name: str) -> str:
    """Bring an address to one way of writing it."""
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return name.lower()
    # an IPv4 address, as a socket for both kinds sees it
    return str(getattr(found, "ipv4_mapped", None) or found)


def _with_headers(send: Send) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return sending
