"""Streams as tables of text, read back by csv, pandas and float()."""

from __future__ import annotations

import csv
import enum
import json
import math
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.callbacks.csv.cells import EMPTY, cells
from adsupport.callbacks.csv.table import CSVTable
from adsupport.callbacks.frames_text import frames_text
from adsupport.documents.assets import Frames, asset_of

from ..described import column, rows, stream


def written(path, of, *batches, **options):
    table = CSVTable(path, **options)
    table.describe(of)
    for batch in batches:
        table.add(rows(of, batch))
    table.close()
    return table


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def frame(path):
    exact: Any = {"float_precision": "round_trip"}  # pandas' types don't know it
    return pandas.read_csv(path, keep_default_na=False, na_values=["", "nan"], **exact)


def test_a_table_is_read_by_pandas_with_types_and_values(tmp_path):
    of = stream(
        column("m1"), column("n", "integer"), column("on", "boolean"), column("s", "string")
    )
    values = [0.1, 1e300, -0.0, 5e-324, 1 / 3, 1e22]
    data = [
        {"m1": v, "n": 10**i, "on": bool(i % 2), "s": f'line {i}\n“ü”, "x";'}
        for i, v in enumerate(values)
    ]
    written(tmp_path / "a.csv", of, data[:2], data[2:])
    found = frame(tmp_path / "a.csv")
    assert list(found) == ["seq_num", "time", "m1", "n", "on", "s"]
    assert [str(each) for each in found.dtypes[:5]] == [
        "int64", "float64", "float64", "int64", "bool",
    ]  # fmt: skip
    assert found.m1.tolist() == values and math.copysign(1, found.m1[2]) == -1
    assert found.n.tolist() == [each["n"] for each in data]
    assert found.on.tolist() == [each["on"] for each in data]
    assert found.s.tolist() == [each["s"] for each in data]
    assert found.time.tolist() == [1.7e9 + i / 10 for i in range(1, 7)]


def test_no_rows_is_a_header(tmp_path):
    written(tmp_path / "a.csv", stream(column("m1")))
    assert (tmp_path / "a.csv").read_text() == '"seq_num","time","m1"\n'
    assert len(frame(tmp_path / "a.csv")) == 0


def test_nan_and_infinities_are_read_back(tmp_path):
    of = stream(column("x"))
    values = [math.nan, math.inf, -math.inf, 1.5]
    written(tmp_path / "a.csv", of, [{"x": each} for each in values])
    np.testing.assert_array_equal(frame(tmp_path / "a.csv").x, values)
    np.testing.assert_array_equal(pandas.read_csv(tmp_path / "a.csv").x, values)
    np.testing.assert_array_equal([float(row[2]) for row in read(tmp_path / "a.csv")[1:]], values)


def test_a_missing_value_is_an_empty_cell_and_an_empty_text_has_quotes(tmp_path):
    of = stream(column("x"), column("s", "string"))
    written(tmp_path / "a.csv", of, [{"x": 1.0, "s": ""}, {}, {"x": None, "s": "a"}])
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert [line.split(",", 2)[2] for line in lines[1:]] == ['1.0,""', ",", ',"a"']


def test_texts_with_ends_of_lines_and_quotes(tmp_path):
    texts = ["a\nb", "a\r\nb", '"', '""', ",", "", "1.0", "nan", "é\u2028\x00", "\t"]
    of = stream(column("s", "string"))
    written(tmp_path / "a.csv", of, [{"s": each} for each in texts])
    assert [row[2] for row in read(tmp_path / "a.csv")[1:]] == texts


def test_halves_of_surrogates_are_spelled_and_noted(tmp_path):
    of = stream(column("s", "string"))
    table = written(tmp_path / "a.csv", of, [{"s": "a\udc80"}])
    assert read(tmp_path / "a.csv")[1][2] == "a\\udc80"
    assert "surrogate" in table.notes()[0]


class _Kind(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (2**70, str(2**70)),
        (np.float32(0.1), "0.10000000149011612"),
        (np.float64(0.1), "0.1"),
        (np.int16(-3), "-3"),
        (np.bool_(True), "True"),
        (np.str_("a"), "a"),
        (np.array(2.5), "2.5"),
        (_Kind.ONE, "1"),
        (1 + 2j, "(1+2j)"),
        (datetime(2026, 11, 21, tzinfo=UTC), "2026-11-21T00:00:00+00:00"),
        ([1, math.nan], "[1,NaN]"),
        ({"a": [np.float64(0.5), (1, 2)]}, '{"a":[0.5,[1,2]]}'),
        (b"\x00\xff", '{"$adsupport":"bytes","base64":"AP8="}'),
    ],
)
def test_awkward_values(tmp_path, value, cell):
    of = stream(column("x"))
    written(tmp_path / "a.csv", of, [{"x": value}])
    assert read(tmp_path / "a.csv")[1][2] == cell


def test_short_arrays_have_a_column_for_each_element(tmp_path):
    of = stream(column("a", "array", (3,)), column("m1"))
    table = written(
        tmp_path / "a.csv",
        of,
        [{"a": [1, 2, 3], "m1": 0.5}, {"a": np.array([0.1, 0.2, 0.3]), "m1": 1.5}, {"m1": 2.5}],
    )
    found = frame(tmp_path / "a.csv")
    assert list(found)[2:] == ["a[0]", "a[1]", "a[2]", "m1"]
    np.testing.assert_array_equal(found["a[2]"], [3, 0.3, math.nan])
    assert table.data_keys["a[1]"] == "a"
    assert table.notes() == []


def test_an_array_that_gets_longer_has_more_columns(tmp_path):
    of = stream(column("a", "array", (2,)), column("s", "string"))
    written(
        tmp_path / "a.csv",
        of,
        [{"a": [1, 2], "s": 'x\n"'}, {"a": [3], "s": "y"}],
        [{"a": [4, 5, 6, 7], "s": "z"}],
    )
    found = read(tmp_path / "a.csv")
    assert found[0][2:] == ["a[0]", "a[1]", "s", "a[2]", "a[3]"]
    assert [row[2:] for row in found[1:]] == [
        ["1", "2", 'x\n"', "", ""],
        ["3", "", "y", "", ""],
        ["4", "5", "z", "6", "7"],
    ]


def test_an_array_that_gets_far_too_long_is_text_in_one_cell(tmp_path):
    of = stream(column("a", "array", (1,)))
    table = written(tmp_path / "a.csv", of, [{"a": [1]}, {"a": list(range(100))}])
    found = read(tmp_path / "a.csv")
    assert found[0][2:] == ["a[0]"]
    assert json.loads(found[2][2]) == list(range(100))
    assert "JSON" in table.notes()[0]


@pytest.mark.parametrize(
    ("described", "arrays"),
    [
        (column("a", "array", (2, 2)), "columns"),
        (column("a", "array", (65,)), "columns"),
        (column("a", "array", (None,)), "columns"),
        (column("a", "array", None), "columns"),
        (column("a", "array", (2,)), "json"),
    ],
)
def test_other_arrays_are_json_in_a_cell(tmp_path, described, arrays):
    value = np.array([[0.1, math.inf], [1, 2]])
    written(tmp_path / "a.csv", stream(described), [{"a": value}, {}], arrays=arrays)
    found = read(tmp_path / "a.csv")
    assert found[0][2:] == ["a"]
    np.testing.assert_array_equal(json.loads(found[1][2]), value)
    assert found[2][2] == ""


def test_arrays_are_left_out_on_request(tmp_path):
    of = stream(column("a", "array", (2,)), column("m1"))
    table = written(tmp_path / "a.csv", of, [{"a": [1, 2], "m1": 1.0}], arrays="skip")
    assert read(tmp_path / "a.csv")[0][2:] == ["m1"]
    assert table.left_out == ["a"]


def test_images_are_told_by_file_and_frames(tmp_path):
    of = stream(column("img", "array", (2, 4, 5), external=True))
    one = asset_of(
        {
            "uid": "r",
            "spec": "AD_HDF5",
            "root": "/data",
            "resource_path": "a.h5",
            "resource_kwargs": {"frame_per_point": 2},
        }
    )
    many = asset_of(
        {
            "uid": "t",
            "spec": "AD_TIFF",
            "root": "/data",
            "resource_path": "tiffs",
            "resource_kwargs": {
                "frame_per_point": 2,
                "template": "%s%s_%3.3d.tif",
                "filename": "scan",
            },
        }
    )
    unknown = asset_of({"uid": "u", "spec": "WHO"})
    table = written(
        tmp_path / "a.csv",
        of,
        [
            {"img": Frames(one, 4, 2)},
            {"img": Frames(many, 4, 2)},
            {"img": None},
            {"img": Frames(unknown, 0, 1)},
            {"img": np.zeros((2, 4, 5))},
        ],
    )
    assert [row[2] for row in read(tmp_path / "a.csv")[1:]] == [
        "/data/a.h5[4:6]",
        "/data/tiffs/scan_004.tif[0:1];/data/tiffs/scan_005.tif[0:1]",
        "",
        "",
        "",
    ]
    assert len(table.notes()) == 2


def test_a_thousand_frames_of_one_file_are_one_text():
    one = asset_of({"uid": "r", "spec": "AD_HDF5", "root": "/", "resource_path": "a.h5",
                    "resource_kwargs": {}})  # fmt: skip
    assert frames_text(Frames(one, 7, 1000)) == "/a.h5[7:1007]"


def test_a_second_descriptor_adds_columns_at_the_right(tmp_path):
    of = stream(column("a"), column("s", "string"))
    table = CSVTable(tmp_path / "a.csv")
    table.describe(of)
    table.add(rows(of, [{"a": 1.5, "s": 'one\n,"two"'}, {"a": 2.5, "s": ""}]))
    of.columns["b"] = column("b", "integer")
    table.describe(of)
    table.add(rows(of, [{"b": 7}]))
    table.close()
    table.close()
    found = frame(tmp_path / "a.csv")
    assert list(found) == ["seq_num", "time", "a", "s", "b"]
    assert found.s[0] == 'one\n,"two"'
    np.testing.assert_array_equal(found.b, [math.nan, math.nan, 7])
    np.testing.assert_array_equal(found.a, [1.5, 2.5, math.nan])
    assert {len(row) for row in read(tmp_path / "a.csv")} == {5}


def test_timestamps_are_columns_on_request(tmp_path):
    of = stream(column("a"), column("b", "array", (2,)))
    written(tmp_path / "a.csv", of, [{"a": 1.5, "b": [1, 2]}, {"a": 2.5}], timestamps=True)
    found = frame(tmp_path / "a.csv")
    assert list(found)[2:] == ["a", "a:timestamp", "b[0]", "b[1]", "b:timestamp"]
    assert found["a:timestamp"].tolist() == [1.7e9 + 0.1 - 0.01, 1.7e9 + 0.2 - 0.01]
    assert math.isnan(found["b:timestamp"][1])


def test_data_keys_named_as_our_own_columns_keep_their_data(tmp_path):
    of = stream(column("time"), column("seq_num"), column("time_1"))
    table = written(tmp_path / "a.csv", of, [{"time": 5.0, "seq_num": 6.0, "time_1": 7.0}])
    assert table.header == ["seq_num", "time", "time_1", "seq_num_1", "time_1_1"]
    assert table.data_keys["time_1"] == "time"
    assert read(tmp_path / "a.csv")[1][2:] == ["5.0", "6.0", "7.0"]


def test_plain_values_are_passed_on_as_they_are():
    values = [1.5, 2, "a", True]
    assert cells(values) is values
    assert cells([None]) == [EMPTY]


@settings(max_examples=200)
@given(st.lists(st.floats(), min_size=1, max_size=20), st.lists(st.text(), max_size=20))
def test_floats_and_texts_come_back_bit_for_bit(tmp_path_factory, numbers, texts):
    directory: Path = tmp_path_factory.getbasetemp()
    of = stream(column("x"), column("s", "string"))
    data = [{"x": x, "s": texts[i] if i < len(texts) else ""} for i, x in enumerate(numbers)]
    written(directory / "hypothesis.csv", of, data)
    found = read(directory / "hypothesis.csv")[1:]
    for row, value in zip(found, data, strict=True):
        got = float(row[2])
        assert struct.pack("d", got) == struct.pack("d", value["x"]) or got != got
        assert row[3] == value["s"]
