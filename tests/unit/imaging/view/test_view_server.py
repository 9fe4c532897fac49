"""The page's server, as browsers of all kinds of people see it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from adsupport.errors import ConfigurationError
from adsupport.imaging.view import LiveView

from .looking import TIMEOUT, Watcher, answer

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")


@pytest.fixture(scope="module")
def served():
    """A view and its page, shared by the module."""
    view = LiveView(limits=(0, 255))
    with view.serve(patience=1.0) as page:
        yield view, page


@pytest.fixture
def view(served):
    view, _ = served
    view.model.link(True)
    view.show_image("camera", np.arange(200, dtype=np.uint8).reshape(10, 20), {"angle": 1.5})
    return view


@pytest.fixture
def page(served):
    return served[1]


def visit(dest: str) -> dict[str, str]:
    """What a browser sends when a link of another site is followed."""
    return {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": dest,
    }


# --- the page


def test_the_page_and_all_that_it_asks_for_are_served(page):
    status, headers, content = answer(page)
    assert status == 200 and b"<h1>Live view</h1>" in content
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (
        b"http://" not in content.replace(b"http://www.w3.org", b"") and b"https://" not in content
    )
    for name in ("view.js", "stage.js", "charts.js", "connection.js", "words.js", "view.css"):
        assert answer(page, f"/{name}")[0] == 200
    assert answer(page, "/palettes.json")[2].startswith(b'{"gray":[0,0,0,1,1,1')
    assert answer(page, "/../server.py")[0] == 404


def test_it_serves_this_computer_alone_unless_told_otherwise(page):
    assert page.address.startswith("http://127.0.0.1:")
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(1)
        other.connect(("127.0.0.2", page.port))


@pytest.mark.slow
def test_a_port_that_somebody_has(view, page):
    with pytest.raises(ConfigurationError, match=f"port={page.port} .*can't be had"):
        view.serve(page.port)
    with pytest.raises(ConfigurationError, match="host='no such host'"):
        view.serve(host="no such host")


def test_without_the_extra_it_says_what_to_install(view, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ImportError, match=r"uvicorn is needed .* 'adsupport\[view\]'"):
        view.serve()


@pytest.mark.slow
def test_stopping_sends_viewers_away_and_frees_the_port(view):
    with view.serve() as page, Watcher(page.address) as watcher:
        watcher.wait("picture")
        page.stop()
        with pytest.raises(ConnectionClosed):
            while True:
                watcher.next()
    with view.serve(page.port) as again:
        assert answer(again)[0] == 200
    view.show_image("camera", np.ones((2, 2)))  # nobody looks: no error


# --- pictures


def test_a_viewer_gets_what_is_there_and_then_what_comes(view, page):
    with Watcher(page.address) as watcher:
        header, levels = watcher.wait("picture")
        assert header["shape"] == [10, 20] and header["type"] == "uint8"
        assert header["facts"] == {"angle": 1.5} and header["limits"] == [0, 255]
        np.testing.assert_array_equal(levels, np.arange(200).reshape(10, 20))
        view.show_image("camera", np.full((4, 4), 9.0))
        header, levels = watcher.wait("picture", lambda each: each["type"] == "float64")
        assert (levels == 9).all()


def test_region_limits_cursor_and_profile_act(view, page):
    with Watcher(page.address, region=[4, 2, 12, 8]) as watcher:
        header, levels = watcher.wait("picture")
        assert header["region"] == [4, 2, 12, 8]
        np.testing.assert_array_equal(levels, np.arange(200).reshape(10, 20)[2:8, 4:12])
        watcher.look(region=None, limits={"kind": "fixed", "low": 0, "high": 100})
        header, levels = watcher.wait("picture")
        assert levels.max() == 255 and header["limits"] == [0, 100]
        watcher.look(cursor=[3, 2], profile=[0, 1, 3, 1])
        reading, _ = watcher.wait("reading")
        assert reading["cursor"] == [3, 2, 43]
        assert reading["profile"] == [20, 21, 22, 23]


def test_a_frozen_viewer_looks_at_the_same_image_more_closely(view, page):
    with Watcher(page.address, paused=True) as watcher:
        number = watcher.wait("picture")[0]["number"]
        view.show_image("camera", np.zeros((10, 20), np.uint8))
        watcher.look(region=[0, 0, 5, 5])
        header, levels = watcher.wait("picture")
        assert header["number"] == number and levels[4, 4] == 84
        watcher.look(paused=False)
        header, levels = watcher.wait("picture")
        assert header["number"] == number + 1 and not levels.any()


@pytest.mark.slow
def test_several_viewers_look_at_what_they_like(view):
    view.show_image("slice z", np.ones((3, 3), np.uint8))
    with (
        view.serve() as page,
        Watcher(page.address) as one,
        Watcher(page.address, channel="slice z") as other,
    ):
        assert one.wait("picture")[0]["channel"] == "camera"
        assert other.wait("picture")[0]["channel"] == "slice z"
        assert other.states[-1]["channels"] == ["camera", "slice z"]
        assert page.looking == 2


def test_the_state_of_the_source_is_told(view, page):
    with Watcher(page.address) as watcher:
        watcher.wait("picture")
        view.model.link(False, "im: doesn't answer")
        state, _ = watcher.wait("state", lambda each: not each["connected"])
        assert state["source"] == "im: doesn't answer"


def test_a_channel_that_has_stopped_is_told_of_while_another_one_is_busy(view, page):
    view.show_image("slice z", np.ones((3, 3), np.uint8))
    stop = threading.Event()

    def feed() -> None:
        while not stop.wait(0.01):
            view.show_image("camera", np.zeros((3, 3), np.uint8))

    busy = threading.Thread(target=feed)
    with Watcher(page.address, channel="slice z") as watcher:
        watcher.wait("picture")
        busy.start()
        try:
            watcher.wait("state", lambda each: each["counts"]["age"] > 0.9)
        finally:
            stop.set()
            busy.join()


@pytest.mark.slow
def test_there_are_only_so_many_viewers(view):
    with view.serve(viewers=1) as page, Watcher(page.address) as first:
        first.wait("picture")
        with pytest.raises(ConnectionClosed) as refused, Watcher(page.address) as second:
            second.next()
        assert refused.value.rcvd.code == 1013
        assert "1 others look already" in refused.value.rcvd.reason


# --- other origins


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{}", None])
def test_no_web_socket_of_another_origin_is_opened(page, origin):
    given = None if origin is None else origin.format(page.port)
    address = f"ws://127.0.0.1:{page.port}/pictures"
    with pytest.raises(InvalidStatus) as refused, connect(address, origin=given, proxy=None):
        pass
    assert refused.value.response.status_code == 403
    assert page.looking == 0


def test_a_page_at_another_port_of_this_computer_is_another_origin(page):
    address, other = f"ws://127.0.0.1:{page.port}/pictures", "http://127.0.0.1:8888"
    with pytest.raises(InvalidStatus), connect(address, origin=other, proxy=None):  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ({"Host": "evil.example"}, "GET"),  # a name that leads here, too
        ({"Host": ""}, "GET"),
        ({"Host": "evil.example@127.0.0.1"}, "GET"),
        ({"Host": "127.0.0.1.evil.example"}, "GET"),
        ({"Origin": "http://evil.example"}, "GET"),
        ({"Origin": "null"}, "GET"),
        ({"Sec-Fetch-Site": "cross-site"}, "GET"),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, "GET"),
        (visit("iframe"), "GET"),
        ({}, "POST"),
        ({}, "DELETE"),
    ],
)  # fmt: skip
def test_requests_that_other_pages_send_are_refused(page, headers, method):
    status, answered, content = answer(page, "/", method, **headers)
    assert (status, b"<html" in content) == (403, False)
    assert "content-security-policy" in answered


def test_another_address_that_was_asked_for(view):
    with view.serve(host="127.0.0.2") as page:
        assert page.address == f"http://127.0.0.2:{page.port}/"
        with Watcher(page.address) as watcher:
            assert watcher.wait("picture")[0]["number"]
        for host, status in ((f"127.0.0.2:{page.port}", 200), ("127.0.0.3", 403)):
            connection = http.client.HTTPConnection("127.0.0.2", page.port, timeout=TIMEOUT)
            connection.request("GET", "/", headers={"Host": host})
            assert connection.getresponse().status == status
            connection.close()


@pytest.mark.slow
def test_a_process_that_ends_while_somebody_looks_ends_without_a_word(tmp_path):
    program = """
import sys, threading, numpy as np
from adsupport.imaging.view import LiveView
view = LiveView()
page = view.serve()
def work():
    while True:
        view.show_image("camera", np.ones((500, 500)))
threading.Thread(target=work, daemon=True).start()
print(page.address, flush=True)
sys.stdin.readline()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout and process.stderr and process.stdin
        with Watcher(process.stdout.readline().strip()) as watcher:
            for _ in range(5):
                watcher.wait("picture")
            process.stdin.write("\n")
            process.stdin.flush()
            with contextlib.suppress(ConnectionClosed):
                while True:
                    watcher.next()
        assert process.wait(TIMEOUT) == 0
        assert process.stderr.read() == ""


def test_a_link_to_the_page_may_be_followed(page):
    assert answer(page, "/", **visit("document"))[0] == 200
    assert answer(page, "/palettes.json", **visit("document"))[0] == 403
    port = page.port
    for name in (f"localhost:{port}", "LOCALHOST", "127.0.0.1:9000", f"[::1]:{port}"):
        assert answer(page, "/", Host=name)[0] == 200  # 9000: through a tunnel
