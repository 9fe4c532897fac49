"""Runs as plain HDF5 files, read back by h5py."""

from __future__ import annotations

import json
import math
import os
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings

from adsupport.callbacks.hdf5 import HDF5Writer
from adsupport.callbacks.output.hdf5_values import read_value
from adsupport.documents import json_text
from adsupport.errors import ConfigurationError, DocumentError, OutputError, OutputExistsError

from ...documents import encodings as enc
from ..sending import send


def opened(path) -> Any:
    """Open a file; h5py's types don't tell groups from datasets."""
    return h5py.File(path)


def with_keys(rows, keys, name="primary"):
    """A run of one stream with rows of any values."""
    descriptor = enc.descriptor_of(name, {"kinds": [], "images": False})
    descriptor |= {"data_keys": keys, "hints": {}}
    documents = [*enc.start_of({}), ("descriptor", descriptor)]
    for number, data in enumerate(rows, 1):
        event = {"descriptor": f"{name}-0", "uid": f"e{number}", "seq_num": number,
                 "time": 1000.0 + number, "data": data,
                 "timestamps": dict.fromkeys(data, 1000.5 + number), "filled": {}}  # fmt: skip
        documents.append(("event", event))
    stop = {"uid": "stop", "run_start": enc.UID, "time": 2000.0, "exit_status": "success"}
    return [*documents, ("stop", stop | {"num_events": {name: len(rows)}})]


def key(dtype="number", shape=(), **more):
    return {"dtype": dtype, "shape": list(shape), "source": "PV:x", **more}


def images_in_hdf5(directory, frames, rows=3, spec="AD_HDF5"):
    stream = {"kinds": ["number"], "images": True, "table": [[1.5]] * rows}
    documents = enc.singly({"streams": {"primary": stream}, "stop": True, "seed": 0})
    if frames is not None:
        with h5py.File(directory / "primary.h5", "w") as file:
            file["entry/data/data"] = frames
    for name, doc in documents:
        if name == "resource":
            doc.update(root="/", resource_path=str(directory / "primary.h5").lstrip("/"), spec=spec)
    return documents


def test_each_key_is_a_dataset_with_its_attributes(tmp_path):
    keys = {
        "m1": key(units="mm", precision=3, object_name="m1", lower_ctrl_limit=-1.5),
        "n": key("integer"),
        "on": key("boolean"),
        "s": key("string"),
        "a": key("array", (2, 3), dtype_numpy="<u2"),
    }
    rows = [
        {"m1": i / 3, "n": 2**60 + i, "on": i == 1, "s": f"ä\n{i}", "a": [[i, 1, 2], [3, 4, 65535]]}
        for i in range(3)
    ]
    (result,) = send(HDF5Writer(tmp_path, "x"), with_keys(rows, keys))
    assert [path.name for path in result.paths] == os.listdir(tmp_path) == ["x.h5"]
    with opened(result.paths[0]) as file:
        stream = file["streams/primary"]
        assert list(stream["data"]) == list(keys)
        assert set(stream) == {"data", "timestamps", "seq_num", "time", "descriptors"}
        assert stream["data/m1"].dtype == np.float64
        assert stream["data/m1"][()].tolist() == [row["m1"] for row in rows]
        assert stream["data/n"][()].tolist() == [row["n"] for row in rows]
        assert stream["data/on"].dtype == np.bool_
        assert stream["data/on"][()].tolist() == [False, True, False]
        assert stream["data/s"].asstr()[()].tolist() == [row["s"] for row in rows]
        assert stream["data/a"].dtype == np.uint16
        np.testing.assert_array_equal(stream["data/a"], [row["a"] for row in rows])
        assert stream["data/m1"].attrs["units"] == "mm"
        assert stream["data/m1"].attrs["lower_ctrl_limit"] == -1.5
        assert stream["timestamps/m1"][()].tolist() == [1001.5, 1002.5, 1003.5]
        assert stream["seq_num"][()].tolist() == [1, 2, 3]
        assert stream["time"][()].tolist() == [1001.0, 1002.0, 1003.0]
        assert read_value(stream["descriptors"])[0]["data_keys"]["m1"]["precision"] == 3
        assert file["start/uid"].asstr()[()] == enc.UID and file["start/scan_id"][()] == 7
        assert file["stop/exit_status"].asstr()[()] == "success"
        assert file.attrs["uid"] == enc.UID and file.attrs["exit_status"] == "success"
        assert "problems" not in file.attrs


def test_missing_values_are_told_and_never_zero(tmp_path):
    keys = {"x": key(), "n": key("integer"), "s": key("string"), "big": key("integer")}
    rows = [{"x": 1.5, "n": 7, "s": "a", "big": 2**62}, {}, {"x": None, "n": 8, "s": "", "big": 1}]
    (result,) = send(HDF5Writer(tmp_path, "x", strict=False), with_keys(rows, keys))
    with opened(result.paths[0]) as file:
        data, missing = file["streams/primary/data"], file["streams/primary/missing"]
        np.testing.assert_array_equal(data["x"], [1.5, math.nan, math.nan])
        np.testing.assert_array_equal(data["n"], [7, math.nan, 8])
        assert data["big"][1] == data["big"].attrs["missing_value"] == -(2**63)
        assert {name: missing[name][()].tolist() for name in missing} == {
            "x": [1, 2], "n": [1], "s": [1], "big": [1],
        }  # fmt: skip
        assert len(file.attrs["problems"]) == len(result.skipped) > 0


def test_awkward_columns_are_kept(tmp_path):
    keys = {"r": key("array", (None,)), "mix": key(), "huge": key("integer"), "nul": key("string"),
            "a/b": key(), "..": key(), "": key()}  # fmt: skip
    rows = [
        {"r": [1, 2], "mix": "a", "huge": 2**70, "nul": "x\0y", "a/b": 1.0, "..": 2.0, "": 3.0},
        {"r": [0.5], "mix": {"b": [1]}, "huge": 1, "nul": "\udc80", "a/b": 1.0, "..": 2.0, "": 3.0},
    ]
    (result,) = send(HDF5Writer(tmp_path, "x"), with_keys(rows, keys))
    with opened(result.paths[0]) as file:
        data = file["streams/primary/data"]
        assert [each.tolist() for each in data["r"][()]] == [[1, 2], [0.5]]
        assert [each.tolist() for each in file["streams/primary/shapes/r"][()]] == [[2], [1]]
        for name in ("mix", "huge", "nul"):
            assert data[name].attrs["encoding"] == "json"
            found = [json_text.decode(text) for text in data[name].asstr()[()]]
            assert found == [row[name] for row in rows]
        assert data["a%2Fb"][()].tolist() == [1, 1] and data["%2E%2E"][()].tolist() == [2, 2]
        assert len(data) == len(keys)


def test_a_column_gets_wider_without_losing_what_was_written(tmp_path):
    rows = [{"n": i} for i in range(6000)] + [{"n": 0.5}]
    (result,) = send(HDF5Writer(tmp_path, "x"), with_keys(rows, {"n": key("integer")}))
    with opened(result.paths[0]) as file:
        np.testing.assert_array_equal(file["streams/primary/data/n"], [*range(6000), 0.5])


def test_no_rows_and_no_streams(tmp_path):
    keys = {"n": key("integer"), "a": key("array", (2,), dtype_numpy="<f4"), "s": key("string")}
    (result,) = send(HDF5Writer(tmp_path, "x"), with_keys([], keys))
    with opened(result.paths[0]) as file:
        data = file["streams/primary/data"]
        assert [data[name].shape for name in data] == [(0,), (0, 2), (0,)]
        assert data["a"].dtype == np.float32
    (result,) = send(HDF5Writer(tmp_path, "y", strict=False), enc.start_of({}))
    with opened(result.paths[0]) as file:
        assert not len(file["streams"]) and "stop" not in file
        assert file.attrs["exit_status"] == "unknown"


def test_a_second_descriptor_adds_columns(tmp_path):
    documents = with_keys([{"x": 1.0}], {"x": key()})
    descriptor = documents[1][1] | {"uid": "d2", "data_keys": {"x": key(), "y": key("integer")}}
    event = documents[2][1] | {"descriptor": "d2", "uid": "e2", "seq_num": 2}
    event |= {"data": {"x": 2.0, "y": 7}, "timestamps": {"x": 0.0, "y": 0.5}}
    documents[3][1]["num_events"] = {"primary": 2}
    documents[3:3] = [("descriptor", descriptor), ("event", event)]
    (result,) = send(HDF5Writer(tmp_path, "x"), documents)
    with opened(result.paths[0]) as file:
        stream = file["streams/primary"]
        np.testing.assert_array_equal(stream["data/y"], [math.nan, 7])
        np.testing.assert_array_equal(stream["timestamps/y"], [math.nan, 0.5])
        assert stream["missing/y"][()].tolist() == [0]
        assert len(read_value(stream["descriptors"])) == 2


def test_metadata_of_any_kind_and_configuration(tmp_path):
    documents = with_keys([], {"x": key()})
    awkward = {"none": None, "nested": {"a": [1, {"b": 2}]}, "n": 2**70, "a/b": 1,
               "list": [1.5, 2.5], "long": "x" * 100_000, "bad": "\udc80"}  # fmt: skip
    documents[0][1].update(awkward)
    documents[1][1]["configuration"] = {
        "dev": {
            "data": {"dev_gain": 1.5, "dev_mode": "a"},
            "timestamps": {"dev_gain": 900.0, "dev_mode": 901.0},
            "data_keys": {"dev_gain": key(units="V"), "dev_mode": key("string")},
        }
    }
    (result,) = send(HDF5Writer(tmp_path, "x"), documents)
    with opened(result.paths[0]) as file:
        for name, value in awkward.items():
            np.testing.assert_equal(read_value(file["start"][name.replace("/", "%2F")]), value)
        gain = file["streams/primary/configuration/dev/dev_gain"]
        assert gain[()] == 1.5 and gain.attrs["units"] == "V" and gain.attrs["timestamp"] == 900.0


@pytest.mark.parametrize("images", ["link", "copy", "repack"])
def test_images_are_there(tmp_path, images):
    frames = np.arange(6 * 4 * 5, dtype="u2").reshape(6, 4, 5)
    documents = images_in_hdf5(tmp_path, frames)
    (result,) = send(HDF5Writer(tmp_path / "out", "x", images=images), documents)
    with opened(result.paths[0]) as file:
        found = file["streams/primary/data/image"]
        assert found.is_virtual == (images == "link")
        np.testing.assert_array_equal(found, frames.reshape(3, 2, 4, 5))
        assert found.attrs["source"] == "y"
        assert len(file["streams/primary/timestamps/image"]) == 3


def test_tiff_files_that_can_only_be_named_are_no_failure(tmp_path):
    documents = images_in_hdf5(tmp_path, None, rows=1, spec="AD_TIFF")
    for name, doc in documents:
        if name == "resource":
            doc["resource_path"] = str(tmp_path).lstrip("/")
            doc["resource_kwargs"] |= {"template": "%s%s_%3.3d.tif", "filename": "s"}
    for number in range(2):
        tifffile.imwrite(tmp_path / f"s_{number:03d}.tif", np.zeros((4, 5), "u1"))
    (result,) = send(HDF5Writer(tmp_path / "out", "x"), documents)
    assert result.skipped == [] and result.remarks


def test_images_that_never_come_are_told_and_the_numbers_kept(tmp_path):
    documents = images_in_hdf5(tmp_path, None)
    with pytest.raises(DocumentError, match=r"primary\.h5"):
        send(HDF5Writer(tmp_path, "x", image_timeout=0.05), documents)
    with opened(tmp_path / "x.h5") as file:
        assert file["streams/primary/data/k0"][()].tolist() == [1.5] * 3
        assert "image" not in file["streams/primary/data"]
        assert "primary.h5" in file.attrs["problems"][0]


def test_images_that_came_in_documents_are_data(tmp_path):
    pixels = np.arange(2 * 4 * 5, dtype="u2").reshape(2, 4, 5)
    keys = {"image": key("array", (2, 4, 5), external="FILESTORE:")}
    documents = with_keys([{"image": pixels}, {"image": pixels}], keys)
    for name, doc in documents:
        if name == "event":
            doc["filled"] = {"image": "datum"}
    (result,) = send(HDF5Writer(tmp_path, "x"), documents)
    with opened(result.paths[0]) as file:
        found = file["streams/primary/data/image"]
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found, [pixels, pixels])


def _content(path):
    found = {}
    with opened(path) as file:

        def take(name, item):
            value = item[()] if isinstance(item, h5py.Dataset) else None
            found[name] = (getattr(item, "dtype", None), value, dict(item.attrs))

        file.visititems(take)
    return found


@settings(max_examples=8)
@given(enc.runs())
def test_every_encoding_gives_the_same_file(tmp_path_factory, run):
    found = []
    for encoding in (enc.singly, enc.in_pages, enc.in_bulk, enc.shuffled):
        directory = tmp_path_factory.mktemp("hdf5")
        writer = HDF5Writer(directory, "x", strict=False, image_timeout=0)
        (result,) = send(writer, encoding(run))
        found.append(_content(result.paths[0]))
    for other in found[1:]:
        np.testing.assert_equal(other, found[0])


@pytest.mark.parametrize("count", range(8))
def test_documents_that_end_anywhere_give_what_came(tmp_path, count):
    stream = {"kinds": ["number"], "images": False, "table": [[float(i)] for i in range(5)]}
    documents = enc.singly({"streams": {"primary": stream}, "stop": True, "seed": 0})[: count + 1]
    (result,) = send(HDF5Writer(tmp_path, "x", strict=False), documents)
    rows = sum(name == "event" for name, _ in documents)
    with opened(result.paths[0]) as file:
        if count:
            assert file["streams/primary/data/k0"][()].tolist() == list(range(rows))


def test_a_name_that_is_taken_and_a_directory_that_is_none(tmp_path):
    (tmp_path / "x.h5").write_text("mine")
    writer = HDF5Writer(tmp_path, "x.h5")
    with pytest.raises(OutputExistsError):
        send(writer, with_keys([{"x": 1.0}], {"x": key()}))
    (tmp_path / "x.h5").unlink()
    (result,) = writer.retry(timeout=20)
    with opened(result.paths[0]) as file:
        assert file["streams/primary/data/x"][()].tolist() == [1.0]
    with pytest.raises(OutputError):
        send(HDF5Writer(tmp_path / "x.h5", "y"), with_keys([], {"x": key()}))


def test_an_error_while_rows_are_written_leaves_nothing(tmp_path, monkeypatch):
    from adsupport.callbacks.hdf5 import stream_columns

    def full(self, rows):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stream_columns.StreamColumns, "add", full)
    with pytest.raises(OutputError, match="No space left"):
        send(HDF5Writer(tmp_path, "x"), with_keys([{"x": 1.0}], {"x": key()}))
    assert os.listdir(tmp_path) == []


def test_hostile_stream_names_are_groups(tmp_path):
    documents = enc.start_of({})
    names = ["../../x", "a/b", ".", "", "\0", "é\udc80", "start"]
    for number, name in enumerate(names):
        descriptor = enc.descriptor_of("primary", {"kinds": ["number"], "images": False})
        documents.append(("descriptor", descriptor | {"name": name, "uid": f"d{number}"}))
    (result,) = send(HDF5Writer(tmp_path, "x", strict=False), documents)
    with opened(result.paths[0]) as file:
        assert len(file["streams"]) == len(names)


def test_json_of_the_descriptors_is_strict(tmp_path):
    documents = with_keys([], {"x": key(limit=math.nan)})
    (result,) = send(HDF5Writer(tmp_path, "x"), documents)
    with opened(result.paths[0]) as file:
        text = file["streams/primary/descriptors"].asstr()[()]
        json.loads(text, parse_constant=pytest.fail)


def test_wrong_options_are_refused():
    with pytest.raises(ConfigurationError, match="images"):
        HDF5Writer(images="all")  # type: ignore[arg-type]
