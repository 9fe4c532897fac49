"""Viewers of the worse kind, and unlucky ones, at the page's server."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from adsupport.errors import ConfigurationError
from adsupport.imaging.view import LiveView, drawings, server

from .looking import TIMEOUT, Watcher, answer

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")


@pytest.fixture
def view():
    made = LiveView(limits=(0, 255))
    made.show_image("camera", np.arange(200, dtype=np.uint8).reshape(10, 20), {"angle": 1.5})
    return made


@pytest.fixture
def page(view):
    with view.serve(patience=1.0) as served:
        yield served


def test_the_latest_picture_comes_next_however_many_came_meanwhile(view, page):
    with Watcher(page.address) as watcher:
        first = watcher.wait("picture")[0]["number"]
        data = None
        for number in range(1, 40):
            view.show_image("camera", np.full((2, 2), number))
            if number == 1:  # the one that isn't confirmed
                while not isinstance(data, bytes):
                    data = watcher.socket.recv(TIMEOUT)
        watcher.send({"do": "shown", "serial": 2})
        header, _ = watcher.wait("picture")
        assert header["number"] == first + 39


def test_a_viewer_that_says_nothing_is_sent_away(view):
    with view.serve(patience=0.3) as page, Watcher(page.address) as watcher:
        watcher.wait("picture")
        view.show_image("camera", np.ones((2, 2)))
        with pytest.raises(ConnectionClosed) as closed:
            while True:  # reads, and never says that it has drawn
                watcher.socket.recv(TIMEOUT)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013


@contextlib.contextmanager
def raw_viewer(page):
    """A viewer that asks for pictures, and reads nothing by itself."""
    with socket.create_connection(("127.0.0.1", page.port), TIMEOUT) as raw:
        where = f"127.0.0.1:{page.port}"
        raw.sendall(
            f"GET /pictures HTTP/1.1\r\nHost: {where}\r\nOrigin: http://{where}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert b"101" in raw.recv(200)
        look = (
            b'{"do":"look","channel":"","limits":null,"region":null,"size":[4096,4096],'
            b'"profile":null,"cursor":null,"paused":false}'
        )
        raw.sendall(b"\x81" + bytes([128 + 126]) + len(look).to_bytes(2) + bytes(4) + look)
        yield raw


def test_a_viewer_that_stops_reading_is_sent_away(view):
    image = np.random.default_rng(1).integers(0, 255, (2000, 2000), dtype=np.uint8)
    with view.serve(patience=0.3) as page, raw_viewer(page):
        pause = threading.Event()
        seen = False
        for number in range(200):  # and nobody reads
            view.show_image("camera", image + number % 7)
            pause.wait(0.05)
            seen = seen or page.looking == 1
            if seen and page.looking == 0:
                break
        assert seen and page.looking == 0


def test_the_connection_of_one_who_reads_a_bit_now_and_then_is_let_go_of(view, monkeypatch):
    monkeypatch.setattr(server, "_REQUEST", 0.5)
    view.show_image("camera", np.zeros((4000, 4000), np.uint8))
    with view.serve(patience=0.3) as page, raw_viewer(page) as raw:
        both = len(os.listdir("/dev/fd"))  # this end of it, and the other one
        pause, left = threading.Event(), (0, 1)
        for _ in range(200):  # 10 s
            pause.wait(0.05)
            with contextlib.suppress(ConnectionResetError):
                raw.recv(1000)
            left = len(os.listdir("/dev/fd")) - both, page.looking
            if left == (-1, 0):
                break
        assert left == (-1, 0)


def test_wrong_commands_are_refused_and_too_many_end_it(view, page):
    with Watcher(page.address) as watcher:
        watcher.wait("picture")
        watcher.send('{"do": "delete"}')
        message, _ = watcher.wait("refused")
        assert message["text"] == "Refused: an unknown command."
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(20):
                watcher.send(b"\x00\x01")
            while True:
                watcher.next()
        assert closed.value.rcvd.code == 1008


@pytest.mark.slow
def test_a_message_that_is_too_long_ends_it(view, page):
    with Watcher(page.address) as watcher:
        watcher.wait("picture")
        with pytest.raises(ConnectionClosed) as closed:
            watcher.send("x" * 100_000)
            while True:
                watcher.next()
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009


def test_many_connections_take_no_more_handles_than_some(view):
    with view.serve() as page, contextlib.ExitStack() as stack:
        where = ("127.0.0.1", page.port)
        held = [stack.enter_context(socket.create_connection(where, TIMEOUT)) for _ in range(120)]
        for each in held[-20:]:  # closed by the server: the first ones are waited for
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(1) == b""
        held[0].sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert held[0].recv(12) == b"HTTP/1.1 200"


def test_connections_that_say_nothing_do_not_keep_others_out(view, monkeypatch):
    monkeypatch.setattr(server, "_REQUEST", 0.5)
    with view.serve() as page, contextlib.ExitStack() as stack:
        where = ("127.0.0.1", page.port)
        held = [stack.enter_context(socket.create_connection(where, TIMEOUT)) for _ in range(64)]
        whole = b"GET /view.css HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        held[1].sendall(whole)  # not quite
        held[2].sendall(whole + b"\r\n" + whole)  # one, and half of the next
        for each in held:
            with contextlib.suppress(ConnectionResetError):
                while each.recv(1 << 16):
                    pass
        assert answer(page)[0] == 200
        with Watcher(page.address) as watcher:  # it isn't a request that takes long
            for number in range(3):
                watcher.wait("picture")
                threading.Event().wait(0.3)
                view.show_image("camera", np.full((2, 2), number))


def test_a_viewer_without_a_command_is_sent_away(view):
    with view.serve(patience=0.3) as page:
        origin = page.address.rstrip("/")
        address = f"{origin.replace('http', 'ws')}/pictures"
        with connect(address, origin=origin, proxy=None) as idle:  # type: ignore[arg-type]
            with pytest.raises(ConnectionClosed) as closed:
                for _ in range(5):  # one a second comes
                    idle.recv(TIMEOUT)
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


def test_a_viewer_that_sends_without_end_is_cut_and_others_see_on(view, page):
    with Watcher(page.address) as other, Watcher(page.address) as flood:
        other.wait("picture")
        flood.wait("picture")
        with pytest.raises(ConnectionClosed):
            for _ in range(50_000):
                flood.send({"do": "shown", "serial": 0})
            for _ in range(50):  # what came before it was cut
                flood.socket.recv(TIMEOUT)
        view.show_image("camera", np.full((4, 4), 9.0))
        other.wait("picture", lambda each: each["type"] == "float64")


def test_a_message_in_parts_without_end_is_cut(view, page):
    with Watcher(page.address) as watcher:
        watcher.wait("picture")
        with pytest.raises(ConnectionClosed):
            watcher.socket.send("" for _ in range(20_000))
            for _ in range(50):  # what came before it was cut
                watcher.socket.recv(TIMEOUT)


def test_nonsense_of_strangers_is_not_printed(view, page, caplog):
    caplog.set_level(logging.INFO)
    where = ("127.0.0.1", page.port)
    upgrade = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
    for data in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET /\xff\r\n\r\n", upgrade):
        with socket.create_connection(where, TIMEOUT) as raw:
            raw.sendall(data)
            assert raw.recv(9) == b"HTTP/1.1 "
    with Watcher(page.address) as watcher, pytest.raises(ConnectionClosed) as closed:
        watcher.socket.send(b"\xff\xfe", text=True)
        while True:
            watcher.next()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1007
    assert [each.getMessage() for each in caplog.records if each.name != "asyncio"] == []


def test_an_image_that_cannot_be_drawn_is_told_of_and_the_next_one_shown(view, page, monkeypatch):
    def refuse(*given):
        raise MemoryError("no room")

    with Watcher(page.address) as watcher:
        watcher.wait("picture")
        with monkeypatch.context() as patched:
            patched.setattr(drawings, "rendered", refuse)
            view.show_image("camera", np.full((4, 4), 9.0))
            said = "This image can't be drawn: no room"
            watcher.wait("state", lambda each: each["status"] == said)
        view.show_image("camera", np.full((4, 4), 9, np.uint8))
        assert watcher.wait("picture")[0]["type"] == "uint8"
        watcher.wait("state", lambda each: each["status"] == "")


# --- addresses


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"port": 70_000}, "port=70000: expected 0 to 65535"),
        ({"port": -1}, "port=-1: expected 0 to 65535"),
        ({"port": "8765"}, "port='8765': expected 0 to 65535"),
        ({"host": "..a"}, "host='..a': "),
        ({"host": "a" * 70}, "host='aaa"),
    ],
)
def test_an_address_that_cannot_be(view, given, expected):
    with pytest.raises(ConfigurationError, match=expected):
        view.serve(**given)


def test_patience_without_end(view):
    with view.serve(patience=float("inf")) as page, Watcher(page.address) as watcher:
        watcher.wait("picture")


def test_all_addresses_of_both_kinds(view):
    try:
        page = view.serve(host="::")
    except ConfigurationError:
        pytest.skip("needs IPv6")
    with page:
        for host, named in (("127.0.0.2", "127.0.0.2"), ("::1", "[::1]")):
            assert answer(page, where=host, Host=f"{named}:{page.port}")[0] == 200
            assert answer(page, where=host, Host="10.0.0.1")[0] == 403
