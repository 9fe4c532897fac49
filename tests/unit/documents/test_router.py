"""Documents of runs, in every encoding and in every disorder, to one view of the run."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given, settings

from adsupport.documents.assets import Frames
from adsupport.documents.open_run import ConsumerError
from adsupport.documents.router import RunRouter
from adsupport.documents.run import Rows, Run, Stream

from .encodings import ENCODINGS, SIMPLE, UID, descriptor_of, runs, runs_of, singly


class Recorder:
    """Keep what came."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.calls: list[str] = []
        self.table: dict[str, list[tuple]] = {}
        self.ended = False

    def begin(self, run: Run) -> None:
        self.calls.append("begin")

    def stream(self, run: Run, stream: Stream) -> None:
        self.calls.append(stream.name)
        self.table.setdefault(stream.name, [])

    def rows(self, run: Run, rows: Rows) -> None:
        assert not self.ended
        for event in rows.events:
            data = {key: plain(value) for key, value in event["data"].items()}
            stamps = {k: plain(v) for k, v in event["timestamps"].items() if k != "image"}
            self.table[rows.stream.name].append(
                (event["seq_num"], event["time"], sorted(data.items()), sorted(stamps.items()))
            )

    def end(self, run: Run) -> None:
        self.ended = True


def plain(value: Any) -> Any:
    """Make values comparable: NaN is itself, frames are their place."""
    if isinstance(value, Frames):
        return (str(value.asset.path), value.first, value.count)
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    if isinstance(value, float):
        return "nan" if math.isnan(value) else (value, math.copysign(1, value))
    return value


def view(documents: list[tuple[str, dict]], close: bool = True) -> Recorder:
    """Return what a consumer sees of the first run."""
    found: list[Recorder] = []

    def begin(run: Run) -> Recorder:
        found.append(Recorder(run))
        return found[-1]

    router = RunRouter(begin)
    for name, doc in documents:
        router(name, doc)
    router.flush()
    if close:
        router.close()
    return found[0]


def facts(recorder: Recorder) -> dict[str, Any]:
    run = recorder.run
    columns = {
        name: [(c.name, c.dtype, c.shape, c.units, c.external) for c in stream.columns.values()]
        for name, stream in run.streams.items()
    }
    return {
        "columns": columns,
        "table": recorder.table,
        "start": run.start,
        "stop": run.stop,
        "status": run.exit_status,
        "problems": run.problems,
        "rows": {name: stream.rows for name, stream in run.streams.items()},
        "hinted": {name: stream.hinted() for name, stream in run.streams.items()},
    }


@settings(max_examples=500)
@given(runs())
def test_six_encodings_of_one_run_give_one_view(run):
    seen = {name: view(encode(run)) for name, encode in ENCODINGS.items()}
    expected = facts(seen["singly"])
    assert expected["problems"] == []
    for name, recorder in seen.items():
        assert recorder.ended, name
        assert facts(recorder) == expected, name


def numbers(recorder: Recorder, name: str = "primary") -> list[int]:
    return [row[0] for row in recorder.table[name]]


def test_a_run_ends_with_its_stop_document():
    recorder = view(singly(SIMPLE), close=False)
    assert recorder.ended
    assert recorder.run.exit_status == "success"
    assert (recorder.run.problems, recorder.run.remarks) == ([], [])


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=list(ENCODINGS))
def test_documents_cut_off_anywhere_give_what_came(encode):
    documents = encode(SIMPLE)
    whole = view(documents).table
    for length in range(1, len(documents)):
        recorder = view(documents[:length])
        assert recorder.ended
        assert recorder.run.exit_status == "unknown"
        for name, rows in recorder.table.items():
            assert set(map(str, rows)) <= set(map(str, whole[name])) or recorder.run.problems


@pytest.mark.parametrize("seed", range(20))
def test_any_order_at_all_gives_all_rows(seed):
    documents = singly(SIMPLE)
    random.Random(seed).shuffle(documents)
    recorder = view(documents)
    assert recorder.table == view(singly(SIMPLE)).table
    assert recorder.run.stop is not None
    assert recorder.run.problems == []


def test_a_row_that_never_comes_is_told_and_the_others_are_kept():
    documents = [d for d in singly(SIMPLE) if d[1].get("uid") not in ("primary/1", "primary/2")]
    recorder = view(documents)
    assert numbers(recorder) == [1, 4, 5]
    assert recorder.run.problems == ["Stream 'primary': seq_num 2 to 3 never came."]


def test_the_last_rows_are_counted_by_the_stop_document():
    documents = [d for d in singly(SIMPLE) if d[1].get("uid") != "primary/4"]
    recorder = view(documents)
    assert numbers(recorder) == [1, 2, 3, 4]
    (problem,) = recorder.run.problems
    assert "counts 5 events, and the last that came has seq_num 4" in problem


def test_a_repetition_that_differs_is_told_and_the_first_is_kept():
    documents = singly(SIMPLE)
    position = next(i for i, d in enumerate(documents) if d[1].get("uid") == "primary/1")
    event = documents[position][1]
    other = {**event, "data": {**event["data"], "k0": 9.9}}
    recorder = view([*documents[:-1], ("event", other), documents[-1]])
    assert recorder.table == view(documents).table
    (problem,) = recorder.run.problems
    assert "event 'primary/1' (seq_num 2) came twice, with different content" in problem


def test_a_point_taken_again_is_kept_beside_the_first():
    documents = singly(SIMPLE)
    position = next(i for i, d in enumerate(documents) if d[1].get("uid") == "primary/1")
    event = documents[position][1]
    again = {**event, "uid": "again", "time": 5000.0, "data": {**event["data"], "k0": 9.9}}
    recorder = view([*documents[: position + 1], ("event", again), *documents[position + 1 :]])
    assert numbers(recorder) == [1, 2, 2, 3, 4, 5]
    assert recorder.run.problems == []
    assert recorder.run.remarks == [
        "Stream 'primary': seq_num 2 was taken again; both rows are kept."
    ]


def test_images_that_were_never_announced_are_told():
    documents = [d for d in singly(SIMPLE) if d[1].get("datum_id") != "r-primary/3"]
    recorder = view(documents)
    assert numbers(recorder) == [1, 2, 3, 4, 5]
    assert dict(recorder.table["primary"][3][2])["image"] is None
    (problem,) = recorder.run.problems
    assert "no datum document 'r-primary/3' came, which 'image' of seq_num 4" in problem


def test_filled_images_are_handed_on():
    run = {**SIMPLE, "streams": {"primary": SIMPLE["streams"]["primary"]}}
    documents = singly(run)
    for name, doc in documents:
        if name == "event":
            doc["filled"]["image"] = doc["data"]["image"]
            doc["data"]["image"] = [[1, 2]]
    recorder = view([d for d in documents if d[0] not in ("resource", "datum")])
    assert dict(recorder.table["primary"][0][2])["image"] == ((1, 2),)
    assert recorder.run.problems == []


def test_keys_that_do_not_fit_the_descriptor_are_told():
    documents = singly(SIMPLE)
    for name, doc in documents:
        if name == "event" and doc["uid"] == "baseline/0":
            doc["data"] = {"surprise": 1}
    recorder = view(documents)
    assert recorder.table["baseline"][0][2] == []
    assert recorder.run.problems == [
        "Stream 'baseline': seq_num 1 has no 'k0'.",
        "Stream 'baseline': the descriptor doesn't know 'surprise' of seq_num 1; it is left out.",
    ]


@pytest.mark.parametrize(
    "doc",
    [
        {},
        None,
        [],
        "text",
        {"descriptor": "primary-0"},
        {"descriptor": "primary-0", "uid": "x", "seq_num": "one", "time": 0, "data": {}},
        {"descriptor": ["primary-0"], "uid": 3},
        {"uid": UID, "run_start": UID, "data_keys": 3},
    ],
)
@pytest.mark.parametrize(
    "kind",
    "start descriptor event event_page bulk_events resource datum datum_page bulk_datum "
    "stream_resource stream_datum stop nonsense".split(),
)
def test_what_is_not_a_document_harms_no_run(kind, doc):
    documents = singly(SIMPLE)
    recorder = view([*documents[:6], (kind, doc), *documents[6:]])
    assert recorder.table == view(documents).table


def test_several_runs_at_once():
    found: dict[str, Recorder] = {}

    def begin(run: Run) -> Recorder:
        return found.setdefault(run.uid, Recorder(run))

    router = RunRouter(begin)
    for one, other in zip(runs_of("one"), runs_of("other"), strict=True):
        router(*one)
        router(*other)
    assert router.open_runs == []
    assert len(found) == 2
    for recorder in found.values():
        assert recorder.ended
        assert recorder.run.problems == []
        assert numbers(recorder) == [1, 2, 3, 4, 5]


def test_a_run_may_be_played_again_after_its_end():
    found: list[Recorder] = []

    def begin(run: Run) -> Recorder:
        found.append(Recorder(run))
        return found[-1]

    router = RunRouter(begin)
    documents = singly(SIMPLE)
    for name, doc in [*documents, *documents[2:], *documents]:  # the middle ones are repetitions
        router(name, doc)
    assert [each.ended for each in found] == [True, True]
    assert found[0].table == found[1].table
    assert router.problems == []


def test_a_consumer_that_fails_gets_no_more_and_harms_no_other_run():
    class Failing(Recorder):
        def rows(self, run: Run, rows: Rows) -> None:
            raise OSError("no room")

    told: list[Exception] = []
    router = RunRouter(Failing, lambda run, consumer, error: told.append(error))
    for name, doc in singly(SIMPLE):
        router(name, doc)
    assert [str(each) for each in told] == ["no room"]
    assert router.open_runs == []
    router = RunRouter(Failing)
    with pytest.raises(ConsumerError, match="Failing has failed: no room"):
        for name, doc in singly(SIMPLE):
            router(name, doc)


def test_documents_without_a_run_do_not_take_the_place_of_those_of_later_runs():
    documents = singly(SIMPLE)
    orphans = [("event", {**doc, "descriptor": "nobody", "uid": str(i)})
               for i in range(10_050) for _, doc in documents[3:4]]  # fmt: skip
    start, *middle, stop = documents
    recorder = view([*orphans, start, *reversed(middle), stop])
    assert recorder.table == view(documents).table
    assert recorder.run.problems == []


def test_nobody_need_want_a_run():
    router = RunRouter(lambda run: None)
    for name, doc in singly(SIMPLE):
        router(name, doc)
    assert router.open_runs == []


def test_streams_come_in_the_order_of_their_rows_whatever_that_of_the_descriptors():
    documents = singly(SIMPLE)
    for _, doc in documents:
        if str(doc.get("descriptor", "")).startswith("baseline"):
            doc["time"] -= 0.5
    first, second = (each for each in documents if each[0] == "descriptor")
    others = [each for each in documents if each[0] != "descriptor"]
    swapped = view([others[0], second, first, *others[1:]])
    assert list(swapped.run.streams) == list(view(documents).run.streams)
    assert [call for call in swapped.calls if call != "begin"] == list(swapped.run.streams)


def test_rows_counted_from_zero_are_rows():
    documents = singly(SIMPLE)
    for name, doc in documents:
        if name == "event":
            doc["seq_num"] -= 1
    documents[-1][1].pop("num_events")
    assert numbers(view(documents)) == [0, 1, 2, 3, 4]


def test_images_without_events_make_rows():
    descriptor = descriptor_of("primary", {"kinds": [], "images": True}, streamed=True)
    documents = [
        *singly({**SIMPLE, "streams": {}, "stop": False}),
        ("descriptor", descriptor),
        ("stream_resource", {
            "uid": "r", "run_start": UID, "data_key": "image", "mimetype": "application/x-hdf5",
            "uri": "file://localhost/data/a.h5", "parameters": {"dataset": "/d"},
        }),
        ("stream_datum", {
            "uid": "r/0", "stream_resource": "r", "descriptor": "primary-0",
            "indices": {"start": 0, "stop": 2500}, "seq_nums": {"start": 1, "stop": 2501},
        }),
    ]  # fmt: skip
    recorder = view(documents)
    assert numbers(recorder) == list(range(1, 2501))
    assert dict(recorder.table["primary"][2499][2])["image"] == ("/data/a.h5", 4998, 2)
    assert recorder.run.problems == []
