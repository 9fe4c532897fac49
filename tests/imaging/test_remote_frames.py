"""Frames for consumers in other processes: all of them, in order, or said what was lost."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zmq

from adsupport.errors import ConfigurationError, FrameConnectionError, FrameCountError
from adsupport.imaging.addons import Accumulator
from adsupport.imaging.frames import Frame, StreamAbout, StreamEnd
from adsupport.imaging.remote import (
    CurveKeys,
    FrameConnection,
    FramePublisher,
    consume,
    make_keys,
)
from adsupport.imaging.remote.wire import (
    MOST_AHEAD,
    VERSION,
    Begin,
    FrameHeader,
    Hello,
    Welcome,
    encode,
)

from ..unit.imaging.made_frames import Collector
from .remote_consumers import Background, picture, publish


def test_two_consumers_each_get_every_frame_with_all_that_is_known(
    publisher: FramePublisher,
) -> None:
    recorders = [Collector(), Collector()]
    running = [
        Background(FrameConnection(publisher.address, name=f"c{n}"), each)
        for n, each in enumerate(recorders)
    ]
    assert sorted(publisher.consumers) == ["c0", "c1"]
    publish(
        publisher, 20, stream="flats", md={"sample": "bone"}, angles=(1.0, 2.0),
        per_event=5, angles_from="recorded",
    )  # fmt: skip
    publish(publisher, 30)
    publisher.close()
    for each, recorder in zip(running, recorders, strict=True):
        found = each.join()
        assert (found.runs, found.frames, found.dropped, found.refused) == (1, 50, 0, 0)
        assert recorder.abouts[0].md == {"sample": "bone"}
        assert recorder.abouts[0].angles == (1.0, 2.0)
        assert (recorder.abouts[0].per_event, recorder.abouts[0].angles_from) == (5, "recorded")
        assert (recorder.abouts[1].per_event, recorder.abouts[1].angles_from) == (None, "planned")
        assert [end.complete for end in recorder.ends] == [True, True]
        for stream, count in (("flats", 20), ("primary", 30)):
            frames = [frame for frame in recorder.frames if frame.stream == stream]
            assert [frame.sequence for frame in frames] == list(range(count))
            for number, frame in enumerate(frames):
                sent = picture(number, stream)
                np.testing.assert_array_equal(frame.data, sent.data)
                assert frame.data.dtype == np.uint16
                for known in ("unique_id", "angle", "timestamp", "run_uid", "facts"):
                    assert getattr(frame, known) == getattr(sent, known)


def test_a_process_writes_the_frames(publisher: FramePublisher, start: Any, tmp_path: Path) -> None:
    publisher._consumers, publisher._wait = ("writer",), 30  # as FramePublisher(consumers=...)
    consumer = start(publisher.address, "write", "--name", "writer", "--out", "files")
    publish(publisher, 3)
    publisher.close()
    consumer.wait_for("writer: 3 frames in 1 run")
    assert consumer.ended() == 0
    files = sorted((tmp_path / "files/scan_0000/radios").iterdir())
    assert [path.name for path in files] == [f"frame_{n:06}.tif" for n in range(3)]
    assert [int(tifffile.imread(path)[0, 0]) for path in files] == [0, 1, 2]


def test_the_latest_frames_are_enough_for_one_that_drops(publisher: FramePublisher) -> None:
    recorder = Collector(policy="block", queue=1)
    recorder.go_on.clear()
    connection = FrameConnection(publisher.address, policy="drop", queue=1)
    running = Background(connection, recorder)
    told = StreamAbout("run", "primary", 50)
    publisher.begin(told)
    for number in range(50):
        publisher.frame(picture(number))
    recorder.go_on.set()
    publisher.end(StreamEnd(told, 50, 50, angles=(*range(49), math.nan)))
    publisher.close()
    found = running.join()
    ids = [frame.unique_id for frame in recorder.frames]
    assert found.frames + found.dropped == 50
    assert found.dropped > 30
    assert sorted(map(int, filter(None, ids))) == ids and ids[-1] == 149
    assert recorder.ends[0].dropped == found.dropped
    assert [100 + frame.sequence for frame in recorder.frames] == ids
    assert not recorder.ends[0].complete
    assert recorder.ends[0].angles[:49] == tuple(range(49))
    assert math.isnan(recorder.ends[0].angles[49])


@pytest.mark.parametrize("lost", ["log", "raise"])
def test_a_killed_consumer_is_noticed_within_two_seconds(
    lost: Any, start: Any, caplog: Any
) -> None:
    with FramePublisher(lost=lost) as publisher:
        consumer = start(publisher.address, "gaps", "--name", "victim")
        consumer.wait_for("connected")
        recorder = Collector()
        other = Background(FrameConnection(publisher.address, name="other"), recorder)
        told = StreamAbout("run", "primary", None)
        publisher.begin(told)
        publisher.frame(picture(0))
        os.kill(consumer.process.pid, signal.SIGKILL)
        gone = time.monotonic()
        while "victim" in publisher.consumers:
            assert time.monotonic() < gone + 2
            time.sleep(0.01)
        if lost == "raise":
            with pytest.raises(FrameConnectionError, match=r"'victim' .*connection has ended"):
                publisher.frame(picture(1))
        else:
            publisher.frame(picture(1))
            assert "Consumer 'victim' of frames is lost" in caplog.text
        publisher.end(StreamEnd(told, 2, 2))
        publisher.close()
        assert other.join().frames == 2  # nobody else is harmed


def test_a_consumer_learns_that_the_publisher_is_gone() -> None:
    publisher = FramePublisher()
    recorder = Collector()
    running = Background(FrameConnection(publisher.address), recorder)
    publisher.begin(StreamAbout("run", "primary", 5))
    publisher.frame(picture(0))
    publisher.shutdown()
    with pytest.raises(FrameConnectionError, match="is gone"):
        running.join()
    assert recorder.ends[0].reason and not recorder.ends[0].complete


def test_who_comes_late_is_refused(publisher: FramePublisher) -> None:
    publisher.begin(StreamAbout("run", "primary", 2))
    publisher.frame(picture(0))
    with pytest.raises(FrameConnectionError, match=r"refuses consumer 'late': .*keep_bytes"):
        FrameConnection(publisher.address, name="late").open()


def test_who_comes_late_gets_what_was_kept() -> None:
    with FramePublisher(keep_bytes=10**6) as publisher:
        publish(publisher, 3, stream="darks")
        told = StreamAbout("run", "primary", 2)
        publisher.begin(told)
        publisher.frame(picture(0))
        recorder = Collector()
        running = Background(FrameConnection(publisher.address), recorder)
        publisher.frame(picture(1))
        publisher.end(StreamEnd(told, 2, 2))
        publisher.close()
        running.join()
        assert [(f.stream, f.sequence) for f in recorder.frames] == [
            ("darks", 0), ("darks", 1), ("darks", 2), ("primary", 0), ("primary", 1),
        ]  # fmt: skip


def test_the_experiment_waits_for_its_consumers() -> None:
    with FramePublisher(consumers=["recon"], wait=0.1) as publisher:
        with pytest.raises(FrameConnectionError, match="missing: recon"):
            publisher.ready()
        recorder = Collector()
        running = Background(FrameConnection(publisher.address, name="recon"), recorder)
        publisher.ready()
        publish(publisher, 1)
        publisher.close()
        assert running.join().frames == 1


def test_nobody_answers() -> None:
    with pytest.raises(FrameConnectionError, match=r"Waited 0.2 s .*Nobody answers"):
        FrameConnection("tcp://127.0.0.1:9").open(0.2)


def test_an_address_that_is_taken_or_none() -> None:
    with FramePublisher() as publisher:
        with pytest.raises(FrameConnectionError, match="can't be bound"):
            FramePublisher(publisher.address)
    for address in ("", "5701", "http://127.0.0.1:80", "tcp://127.0.0.1", "ipc://"):
        with pytest.raises(ConfigurationError, match="expected tcp://HOST:PORT"):
            FramePublisher(address)


@pytest.mark.parametrize("address", ["tcp://0.0.0.0:*", "tcp://*:5701", "tcp://192.0.2.1:5701"])
def test_off_loopback_there_must_be_keys(address: str) -> None:
    with pytest.raises(ConfigurationError, match="no keys"):
        FramePublisher(address)
    with pytest.raises(ConfigurationError, match="no keys"):
        FrameConnection(address)


def test_keys_open_the_door_to_their_owners_only(tmp_path: Path) -> None:
    publics = tmp_path / "allowed"
    publics.mkdir()
    server, server_secret = make_keys(tmp_path / "server", "publisher")
    friend, friend_secret = make_keys(tmp_path / "friend", "friend")
    _, stranger_secret = make_keys(tmp_path / "stranger", "stranger")
    assert friend_secret.stat().st_mode & 0o077 == 0
    (publics / friend.name).write_bytes(friend.read_bytes())
    with FramePublisher(keys=CurveKeys(server_secret, publics)) as publisher:
        recorder = Collector()
        allowed = CurveKeys(friend_secret, server)
        running = Background(FrameConnection(publisher.address, keys=allowed), recorder)
        for keys in (None, CurveKeys(stranger_secret, server)):
            with pytest.raises(FrameConnectionError, match="Waited 0.5 s"):
                FrameConnection(publisher.address, keys=keys).open(0.5)
        publish(publisher, 2)
        publisher.close()
        assert running.join().frames == 2


def test_garbage_harms_nobody(publisher: FramePublisher, caplog: Any) -> None:
    recorder = Collector()
    running = Background(FrameConnection(publisher.address), recorder)
    host, port = publisher.address.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port))) as raw:  # none of ZeroMQ's
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n" + bytes(1000))
    with zmq.Context() as context, context.socket(zmq.DEALER) as peer:
        peer.setsockopt(zmq.LINGER, 0)
        peer.connect(publisher.address)
        for parts in ([b""], [b"hello", b"\xc1"], [b"taken", b"\x81"], [b"x"] * 20):
            peer.send_multipart(parts)
        peer.send_multipart([b"hello", bytes(1 << 20)])  # longer than any: cut off
        wrong = Hello(VERSION + 1, "old", "block", 1, None)
        other = context.socket(zmq.DEALER)
        other.setsockopt(zmq.LINGER, 0)
        other.connect(publisher.address)
        other.send_multipart(encode(wrong))
        assert other.poll(5000)
        assert b"version" in b"".join(other.recv_multipart())
        other.close()
        publish(publisher, 3)
    publisher.close()
    assert running.join().frames == 3
    assert "none of a consumer" in caplog.text


def test_a_publisher_that_lies_is_found_out() -> None:
    """Ten gigabytes announced, a wrong run, a frame twice, and frames that didn't come."""
    from adsupport.imaging.remote.wire import End, RunOver

    with zmq.Context() as context, context.socket(zmq.ROUTER) as liar:
        liar.setsockopt(zmq.LINGER, 0)
        port = liar.bind_to_random_port("tcp://127.0.0.1")

        def lie(*messages: Any) -> Background:
            recorder = Collector(errors="isolate")
            answered: list[Background] = []
            connecting = threading.Thread(
                target=lambda: answered.append(
                    Background(FrameConnection(f"tcp://127.0.0.1:{port}"), recorder)
                )
            )
            connecting.start()
            kind = b""
            while kind != b"hello":  # the one before may still take leave
                assert liar.poll(10_000)
                key, kind, *_ = liar.recv_multipart()
            liar.send_multipart([key, *encode(Welcome(VERSION))])
            connecting.join(10)
            for message in messages:
                pixels = [b"\0\0"] if isinstance(message, FrameHeader) else []
                liar.send_multipart([key, *encode(message), *pixels])
            return answered[0]

        begun = Begin("run", "s", 2, {}, ())

        def header(number: int, run: str = "run", shape: tuple[int, ...] = (1, 1)) -> FrameHeader:
            return FrameHeader(run, "s", number, None, None, None, "<u2", shape)

        with pytest.raises(ValueError, match="2 bytes came"):
            lie(begun, header(0, shape=(70_000, 70_000))).join()
        found = lie(
            begun, header(0), header(0), header(1, run="other"), header(1),
            End("run", "s", 2, 2, 0, ""), RunOver(),
        ).join()  # fmt: skip
        assert (found.frames, found.refused) == (2, 2)
        with pytest.raises(FrameCountError, match="had 2 frames, 1 came and 0 were dropped"):
            lie(begun, header(1), End("run", "s", 2, 2, 0, "")).join()


def test_the_same_frames_as_in_this_process(publisher: FramePublisher) -> None:
    near, far = Accumulator(), Accumulator()
    running = Background(FrameConnection(publisher.address), far)
    told = StreamAbout("run", "primary", 4)
    near.begin(told)
    publisher.begin(told)
    for number in range(4):
        near.frame(picture(number))
        publisher.frame(picture(number))
    publisher.end(StreamEnd(told, 4, 4))
    publisher.close()
    running.join()
    np.testing.assert_array_equal(near.frames(), far.frames())
    assert near.ids() == far.ids()


def test_frames_that_numbers_cannot_tell_are_refused(publisher: FramePublisher) -> None:
    publisher.begin(StreamAbout("run", "primary", 1))
    with pytest.raises(ValueError, match="complex64: only integers and floats"):
        publisher.frame(Frame(np.zeros((2, 2), np.complex64), "primary", 0))


def test_an_acquisition_that_was_cut_short_is_in_the_result(publisher: FramePublisher) -> None:
    recorder = Collector()
    running = Background(FrameConnection(publisher.address), recorder)
    told = StreamAbout("run", "primary", 100)
    publisher.begin(told)
    publisher.frame(picture(0))
    publisher.end(StreamEnd(told, 100, 1, reason="cut short: motor stuck"))
    publisher.close()
    assert running.join().reasons == [
        "Stream 'primary' ended early: cut short: motor stuck"
    ]  # fmt: skip


def test_the_experiment_fails_when_who_it_needs_leaves_before_its_first_frame() -> None:
    with FramePublisher(consumers=["recon"], lost="raise") as publisher:
        with FrameConnection(publisher.address, name="recon", streams=["primary"]):
            told = StreamAbout("run", "darks", 2)
            publisher.begin(told)
        while publisher.consumers:
            time.sleep(0.01)
        with pytest.raises(FrameConnectionError, match="'recon' .*left before the run was over"):
            publisher.end(StreamEnd(told, 2, 0))


def test_who_is_slow_and_drops_frames_holds_nobody_up(publisher: FramePublisher) -> None:
    slow, fast = Collector(queue=1), Collector()
    slow.go_on.clear()
    running = [
        Background(FrameConnection(publisher.address, name="slow", policy="drop", queue=1), slow),
        Background(FrameConnection(publisher.address, name="fast"), fast),
    ]
    for stream in ("darks", "flats", "primary"):
        publish(publisher, 10, stream=stream)  # returns, although nobody lets the slow one go on
    publisher.close()
    assert running[1].join().frames == 30
    shutting = threading.Thread(target=publisher.shutdown)
    shutting.start()
    shutting.join(20)
    assert not shutting.is_alive()
    slow.go_on.set()
    found = running[0].join()  # it hears of all, and what it didn't get was counted
    assert found.runs == 1 and found.frames + found.dropped == 30
    assert 1 <= found.frames <= 6


def test_a_publisher_cannot_fill_a_consumers_memory() -> None:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as liar:
        for option, value in {
            zmq.LINGER: 0, zmq.SNDHWM: 1, zmq.SNDTIMEO: 300, zmq.ROUTER_MANDATORY: 1
        }.items():  # fmt: skip
            liar.setsockopt(option, value)
        port = liar.bind_to_random_port("tcp://127.0.0.1")
        connection = FrameConnection(f"tcp://127.0.0.1:{port}", queue=1)
        opening = threading.Thread(target=connection.open)
        opening.start()
        key, *_ = liar.recv_multipart()
        liar.send_multipart([key, *encode(Welcome(VERSION))])
        opening.join(10)
        liar.send_multipart([key, *encode(Begin("run", "s", None, {}, ()))])
        pixels = bytes(1 << 20)
        sent = 0
        with connection, contextlib.suppress(zmq.Again):
            while sent < 300:
                header = FrameHeader("run", "s", sent, None, None, None, "<u2", (1024, 512))
                liar.send_multipart([key, *encode(header), pixels])
                sent += 1
    assert sent < 100  # as much as the pipes and the system take


def test_a_consumer_that_is_busy_for_long_is_there_nevertheless(publisher: FramePublisher) -> None:
    """What a publisher sends must not fill up the pipe: heartbeats come through the same one."""
    recorder = Collector()
    connection = FrameConnection(publisher.address, policy="drop", queue=1)
    connection.open(runs=1)
    for number in range(3 * MOST_AHEAD):
        publish(publisher, 3, stream=f"s{number}")
    publisher.close()
    threading.Event().wait(2.0)  # nothing is read; without heartbeats all were over after 1.2 s
    assert publisher.consumers
    with connection:
        found = consume(connection, [recorder])
    assert found.frames + found.dropped == 9 * MOST_AHEAD
    assert len(recorder.ends) == 3 * MOST_AHEAD


def test_a_consumer_that_is_gone_is_not_mixed_up_with_the_next_one(
    publisher: FramePublisher,
) -> None:
    """Descriptors of connections are used again at once."""
    for number in range(20):
        with FrameConnection(publisher.address, name=f"c{number}"):
            pass
        with zmq.Context() as context, context.socket(zmq.DEALER) as raw:  # says no goodbye
            raw.setsockopt(zmq.LINGER, 0)
            raw.connect(publisher.address)
            raw.send_multipart(encode(Hello(VERSION, f"raw{number}", "block", 1, None)))
            assert raw.poll(5000)
    with FrameConnection(publisher.address, name="stays"):
        until = time.monotonic() + 5
        while len(publisher.consumers) > 1 and time.monotonic() < until:
            time.sleep(0.01)
        assert list(publisher.consumers) == ["stays"]
        threading.Event().wait(0.5)
        assert list(publisher.consumers) == ["stays"]
