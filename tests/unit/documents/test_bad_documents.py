"""What is wrong in a document costs that, and nothing beside it."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

from adsupport.documents.router import RunRouter

from .encodings import UID

START = {"uid": UID, "time": 1000.0, "scan_id": 7}
KEYS = {"x": {"dtype": "number", "shape": [], "source": "PV:x"}}


class Kept:
    """Keeps the rows of a run."""

    def __init__(self, run: Any) -> None:
        self.run = run
        self.rows_of: dict[str, list[dict[str, Any]]] = {}

    def begin(self, run: Any) -> None:
        pass

    def stream(self, run: Any, stream: Any) -> None:
        pass

    def end(self, run: Any) -> None:
        pass

    def rows(self, run: Any, rows: Any) -> None:
        self.rows_of.setdefault(rows.stream.name, []).extend(rows.events)

    def column(self, key: str) -> list[Any]:
        return [each["data"].get(key) for each in self.rows_of.get("primary", ())]


def descriptor(**changed: Any) -> dict[str, Any]:
    document = {"uid": "d", "run_start": UID, "time": 1.0, "name": "primary", "data_keys": KEYS}
    return document | changed


def event(number: Any, **changed: Any) -> dict[str, Any]:
    document = {"descriptor": "d", "uid": f"e{number}", "seq_num": number, "time": 1.0}
    return document | {"data": {"x": 0.5}, "timestamps": {"x": 2.0}} | changed


def stream_datum(first: int, stop: int) -> dict[str, Any]:
    return {
        "uid": f"sd{first}",
        "stream_resource": "r",
        "descriptor": "d",
        "indices": {"start": first - 1, "stop": stop - 1},
        "seq_nums": {"start": first, "stop": stop},
    }


STREAMED = [
    (
        "descriptor",
        descriptor(
            data_keys=KEYS
            | {"i": {"dtype": "array", "shape": [1, 2, 2], "source": "", "external": "STREAM:"}}
        ),
    ),
    (
        "stream_resource",
        {
            "uid": "r",
            "run_start": UID,
            "data_key": "i",
            "mimetype": "application/x-hdf5",
            "uri": "file://localhost/data/a.h5",
            "parameters": {"dataset": "/entry/data/data"},
        },
    ),
]


def taken(*documents: tuple[str, Any], start: dict[str, Any] = START) -> Kept:
    made: list[Kept] = []
    router = RunRouter(lambda run: made.append(Kept(run)) or made[-1])
    for name, doc in (("start", start), *documents):
        router(name, doc)
    router.close()
    return made[0]


@pytest.mark.parametrize(
    "number", ["x", math.nan, math.inf, 1.5, [1], {"a": 1}, np.array([1, 2]), b"x"]
)
def test_a_scan_id_that_is_no_number_is_told(number: Any) -> None:
    found = taken(
        ("descriptor", descriptor()), ("event", event(1)), start=START | {"scan_id": number}
    )
    assert found.run.scan_id is None
    assert any("scan_id isn't a whole number" in each for each in found.run.problems)
    assert found.column("x") == [0.5]


@pytest.mark.parametrize("number", [0, -1, 2**70, 7.0, np.int64(7), None])
def test_other_scan_ids_are_kept(number: Any) -> None:
    found = taken(start=START | {"scan_id": number})
    assert found.run.scan_id == number and not found.run.problems


class Hostile:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    "bad", [{"seq_num": math.inf}, {"seq_num": 2**70}, {"seq_num": Hostile()}, {"timestamps": None}]
)
def test_an_event_of_nonsense_costs_no_other(bad: dict[str, Any]) -> None:
    wrong = event(2, **bad)
    found = taken(
        ("descriptor", descriptor()), ("event", event(1)), ("event", wrong), ("event", event(3))
    )
    assert found.column("x") == [0.5, 0.5]
    assert found.run.problems


@pytest.mark.parametrize("bad", ["x", "1.5", [1], 10**400, True])
def test_a_time_of_nonsense_is_nan(bad: Any) -> None:
    wrong = event(2, time=bad, timestamps={"x": bad})
    found = taken(("descriptor", descriptor()), ("event", event(1)), ("event", wrong))
    rows = found.rows_of["primary"]
    assert [each["time"] for each in rows][0] == 1.0 and math.isnan(rows[1]["time"])
    assert math.isnan(rows[1]["timestamps"]["x"])
    assert wrong["time"] is bad and wrong["timestamps"] == {"x": bad}  # left as it is
    assert len(found.run.problems) == 2
    assert all("seq_num 2" in each for each in found.run.problems)


def test_a_timestamp_of_none_is_none() -> None:
    found = taken(("descriptor", descriptor()), ("event", event(1, timestamps={"x": None})))
    assert math.isnan(found.rows_of["primary"][0]["timestamps"]["x"])
    assert not found.run.problems


@pytest.mark.parametrize("bad", [5, "x", [1], np.arange(3), b"x"])
@pytest.mark.parametrize("part", ["hints", "object_keys", "configuration"])
def test_parts_of_a_descriptor_that_are_nonsense(part: str, bad: Any) -> None:
    for value in (bad, {"d": bad}):
        found = taken(("descriptor", descriptor(**{part: value})), ("event", event(1)))
        assert found.column("x") == [0.5]
        listed = part == "object_keys" and isinstance(bad, (list, np.ndarray))
        if value is bad or not listed:
            assert part in found.run.problems[0]
        found.run.streams["primary"].hinted()


@pytest.mark.parametrize(
    "key", [5, None, {}, {"dtype": "x"}, {"dtype": None}, {"dtype": "number", "shape": 5}]
)
def test_a_data_key_that_is_nonsense_keeps_its_values(key: Any) -> None:
    found = taken(
        ("descriptor", descriptor(data_keys=KEYS | {"bad": key})),
        ("event", event(1, data={"x": 0.5, "bad": 3}, timestamps={})),
    )
    assert (found.column("x"), found.column("bad")) == ([0.5], [3])
    assert "'bad'" in found.run.problems[0]


def test_of_very_many_problems_only_the_first_are_kept() -> None:
    events = [("event", event(number, data={})) for number in range(1, 20_001)]
    begun = time.monotonic()
    found = taken(("descriptor", descriptor()), *events)
    assert time.monotonic() - begun < 5
    assert len(found.run.problems) == 201
    assert "19800 times more" in found.run.problems[-1]


def test_streamed_images_far_away_are_reached_at_once() -> None:
    found = taken(
        *STREAMED,
        ("event", event(1)),
        ("stream_datum", stream_datum(1, 2)),
        ("event", event(10**12)),
        ("stream_datum", stream_datum(2 * 10**12, 2 * 10**12 + 2)),
        ("stream_datum", stream_datum(5, 2**60)),
    )
    numbers = [each["seq_num"] for each in found.rows_of["primary"]]
    assert numbers == [1, 10**12, 2 * 10**12, 2 * 10**12 + 1]
    assert any("isn't believable" in each for each in found.run.problems)


def test_an_event_behind_its_streamed_images_is_told() -> None:
    two = [("event", event(1)), ("stream_datum", stream_datum(1, 3)), ("event", event(2))]
    made: list[Kept] = []
    router = RunRouter(lambda run: made.append(Kept(run)) or made[-1])
    for name, doc in (("start", START), *STREAMED, *two):
        router(name, doc)
    router.flush()
    router("event", event(2))  # a repetition
    assert not made[0].run.problems
    router("event", event(2, uid="other"))
    assert "another event with seq_num 2" in made[0].run.problems[0]
