"""One log of messages, and consumers of each policy at their own pace."""

from __future__ import annotations

import threading
import weakref
from typing import Any

import numpy as np
import pytest

from adsupport.errors import FrameConnectionError
from adsupport.imaging.addons.base import Policy
from adsupport.imaging.remote.outbox import Outbox
from adsupport.imaging.remote.wire import (
    MOST_AHEAD,
    VERSION,
    Begin,
    End,
    FrameHeader,
    Hello,
    RunOver,
    decode,
)


def hello(
    policy: Policy = "block",
    queue: int = 2,
    streams: Any = None,
    name: str = "c",
    runs: int | None = None,
) -> Hello:
    return Hello(VERSION, name, policy, queue, streams, runs)


def begin(outbox: Outbox, run: str = "run", stream: str = "primary") -> None:
    outbox.put(Begin(run, stream, None, {}, ()))


def frame(outbox: Outbox, number: int, stream: str = "primary", size: int = 10) -> None:
    pixels = np.zeros(size, np.uint8)
    header = FrameHeader("run", stream, number, number, None, None, "|u1", (size,))
    outbox.put(header, pixels)


def end(outbox: Outbox, frames: int, stream: str = "primary") -> None:
    outbox.put(End("run", stream, frames, frames, 0, ""))


def sent(outbox: Outbox, key: bytes, take: bool = False) -> list[Any]:
    """What a consumer gets now: numbers of frames, and the names of other messages."""
    found: list[Any] = []
    while (each := outbox.next_for(key)) is not None:
        parts, pixels = each
        message = decode(
            parts if pixels is None else [*parts, b""], (Begin, FrameHeader, End, RunOver)
        )
        if isinstance(message, FrameHeader):
            found.append(message.sequence)
            if take:
                reader = outbox._readers[key]
                outbox.took(key, reader.taken + 1, reader.controls_sent)
        elif isinstance(message, End):
            found.append(f"end, {message.dropped} dropped")
        else:
            found.append(type(message).__name__.lower())
        if take:
            reader = outbox._readers[key]
            outbox.took(key, reader.taken, reader.controls_sent)
    return found


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(keep_bytes=0, patience=60)


def test_each_consumer_gets_all_in_order(outbox: Outbox) -> None:
    outbox.join(b"a", hello(queue=10))
    outbox.join(b"b", hello(queue=10))
    begin(outbox)
    for number in range(3):
        frame(outbox, number)
    end(outbox, 3)
    outbox.put(RunOver())
    expected = ["begin", 0, 1, 2, "end, 0 dropped", "runover"]
    assert sent(outbox, b"a") == expected
    assert sent(outbox, b"b") == expected


def test_frames_in_flight_are_as_many_as_the_queue(outbox: Outbox) -> None:
    outbox.join(b"a", hello("drop", queue=2))
    begin(outbox)
    for number in range(2):
        frame(outbox, number)
    assert sent(outbox, b"a") == ["begin", 0, 1]
    frame(outbox, 2)
    assert sent(outbox, b"a") == []
    outbox.took(b"a", 1)
    assert sent(outbox, b"a") == [2]


def test_the_oldest_that_wait_are_dropped_and_counted(outbox: Outbox) -> None:
    outbox.join(b"a", hello("drop", queue=1))
    begin(outbox)
    frame(outbox, 0)
    assert sent(outbox, b"a") == ["begin", 0]
    for number in range(1, 6):
        frame(outbox, number)
    end(outbox, 6)
    begin(outbox)
    outbox.took(b"a", 1)
    assert sent(outbox, b"a", take=True) == [5, "end, 4 dropped", "begin"]


def test_drops_belong_to_their_acquisition(outbox: Outbox) -> None:
    outbox.join(b"a", hello("drop", queue=1))
    begin(outbox)
    frame(outbox, 0)
    end(outbox, 1)
    begin(outbox)
    frame(outbox, 1)
    end(outbox, 1)
    assert sent(outbox, b"a", take=True) == [
        "begin", "end, 1 dropped", "begin", 1, "end, 0 dropped",
    ]  # fmt: skip


def test_a_frame_waits_for_a_consumer_that_blocks(outbox: Outbox) -> None:
    outbox.join(b"a", hello("block", queue=1))
    begin(outbox)
    frame(outbox, 0)
    put = threading.Thread(target=frame, args=(outbox, 1))
    put.start()
    assert sent(outbox, b"a") == ["begin", 0]
    put.join(0.2)
    assert put.is_alive()
    outbox.took(b"a", 1)
    put.join(10)
    assert not put.is_alive()
    assert sent(outbox, b"a") == [1]


def test_a_frame_waits_no_longer_for_a_consumer_that_is_lost(outbox: Outbox) -> None:
    outbox.join(b"a", hello("block", queue=1, name="writer"))
    begin(outbox)
    frame(outbox, 0)
    put = threading.Thread(target=frame, args=(outbox, 1))
    put.start()
    outbox.leave(b"a", "its connection has ended")
    put.join(10)
    assert not put.is_alive()
    (told,) = outbox.new_losses()
    assert "'writer'" in told and "its connection has ended; 1 frame" in told
    assert outbox.new_losses() == []


def test_a_consumer_that_asked_for_it_fails(outbox: Outbox) -> None:
    outbox.join(b"a", hello("fail", queue=1))
    outbox.join(b"b", hello("block", queue=9))
    begin(outbox)
    frame(outbox, 0)
    assert outbox.dismissed() == []
    frame(outbox, 1)
    ((key, reason),) = outbox.dismissed()
    assert key == b"a" and "asked to fail" in reason
    assert sent(outbox, b"b") == ["begin", 0, 1]


def test_a_consumer_that_takes_nothing_is_lost() -> None:
    outbox = Outbox(keep_bytes=0, patience=0.01)
    outbox.join(b"a", hello("block", queue=1))
    begin(outbox)
    frame(outbox, 0)
    assert outbox.dismissed() == []  # it wasn't sent yet
    assert sent(outbox, b"a") == ["begin", 0]
    frame(outbox, 1)  # comes back, for the consumer is given up
    assert "no frame for 0.01 s" in outbox.dismissed()[0][1]


def test_streams_that_nobody_wants_are_not_sent(outbox: Outbox) -> None:
    outbox.join(b"a", hello(streams=("flats",), queue=1))
    begin(outbox, stream="darks")
    for number in range(5):
        frame(outbox, number, "darks")  # doesn't wait
    end(outbox, 5, "darks")
    begin(outbox, stream="flats")
    frame(outbox, 0, "flats")
    assert sent(outbox, b"a") == ["begin", 0]


def test_who_comes_late_is_refused_and_may_come_again(outbox: Outbox) -> None:
    begin(outbox)
    frame(outbox, 0)
    assert "has begun, and its first frames are gone" in outbox.join(b"a", hello())
    assert outbox.next_for(b"a") is None
    outbox.put(RunOver())
    assert outbox.join(b"a", hello()) == ""
    begin(outbox, run="next")
    assert sent(outbox, b"a") == ["begin"]


def test_who_comes_late_gets_all_that_is_kept() -> None:
    outbox = Outbox(keep_bytes=100, patience=60)
    outbox.join(b"a", hello(queue=99))
    begin(outbox, stream="darks")
    frame(outbox, 0, "darks")
    end(outbox, 1, "darks")
    begin(outbox)
    frame(outbox, 0)
    whole = sent(outbox, b"a", take=True)
    assert outbox.join(b"late", hello(queue=99)) == ""
    assert sent(outbox, b"late") == whole == ["begin", 0, "end, 0 dropped", "begin", 0]


def test_frames_that_are_too_many_are_not_kept() -> None:
    outbox = Outbox(keep_bytes=25, patience=60)
    begin(outbox)
    for number in range(3):
        frame(outbox, number)
    assert "keep_bytes" in outbox.join(b"late", hello())
    assert outbox._kept is None


def test_nothing_is_kept_of_the_run_before() -> None:
    outbox = Outbox(keep_bytes=100, patience=60)
    begin(outbox)
    frame(outbox, 0)
    begin(outbox, run="next")
    assert outbox.join(b"late", hello()) == ""
    assert sent(outbox, b"late") == ["begin"]


def test_memory_is_let_go_when_all_have_had_it(outbox: Outbox) -> None:
    outbox.join(b"a", hello(queue=99))
    outbox.join(b"b", hello("drop", queue=1))
    begin(outbox)
    for number in range(50):
        frame(outbox, number)
        sent(outbox, b"a", take=True)
        sent(outbox, b"b", take=True)
    assert outbox._kept is None
    assert not any(reader.entries for reader in outbox.readers)


def test_what_is_dropped_is_let_go_while_a_consumer_stands_still(outbox: Outbox) -> None:
    outbox.join(b"a", hello("drop", queue=2))
    begin(outbox)
    pixels = [np.zeros(10, np.uint8) for _ in range(50)]
    held = [weakref.ref(each) for each in pixels]
    for number in range(50):
        header = FrameHeader("run", "primary", number, number, None, None, "|u1", (10,))
        outbox.put(header, pixels.pop(0))
    assert [n for n, each in enumerate(held) if each() is not None] == [48, 49]
    assert sent(outbox, b"a") == ["begin", 48, 49]


def test_a_run_that_never_ended_is_cut_short_by_the_next_one(outbox: Outbox) -> None:
    outbox.join(b"a", hello(queue=9))
    begin(outbox)
    frame(outbox, 0)
    begin(outbox, run="next")
    frame(outbox, 1)  # of the one before, too late
    end(outbox, 2)
    outbox.put(RunOver())
    assert sent(outbox, b"a", take=True) == [
        "begin", 0, "end, 0 dropped", "runover", "begin", "end, 0 dropped", "runover",
    ]  # fmt: skip


def test_a_frame_that_waits_gives_up_when_another_run_begins(outbox: Outbox) -> None:
    outbox.join(b"a", hello("block", queue=1))
    begin(outbox)
    frame(outbox, 0)
    put = threading.Thread(target=frame, args=(outbox, 1))
    put.start()
    begin(outbox, run="next")
    put.join(10)
    assert not put.is_alive()
    assert sent(outbox, b"a", take=True) == ["begin", 0, "end, 0 dropped", "runover", "begin"]


@pytest.mark.parametrize(
    ("policy", "reason", "taken", "lost"),
    [
        ("block", "", 1, "it left before the run was over"),
        ("block", "", 0, ""),  # it has only had Begin: it may be one of the run before
        ("drop", "", 1, ""),
        ("drop", "disk full", 0, "disk full"),
    ],
)
def test_who_takes_leave_is_lost_or_not(
    outbox: Outbox, policy: Policy, reason: str, taken: int, lost: str
) -> None:
    outbox.join(b"a", hello(policy))
    begin(outbox)
    frame(outbox, 0)
    sent(outbox, b"a")
    outbox.took(b"a", taken)
    outbox.bye(b"a", reason)
    losses = outbox.new_losses()
    assert len(losses) == bool(lost)
    assert not lost or lost in losses[0]


def test_who_took_all_may_leave(outbox: Outbox) -> None:
    outbox.join(b"a", hello())
    begin(outbox)
    frame(outbox, 0)
    end(outbox, 1)
    outbox.put(RunOver())
    sent(outbox, b"a", take=True)
    begin(outbox, run="next")
    outbox.bye(b"a", "")
    assert outbox.new_losses() == []


def test_who_comes_late_and_drops_gets_the_latest() -> None:
    outbox = Outbox(keep_bytes=1000, patience=60)
    begin(outbox)
    for number in range(9):
        frame(outbox, number)
    end(outbox, 9)
    outbox.join(b"late", hello("drop", queue=2))
    assert sent(outbox, b"late", take=True) == ["begin", 7, 8, "end, 7 dropped"]


def test_the_consumers_that_are_missing_are_named(outbox: Outbox) -> None:
    outbox.join(b"a", hello(name="writer"))
    outbox.wait_for_readers(["writer"], 0.0)
    outbox.wait_for_readers(1, 0.0)
    with pytest.raises(FrameConnectionError, match=r"0.01 s .*missing: recon, view\."):
        outbox.wait_for_readers(["recon", "writer", "view"], 0.01)
    with pytest.raises(FrameConnectionError, match="missing: 1 consumer of 2"):
        outbox.wait_for_readers(2, 0.01)


def test_more_taken_than_sent_is_not_believed(outbox: Outbox) -> None:
    outbox.join(b"a", hello("block", queue=1))
    begin(outbox)
    frame(outbox, 0)
    sent(outbox, b"a")
    outbox.took(b"a", 10**9)
    assert outbox.readers[0].taken == 0


def waits(outbox: Outbox, timeout: float = 0.3) -> bool:
    """Whether the end of an acquisition waits for consumers."""
    waiting = threading.Thread(target=outbox.wait_until_taken, daemon=True)
    waiting.start()
    waiting.join(timeout)
    return waiting.is_alive()


def test_nobody_waits_for_a_consumer_that_drops_frames(outbox: Outbox) -> None:
    outbox.join(b"slow", hello("drop", queue=1))
    outbox.join(b"a", hello("block", queue=9))
    begin(outbox)
    frame(outbox, 0)
    sent(outbox, b"slow")
    frame(outbox, 1)
    end(outbox, 2)
    assert waits(outbox)
    sent(outbox, b"a", take=True)
    assert not waits(outbox, 10)


def test_what_a_consumer_could_drop_is_dropped_at_the_end(outbox: Outbox) -> None:
    outbox.join(b"a", hello("drop", queue=1))
    for number in range(2 * MOST_AHEAD):
        begin(outbox, stream=f"s{number}")
        frame(outbox, 0, f"s{number}")
        end(outbox, 1, f"s{number}")
    outbox.put(RunOver())
    begun = sent(outbox, b"a")
    assert len(begun) == MOST_AHEAD
    outbox.finish(0.01)
    found = begun + sent(outbox, b"a")
    assert found.count("end, 1 dropped") == 2 * MOST_AHEAD
    assert found[-1] == "runover"


def test_a_run_that_is_open_is_cut_short_without_a_wait(outbox: Outbox) -> None:
    outbox.join(b"a", hello("drop", queue=1))
    begin(outbox)
    frame(outbox, 0)
    outbox.finish(60)
    assert outbox.readers[0].waiting == 1


def test_how_much_memory_waits_for_it_is_not_a_consumers_to_say(caplog: Any) -> None:
    outbox = Outbox(keep_bytes=0, patience=60, queue_bytes=35)
    outbox.join(b"view", hello("drop", queue=10_000, name="view"))
    outbox.join(b"strict", hello("fail", queue=10_000))
    begin(outbox)
    for number in range(20):
        frame(outbox, number)
    assert sent(outbox, b"view") == ["begin", 17, 18, 19]
    ((key, reason),) = outbox.dismissed()
    assert key == b"strict" and "it has 3 frames in its queue" in reason
    (told,) = [each for each in caplog.messages if "'view'" in each]
    assert "asked for a queue of 10000 frames; queue_bytes=35" in told and "room for 3" in told
    frame(outbox, 20)
    assert sent(outbox, b"view") == []  # as many are on their way
    outbox.took(b"view", 1, 1)
    assert sent(outbox, b"view") == [20]


def test_a_frame_waits_for_memory() -> None:
    outbox = Outbox(keep_bytes=0, patience=60, queue_bytes=25)
    outbox.join(b"a", hello("block", queue=10_000))
    begin(outbox)
    for number in range(2):
        frame(outbox, number)
    put = threading.Thread(target=frame, args=(outbox, 2))
    put.start()
    assert sent(outbox, b"a") == ["begin", 0, 1]
    put.join(0.2)
    assert put.is_alive()
    outbox.took(b"a", 1, 1)
    put.join(10)
    assert sent(outbox, b"a") == [2]
    outbox.took(b"a", 3, 1)
    assert outbox.readers[0]._flying_bytes == 0 == outbox.readers[0]._waiting_bytes


def test_one_frame_may_always_come_however_large() -> None:
    outbox = Outbox(keep_bytes=0, patience=60, queue_bytes=5)
    outbox.join(b"a", hello("block", queue=2))
    begin(outbox)
    for number in range(2):
        frame(outbox, number)
        assert sent(outbox, b"a", take=True)[-1] == number


def test_messages_without_pixels_do_not_pile_up_at_a_consumer(outbox: Outbox) -> None:
    outbox.join(b"a", hello())
    for number in range(MOST_AHEAD):
        begin(outbox, run=str(number))
        outbox.put(RunOver())
    assert len(sent(outbox, b"a")) == MOST_AHEAD
    outbox.took(b"a", 0, 3)
    assert len(sent(outbox, b"a")) == 3
    outbox.took(b"a", 0, 10**6)  # isn't believed
    assert sent(outbox, b"a") == []


def test_who_takes_no_such_message_is_lost() -> None:
    outbox = Outbox(keep_bytes=0, patience=0.01)
    outbox.join(b"a", hello())
    for number in range(MOST_AHEAD):
        begin(outbox, run=str(number))
        outbox.put(RunOver())
    sent(outbox, b"a")
    threading.Event().wait(0.02)
    assert "for 0.01 s" in outbox.dismissed()[0][1]


def test_who_comes_late_and_would_fail_at_once_is_refused() -> None:
    outbox = Outbox(keep_bytes=1000, patience=60)
    begin(outbox)
    for number in range(9):
        frame(outbox, number)
    problem = outbox.join(b"late", hello("fail", queue=8))
    assert "9 frames already, more than its queue of 8" in problem
    assert not outbox.readers
    assert outbox.join(b"late", hello("fail", queue=10)) == ""
    frame(outbox, 9)
    assert outbox.dismissed() == []


@pytest.mark.parametrize(
    ("needed", "policy", "lost"),
    [
        (["c"], "block", True), (2, "block", True), (["c"], "drop", False),
        (["other"], "block", False), (1, "block", False), (0, "block", False),
    ],
)  # fmt: skip
def test_who_is_needed_may_not_leave_before_its_first_frame(
    outbox: Outbox, needed: Any, policy: Policy, lost: bool
) -> None:
    outbox.join(b"c", hello(policy, streams=("primary",)))
    outbox.join(b"other", hello(name="other"))
    outbox.wait_for_readers(needed, 1)
    begin(outbox, stream="darks")
    outbox.bye(b"c", "")
    assert bool(outbox.new_losses()) is lost


def test_who_came_for_one_run_is_not_reckoned_with_in_the_next(outbox: Outbox) -> None:
    outbox.join(b"a", hello(name="writer", runs=1))
    outbox.put(RunOver())  # of no run
    outbox.wait_for_readers(["writer"], 0.0)
    begin(outbox)
    outbox.put(RunOver())
    with pytest.raises(FrameConnectionError, match="missing: writer"):
        outbox.wait_for_readers(["writer"], 0.0)  # it's still at work at the one before
    outbox.join(b"b", hello(name="writer", runs=1))
    outbox.wait_for_readers(["writer"], 0.0)
    begin(outbox, run="next")
    frame(outbox, 0)
    assert sent(outbox, b"a") == ["runover", "begin", "end, 0 dropped", "runover"]
    outbox.bye(b"a", "")
    assert outbox.new_losses() == []
    outbox.bye(b"b", "")
    assert outbox.new_losses()


def test_who_has_begun_with_a_run_may_not_leave(outbox: Outbox) -> None:
    outbox.join(b"a", hello(runs=1))
    begin(outbox)
    outbox.bye(b"a", "")
    assert "before the run was over" in outbox.new_losses()[0]
