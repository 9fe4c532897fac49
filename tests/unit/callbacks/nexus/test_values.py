"""What is in the file, is what was measured: awkward values, rows that lack a key."""

import json

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.callbacks.nexus import NXWriter, check_nexus
from adsupport.documents import json_text

PRIMARY = "entry/instrument/bluesky/streams/primary"


@pytest.fixture
def value(documents, write):
    """Write one column; return its group's content."""

    def call(values, **options):
        path = write(documents({"primary": {"x": values}}, **options), strict=False)
        assert check_nexus(path) == []
        with h5py.File(path) as file:
            group = file[f"{PRIMARY}/x"]
            found = {name: item[()] for name, item in group.items()}
            found["attrs"] = dict(group["value"].attrs)
            found["dtype"] = group["value"].dtype
            return found

    return call


def test_integers_stay_integers(value):
    found = value([1, 2**62, -3])
    assert found["value"].tolist() == [1, 2**62, -3]
    assert found["dtype"] == np.int64


def test_booleans_stay_booleans(value):
    assert value([True, False])["dtype"] == np.bool_


def test_texts(value):
    assert value(["a", "é", ""])["value"].tolist() == [b"a", "é".encode(), b""]


def test_text_that_hdf5_cant_keep_is_json(value):
    found = value(["a\0b", "c"])
    assert found["attrs"]["encoding"] == "json"
    assert [json_text.decode(each) for each in found["value"]] == ["a\0b", "c"]


def test_rows_that_lack_the_key_are_nan_and_listed(documents, write):
    columns = {"x": [1.0, None, 3.0], "n": [1, None, 3], "s": ["a", None, "c"], "t": [0.0] * 3}
    with h5py.File(write(documents({"primary": columns}), strict=False)) as file:
        streams = file[PRIMARY]
        for key in ("x", "n"):
            np.testing.assert_array_equal(streams[f"{key}/value"], [1, np.nan, 3])
        assert streams["s/value"][()].tolist() == [b"a", b"", b"c"]
        for key in ("x", "n", "s"):
            assert streams[f"{key}/missing_rows"][()].tolist() == [1]
            assert np.isnan(streams[f"{key}/EPOCH"][1])
        assert "missing_rows" not in streams["t"]


def test_integers_beyond_float_keep_their_bits_when_a_row_lacks_the_key(value):
    found = value([2**60 + 1, None])
    assert found["value"][0] == 2**60 + 1
    assert found["attrs"]["missing_value"] == found["value"][1]


def test_integers_that_become_floats_in_the_middle_of_a_run(documents, write):
    values = list(range(5000)) + [0.5] + [7] * 5000
    with h5py.File(write(documents({"primary": {"x": values}}), strict=False)) as file:
        assert file[f"{PRIMARY}/x/value"][()].tolist() == values


def test_integers_beyond_64_bits_and_mixtures_are_json(value):
    assert [json_text.decode(each) for each in value([1, 2**70])["value"]] == [1, 2**70]
    assert [json_text.decode(each) for each in value([1, "a"])["value"]] == [1, "a"]


def test_arrays(value):
    found = value([np.arange(6).reshape(2, 3), np.ones((2, 3), int)])
    assert found["value"].shape == (2, 2, 3)


def test_arrays_of_varying_length_and_shape(value):
    found = value([[1.0, 2.0], [3.0], []])
    assert [each.tolist() for each in found["value"]] == [[1, 2], [3], []]
    found = value([np.ones((2, 3)), np.zeros((1, 2))])
    assert [each.tolist() for each in found["row_shape"]] == [[2, 3], [1, 2]]


def test_a_length_that_varies_after_thousands_of_rows(documents, write):
    values = [[float(i), 1.0] for i in range(9000)] + [[5.0]]
    found = documents({"primary": {"x": values}}, keys={"x": {"shape": [None]}})
    with h5py.File(write(found)) as file:
        stored = file[f"{PRIMARY}/x/value"]
        assert len(stored) == 9001
        assert stored[8999].tolist() == [8999, 1]
        assert stored[9000].tolist() == [5]


def test_keys_that_arent_names(documents, write):
    columns = {"a/b": [1.0, 2.0], ".": [3.0, 4.0], "..": [5.0, 6.0], "": [0.0, 0.0]}
    path = write(documents({"primary": columns, "x/y": {"k": [1.0]}}, start={"a/b": 1, ".": 2}))
    with h5py.File(path) as file:
        assert set(file[PRIMARY]) == {"a%2Fb", "%2E", "%2E%2E", "%"}
        assert file[f"{PRIMARY}/%2E/value"][()].tolist() == [3, 4]
        assert file["entry/instrument/bluesky/streams/x%2Fy/k/value"][()].tolist() == [1]
        assert file["entry/instrument/bluesky/metadata/a%2Fb"][()] == 1
    assert check_nexus(path) == []


def test_a_later_descriptor_with_more_keys(documents, write):
    found = documents({"primary": {"x": [1.0, 2.0]}}, stop=False)
    start, first = found[0][1], found[1][1]
    more = documents({"primary": {"x": [3.0], "y": [4.0]}}, stop=False)
    second = {**more[1][1], "run_start": start["uid"]}
    event = {**more[2][1], "descriptor": second["uid"], "seq_num": 3}
    with h5py.File(write([*found, ("descriptor", second), ("event", event)], strict=False)) as file:
        group = file[PRIMARY]
        assert group.attrs["uid"] == first["uid"]
        assert group["x/value"][()].tolist() == [1, 2, 3]
        np.testing.assert_array_equal(group["y/value"], [np.nan, np.nan, 4])
        assert group["y/missing_rows"][()].tolist() == [0, 1]


def test_baseline_has_its_ends_by_name(documents, write):
    columns = {"t": [1.0, 2.0], "s": ["open", "closed"], "v": [[1.0], [2.0, 3.0]]}
    streams = {"baseline": columns, "primary": {"x": [1.0]}}
    with h5py.File(write(documents(streams), strict=False)) as file:
        baseline = file["entry/instrument/bluesky/streams/baseline"]
        assert baseline["t/value_start"][()] == 1
        assert baseline["t/value_end"][()] == 2
        assert baseline["t/value_end"].attrs["target"] == baseline["t/value_end"].name
        assert baseline["s/value_start"][()] == b"open"
        assert baseline["s/value_end"][()] == b"closed"
        assert baseline["v/value_end"][()].tolist() == [2, 3]


def test_metadata_of_all_kinds(documents, write):
    metadata = {
        "none": None,
        "numbers": np.arange(3),
        "number": np.float32(1.5),
        "nested": {"a": [1, {"b": (2, 3)}], "c": None},
        "large": {"points": list(range(50_000))},
        "ragged": [[1], [2, 3]],
        "nul": "a\0b",
        "surrogate": "\ud800",
        "huge": 2**70,
        "yes": True,
    }
    with h5py.File(write(documents({"primary": {"x": [1.0]}}, start=metadata))) as file:
        found = file["entry/instrument/bluesky/metadata"]
        assert found["numbers"][()].tolist() == [0, 1, 2]
        assert found["number"].dtype == np.float32
        assert found["nested"].asstr()[()] == "a:\n- 1\n- b:\n  - 2\n  - 3\nc: null\n"
        assert found["none"].asstr()[()] == "null\n"
        assert found["yes"].dtype == np.bool_
        for key in ("nul", "surrogate", "huge"):
            assert json_text.decode(found[key].asstr()[()]) == metadata[key]


_numbers = st.one_of(
    st.floats(allow_nan=True),
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.text(max_size=3),
    st.none(),
    st.lists(st.floats(allow_nan=False), max_size=3),
)


@settings(max_examples=25)
@given(st.lists(_numbers, min_size=1, max_size=8))
def test_any_column_comes_back(values):
    from tempfile import TemporaryDirectory

    from adsupport.documents.columns import as_array
    from adsupport.documents.descriptor import add_descriptor
    from adsupport.documents.run import Rows, Run, Stream

    with TemporaryDirectory() as directory:
        file = NXWriter(file_path=directory, warn_on_missing_content=False).run_file(
            run := Run({"uid": "0123456789", "time": 1.0})
        )
        stream = Stream("primary")
        keys = {"x": {"dtype": "number", "shape": [], "source": ""}}
        add_descriptor(stream, {"uid": "d", "data_keys": keys})
        file.begin(run)
        file.stream(run, stream)
        for row, value in enumerate(values):
            data = {} if value is None else {"x": value}
            event = {"seq_num": row + 1, "time": 1.0, "data": data, "timestamps": {}}
            file.rows(run, Rows(stream, [event]))
            stream.rows += 1
            file._streams["primary"].flush()  # the store is changed as often as possible
        file.end(run)
        (path,) = file.finish()
        assert check_nexus(path) == []
        with h5py.File(path) as found:
            dataset = found[f"{PRIMARY}/x/value"]
            stored, encoding = dataset[()], dataset.attrs.get("encoding")
            missing = found.get(f"{PRIMARY}/x/missing_rows", np.array([]))[()].tolist()
            shapes = found.get(f"{PRIMARY}/x/row_shape")
            shapes = None if shapes is None else shapes[()]
    assert missing == [index for index, value in enumerate(values) if value is None]
    kind = as_array(stream.columns["x"], values).type.kind
    for index, value in enumerate(values):
        if value is None:
            continue
        got = stored[index]
        if encoding == "json":
            got = json_text.decode(got)
        elif isinstance(got, bytes):
            got = got.decode()
        elif shapes is not None:
            got = got.reshape(shapes[index]).tolist()
        elif isinstance(got, np.ndarray):
            got = got.tolist()
        assert json.dumps(got, default=float) == json.dumps(value) or got == value, kind
