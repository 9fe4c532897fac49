"""Stored runs, played to a callback: from lists, files and databroker."""

from __future__ import annotations

import itertools
import json
import logging
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from event_model import DocumentNames, compose_run

from adsupport.documents.json_lines import documents_of_run, read_documents, read_starts
from adsupport.documents.json_text import encode_document
from adsupport.documents.stored_runs import StoredRun, replay
from adsupport.errors import DocumentError


def documents(scan_id, time, *, images=False, points=2) -> Iterator[Any]:
    """Compose the documents of a run."""
    run = compose_run(time=time, metadata={"scan_id": scan_id, "nan": math.nan})
    keys = {"m": {"source": "PV:m", "dtype": "number", "shape": []}}
    image = {"source": "PV:i", "dtype": "array", "shape": [2, 3], "external": "FILESTORE:"}
    if images:
        keys["image"] = image
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    yield "start", run.start_doc
    yield "descriptor", stream.descriptor_doc
    if images:
        resource = run.compose_resource(
            spec="AD_HDF5", root="/", resource_path="none.h5", resource_kwargs={}
        )
        yield "resource", resource.resource_doc
    for number in range(points):
        data: dict[str, Any] = {"m": 0.1 * number}
        filled = {}
        if images:
            datum = resource.compose_datum(datum_kwargs={"point_number": number})
            yield "datum", datum
            data["image"], filled["image"] = datum["datum_id"], False
        yield (
            "event",
            stream.compose_event(
                data=data, timestamps=dict.fromkeys(data, time), filled=filled, time=time + number
            ),
        )
    yield "stop", run.compose_stop(time=time + points)


def played(runs, **options):
    found = []
    replay(runs, lambda name, doc: found.append((name, doc)), **options)
    return found


def scan_ids(found):
    return [doc["scan_id"] for name, doc in found if name == "start"]


def write(path, found):
    path.write_bytes(b"".join(encode_document(name, doc) for name, doc in found))
    return path


def test_one_run_as_pairs_in_any_iterable():
    run = list(documents(1, 100.0, images=True))
    assert played(run) == played(iter(run)) == played(tuple(run)) == run
    assert played([(DocumentNames[name], doc) for name, doc in run]) == run
    assert [type(name) for name, _ in played([[DocumentNames.start, {"uid": "1"}]])] == [str]


def test_runs_are_played_in_the_order_of_their_start(tmp_path):
    late, early, middle = (list(documents(n, t)) for n, t in ((1, 300.0), (2, 100.0), (3, 200.0)))
    file = write(tmp_path / "early.jsonl", early)
    runs = [late, str(file), (each for each in middle)]
    assert scan_ids(played(iter(runs))) == [2, 3, 1]
    assert scan_ids(played([late, file, middle], sort=False)) == [1, 2, 3]


def test_a_file_is_played_as_it_stands(tmp_path):
    first, second = list(documents(1, 100.0, images=True)), list(documents(2, 200.0))
    together = [each for pair in itertools.zip_longest(first, second) for each in pair if each]
    found = played(write(tmp_path / "both.jsonl", together))
    assert list(map(repr, found)) == list(map(repr, together))  # with NaN
    assert [each["scan_id"] for each in read_starts(tmp_path / "both.jsonl")] == [1, 2]


def test_of_interleaved_runs_each_can_be_had_alone():
    first, second = list(documents(1, 100.0, images=True)), list(documents(2, 200.0, points=9))
    for one, other in itertools.permutations((first, second)):
        together = [each for pair in itertools.zip_longest(one, other) for each in pair if each]
        assert list(documents_of_run(together, first[0][1]["uid"])) == first
        assert list(documents_of_run(together, second[0][1]["uid"])) == second


def test_pages_of_other_runs_are_left_out():
    both = [
        ("start", {"uid": "1"}),
        ("start", {"uid": "2"}),
        ("descriptor", {"uid": "a", "run_start": "1"}),
        ("descriptor", {"uid": "b", "run_start": "2"}),
        ("event_page", {"uid": ["x", "y"], "descriptor": "a"}),
        ("event_page", {"uid": ["z"], "descriptor": "b"}),
    ]
    assert list(documents_of_run(both, "1")) == both[0::2]
    assert list(documents_of_run(both, "2")) == both[1::2]
    assert list(documents_of_run(both[1:], "2")) == both[1::2]


def test_bulk_events_are_taken_apart_for_a_run():
    bulk = ("bulk_events", {"a": [1], "b": [2]})
    both = [
        ("start", {"uid": "1"}),
        ("start", {"uid": "2"}),
        ("descriptor", {"uid": "a", "run_start": "1"}),
        ("descriptor", {"uid": "b", "run_start": "2"}),
        bulk,
    ]
    assert list(documents_of_run(both, "1"))[-1] == ("bulk_events", {"a": [1]})


@pytest.mark.parametrize("keep", range(1, 8))
def test_a_run_that_was_never_stopped_is_played_as_far_as_it_goes(tmp_path, keep):
    run = list(documents(1, 100.0, images=True))[:keep]
    assert played(run) == run
    assert len(played(write(tmp_path / "run.jsonl", run))) == keep


def test_a_torn_last_line_is_left_out_and_told(tmp_path, caplog):
    run = list(documents(1, 100.0))
    path = write(tmp_path / "run.jsonl", run)
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(last, len(whole)):
        caplog.clear()
        path.write_bytes(whole[:cut])
        with caplog.at_level(logging.WARNING):
            found = [name for name, _ in read_documents(path)]
        complete = cut in (last, len(whole) - 1)
        assert found == [name for name, _ in run][: None if cut == len(whole) - 1 else -1]
        assert bool(caplog.records) != complete
        if not complete:
            assert f"run.jsonl ends within line {len(run)}" in caplog.text


def test_a_torn_start_is_no_run(tmp_path, caplog):
    path = tmp_path / "run.jsonl"
    path.write_bytes(b'["start", {"uid":')
    assert played(path) == []
    assert list(read_starts(path)) == []


def test_a_wrong_line_in_the_middle_is_an_error(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_bytes(b'["start", {"uid": "1"}]\n\nrubbish\n["stop", {}]\n')
    with pytest.raises(DocumentError, match="line 3 of .*run.jsonl can't be read as JSON"):
        played(path)


def test_records_of_a_json_text_sequence_are_read(tmp_path):
    path = tmp_path / "run.json-seq"
    path.write_text('\x1e{"name": "start", "doc": {"uid": "1", "n": NaN}}\n')
    ((name, doc),) = played(path)
    assert name == "start" and math.isnan(doc["n"])
    assert next(read_starts(path))["uid"] == "1"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("no such.jsonl", "'no such.jsonl' is no file"),
        (3, "int 3 isn't a stored run"),
        (None, "NoneType None isn't"),
        ([[3]], "int 3 isn't"),
        ({"uid": "1"}, "dict {'uid': '1'} isn't"),
        ([("start", {"uid": "1"}), ("no such", {})], r"tuple \('no such', {}\) among the doc"),
        ([("start", {"uid": "1"}), 3], "int 3 among"),
    ],
)
def test_what_isn_t_a_run_is_refused(wrong, message):
    with pytest.raises(DocumentError, match=message):
        played(wrong)


def test_the_writer_itself_isn_t_the_callback():
    with pytest.raises(DocumentError, match="receiver"):
        replay([], object())  # type: ignore[arg-type]


def test_nothing_is_played_when_there_is_nothing():
    assert played([]) == played(iter(())) == []


def test_a_stored_run_is_read_when_its_turn_comes():
    def never():
        raise OSError("gone")
        yield

    runs = [StoredRun({"time": 2.0}, never), StoredRun({"time": 1.0}, lambda: documents(5, 1.0))]
    found = []
    with pytest.raises(OSError, match="gone"):
        replay(runs, lambda name, doc: found.append(doc))
    assert found[0]["scan_id"] == 5


@pytest.fixture(scope="module")
def catalog():
    databroker = pytest.importorskip("databroker")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *args, **kwargs: None)  # databroker's own
        cat = databroker.temp().v2
        for number, time in ((11, 300.0), (12, 100.0)):
            for name, doc in documents(number, time, images=True):
                cat.v1.insert(name, doc)
    return cat


@pytest.mark.filterwarnings("ignore")
def test_headers_and_runs_of_databroker(catalog):
    expected = list(documents(11, 300.0, images=True))
    for runs in (catalog.v1[11], catalog[11], [catalog.v1[11]], catalog.v2[11]):
        found = played(runs)
        names = [name.replace("_page", "") for name, _ in found]
        assert set(names) == {name for name, _ in expected}
        assert len(played(runs)) == len(found)
        assert (names[0], names[-1]) == ("start", "stop")
        image = next(doc for name, doc in found if "event" in name)["data"]["image"]
        assert isinstance(image if isinstance(image, str) else image[0], str)  # not the array
    assert scan_ids(played(iter([catalog.v1[11], catalog[12]]))) == [12, 11]


@pytest.mark.filterwarnings("ignore")
def test_databroker_opens_our_lines(catalog, tmp_path):
    from databroker._drivers.jsonl import BlueskyJSONLCatalog

    run = [
        ("start", {"uid": "a" * 36, "time": 1.0, "scan_id": 3, "hints": {"dimensions": ()}}),
        ("descriptor", {"uid": "d", "run_start": "a" * 36, "time": 1.0, "name": "primary",
                        "data_keys": {"m": {"source": "", "dtype": "number", "shape": ()}},
                        "hints": {}, "configuration": {}, "object_keys": {}}),
        ("event", {"uid": "e", "descriptor": "d", "seq_num": 1, "time": 1.0, "filled": {},
                   "data": {"m": np.float64(0.1)}, "timestamps": {"m": 1.0}}),
        ("stop", {"uid": "s", "run_start": "a" * 36, "time": 2.0, "exit_status": "success"}),
    ]  # fmt: skip
    path = write(tmp_path / "run.jsonl", run)
    endless = BlueskyJSONLCatalog(str(write(tmp_path / "endless.jsonl", run[:-1])))
    for stored in (endless[3], endless.v1[3]):
        assert [name for name, _ in played(stored)][:2] == ["start", "descriptor"]
        assert len(played(stored)) == 3
    found = BlueskyJSONLCatalog(str(path))[3]
    assert found.primary.read()["m"].values.tolist() == [0.1]
    assert json.dumps(found.metadata["start"]["hints"]) == '{"dimensions": []}'
    assert [name for name, _ in played(found)] == ["start", "descriptor", "event_page", "stop"]


def test_the_public_name_is_the_function_whatever_was_imported_before():
    import adsupport.callbacks.export  # noqa: F401
    from adsupport import documents

    assert documents.replay is replay
