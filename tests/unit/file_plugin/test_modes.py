"""When files are written, as recorded from a real IOC."""

from __future__ import annotations

from typing import Any

import pytest

from adsupport.sim.port import PortError

pytestmark = pytest.mark.conformance

SINGLE, CAPTURE, STREAM = 0, 1, 2
SIZE = (20, 30)


# ---- not primed


@pytest.mark.parametrize("mode", [CAPTURE, STREAM])
def test_not_primed_fails_silently(mode: int, bench: Any) -> None:
    bench.settings(WRITE_MODE=mode, NUM_CAPTURE=5)
    bench.events.clear()
    bench.put(CAPTURE=1)
    assert bench.state() == [0, 0, 0, "", 0]
    assert bench.posted("CAPTURE") == [0]
    assert bench.files == []


def test_not_primed_needs_nothing_when_lazy(bench: Any) -> None:
    bench.settings("test", WRITE_MODE=STREAM, NUM_CAPTURE=5, FILE_LAZY_OPEN=1)
    bench.events.clear()
    bench.put(CAPTURE=1)
    assert bench.state() == [1, 0, 0, "Lazy Open...", 0]
    assert bench.state("FULL_FILE_NAME", "WRITE_FILE") == ["", 1]
    assert bench.files == []
    bench.feed(5)
    assert bench.state() == [0, 5, 0, "", 1]
    assert bench.state("FULL_FILE_NAME", "ARRAY_COUNTER") == [bench.full("test_0000.h5"), 5]
    order = bench.order("ARRAY_COUNTER", "NUM_CAPTURED", "CAPTURE", "WRITE_FILE")
    assert order == [
        ("CAPTURE", 1), ("WRITE_FILE", 1),
        *((p, n) for n in (1, 2, 3, 4, 5) for p in ("ARRAY_COUNTER", "NUM_CAPTURED")),
        ("CAPTURE", 0), ("WRITE_FILE", 0),
    ]  # fmt: skip
    assert bench.shape("test_0000.h5") == ((5, *SIZE), (5, *SIZE))


def test_lazy_when_primed(stream: Any) -> None:
    stream.put(FILE_LAZY_OPEN=1, NUM_CAPTURE=2, CAPTURE=1)
    assert stream.state() == [1, 0, 0, "Lazy Open...", 0]
    assert stream.get("FULL_FILE_NAME") == ""
    stream.feed(2)
    assert stream.state() == [0, 2, 0, "", 1]


# ---- stream


def test_stream(stream: Any) -> None:
    stream.put(CAPTURE=1)
    assert stream.state() == [1, 0, 0, "", 1]
    assert stream.files == ["f_0000.h5"], "the file exists before the first frame"
    assert stream.order("CAPTURE", "FILE_NUMBER", "FULL_FILE_NAME", "WRITE_FILE")[0][0] == "CAPTURE"
    stream.events.clear()
    stream.feed(8)
    assert stream.state() == [0, 5, 0, "", 1]
    assert stream.posted("NUM_CAPTURED") == [1, 2, 3, 4, 5]
    assert stream.posted("ARRAY_COUNTER") == [1, 2, 3, 4, 5]
    assert stream.posted("CAPTURE") == [0]
    assert stream.posted("WRITE_FILE") == [0]
    assert stream.ids("f_0000.h5") == [2, 3, 4, 5, 6]


def test_stop_early(stream: Any) -> None:
    stream.put(CAPTURE=1)
    stream.feed(2)
    stream.put(CAPTURE=0)
    assert stream.state() == [0, 2, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((2, *SIZE), (5, *SIZE))


def test_stop_without_a_frame(stream: Any) -> None:
    stream.put(CAPTURE=1)
    stream.put(CAPTURE=0)
    assert stream.state() == [0, 0, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((1, *SIZE), (5, *SIZE))


def test_any_number_of_frames(stream: Any) -> None:
    stream.put(NUM_CAPTURE=0, CAPTURE=1)
    stream.feed(3)
    assert stream.state() == [1, 3, 0, "", 1]
    stream.put(CAPTURE=0)
    assert stream.state() == [0, 3, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((3, *SIZE), (None, *SIZE))


def test_capture_again_while_capturing(stream: Any) -> None:
    stream.put(NUM_CAPTURE=3, CAPTURE=1)
    stream.put(CAPTURE=1)
    assert stream.state() == [1, 0, 0, "", 2]
    assert stream.get("FULL_FILE_NAME") == stream.full("f_0001.h5")
    stream.feed(3)
    assert stream.state() == [0, 3, 0, "", 2]
    assert stream.files == ["f_0000.h5", "f_0001.h5"]


def test_settings_changed_while_capturing(stream: Any) -> None:
    stream.put(NUM_CAPTURE=10, CAPTURE=1)
    stream.feed(2)
    stream.put(NUM_CAPTURE=4, FILE_NAME="other")
    with pytest.raises(PortError, match="Compression cannot change while"):
        stream.put(HDF5_compressionType=3)
    assert stream.get("HDF5_compressionType") == 0
    stream.feed(2)
    assert stream.state() == [0, 4, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((4, *SIZE), (10, *SIZE))
    stream.put(HDF5_compressionType=3)
    assert stream.get("HDF5_compressionType") == 3


def test_mode_changed_while_streaming(stream: Any) -> None:
    stream.put(CAPTURE=1, WRITE_MODE=SINGLE, AUTO_SAVE=1)
    stream.feed()
    assert stream.state() == [1, 1, 0, "", 2]
    assert stream.get("FULL_FILE_NAME") == stream.full("f_0001.h5")
    stream.put(CAPTURE=0)
    assert stream.state()[:4] == [0, 1, 0, "ERROR: capture not supported in Single mode"]
    assert stream.get("FULL_FILE_NAME") == stream.full("f_0001.h5")
    stream.put(WRITE_MODE=STREAM, CAPTURE=0)
    assert stream.state()[:4] == [0, 1, 0, ""]


# ---- single


def test_single_with_autosave(bench: Any) -> None:
    bench.settings("single", AUTO_SAVE=1, FILE_NUMBER=14)
    bench.events.clear()
    bench.feed()
    assert bench.state() == [0, 1, 0, "", 15]
    assert bench.order("ARRAY_COUNTER", "WRITE_FILE", "NUM_CAPTURED", "FULL_FILE_NAME") == [
        ("ARRAY_COUNTER", 1), ("WRITE_FILE", 1), ("NUM_CAPTURED", 1),
        ("FULL_FILE_NAME", bench.full("single_0014.h5")), ("WRITE_FILE", 0),
    ]  # fmt: skip
    assert bench.shape("single_0014.h5") == (SIZE, SIZE)


def test_single_on_command(bench: Any) -> None:
    bench.settings("single")
    bench.feed(2)
    assert bench.files == []
    assert bench.get("ARRAY_COUNTER") == 0
    bench.put(WRITE_FILE=1)
    assert bench.state("WRITE_FILE", "FULL_FILE_NAME") == [0, bench.full("single_0000.h5")]
    assert bench.ids("single_0000.h5") == [2], "the last array"


def test_write_without_an_array(bench: Any) -> None:
    bench.settings()
    bench.put(WRITE_FILE=1)
    assert bench.state() == [0, 0, 0, "", 0]
    assert bench.get("WRITE_FILE") == 0


def test_capture_in_single_mode(bench: Any) -> None:
    bench.settings()
    bench.feed()
    bench.put(CAPTURE=1)
    assert bench.state() == [0, 0, 0, "ERROR: capture not supported in Single mode", 0]
    assert bench.get("FULL_FILE_NAME") == ""


def test_reading_is_not_possible(bench: Any) -> None:
    bench.put(READ_FILE=1)
    assert bench.get("READ_FILE") == 0
    assert bench.posted("READ_FILE") == [1, 0]


# ---- capture to memory


def test_capture_then_write(stream: Any) -> None:
    stream.put(WRITE_MODE=CAPTURE, NUM_CAPTURE=4, CAPTURE=1)
    assert stream.state() == [1, 0, 0, "", 0]
    stream.events.clear()
    stream.feed(5)
    assert stream.state() == [0, 4, 0, "", 0]
    assert stream.files == []
    stream.events.clear()
    stream.put(WRITE_FILE=1)
    assert stream.state() == [0, 0, 0, "", 1]
    assert stream.posted("NUM_CAPTURED") == [3, 2, 1, 0]
    assert stream.posted("ARRAY_COUNTER") == [5, 6, 7, 8, 4]
    assert stream.posted("WRITE_FILE") == [1, 0]
    assert stream.ids("f_0000.h5") == [2, 3, 4, 5]
    stream.put(WRITE_FILE=1)
    assert stream.state() == [0, 0, 1, "ERROR, no capture buffer present", 1]


def test_capture_with_autosave(stream: Any) -> None:
    stream.put(WRITE_MODE=CAPTURE, NUM_CAPTURE=4, AUTO_SAVE=1, CAPTURE=1)
    stream.events.clear()
    stream.feed(4)
    assert stream.state() == [0, 0, 0, "", 1]
    assert stream.posted("NUM_CAPTURED") == [1, 2, 3, 4, 3, 2, 1, 0]
    assert stream.posted("ARRAY_COUNTER") == [1, 2, 3, 4, 5, 6, 7, 8, 4]
    assert stream.order("WRITE_FILE", "CAPTURE") == [
        ("WRITE_FILE", 1), ("WRITE_FILE", 0), ("CAPTURE", 0),
    ]  # fmt: skip


def test_capture_freed(stream: Any) -> None:
    stream.put(WRITE_MODE=CAPTURE, NUM_CAPTURE=2, CAPTURE=1)
    stream.feed(2)
    stream.put(FREE_CAPTURE=1)
    assert stream.get("NUM_CAPTURED") == 0
    stream.put(WRITE_FILE=1)
    assert stream.get("WRITE_MESSAGE") == "ERROR, no capture buffer present"
