"""What `adsupport view` shows: a detector, a file, frames of a publisher."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import urllib.request
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.errors import ConnectionTimeoutError, ImageFileError
from adsupport.imaging.frames.frame import Frame, StreamAbout, StreamEnd
from adsupport.imaging.view import LiveView
from adsupport.imaging.view.file_feed import FileFeed

from .browser import Page, chromium

TIMEOUT = 30.0


@contextlib.contextmanager
def running(feed: Any):
    """Let a feed show its frames in a thread."""
    view, stop = LiveView(), threading.Event()
    thread = threading.Thread(target=feed.run, args=(view, stop))
    thread.start()
    try:
        yield view
    finally:
        stop.set()
        thread.join(TIMEOUT)
    assert not thread.is_alive()


def wait_for(view: LiveView, condition: Any) -> Any:
    """Wait until a condition of the model is true."""
    pause = threading.Event()
    for _ in range(int(TIMEOUT / 0.02)):
        found = condition(view.model)
        if found:
            return found
        pause.wait(0.02)
    model = view.model
    raise AssertionError((model.source, model.channels, model.status("camera")))


def image_id(model: Any) -> Any:
    found = model.picture("camera")
    return found and found.facts.get("unique_id")


def top_left(model: Any) -> Any:
    found = model.picture("camera")
    return found and int(found.pixels[0, 0])


# --- files


def test_a_file_is_followed_while_it_grows_and_when_it_is_finished(tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_dataset(
            "entry/data/data", (0, 4, 5), "u2", maxshape=(None, 4, 5), chunks=(1, 4, 5)
        )
        ids = file.create_dataset(
            "entry/instrument/NDAttributes/NDArrayUniqueId", (0,), "i4", maxshape=(None,)
        )
        file.swmr_mode = True
        with running(FileFeed(path)) as view:
            for number in range(1, 4):
                data.resize(number, 0)
                ids.resize(number, 0)
                data[number - 1] = 10 * number
                ids[number - 1] = 100 + number
                data.flush()
                ids.flush()
                wait_for(view, lambda model, value=10 * number: top_left(model) == value)
            assert view.model.counts("camera")["taken"] == 3
            file.close()
            wait_for(view, lambda model: model.source.text.endswith("finished, 3 frames"))
            wait_for(view, lambda model: image_id(model) == 103)


def test_a_finished_data_exchange_file_shows_its_last_frame(tmp_path):
    path = tmp_path / "dx.h5"
    with h5py.File(path, "w") as file:
        file["exchange/data"] = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    with running(FileFeed(path)) as view:
        wait_for(view, lambda model: top_left(model) == 40)


def test_a_file_that_is_missing_or_another(tmp_path):
    with pytest.raises(ImageFileError, match=r"none\.h5 is missing"):
        FileFeed(tmp_path / "none.h5")
    (tmp_path / "other.h5").write_text("text")
    with running(FileFeed(tmp_path / "other.h5")) as view:
        wait_for(view, lambda model: not model.source.connected and "other.h5" in model.source.text)


# --- a publisher


@pytest.mark.slow
def test_frames_of_a_publisher_are_shown_run_after_run():
    pytest.importorskip("zmq")
    from adsupport.imaging.remote import FramePublisher
    from adsupport.imaging.view.publisher_feed import PublisherFeed

    with FramePublisher() as publisher:
        feed, stop, view = PublisherFeed(publisher.address), threading.Event(), LiveView()
        thread = threading.Thread(target=feed.run, args=(view, stop), daemon=True)
        thread.start()
        wait_for(view, lambda model: publisher.consumers)
        for run in ("a", "b"):
            about = StreamAbout(run, "primary", 2)
            publisher.begin(about)
            for number in range(2):
                pixels = np.full((3, 3), 10 * number + (run == "b"), np.uint8)
                publisher.frame(Frame(pixels, "primary", number, number, run_uid=run))
            publisher.end(StreamEnd(about, 2, 2))
            publisher.close()
            wait_for(view, lambda model, last=10 + (run == "b"): top_left(model) == last)
        stop.set()
    wait_for(view, lambda model: not model.source.connected)
    thread.join(TIMEOUT)
    assert not thread.is_alive()


# --- a detector


def test_a_prefix_that_nobody_has():
    from adsupport.imaging.view.plugin_feed import PluginFeed

    with pytest.raises(ConnectionTimeoutError, match=r"nowhere:image1:ArrayData: nobody answers"):
        PluginFeed("nowhere:", "ca", timeout=0.2)


@pytest.mark.slow
def test_a_detector_over_channel_access(camera):
    from adsupport.imaging.view.plugin_feed import PluginFeed

    with running(PluginFeed(camera.prefix, "ca", enable=True, timeout=TIMEOUT)) as view:
        wait_for(view, lambda model: model.source.text.endswith("over Channel Access"))
        camera.acquire(2)
        found = wait_for(view, lambda model: model.picture("camera"))
        assert found.shape == (48, 64)
        camera.put("image1:EnableCallbacks", 0)
        off = f"{camera.prefix}image1:EnableCallbacks is off"
        wait_for(view, lambda model: off in model.source.text)


def acquire(ioc) -> None:
    """Let the camera take frames until it's told otherwise."""
    import epics

    for name, value in {
        "Pva1:EnableCallbacks": 1,
        "image1:EnableCallbacks": 1,
        "cam1:AcquireTime": 0.02,
        "cam1:AcquirePeriod": 0.1,
        "cam1:ImageMode": 2,
        "cam1:Acquire": 1,
    }.items():
        pv = epics.PV(f"{ioc.prefix}{name}")
        assert pv.wait_for_connection(60), name
        pv.put(value, wait=name != "cam1:Acquire", timeout=TIMEOUT)


@pytest.mark.slow
def test_the_page_comes_back_when_the_ioc_was_started_again(
    adsupport_ioc_factory, tmp_path_factory
):
    pytest.importorskip("p4p")
    pytest.importorskip("uvicorn")
    from adsupport.imaging.view.plugin_feed import PluginFeed

    with adsupport_ioc_factory("adsim") as ioc:
        feed = PluginFeed(ioc.prefix, timeout=TIMEOUT)
        assert feed.what == f"{ioc.prefix}Pva1:Image over pvAccess"
        driver = chromium(tmp_path_factory.mktemp("chromium"))
        try:
            with running(feed) as view, view.serve() as served:
                page = Page(driver, served.address)
                page.wait(lambda: page.text("link-text").endswith("EnableCallbacks is off"))
                acquire(ioc)
                page.wait(lambda: page.text("link-text") == feed.what)
                before = page.wait(lambda: view.model.picture("camera"))
                page.wait(lambda: float(page.text("rate")) > 1)
                ioc.kill()
                page.wait(lambda: "doesn't answer: waiting" in page.text("link-text"))
                assert page.find("link").get_attribute("data-state") == "waiting"
                ioc.restart()
                acquire(ioc)
                page.wait(lambda: page.text("link-text") == feed.what)
                page.wait(lambda: view.model.picture("camera").number > before.number + 3)
                page.wait(lambda: float(page.text("rate")) > 1)
                assert page.text("lost") == "0"
                assert page.complaints() == []
        finally:
            driver.quit()


@pytest.mark.slow
def test_frames_over_channel_access_come_again_with_the_ioc(adsupport_ioc_factory):
    from adsupport.imaging.view.plugin_feed import PluginFeed

    with adsupport_ioc_factory("adsim") as ioc:
        feed = PluginFeed(ioc.prefix, "ca", timeout=TIMEOUT)
        with running(feed) as view:
            acquire(ioc)
            before = wait_for(view, lambda model: model.picture("camera"))
            ioc.kill()
            wait_for(view, lambda model: "doesn't answer" in model.source.text)
            ioc.restart()
            acquire(ioc)
            wait_for(view, lambda model: model.source.text == feed.what)
            seen = view.model.picture("camera").number
            assert seen >= before.number
            wait_for(view, lambda model: model.picture("camera").number > seen + 3)


# --- the command


def command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "adsupport.cli", "view", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_the_address_and_ends_when_it_is_told_to(tmp_path, way):
    pytest.importorskip("uvicorn")
    path = tmp_path / "dx.h5"
    with h5py.File(path, "w") as file:
        file["exchange/data"] = np.ones((3, 4, 5))
    with command("--source", str(path)) as process:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line.startswith(f"{path}: http://127.0.0.1:")
        address = line.removeprefix(f"{path}: ").split(" ")[0]
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer:
            assert b"Live view" in answer.read()
        process.send_signal(way)
        assert process.wait(TIMEOUT) == 0
        assert process.stderr.read() == ""
        assert process.stdout.read() == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "Expected the prefix of a detector"),
        (["im:", "--source", "tiff"], "expected pva, ca, a file that ends in .h5"),
        (["im:", "--source", "scan.h5"], "Expected neither PREFIX nor --enable with scan.h5"),
        (["--source", "tcp://127.0.0.1:1", "--enable"], "Expected neither PREFIX nor --enable"),
    ],
)
def test_a_command_line_that_cannot_be(arguments, expected):
    pytest.importorskip("uvicorn")
    from typer.testing import CliRunner

    from adsupport.cli.app import app

    found = CliRunner().invoke(app, ["view", *arguments], env={"COLUMNS": "200"})
    assert found.exit_code == 2
    assert expected in " ".join(found.stderr.split())


def test_without_the_extra_it_says_what_to_type(monkeypatch):
    from importlib import util

    from typer.testing import CliRunner

    from adsupport.cli import extras
    from adsupport.cli.app import app

    monkeypatch.setattr(
        extras, "find_spec", lambda name: None if name == "uvicorn" else util.find_spec(name)
    )
    found = CliRunner().invoke(app, ["view", "im:"])
    assert "needs uvicorn" in str(found.exception) and "[view]" in str(found.exception)
