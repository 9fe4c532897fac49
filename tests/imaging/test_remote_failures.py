"""Publishers and consumers that fail, are left, or are given what can't be."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from adsupport.errors import ConfigurationError, FrameConnectionError
from adsupport.imaging.frames import Frame, StreamAbout, StreamEnd
from adsupport.imaging.remote import (
    CurveKeys,
    FrameConnection,
    FramePublisher,
    make_keys,
)

from ..unit.imaging.made_frames import Collector
from .remote_consumers import Background, picture, publish


def test_pixels_of_any_kind_come_as_they_were(publisher: FramePublisher) -> None:
    pictures = [
        np.zeros((4, 4, 3), np.uint8), np.arange(12, dtype=">u2").reshape(3, 4),
        np.arange(24)[::2].reshape(3, 4), np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.zeros((0, 4), np.uint8), np.ones((2, 2), bool), np.ones((2, 3), np.float16),
    ]  # fmt: skip
    recorder = Collector()
    running = Background(FrameConnection(publisher.address), recorder)
    told = StreamAbout("run", "primary", None)
    publisher.begin(told)
    for number, pixels in enumerate(pictures):
        publisher.frame(Frame(pixels, "primary", number, run_uid="run"))
    reused = np.zeros((1000, 1000), np.uint16)
    publisher.frame(Frame(reused, "primary", len(pictures), run_uid="run"))
    reused[:] = 9  # its maker goes on
    for wrong, text in ((np.zeros((1,) * 5), "4 axes"), (np.zeros(2, "M8[s]"), "datetime64")):
        with pytest.raises(ValueError, match=text):
            publisher.frame(Frame(wrong, "primary", 99, run_uid="run"))
    count = len(pictures) + 1
    publisher.end(StreamEnd(told, count, count))
    publisher.close()
    assert running.join().frames == count
    for sent, frame in zip(pictures, recorder.frames, strict=False):
        assert frame.data.dtype == sent.dtype
        np.testing.assert_array_equal(frame.data, sent)
    assert not recorder.frames[-1].data.any()


def test_an_addon_that_fails_elsewhere_fails_the_acquisition() -> None:
    class Full(Collector):
        def frame(self, frame: Frame) -> None:
            raise OSError(28, "No space left on device")

    with FramePublisher(lost="raise") as publisher:
        running = Background(FrameConnection(publisher.address, name="writer"), Full())
        told = StreamAbout("run", "primary", None)
        publisher.begin(told)
        with pytest.raises(FrameConnectionError, match="'writer' .*No space left on device"):
            for number in range(10**6):
                publisher.frame(picture(number))
        with pytest.raises(OSError, match="No space left"):
            running.join()


def test_all_goes_on_in_the_next_acquisition_without_who_was_lost() -> None:
    with FramePublisher(consumers=["a", "b"], wait=20) as publisher:
        recorders = Collector(), Collector()
        connections = [FrameConnection(publisher.address, name=name) for name in "ab"]
        running = [Background(c, r) for c, r in zip(connections, recorders, strict=True)]
        publish(publisher, 2, stream="darks")
        (key,) = [k for k, r in publisher._outbox._readers.items() if r.hello.name == "a"]
        publisher._outbox.leave(key, "its connection has ended")
        begun = time.monotonic()
        publish(publisher, 2)
        assert time.monotonic() - begun < 10  # nobody waits for it to come again
        publisher.close()
        assert running[1].join().frames == 4
    with pytest.raises(FrameConnectionError):
        running[0].join()


def test_a_run_whose_consumer_was_slow_does_not_come_into_the_next(
    publisher: FramePublisher,
) -> None:
    recorder = Collector(queue=1)
    recorder.go_on.clear()
    running = Background(FrameConnection(publisher.address, queue=1), recorder, runs=2)

    def left_alone() -> None:  # as a bus leaves the thread of an addon that doesn't return
        with contextlib.suppress(FrameConnectionError):
            publish(publisher, 50)
        publisher.close()

    old = threading.Thread(target=left_alone, daemon=True)
    old.start()
    while publisher.consumers.get("consumer", 0) < 1:
        time.sleep(0.01)
    told = StreamAbout("next", "primary", 1)
    publisher.begin(told)
    old.join(20)
    assert not old.is_alive()
    recorder.go_on.set()
    publisher.frame(Frame(np.ones((2, 2)), "primary", 0, run_uid="next"))
    publisher.end(StreamEnd(told, 1, 1))
    publisher.close()
    assert running.join().runs == 2
    assert [(e.about.run_uid, e.complete) for e in recorder.ends] == [
        ("run", False),
        ("next", True),
    ]
    assert "another run began" in recorder.ends[0].reason


def test_the_last_messages_are_sent_when_it_is_shut_down() -> None:
    for _ in range(2):
        recorder = Collector()
        with FramePublisher() as publisher:
            running = Background(FrameConnection(publisher.address), recorder)
            publish(publisher, 2)
            publisher.close()
        assert running.join().runs == 1
        with pytest.raises(FrameConnectionError, match="is shut down"):
            publisher.ready()


def test_an_address_of_another_family(tmp_path: Path) -> None:
    for address in ("tcp://[::1]:*", f"ipc://{tmp_path}/s"):
        try:
            made = FramePublisher(address)
        except FrameConnectionError:
            assert "::1" in address  # a machine without IPv6
            continue
        with made as publisher:
            running = Background(FrameConnection(publisher.address), Collector())
            publish(publisher, 1)
            publisher.close()
            assert running.join().frames == 1
            if "ipc" in address:  # libzmq would take it away from the first one
                with pytest.raises(FrameConnectionError, match="somebody listens there"):
                    FramePublisher(address)


def test_keys_that_are_none_are_named(tmp_path: Path) -> None:
    public, secret = make_keys(tmp_path / "own", "own")
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "bad.key").write_text("garbage")
    short = tmp_path / "short"
    short.write_text('metadata\ncurve\n    public-key = "x"\n    secret-key = "y"\n')
    short.chmod(0o600)
    with pytest.raises(ConfigurationError, match=r"bad\.key is no file of a CURVE key"):
        FramePublisher(keys=CurveKeys(secret, allowed))
    for keys in (CurveKeys(short, public), CurveKeys(secret, short)):
        with pytest.raises(ConfigurationError, match=r"short is no file of .*40 characters"):
            FrameConnection("tcp://127.0.0.1:9", keys=keys).open(0.1)
    secret.chmod(0o644)
    with pytest.raises(ConfigurationError, match="can be read by others"):
        FrameConnection("tcp://127.0.0.1:9", keys=CurveKeys(secret, public)).open(0.1)


@pytest.mark.parametrize("consumers", [-1, True])
def test_consumers_that_cannot_be(consumers: int) -> None:
    with pytest.raises(ConfigurationError, match="consumers="):
        FramePublisher(consumers=consumers)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_leaves_whole_files_and_no_empty_directory(
    number: Any, code: int, start: Any, tmp_path: Path
) -> None:
    with FramePublisher(lost="raise") as publisher:
        before = start(publisher.address, "write", "--out", "files")
        before.wait_for("connected")
        before.process.send_signal(number)
        assert before.ended() == code
        assert not list((tmp_path / "files").iterdir())
        amid = start(publisher.address, "write", "--out", "files")
        amid.wait_for("connected")
        publisher.begin(StreamAbout("run", "primary", None))
        pixels = np.zeros((500, 500), np.uint16)
        with pytest.raises(FrameConnectionError, match="left before the run was over"):
            for sent in range(10**6):
                publisher.frame(Frame(pixels, "primary", sent, run_uid="run"))
                if sent == 50:
                    amid.process.send_signal(number)
        assert amid.ended() == code
    files = list((tmp_path / "files/scan_0000/radios").iterdir())
    assert len(files) > 20
    for path in files:
        np.testing.assert_array_equal(tifffile.imread(path), pixels)


@pytest.mark.slow
def test_a_consumer_learns_that_the_publisher_was_killed(start: Any, tmp_path: Path) -> None:
    code = (
        "import numpy as np, sys, time\n"
        "from adsupport.imaging.frames import Frame, StreamAbout\n"
        "from adsupport.imaging.remote import FramePublisher\n"
        "publisher = FramePublisher(f'ipc://{sys.argv[1]}', consumers=1)\n"
        "publisher.begin(StreamAbout('run', 'primary', 5))\n"
        "publisher.frame(Frame(np.zeros((2, 2)), 'primary', 0, run_uid='run'))\n"
        "publisher._outbox.wait_until_taken()\n"
        "print('taken', flush=True)\n"
        "time.sleep(60)\n"
    )
    path = str(tmp_path / "s")
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True
    ) as publisher:
        consumer = start(f"ipc://{path}", "gaps")
        assert publisher.stdout is not None and publisher.stdout.readline() == "taken\n"
        publisher.kill()
        assert consumer.ended() == 1
    assert any("is gone" in line for line in consumer.lines)
    assert any("1 of 5 frames came" in line for line in consumer.lines)
