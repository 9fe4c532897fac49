"""JSON lines: every document, as it came, and files that play the run again."""

from __future__ import annotations

import json
import math
import os

import numpy as np
import pytest
from hypothesis import given, settings

from adsupport.callbacks.json import JSONLinesWriter
from adsupport.documents import json_text
from adsupport.documents.json_lines import read_documents
from adsupport.documents.run import Run
from adsupport.errors import DocumentError, OutputError, OutputExistsError

from ...documents import encodings as enc
from ..sending import send


def plain(documents):
    """Make text of documents, by which NaN equals itself and a tuple a list."""
    return [json.dumps(json.loads(json_text.encode_document(*each))) for each in documents]


RUN = {"streams": {"primary": {"kinds": ["number", "array"], "images": True,
                               "table": [[math.nan, [1.0, -math.inf, 0.1]], [5e-324, [0.0] * 3]]}},
       "stop": True, "seed": 3}  # fmt: skip


@pytest.mark.parametrize("encode", [enc.singly, enc.in_pages, enc.in_bulk, enc.streamed])
def test_documents_come_back_as_they_were(tmp_path, encode):
    documents = encode(RUN)
    (result,) = send(JSONLinesWriter(tmp_path), documents)
    (path,) = result.paths
    assert os.listdir(tmp_path) == [path.name] and path.suffix == ".jsonl"
    assert plain(read_documents(path)) == plain(documents)
    for line in path.read_bytes().splitlines():
        name, doc = json.loads(line, parse_constant=pytest.fail)
        assert isinstance(name, str) and isinstance(doc, dict)


@given(enc.runs())
@settings(max_examples=20)
def test_a_file_written_from_a_file_is_the_same(tmp_path_factory, run):
    directory = tmp_path_factory.mktemp("lines")
    writer = JSONLinesWriter(directory, "first", strict=False)
    (first,) = send(writer, enc.singly(run))
    writer.file_name = "second"
    (second,) = send(writer, read_documents(first.paths[0]))
    assert first.paths[0].read_bytes() == second.paths[0].read_bytes()


def test_the_stop_document_is_the_last_line_whatever_came_behind_it(tmp_path):
    documents = enc.singly(RUN)
    documents[-1], documents[-2] = documents[-2], documents[-1]
    (result,) = send(JSONLinesWriter(tmp_path), documents)
    names = [name for name, _ in read_documents(result.paths[0])]
    assert names[-2:] == ["event", "stop"] and len(names) == len(documents)


def test_a_run_without_end_has_a_file_too(tmp_path):
    (result,) = send(JSONLinesWriter(tmp_path, strict=False), enc.singly(RUN)[:-1])
    assert "stop" not in dict(read_documents(result.paths[0]))
    assert result.exit_status == "unknown"


def test_what_can_t_be_written_is_told_and_the_rest_is_there(tmp_path):
    documents = enc.singly(RUN)
    documents[0] = ("start", documents[0][1] | {"sample": [1, 2, object()], "size": np.uint8(3)})
    writer = JSONLinesWriter(tmp_path)
    with pytest.raises(DocumentError, match=r"start\['sample'\]\[2\]: only the text of a object"):
        send(writer, documents)
    start = next(read_documents(writer.results[-1].paths[0]))[1]
    assert start["sample"][:2] == [1, 2] and start["sample"][2].startswith("<object")
    assert start["size"].dtype == np.uint8


def test_an_existing_file_is_kept(tmp_path):
    (tmp_path / "same.jsonl").write_text("precious")
    with pytest.raises(OutputExistsError, match="same.jsonl"):
        send(JSONLinesWriter(tmp_path, "same"), enc.singly(RUN))
    assert (tmp_path / "same.jsonl").read_text() == "precious"


def test_filled_images_are_kept_with_their_type(tmp_path):
    documents = enc.singly(RUN)
    image = np.arange(40, dtype=">u2").reshape(2, 4, 5)
    at = next(i for i, (name, _) in enumerate(documents) if name == "event")
    event = documents[at][1]
    documents[at] = ("event", event | {"data": event["data"] | {"image": image}})
    writer = JSONLinesWriter(tmp_path, strict=False)
    (result,) = send(writer, documents)
    found = list(read_documents(result.paths[0]))[at][1]["data"]["image"]
    assert found.dtype == image.dtype and (found == image).all()


def test_a_full_disk_is_told_with_the_file(tmp_path):
    with open("/dev/full", "wb", buffering=0) as full:
        writer = JSONLinesWriter(tmp_path, "x")
        made = writer.run_file(Run({"uid": "1", "time": 1.0}))
        made._lines.close()
        made._lines = full
        with pytest.raises(OutputError, match=r"x.jsonl can't be written: No space left"):
            made.document("start", {"uid": "1"})
        made.abandon()
    assert os.listdir(tmp_path) == []


def test_a_writer_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    writer = JSONLinesWriter(tmp_path)
    monkeypatch.setattr("adsupport.callbacks.json.lines.encode_document", full)
    with pytest.raises(OSError, match="No space left"):
        send(writer, enc.singly(RUN))
    assert os.listdir(tmp_path) == []
