"""Images that stream_datum documents tell of, in whatever order these come."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.documents.assets import Asset, Frames
from adsupport.documents.descriptor import add_descriptor
from adsupport.documents.router import RunRouter
from adsupport.documents.run import Stream
from adsupport.documents.streamed_images import Segment, StreamedImages

ASSET = Asset("r", "application/x-hdf5", "hdf5", Path("/a.h5"), format="hdf5")


def images_of(*shape: int) -> StreamedImages:
    key = {"dtype": "array", "source": "x", "external": "STREAM:", "shape": list(shape)}
    stream = Stream("primary")
    add_descriptor(stream, {"uid": "d", "data_keys": {"image": key}})
    return StreamedImages(stream.columns["image"])


def segment(first: int, stop: int, index: int = 0) -> Segment:
    return Segment(first, stop, index, ASSET)


def test_rows_find_their_frames_in_any_order():
    images = images_of(2, 4, 5)
    assert (images.first, images.last) == (None, 0)
    for first in (4, 1, 10, 7):
        assert images.add(segment(first, first + 3, first + 99))
    assert (images.first, images.last) == (1, 12)
    assert [images.find(row) for row in (1, 2, 5, 12)] == [
        Frames(ASSET, 2 * (row + 99), 2) for row in (1, 2, 5, 12)
    ]
    assert images.find(13) is None and images.first is None
    assert images.add(segment(4, 7, 103)) and not images.add(segment(4, 7, 5))  # used, remembered


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 5), st.integers(0, 1)), max_size=30),
       st.integers(0, 45))  # fmt: skip
def test_no_row_has_images_twice(given_, passed):
    images = images_of(4, 5)
    taken: list[Segment] = []
    images.find(passed)  # nothing is there yet
    for first, length, index in given_:
        new = segment(first, first + length, index)
        free = all(new.stop <= old.first or old.stop <= new.first for old in taken)
        assert images.add(new) == (free or new in taken)
        taken += [new] if free else []
    rows = {row: old.index + row - old.first for old in taken for row in range(old.first, old.stop)}
    assert images.last == max(rows, default=0)
    found = [images.find(row) for row in range(46)]
    assert found == [Frames(ASSET, rows[row], 1) if row in rows else None for row in range(46)]


@pytest.mark.parametrize(
    "order", [pytest.param("first", marks=pytest.mark.slow), "reversed", "shuffled"]
)
@pytest.mark.timeout(30)  # which one by one was some minutes
def test_very_many_that_come_before_their_rows(order):
    images, rows = images_of(4, 5), 100_000
    segments = [segment(row, row + 1, row) for row in range(1, rows + 1)]
    if order == "reversed":
        segments.reverse()
    elif order == "shuffled":
        random.Random(0).shuffle(segments)
    assert all(map(images.add, segments))
    assert not any(images.add(segment(row, row + 2)) for row in range(1, rows, 100))
    for row in range(1, rows + 1):
        assert images.find(row) == Frames(ASSET, row, 1)
    assert images.find(rows + 1) is None and images.first is None


class _Counter:
    """Counts rows, and keeps problems."""

    def __init__(self) -> None:
        self.rows_seen = 0
        self.problems: list[str] = []

    def begin(self, run): ...

    def stream(self, run, stream): ...

    def rows(self, run, rows):
        self.rows_seen += len(rows)

    def end(self, run):
        self.problems = run.problems


@pytest.mark.timeout(30)
def test_a_run_whose_images_are_all_told_of_first():
    rows, counter = 30_000, _Counter()
    router = RunRouter(lambda run: counter)
    keys = {"x": {"source": "x", "dtype": "number", "shape": []},
            "image": {"source": "y", "dtype": "array", "shape": [1, 4, 5],
                      "external": "STREAM:"}}  # fmt: skip
    router("start", {"uid": "run", "time": 1.0})
    router("descriptor", {"uid": "d", "run_start": "run", "time": 1.0, "name": "primary",
                          "data_keys": keys})  # fmt: skip
    router("stream_resource", {"uid": "r", "run_start": "run", "mimetype": "application/x-hdf5",
                               "uri": "file://localhost/a.h5", "data_key": "image",
                               "parameters": {"dataset": "/entry/data/data"}})  # fmt: skip
    numbers = [row for row in range(rows) if row % 5 != 4]
    for row in numbers:
        router("stream_datum", {"uid": f"r/{row}", "stream_resource": "r", "descriptor": "d",
                                "seq_nums": {"start": row + 1, "stop": row + 2},
                                "indices": {"start": row, "stop": row + 1}})  # fmt: skip
    for row in numbers:
        router("event", {"uid": f"e{row}", "descriptor": "d", "seq_num": row + 1,
                         "time": 2.0 + row, "data": {"x": 1.0}, "timestamps": {"x": 1.0},
                         "filled": {}})  # fmt: skip
    router("stop", {"uid": "s", "run_start": "run", "time": 9e9, "exit_status": "success"})
    router.close()
    assert counter.rows_seen == len(numbers)
    assert counter.problems[0] == "Stream 'primary': seq_num 5 never came."
