"""JSON files of whole runs: columns that json.load reads, written in bounded memory."""

from __future__ import annotations

import json
import math
import os
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from event_model import compose_run
from hypothesis import given, settings

from adsupport.callbacks.json import JSONWriter
from adsupport.callbacks.json import whole as module
from adsupport.callbacks.json.whole import JSONFile
from adsupport.documents import json_text
from adsupport.documents.run import Run
from adsupport.errors import ConfigurationError, DocumentError

from ...documents import encodings as enc
from ..described import column, rows, stream
from ..sending import send


def load(result):
    (path,) = result.paths
    return json.loads(path.read_bytes(), parse_constant=pytest.fail)


def columns_of(values, *, shape=(), name="primary"):
    """Compose a run with a stream of one column ``x``."""
    run = compose_run(time=100.0)
    yield "start", run.start_doc
    dtype = "array" if shape else "number"
    described = run.compose_descriptor(
        name=name, data_keys={"x": {"source": "PV:x", "dtype": dtype, "shape": list(shape)}}
    )
    yield "descriptor", described.descriptor_doc
    for index, value in enumerate(values):
        yield (
            "event",
            described.compose_event(
                data={"x": value}, timestamps={"x": float(index)}, time=100.0 + index
            ),
        )
    yield "stop", run.compose_stop(time=200.0)


def test_streams_are_columns(tmp_path):
    documents = list(columns_of([0.1, math.nan, -math.inf, 5e-324]))
    (result,) = send(JSONWriter(tmp_path), documents)
    assert os.listdir(tmp_path) == [result.paths[0].name]
    found = load(result)
    assert found["format"] == "adsupport-run-1"
    assert found["start"] == documents[0][1] and found["stop"] == documents[-1][1]
    primary = found["streams"]["primary"]
    assert primary["descriptors"] == [json.loads(json.dumps(documents[1][1]))]
    assert primary["seq_num"] == [1, 2, 3, 4] and primary["time"] == [100.0, 101.0, 102.0, 103.0]
    assert primary["timestamps"] == {"x": [0.0, 1.0, 2.0, 3.0]}
    assert primary["data"]["x"][1] == {"$adsupport": "float", "value": "nan"}
    restored = json_text.decode(result.paths[0].read_bytes())["streams"]["primary"]["data"]["x"]
    assert struct.pack("4d", *restored) == struct.pack("4d", 0.1, math.nan, -math.inf, 5e-324)


@given(enc.runs())
@settings(max_examples=30)
def test_any_run_in_any_encoding_is_one_text(tmp_path_factory, run):
    directory = tmp_path_factory.mktemp("json")
    texts = set()
    for encode in (enc.singly, enc.in_pages, enc.in_bulk, enc.shuffled):
        (result,) = send(JSONWriter(directory, encode.__name__, strict=False), encode(run))
        load(result)
        texts.add(result.paths[0].read_bytes())
    assert len(texts) == 1


def test_columns_are_the_same_however_often_they_went_to_the_spool(tmp_path, monkeypatch):
    documents = list(columns_of(list(range(50))))
    texts = []
    for name, count in (("few", 7), ("one", 1), ("all", 1000)):
        monkeypatch.setattr(module, "_ROWS", count)
        (result,) = send(JSONWriter(tmp_path, name), documents)
        texts.append(result.paths[0].read_bytes())
    assert texts[0] == texts[1] == texts[2]


def test_arrays_are_lists_or_exact(tmp_path):
    arrays = [np.array([1, 2], "u1"), np.array([3, 4], "u1")]
    (result,) = send(JSONWriter(tmp_path, "lists"), columns_of(arrays, shape=[2]))
    assert load(result)["streams"]["primary"]["data"]["x"] == [[1, 2], [3, 4]]
    (result,) = send(JSONWriter(tmp_path, "exact", arrays="exact"), columns_of(arrays, shape=[2]))
    found = json_text.decode(result.paths[0].read_bytes())["streams"]["primary"]["data"]["x"]
    assert [each.dtype for each in found] == [np.uint8] * 2
    assert np.array_equal(found, arrays)
    with pytest.raises(ConfigurationError, match="expected 'lists' or 'exact'"):
        JSONWriter(arrays="no")  # type: ignore[arg-type]


def test_a_later_descriptor_brings_columns_that_earlier_rows_don_t_have(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 2)
    documents: list[Any] = list(columns_of([1.0, 2.0, 3.0]))
    later = json.loads(json.dumps(documents[1][1])) | {"uid": "later"}
    later["data_keys"]["y"] = later["data_keys"]["x"]
    event = documents[-2][1] | {"uid": "new", "descriptor": "later", "seq_num": 4}
    event |= {"data": {"x": 4.0, "y": 0.5}, "timestamps": {"x": 4.0, "y": 4.5}}
    stop = documents[-1][1] | {"num_events": {"primary": 4}}
    documents[-1:] = [("descriptor", later), ("event", event), ("stop", stop)]
    (result,) = send(JSONWriter(tmp_path, strict=False), documents)
    primary = load(result)["streams"]["primary"]
    assert primary["data"] == {"x": [1.0, 2.0, 3.0, 4.0], "y": [None, None, None, 0.5]}
    assert primary["timestamps"]["y"] == [None, None, None, 4.5]
    assert len(primary["descriptors"]) == 2


def test_images_are_told_by_file_and_frames(tmp_path):
    images = {"kinds": ["number"], "images": True, "table": [[1.0], [2.0]]}
    run = {"streams": {"primary": images}, "stop": True, "seed": 1}
    (result,) = send(JSONWriter(tmp_path, strict=False), enc.singly(run))
    images = load(result)["streams"]["primary"]["data"]["image"]
    assert all(isinstance(each, str) and each.endswith("]") for each in images)
    assert len(set(images)) == 2


@pytest.mark.parametrize("name", ["$adsupport", 'a"b\n', "\ud800", "é"])
def test_awkward_stream_names_are_keys_all_the_same(tmp_path, name):
    (result,) = send(JSONWriter(tmp_path, "x", strict=False), columns_of([1.0], name=name))
    assert len(load(result)["streams"]) == 1
    assert json_text.decode(result.paths[0].read_bytes())["stop"]["exit_status"] == "success"


def test_what_can_t_be_written_is_told_with_its_place(tmp_path):
    with pytest.raises(DocumentError, match=r"data\['x'\], from row 1 on: value\[1\]: only"):
        send(JSONWriter(tmp_path), columns_of([1.0, object()]))


def test_an_empty_run_and_one_without_end(tmp_path):
    documents = list(columns_of([]))
    (result,) = send(JSONWriter(tmp_path, "empty"), [documents[0], documents[-1]])
    assert load(result)["streams"] == {}
    (result,) = send(JSONWriter(tmp_path, "endless", strict=False), documents[:-1])
    found = load(result)
    assert found["stop"] is None
    assert found["streams"]["primary"]["seq_num"] == [] == found["streams"]["primary"]["time"]


def test_memory_does_not_grow_with_the_run(tmp_path):
    def peak(blocks):
        file, run = JSONFile(tmp_path / f"{blocks}.json"), Run({"uid": "1"})
        columns = stream(column("x"), column("y", "array", (None,)))
        file.begin(run)
        file.stream(run, columns)
        tracemalloc.start()
        try:
            for _ in range(blocks):
                file.rows(run, rows(columns, [{"x": 0.1, "y": np.arange(9)}] * 1000))
            file.finish()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(20) < peak(5) + 5e5
