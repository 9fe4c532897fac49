"""Runs as CSV files: from documents in any encoding to tables and their metadata."""

from __future__ import annotations

import csv
import json
import math
import os
import threading

import numpy as np
import pandas
import pytest
from hypothesis import given, settings

from adsupport.callbacks.csv import CSVWriter
from adsupport.documents import json_text
from adsupport.errors import (
    ConfigurationError,
    DocumentError,
    OutputError,
    OutputExistsError,
)

from ...documents import encodings as enc
from ..sending import send


def run_of(rows=3, kinds=("number", "integer", "string"), stop=True, images=False, streams=None):
    sample = {"number": 0.1, "integer": 7, "string": 'ä\n"', "boolean": True, "array": [1.0, 2, 3]}
    table = [[sample[kind] for kind in kinds] for _ in range(rows)]
    stream = {"kinds": list(kinds), "images": images, "table": table}
    return {"streams": streams or {"primary": stream}, "stop": stop, "seed": 1}


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_each_stream_has_a_table_and_the_metadata_names_them(tmp_path):
    one = run_of()["streams"]["primary"]
    run = run_of(streams={"baseline": one | {"kinds": ["number"], "table": [[1.5], [2.5]]},
                          "primary": one})  # fmt: skip
    (result,) = send(CSVWriter(tmp_path), enc.singly(run))
    stem = result.paths[0].name.removesuffix("-baseline.csv")
    assert [path.name for path in result.paths] == [
        f"{stem}-baseline.csv", f"{stem}-primary.csv", f"{stem}-metadata.json",
    ]  # fmt: skip
    assert sorted(os.listdir(tmp_path)) == sorted(path.name for path in result.paths)
    assert "-S00007-1111111" in stem
    found = pandas.read_csv(result.paths[1])
    assert found.k0.tolist() == [0.1] * 3 and found.k2.tolist() == ['ä\n"'] * 3
    metadata = json.loads(result.paths[2].read_text(), parse_constant=pytest.fail)
    about = metadata["streams"]["primary"]
    assert about["file"] == f"{stem}-primary.csv" and about["rows"] == 3
    assert about["columns"]["k0"] == {
        "data_key": "k0", "dtype": "number", "shape": [], "units": "mm", "source": "x",
        "object_name": "d",
    }  # fmt: skip
    assert metadata["start"]["uid"] == enc.UID and metadata["stop"]["exit_status"] == "success"
    assert about["descriptors"][0]["hints"] == {"d": {"fields": ["k0"]}}
    assert metadata["problems"] == []


def test_metadata_with_awkward_values_is_strict_json_and_comes_back(tmp_path):
    documents = enc.singly(run_of())
    awkward = {"x": math.nan, "n": 2**70, "a": np.arange(3), "s": "\udc80", "none": None}
    documents[0][1]["sample"] = awkward
    (result,) = send(CSVWriter(tmp_path), documents)
    text = result.paths[-1].read_text()
    json.loads(text, parse_constant=pytest.fail)
    np.testing.assert_equal(json_text.decode(text)["start"]["sample"], awkward)


def test_a_run_without_streams_has_metadata_only(tmp_path):
    (result,) = send(
        CSVWriter(tmp_path), [*enc.start_of({}), *enc.stop_of(run_of(streams={"x": {"table": []}}))]
    )  # noqa: E501
    assert [path.suffix for path in result.paths] == [".json"]


def test_a_run_that_never_stops_is_written_when_the_writer_is_closed(tmp_path):
    (result,) = send(CSVWriter(tmp_path), enc.singly(run_of(stop=False)))
    assert json.loads(result.paths[-1].read_text())["stop"] is None
    assert len(rows_of(result.paths[0])) == 4


@pytest.mark.parametrize("count", range(7))
def test_documents_that_end_anywhere_give_what_came(tmp_path, count):
    documents = enc.singly(run_of(rows=4))[: count + 1]
    (result,) = send(CSVWriter(tmp_path, strict=False), documents)
    rows = sum(name == "event" for name, _ in documents)
    if rows or any(name == "descriptor" for name, _ in documents):
        assert len(rows_of(result.paths[0])) == rows + 1


@settings(max_examples=15)
@given(enc.runs())
def test_every_encoding_gives_the_same_files(tmp_path_factory, run):
    found = []
    for encoding in (enc.singly, enc.in_pages, enc.in_bulk, enc.shuffled):
        directory = tmp_path_factory.mktemp("csv")
        (result,) = send(CSVWriter(directory, "x", strict=False), encoding(run))
        found.append({path.name: path.read_bytes() for path in result.paths})
    assert found[0] == found[1] == found[2] == found[3]


def test_a_name_that_is_taken_keeps_all_files_until_it_is_free(tmp_path):
    (tmp_path / "x-primary.csv").write_text("mine")
    writer = CSVWriter(tmp_path, "x.csv")
    with pytest.raises(OutputExistsError, match="x-primary"):
        send(writer, enc.singly(run_of()))
    assert (tmp_path / "x-primary.csv").read_text() == "mine"
    assert not (tmp_path / "x-metadata.json").exists()
    (tmp_path / "x-primary.csv").unlink()
    (result,) = writer.retry(timeout=20)
    assert sorted(os.listdir(tmp_path)) == ["x-metadata.json", "x-primary.csv"]
    assert len(rows_of(result.paths[0])) == 4


def test_bump_numbers_all_files_alike(tmp_path):
    (tmp_path / "x-metadata.json").write_text("{}")
    (result,) = send(CSVWriter(tmp_path, "x", exists="bump"), enc.singly(run_of()))
    assert [path.name for path in result.paths] == ["x-1-primary.csv", "x-1-metadata.json"]
    metadata = json.loads(result.paths[-1].read_text())
    assert metadata["streams"]["primary"]["file"] == "x-1-primary.csv"


def test_replace_replaces(tmp_path):
    (tmp_path / "x-primary.csv").write_text("old")
    (result,) = send(CSVWriter(tmp_path, "x", exists="replace"), enc.singly(run_of()))
    assert len(rows_of(result.paths[0])) == 4


def test_a_directory_that_cannot_be_written_stops_nothing(tmp_path):
    closed = tmp_path / "closed"
    closed.write_text("no directory")
    writer = CSVWriter(closed, "x")
    with pytest.raises(OutputError, match="closed") as raised:
        send(writer, enc.singly(run_of()))
    assert raised.value.kept is not None
    closed.unlink()
    writer.retry(timeout=20)
    assert sorted(os.listdir(closed)) == ["x-metadata.json", "x-primary.csv"]


def test_an_error_while_rows_are_written_leaves_nothing(tmp_path):
    documents = enc.singly(run_of())
    documents[-2][1]["data"]["k1"] = 10**5000  # Python itself refuses to write it
    writer = CSVWriter(tmp_path)
    with pytest.raises(Exception, match="digits|4300"):
        send(writer, documents)
    assert os.listdir(tmp_path) == []


def test_strict_or_not_the_file_is_there(tmp_path):
    documents = enc.singly(run_of())
    del documents[3]  # an event
    with pytest.raises(DocumentError, match="seq_num"):
        send(CSVWriter(tmp_path, "a"), documents)
    (result,) = send(CSVWriter(tmp_path, "b", strict=False), documents)
    assert result.skipped
    assert rows_of(tmp_path / "a-primary.csv") == rows_of(tmp_path / "b-primary.csv")
    assert json.loads((tmp_path / "a-metadata.json").read_text())["problems"] == result.skipped


def test_hostile_stream_names_stay_in_the_directory(tmp_path):
    one = run_of()["streams"]["primary"]
    names = ["../../x", "a/b", "a\\b", "a:b", "", "\n", "x" * 300, "é\udc80"]
    documents = enc.start_of({})
    for number, name in enumerate(names):
        descriptor = enc.descriptor_of("primary", one)
        documents.append(("descriptor", descriptor | {"name": name, "uid": f"d{number}"}))
    (result,) = send(CSVWriter(tmp_path / "in", strict=False), documents)
    assert os.listdir(tmp_path) == ["in"]
    assert len(set(result.paths)) == len(os.listdir(tmp_path / "in")) == len(result.paths)


@pytest.mark.parametrize(
    "name",
    ["{start[nothing]}", "{start.uid}", "../x", "/etc/x", "", "{start[uid]", "{start[uid]}/x"],
)
def test_a_name_that_cannot_be_made_is_told_and_costs_no_file(tmp_path, name):
    with pytest.raises(DocumentError, match=r"file_name: .* Instead the file is called"):
        send(CSVWriter(tmp_path / "in", name), enc.singly(run_of()))
    assert os.listdir(tmp_path) == ["in"]
    assert all("-S00007-" in path.name for path in (tmp_path / "in").iterdir())


def test_wrong_options_are_refused():
    with pytest.raises(ConfigurationError, match="expected 'columns'"):
        CSVWriter(arrays="all")  # type: ignore[arg-type]


def test_arrays_left_out_are_a_remark_and_no_error(tmp_path):
    writer = CSVWriter(tmp_path, arrays="skip")
    (result,) = send(writer, enc.singly(run_of(kinds=("array", "number"))))
    assert result.skipped == [] and "k0" in result.remarks[0]


def test_images_are_told_by_their_files(tmp_path):
    (result,) = send(CSVWriter(tmp_path), enc.singly(run_of(rows=2, images=True)))
    assert [row[-1] for row in rows_of(result.paths[0])] == [
        "image", "/data/primary.h5[0:2]", "/data/primary.h5[2:4]",
    ]  # fmt: skip


def test_no_thread_is_left(tmp_path):
    send(CSVWriter(tmp_path), enc.singly(run_of()))
    assert not [each for each in threading.enumerate() if each.name.startswith("CSVWriter-")]
