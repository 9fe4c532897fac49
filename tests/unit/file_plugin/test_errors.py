"""Files that fail and frames that do not fit, as recorded from a real IOC."""

from __future__ import annotations

from typing import Any

import pytest

from adsupport.sim.hdf5.file import HDF5File, HDF5FileError
from adsupport.sim.ndarray import ColorMode

pytestmark = pytest.mark.conformance

SINGLE = 0
SIZE = (20, 30)


# ---- errors


@pytest.mark.parametrize("path", ["{}/does/not/exist", "/proc"])
def test_file_that_cannot_be_made(path: str, stream: Any) -> None:
    path = path.format(stream.directory)
    stream.put(FILE_PATH=path, FILE_NUMBER=16)
    stream.events.clear()
    stream.put(CAPTURE=1)
    full = f"{path}/f_0016.h5"
    assert stream.state() == [0, 0, 1, f"Error opening file {full}, status=3", 17]
    assert stream.get("FULL_FILE_NAME") == full
    assert stream.get("WRITE_FILE") == 1, "it stays, as recorded"
    stream.feed(2)
    assert stream.state()[:2] == [0, 0]
    stream.put(FILE_PATH=str(stream.directory), CAPTURE=1)
    assert stream.state() == [1, 0, 0, "", 18]
    stream.feed(5)
    assert stream.state() == [0, 5, 0, "", 18]


def test_single_file_that_cannot_be_made(stream: Any) -> None:
    stream.put(WRITE_MODE=SINGLE, AUTO_SAVE=1, FILE_PATH=stream.full("nope"))
    stream.events.clear()
    stream.feed()
    message = f"Error opening file {stream.full('nope/f_0000.h5')}, status=3"
    assert stream.state() == [0, 1, 1, message, 1]
    assert stream.get("WRITE_FILE") == 0


def test_lazy_file_that_cannot_be_made(stream: Any) -> None:
    stream.put(FILE_PATH=stream.full("nope"), FILE_LAZY_OPEN=1, FILE_NUMBER=18, CAPTURE=1)
    for number in (18, 19, 20):
        stream.feed()
        message = f"Error opening file {stream.full(f'nope/f_{number:04}.h5')}, status=3"
        assert stream.state() == [1, 0, 1, message, number + 1]
    assert stream.get("ARRAY_COUNTER") == 3
    stream.put(CAPTURE=0)
    assert stream.state() == [0, 0, 0, "Lazy Open...", 21]
    assert stream.get("FULL_FILE_NAME") == stream.full("nope/f_0020.h5")


def test_full_disk(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stream.put(CAPTURE=1)
    stream.feed(2)

    def refuse(file: HDF5File, *_: object) -> None:
        raise HDF5FileError(f"cannot write HDF5 file {file.path}: disk full")

    with monkeypatch.context() as patch:
        patch.setattr(HDF5File, "write", refuse)
        stream.feed()
    assert stream.state() == [0, 2, 1, "Error writing file, status=3", 1]
    assert stream.state("WRITE_FILE", "ARRAY_COUNTER") == [0, 3]
    stream.put(CAPTURE=0)
    assert stream.state() == [0, 2, 0, "", 1]
    stream.put(CAPTURE=1)
    stream.feed(5)
    assert stream.state() == [0, 5, 0, "", 2]


def test_endless_stream_stops_when_its_first_frame_fails(
    stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.put(NUM_CAPTURE=0, FILE_LAZY_OPEN=1, FILE_PATH=stream.full("nope"), CAPTURE=1)
    stream.feed()
    assert stream.get("CAPTURE") == 0


def test_frames_of_another_size(stream: Any) -> None:
    stream.put(NUM_CAPTURE=6, CAPTURE=1)
    stream.feed(3)
    stream.feed(2, shape=(20, 15))
    assert stream.state() == [1, 3, 1, "Invalid frame. Ignoring.", 1]
    assert stream.get("ARRAY_COUNTER") == 5
    stream.feed()
    assert stream.state() == [1, 4, 0, "", 1]
    stream.feed(2)
    assert stream.state() == [0, 6, 0, "", 1]
    assert stream.ids("f_0000.h5") == [2, 3, 4, 7, 8, 9]


def test_frames_of_another_type(stream: Any) -> None:
    stream.put(NUM_CAPTURE=4, CAPTURE=1)
    stream.feed(2)
    stream.feed(dtype="uint16")
    assert stream.state() == [1, 2, 1, "Invalid frame. Ignoring.", 1]
    stream.feed(dtype="int8")
    assert stream.state() == [1, 3, 0, "", 1]
    stream.feed(shape=(*SIZE, 3), color_mode=ColorMode.RGB1)
    assert stream.state() == [0, 4, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((4, *SIZE), (4, *SIZE))


def test_primed_with_another_size(stream: Any) -> None:
    stream.put(NUM_CAPTURE=3, CAPTURE=1)
    stream.feed(3, shape=(20, 15))
    assert stream.state() == [1, 0, 1, "Invalid frame. Ignoring.", 1]
    stream.put(CAPTURE=0)
    assert stream.shape("f_0000.h5") == ((1, *SIZE), (3, *SIZE))
    stream.put(FILE_LAZY_OPEN=1, CAPTURE=1)
    stream.feed(3, shape=(20, 15))
    assert stream.state() == [0, 3, 0, "", 2]
    assert stream.shape("f_0001.h5") == ((3, 20, 15), (3, 20, 15))
